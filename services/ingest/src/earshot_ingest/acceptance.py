"""How items enter: fresh ones are stored and told, known ones are duplicates that may bring new links.

Owns what happens in the accepting transaction. Opens none itself (`group` and the stage do).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from earshot_ingest import repository
from earshot_ingest.domain import revisions
from earshot_ingest.events import item_message, message_of
from earshot_ingest.repository import SourceCount
from earshot_shared.envelope import rfc3339
from earshot_shared.item import Item, decode_item, encode_item
from earshot_shared.messages import Message
from earshot_shared.pipeline.writer import Transaction


class Prepared(NamedTuple):
    """An item ready to be stored and told; made before the pen is taken."""

    item: Item
    body: bytes
    message: Message


@dataclass(slots=True)
class Submission:
    """What one request brings: items in order, and how many were refused, by source."""

    items: list[Prepared]
    rejected: dict[str, int] = field(default_factory=dict)


def prepare(item: Item, *, time: str, traceparent: str | None = None) -> Prepared:
    """Return the item with its JSON and its message; ``time`` is now in RFC 3339."""
    body = encode_item(item)
    return Prepared(item, body, message_of(item, body, time=time, traceparent=traceparent))


async def accept(tx: Transaction, submissions: Sequence[Submission]) -> list[list[bool]]:
    """Take the items of all submissions in this transaction; return for each item whether it was new."""
    first: dict[str, Prepared] = {}
    repeats: list[Item] = []
    answers = []
    for submission in submissions:
        fresh = []
        for prepared in submission.items:
            feedback_id = prepared.item.feedback_id
            is_first = feedback_id not in first
            fresh.append(is_first)
            if is_first:
                first[feedback_id] = prepared
            else:
                repeats.append(prepared.item)
        answers.append(fresh)
    _merge_repeats(first, repeats)
    known = await _insert(tx, first) if first else set()
    if known:
        for submission, fresh in zip(submissions, answers, strict=True):
            for index, prepared in enumerate(submission.items):
                if fresh[index] and prepared.item.feedback_id in known:
                    fresh[index] = False
        await add_links(tx, [first[feedback_id].item for feedback_id in known])
    await repository.count(tx.conn, _counts(submissions, answers))
    return answers


def _merge_repeats(first: dict[str, Prepared], repeats: Sequence[Item]) -> None:
    """Give the links of repeats to the first of their kind; it is the first revision still, since nobody has seen it."""
    for item in repeats:
        prepared = first[item.feedback_id]
        linked = revisions.with_links(prepared.item, item)
        if linked is not None:
            merged = replace(linked, revision=prepared.item.revision)
            first[item.feedback_id] = prepare(merged, time=rfc3339(merged.received_at))


async def _insert(tx: Transaction, first: dict[str, Prepared]) -> set[str]:
    """Store and tell the items that are new; return the ids of the others."""
    rows = [(feedback_id, not each.item.backfill, each.body) for feedback_id, each in first.items()]
    known = await repository.insert_fresh(tx.conn, rows)
    if known is None:
        tx.send([each.message for each in first.values()])
        return set()
    tx.send([each.message for feedback_id, each in first.items() if feedback_id not in known])
    return known


async def add_links(tx: Transaction, duplicates: Sequence[Item]) -> None:
    """Add the links that duplicates bring to the items that are there, each as the next revision."""
    linking = {item.feedback_id: item for item in duplicates if item.parents or item.conversations}
    if not linking:
        return
    changed = []
    for feedback_id, stored in (await repository.load(tx.conn, linking)).items():
        linked = revisions.with_links(decode_item(stored.body), linking[feedback_id])
        if linked is not None:
            changed.append(linked)
    await put(tx, changed, now=datetime.now(UTC))


async def put(tx: Transaction, items: Sequence[Item], *, now: datetime) -> None:
    """Put the next revisions of items in place and tell them."""
    if not items:
        return
    rows = [(item.feedback_id, item.revision, encode_item(item)) for item in items]
    await repository.update(tx.conn, rows)
    time = rfc3339(now)
    tx.send(
        item_message(item.feedback_id, item.revision, body, live=not item.backfill, time=time)
        for item, (_, _, body) in zip(items, rows, strict=True)
    )


def _counts(submissions: Sequence[Submission], answers: Sequence[Sequence[bool]]) -> dict[str, SourceCount]:
    counts: dict[str, SourceCount] = {}
    for submission, fresh in zip(submissions, answers, strict=True):
        for prepared, is_fresh in zip(submission.items, fresh, strict=True):
            item = prepared.item
            found = counts.get(item.source)
            if found is None:
                found = counts[item.source] = SourceCount()
            if is_fresh:
                found.accepted += 1
            else:
                found.duplicates += 1
            if found.last_occurred_at is None or item.occurred_at > found.last_occurred_at:
                found.last_occurred_at = item.occurred_at
        for source, rejected in submission.rejected.items():
            counts.setdefault(source, SourceCount()).rejected += rejected
    return counts
