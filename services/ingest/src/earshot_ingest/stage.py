"""What ingest folds: actions, of which a `respond` becomes the item of our reply, and wishes to be forgotten.

Owns the fold and the restating of items. The reply is a function of its action, so that the item's own id is all the dedupe there is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from earshot_ingest import repository
from earshot_ingest.acceptance import Submission, accept, prepare
from earshot_ingest.erasing import Forgotten
from earshot_ingest.events import SERVICE, ErasureRequested, decode_erasure, item_message, topic_of
from earshot_shared import envelope, ids
from earshot_shared.actions import decode_action
from earshot_shared.envelope import rfc3339
from earshot_shared.item import Item
from earshot_shared.messages import Message
from earshot_shared.pipeline.records import Batch, Poison, Record
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.replies import RESPOND, reply_item
from earshot_shared.topics import Topic

OUTPUTS: Final = (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_BACKFILLED, Topic.ACTION_TAKEN, Topic.ERASURE_DONE)
PAGE_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A slice, decoded: the items of our replies, wishes to be forgotten, and what cannot be read."""

    items: list[Item]
    erasures: list[ErasureRequested]
    poison: list[Poison]


class IngestStage:
    """Implements `earshot_shared.pipeline.records.Stage` for ingest."""

    name: str = SERVICE
    inputs: tuple[Topic, ...] = (Topic.ACTION_TAKEN, Topic.ERASURE_REQUESTED)

    def __init__(self, forgotten: Forgotten) -> None:
        self._forgotten = forgotten

    async def prepare(self, slice_: Sequence[Batch]) -> Decoded:
        """Decode the slice and make the items of replies."""
        decoded = Decoded([], [], [])
        for batch in slice_:
            read = _read_erasure if batch.topic is Topic.ERASURE_REQUESTED else _read_action
            for record in batch.records:
                if record.value is not None:  # a tombstone holds nothing
                    read(record, record.value, decoded)
        return decoded

    async def fold(self, tx: Transaction, prepared: Decoded) -> None:
        """Accept the replies like items from any door; one that is known is a duplicate (the platform's echo came first).

        A wish to be forgotten is heeded by the door from here on; `erasing.Sweeper` goes through what is there.
        """
        tx.bury(prepared.poison)
        for asked in prepared.erasures:
            await self._forgotten.note(tx, asked)
        if prepared.items:
            time = rfc3339(datetime.now(UTC))
            submission = Submission([prepare(item, time=time) for item in prepared.items])
            await accept(tx, await self._forgotten.admit(tx, [submission]))

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the present revision of the items among ``keys`` that belong on ``topic``.

        A key that is no item of ours gets nothing: an item that was told is a fact, and a database that lacks it was restored from an
        older copy; a tombstone would destroy the only copy left.
        """
        wanted = [key for key in keys if ids.is_uuid(key)]
        time = rfc3339(datetime.now(UTC))
        return [
            item_message(stored.feedback_id, stored.revision, stored.body, live=stored.live, time=time)
            for stored in (await repository.load(tx.conn, wanted)).values()
            if topic_of(live=stored.live) is topic
        ]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the present revisions of the next items of a topic."""
        time = rfc3339(datetime.now(UTC))
        page = await repository.page_of_items(tx.conn, live=topic is Topic.FEEDBACK_RECEIVED, after=after, limit=PAGE_ITEMS)
        messages = [item_message(stored.feedback_id, stored.revision, stored.body, live=stored.live, time=time) for stored in page]
        return messages, page[-1].feedback_id if len(page) == PAGE_ITEMS else None

    def forget(self) -> None:
        """Nothing is cached."""


def _read_action(record: Record, value: bytes, decoded: Decoded) -> None:
    """Add what one record holds; an unknown verb holds nothing."""
    try:
        action = decode_action(envelope.decode(value).data)
        if action.verb == RESPOND:
            item = reply_item(action)
            if not ids.is_uuid(action.subject):
                raise ValueError("the subject is no feedback_id")
            decoded.items.append(item)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        decoded.poison.append(Poison(record, "undecodable", "This is no action as `action.taken` holds them."))


def _read_erasure(record: Record, value: bytes, decoded: Decoded) -> None:
    try:
        decoded.erasures.append(decode_erasure(value))
    except (msgspec.DecodeError, ValueError):
        decoded.poison.append(Poison(record, "undecodable", "This is no wish to be forgotten as `erasure.requested` holds them."))
