"""Receipts of erasures: what a person asked to be forgotten comes here as skeletons, which take the place of what was held.

Owns the counting of skeletons and the receipt, which goes out once all that ingest speaks of have been applied.
"""

from collections.abc import Sequence
from typing import Final

from earshot_shared.pipeline.writer import Transaction
from earshot_shared.receipts import ReceiptWriter, decode_receipt
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES

_MAKER: Final = "ingest"  # whose receipt says how many skeletons there are
_RECEIPTS: Final = ReceiptWriter(SERVICE)


def read_receipt(value: bytes) -> tuple[str, int] | None:
    """Return (erasure_id, how many skeletons ingest made); None for the receipt of another service.

    Raises: msgspec.DecodeError when it is no receipt.
    """
    told = decode_receipt(value)
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
            _RECEIPTS.tell_erased(erasure_id, {"items": count}, now=now)
            for erasure_id, count in sorted((row["erasure_id"], row["expected"]) for row in whole)
        )
