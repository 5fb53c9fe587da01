"""Receipts of erasures: what a person asked to be forgotten comes here as skeletons, which take the place of what was held.

Owns the counting of skeletons and the receipt, which goes out once all that ingest speaks of have been applied.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from earshot_shared.envelope import EventWriter
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES

_MAKER: Final = "ingest"  # whose receipt says how many skeletons there are
_RECEIPTS: Final = EventWriter(Topic.ERASURE_DONE, SERVICE)


class Receipt(msgspec.Struct, gc=False):
    """What one service erased."""

    erasure_id: str
    service: str
    counts: dict[str, int]


class _ReceiptEvent(msgspec.Struct, gc=False):
    data: Receipt


_decoder = msgspec.json.Decoder(_ReceiptEvent)


def read_receipt(value: bytes) -> tuple[str, int] | None:
    """Return (erasure_id, how many skeletons ingest made); None for the receipt of another service.

    Raises: msgspec.DecodeError when it is no receipt.
    """
    told = _decoder.decode(value).data
    return (told.erasure_id, told.counts.get("items", 0)) if told.service == _MAKER else None


async def settle(tx: Transaction, struck: Sequence[tuple[str, str]], expected: Sequence[tuple[str, int]], *, now: str) -> None:
    """Count skeletons, (erasure_id, key), that this transaction applied, and tell the receipts of the erasures that are whole now.

    What is known already changes nothing: a replay tells nobody again.
    """
    if struck:
        await tx.conn.execute(QUERIES["note_erased"], [each[0] for each in struck], [each[1] for each in struck])
    if expected:
        await tx.conn.execute(QUERIES["expect_erased"], [each[0] for each in expected], [each[1] for each in expected])
    named = sorted({each[0] for each in struck} | {each[0] for each in expected})
    if named:
        whole = await tx.conn.fetch(QUERIES["settle_erasures"], named)
        tx.tell_facts(
            _RECEIPTS.write(erasure_id, f"{erasure_id}/{SERVICE}", Receipt(erasure_id, SERVICE, {"items": count}), time=now)
            for erasure_id, count in sorted((row["erasure_id"], row["expected"]) for row in whole)
        )
