"""The stage of crm-sync: triaged items and standings in, customers out.

Owns decoding, and what is published. How a slice changes the store is in ``fold``; who is who is decided in ``identity``.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from earshot_crm_sync import events, repository
from earshot_crm_sync.cache import Cache
from earshot_crm_sync.fold import Fold, Told
from earshot_crm_sync.identity import IdentityRules
from earshot_crm_sync.repository import Held
from earshot_shared.envelope import rfc3339
from earshot_shared.messages import Message
from earshot_shared.pipeline.records import Batch, Poison, Record
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic


@dataclass(slots=True)
class Prepared:
    """A slice decoded: the newest version of each item in it, and what could not be decoded."""

    items: dict[str, Told] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)


ID_PURPOSE: Final = "customer"
"""Names the key of the installation that ids of customers are made with."""


class CrmSync:
    """The stage (see `earshot_shared.pipeline.records.Stage`). ``key`` is the installation's key for ids of customers."""

    name = "crm-sync"
    inputs = (Topic.FEEDBACK_TRIAGED,)

    def __init__(
        self, rules: Callable[[], IdentityRules], *, key: bytes, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._rules = rules
        self._key = key
        self._clock = clock
        self._cache = Cache()

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode the slice; needs no database."""
        prepared = Prepared()
        for batch in slice_:
            for record in batch.records:
                if record.value is not None:
                    self._decode_item(record, record.value, prepared)
        return prepared

    def _decode_item(self, record: Record, value: bytes, prepared: Prepared) -> None:
        try:
            triaged = events.decode_triaged(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            prepared.poison.append(Poison(record, "decode-failed", "The record is no triaged item."))
            return
        item = triaged.item
        known = prepared.items.get(item.feedback_id)
        if known is None or triaged.version > known.version:
            occurred_at, received_at = item.occurred_at, item.received_at
            prepared.items[item.feedback_id] = Told(
                item.feedback_id,
                triaged.version,
                events.statement_of_item(item),
                occurred_at,
                occurred_at if occurred_at <= received_at else received_at,
                events.entry_of(item, triaged.intent, triaged.case_id),
            )

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice and publish every customer it changed, once."""
        tx.bury(prepared.poison)
        if not tx.undisturbed:
            self._cache.clear()
        outcome = await Fold(tx.conn, tx.version, self._cache, self._rules(), self._key).run(prepared.items)
        now = rfc3339(self._clock())
        tx.send(tell_held(held, now) for held in outcome.changed.values())
        tx.send(tell_moved(alias, into, tx.version, now) for alias, into in sorted(outcome.moved.items()))

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return where each id leads: the customer it names, the one that took it in, or nowhere."""
        del topic  # the only one so far
        now = rfc3339(self._clock())
        return [await self._restate(tx, key, now) for key in sorted(keys)]

    async def _restate(self, tx: Transaction, key: str, now: str) -> Message:
        found = await repository.find_customer(tx.conn, key)
        if found is None or found.customer_no is None:
            return events.CUSTOMERS.tombstone(key)
        held = await repository.read_held(tx.conn, found.customer_no)
        assert held is not None, "who holds an identifier is a customer"
        if found.customer_no != found.no:
            return tell_moved(key, held.profile.customer_id, tx.version, now)
        return tell_held(held, now)

    def forget(self) -> None:
        """Drop what is cached of the store."""
        self._cache.clear()


def view_of(held: Held) -> msgspec.Raw:
    """Return the whole view of a customer, as JSON."""
    return events.view_of(held.profile, {no: row.tally for no, row in held.spoken.items()}, held.feedback_count, held.version)


def tell_held(held: Held, now: str) -> Message:
    """Return the message that tells a customer's state."""
    return events.tell_customer(held.profile.customer_id, view_of(held), held.version, now=now)


def tell_moved(alias: str, into: str | None, version: int, now: str) -> Message:
    """Return the last message of an id: where it leads now, or a tombstone."""
    if into is None:
        return events.CUSTOMERS.tombstone(alias)
    return events.tell_merged(alias, into, version, now=now)
