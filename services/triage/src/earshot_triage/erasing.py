"""Erasures: what a person asked to be forgotten comes here as skeletons, which take the place of what was held.

Owns what colleagues wrote about such items and were answered, what they replied that named who is erased, the counting of skeletons, and
the receipt, which goes out once all that ingest speaks of have been applied.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from earshot_shared import ids
from earshot_shared.actions import Action, decode_action
from earshot_shared.http.idempotency import forget_answers
from earshot_shared.item import Item, decode_item
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.receipts import ReceiptWriter, decode_receipt
from earshot_shared.replies import RESPOND, SOURCE, respond_arguments
from earshot_triage import repository
from earshot_triage.events import ACTIONS, SERVICE, silenced
from earshot_triage.folding import Doing
from earshot_triage.repository import QUERIES

_MAKER: Final = "ingest"  # whose receipt says how many skeletons there are
_RECEIPTS: Final = ReceiptWriter(SERVICE)


def read_receipt(value: bytes) -> tuple[str, int] | None:
    """Return (erasure_id, how many skeletons ingest made); None for the receipt of another service.

    Raises: msgspec.DecodeError when it is no receipt.
    """
    told = decode_receipt(value)
    return (told.erasure_id, told.counts.get("items", 0)) if told.service == _MAKER else None


async def settle(tx: Transaction, struck: Sequence[tuple[str, str, str]], expected: Sequence[tuple[str, int]], *, now: str) -> None:
    """Count skeletons, (erasure_id, key, feedback_id), that this transaction applied; tell the receipts of erasures that are whole now.

    What is known already changes nothing: a replay tells nobody again.
    """
    if struck:
        await tx.conn.execute(QUERIES["note_erased"], [each[0] for each in struck], [each[1] for each in struck])
        await _silence(tx, [each[1] for each in struck])
        await forget_answers(tx.conn, {str(name) for _, *names in struck for name in names})
    if expected:
        await tx.conn.execute(QUERIES["expect_erased"], [each[0] for each in expected], [each[1] for each in expected])
    named = sorted({each[0] for each in struck} | {each[0] for each in expected})
    if named:
        whole = await tx.conn.fetch(QUERIES["settle_erasures"], named)
        tx.tell_facts(
            _RECEIPTS.tell_erased(erasure_id, {"items": count}, now=now)
            for erasure_id, count in sorted((row["erasure_id"], row["expected"]) for row in whole)
        )


async def silence_again(tx: Transaction, retold: Sequence[Doing]) -> None:
    """Take the words out of acts that a replay brings from a log that has not forgotten them yet, where the item came before them."""
    erased = await tx.conn.fetch(QUERIES["erased_among"], [each.act.subject for each in retold])
    await _silence(tx, [row["key"] for row in erased])
    held = await repository.load_items(tx.conn, [each.reply.message.key for each in retold if each.reply is not None])
    await follow(tx, [item for each in held.values() if is_struck_reply(item := decode_item(each.item))])


def is_struck_reply(item: Item) -> bool:
    """Say whether an item is a reply of ours that may have changed though nobody edited it: who was named in it is erased."""
    return item.source == SOURCE and item.revision > 1 and item.edited_at is None and not item.erased and ids.is_uuid(item.external_id)


async def follow(tx: Transaction, replies: Sequence[Item]) -> None:
    """Let the acts that made some replies say what these say now, here and on the topic."""
    texts = {item.external_id: item.text for item in replies}
    if not texts:
        return
    fresh = []
    for row in await tx.conn.fetch(QUERIES["actions_named"], list(texts)):
        action = decode_action(row["body"])
        if action.verb == RESPOND and (given := respond_arguments(action)).text != texts[str(action.action_id)]:
            said = msgspec.structs.replace(given, text=texts[str(action.action_id)])
            fresh.append(msgspec.structs.replace(action, arguments=msgspec.Raw(msgspec.json.encode(said))))
    await _retell(tx, fresh)


async def _silence(tx: Transaction, keys: Sequence[object]) -> None:
    """Take the free words out of what people did about erased items, here and on the topic."""
    bodies = [row["body"] for row in await tx.conn.fetch(QUERIES["load_actions"], keys)]
    fresh = [action for body in bodies if (action := silenced(decode_action(body))) is not None]
    await _retell(tx, fresh)


async def _retell(tx: Transaction, fresh: Sequence[Action]) -> None:
    """Put acts in place of what they were, and say them again: a fact keeps its key, so that the log forgets the earlier words."""
    if fresh:
        rows = [(action.action_id, msgspec.json.encode(action)) for action in fresh]
        await tx.conn.execute(QUERIES["silence_actions"], *map(list, zip(*rows, strict=True)))
        tx.tell_facts(map(ACTIONS.write, fresh))
