"""The stage of crm-sync: triaged items and standings in, customers out.

Owns decoding, and what is published. How a slice changes the store is in ``fold``; who is who is decided in ``identity``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from earshot_crm_sync import events, repository_read, repository_words
from earshot_crm_sync.cache import Cache
from earshot_crm_sync.contacts import decode_contact, tell_contact
from earshot_crm_sync.desk import Desk, Rules, Slice
from earshot_crm_sync.fold import Outcome, apply
from earshot_crm_sync.intake import take_action, take_contact, take_erasure, take_item, take_outreach, take_receipt, take_standing
from earshot_crm_sync.rows import Held, IdentifierRow
from earshot_shared import ids
from earshot_shared.envelope import rfc3339
from earshot_shared.messages import Message
from earshot_shared.pipeline.records import Batch, Poison
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.postgres import in_turns
from earshot_shared.topics import Topic


@dataclass(slots=True)
class Prepared:
    """A slice decoded: the newest of each record in it, and what could not be decoded."""

    slice: Slice = field(default_factory=Slice)
    replaying: bool = False
    poison: list[Poison] = field(default_factory=list)


PAGE_KEYS: Final = 200  # a page is one transaction, and a customer may be told in a hundred kilobytes
ID_PURPOSE: Final = "customer"
"""Names the key of the installation that ids of customers are made with."""


class CrmSync:
    """The stage (see `earshot_shared.pipeline.records.Stage`). ``key`` is the installation's key for ids of customers."""

    name = "crm-sync"
    inputs = (
        Topic.FEEDBACK_TRIAGED,
        Topic.RECOGNITION_CHANGED,
        Topic.ACTION_TAKEN,
        Topic.CONTACT_RECEIVED,
        Topic.ERASURE_REQUESTED,
        Topic.ERASURE_DONE,
        Topic.OUTREACH_REQUESTED,
    )

    def __init__(self, rules: Callable[[], Rules], *, key: bytes, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._rules = rules
        self._key = key
        self._clock = clock
        self._cache = Cache()
        self._decoders: dict[Topic, Callable[[bytes, Slice], None]] = {
            Topic.FEEDBACK_TRIAGED: take_item,
            Topic.RECOGNITION_CHANGED: take_standing,
            Topic.ACTION_TAKEN: take_action,
            Topic.CONTACT_RECEIVED: take_contact,
            Topic.ERASURE_REQUESTED: take_erasure,
            Topic.ERASURE_DONE: take_receipt,
            Topic.OUTREACH_REQUESTED: take_outreach,
        }

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode the slice; needs no database, and lets the slice before it be applied beside."""
        prepared = Prepared()
        for batch in slice_:
            prepared.replaying |= batch.replaying
            take = self._decoders[batch.topic]
            async for record in in_turns(batch.records):
                if record.value is None:
                    continue
                try:
                    take(record.value, prepared.slice)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    prepared.poison.append(Poison(record, "undecodable", f"The record is not one of {batch.topic.value.noun}."))
        return prepared

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice and publish every customer it changed, once."""
        tx.bury(prepared.poison)
        await self.apply(tx, prepared.slice, cause=None if prepared.replaying else "evidence")

    async def apply(self, tx: Transaction, slice_: Slice, *, cause: str | None) -> Outcome:
        """Apply a slice in a transaction of the service's writer, and publish what it changed. After a failure call `forget`.

        ``cause`` stands in the log of what became of customers; None logs nothing: a replay repeats what is in it.
        """
        if not tx.undisturbed:
            self._cache.clear()
        clock = self._clock()
        desk = Desk(tx.conn, tx.version, self._cache, self._rules(), self._key, clock)
        now = rfc3339(clock)
        outcome = await apply(desk, slice_, cause=cause, tell=lambda held: tell_held(held, now))
        tx.duplicates += desk.duplicates
        tx.send(outcome.told)
        tx.send(tell_moved(alias, into, tx.version, now) for alias, into in sorted(outcome.moved.items()))
        tx.send(events.tell_decided(each, now=now) for each in outcome.decided)
        if cause is not None:
            tx.tell_facts(_tell_forgotten(outcome, now))
        return outcome

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the present state of keys: customers and where their ids lead, or records of other systems."""
        now = rfc3339(self._clock())
        keys = [key for key in sorted(keys) if ids.is_uuid(key)]  # a stranger may have written under any key
        if topic is Topic.CONTACT_RECEIVED:
            # A record we do not know gets nothing: it is a fact that a replay has yet to read, or that only the topic still has.
            known = await repository_words.load_contacts(tx.conn, keys)
            return [tell_contact(decode_contact(known[key].record), now=now) for key in keys if key in known]
        found = await repository_read.find_identifiers(tx.conn, keys)
        customers = await repository_read.read_many(tx.conn, {row.customer_no for row in found if row.customer_no is not None})
        return [_restated(row, customers, tx.version, now) for row in found]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the present state of the next ids by which customers were ever told of."""
        keys = await repository_read.page_of_told(tx.conn, after, PAGE_KEYS)
        return await self.restate(tx, topic, keys), keys[-1] if len(keys) == PAGE_KEYS else None

    def forget(self) -> None:
        """Drop what is cached of the store."""
        self._cache.clear()


OUTPUTS: Final = (
    Topic.CUSTOMER_CHANGED,
    Topic.CONTACT_RECEIVED,
    Topic.ACTION_TAKEN,
    Topic.ERASURE_REQUESTED,
    Topic.ERASURE_DONE,
    Topic.OUTREACH_DECIDED,
)
"""The topics that crm-sync writes."""


def _restated(row: IdentifierRow, customers: Mapping[int, Held], version: int, now: str) -> Message:
    if row.customer_no is None:
        return events.CUSTOMERS.tombstone(row.alias)
    held = customers[row.customer_no]
    return tell_held(held, now) if row.customer_no == row.no else tell_moved(row.alias, held.profile.customer_id, version, now)


def _tell_forgotten(outcome: Outcome, now: str) -> Iterator[Message]:
    """Tell what was erased, and make the topics forget it: records of other systems, and acts that hold what a person said of himself."""
    for contact_id in sorted(outcome.forgotten_contacts):
        yield Message(Topic.CONTACT_RECEIVED, contact_id.encode(), None)
    for action_id in sorted(outcome.forgotten_acts):
        yield Message(Topic.ACTION_TAKEN, action_id.encode(), None)
    for erasure_id, counts in sorted(outcome.receipts.items()):
        yield events.RECEIPTS.tell_erased(erasure_id, counts, now=now)


def view_of(held: Held) -> msgspec.Raw:
    """Return the whole view of a customer, as JSON."""
    return events.view_of(held.profile, held.spoken, held.feedback_count, held.version)


def tell_held(held: Held, now: str) -> Message:
    """Return the message that tells a customer's state."""
    return events.tell_customer(held.profile.customer_id, view_of(held), held.version, now=now)


def tell_moved(alias: str, into: str | None, version: int, now: str) -> Message:
    """Return the last message of an id: where it leads now, or a tombstone."""
    if into is None:
        return events.CUSTOMERS.tombstone(alias)
    return events.tell_merged(alias, into, version, now=now)
