"""The stage of recognition: decodes items, acts and erasures, keeps the book between slices, tells whose standing changed.

What items change is in ``folding``, what erasures change in ``erasing``.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from earshot_recognition import repository, repository_acts
from earshot_recognition.book import Book
from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.deeds import Act
from earshot_recognition.domain.ledger import Contribution
from earshot_recognition.domain.thanks import thank_you_id
from earshot_recognition.erasing import NOTHING, Erasure, Struck, admitted, admitted_acts, begin
from earshot_recognition.events import (
    RECEIPTS,
    SERVICE,
    WRITER,
    act_of,
    decode_erasure,
    decode_triaged,
    tell_merged,
    tell_outreach,
    tell_standing,
)
from earshot_recognition.folding import Fold
from earshot_recognition.rules import RecognitionRules
from earshot_shared import envelope
from earshot_shared.actions import decode_action
from earshot_shared.envelope import rfc3339
from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachRequested
from earshot_shared.pipeline.records import Batch, Poison, Record
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic

PAGE_KEYS = 500
THANK_YOU: Final = "thank-you"
OUTPUTS: Final = (Topic.RECOGNITION_CHANGED, Topic.ACTION_TAKEN, Topic.OUTREACH_REQUESTED, Topic.ERASURE_DONE)
"""The topics that recognition writes."""


@dataclass(slots=True)
class Prepared:
    """A slice decoded: the newest version of each item in it, acts, erasures, and what could not be decoded.

    ``live``: items that are no import's and no replay's. ``answered``: erasures that a replay brings again.
    """

    items: dict[UUID, Contribution] = field(default_factory=dict)
    live: set[UUID] = field(default_factory=set)
    acts: list[Act] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    poison: list[Poison] = field(default_factory=list)


class Recognition:
    """The stage of recognition (see `earshot_shared.pipeline.records.Stage`). ``key`` is the installation's for hashes of customers."""

    name = SERVICE
    inputs = (Topic.FEEDBACK_TRIAGED, Topic.ACTION_TAKEN, Topic.ERASURE_REQUESTED)

    def __init__(
        self, rules: Callable[[], RecognitionRules], *, key: bytes, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.rules = rules
        self._key = key
        self._clock = clock
        self._book = Book()
        self._readers: dict[Topic, Callable[[bytes, bool, Prepared], None]] = {
            Topic.FEEDBACK_TRIAGED: _read_item,
            Topic.ACTION_TAKEN: _read_act,
            Topic.ERASURE_REQUESTED: _read_erasure,
        }

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode the slice; needs no database."""
        prepared = Prepared()
        for batch in slice_:
            read = self._readers[batch.topic]
            for record in batch.records:
                if record.value is not None:  # a tombstone says nothing about what we hold
                    try:
                        read(record.value, batch.replaying, prepared)
                    except (msgspec.DecodeError, ValueError):
                        prepared.poison.append(_poison(record, batch.topic))
        return prepared

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice: who is forgotten, what was said, what people did, who stands where."""
        tx.bury(prepared.poison)
        await self.apply(tx, prepared)

    async def apply(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply what slices and people's writes both come to, and tell what changed."""
        book = self.book(tx)
        hit = await begin(tx.conn, book, prepared.erasures, self._key) if prepared.erasures else NOTHING
        items = await admitted(tx.conn, book, prepared.items, self._key)
        acts = await admitted_acts(tx.conn, book, prepared.acts, self._key)
        fresh = await repository_acts.insert_acts(tx.conn, acts)
        await book.know(tx.conn, {act.subject for act in fresh})
        book.note(fresh)
        rules = self.rules()
        fold = Fold(tx, book, rules, live=prepared.live)
        await fold.run(items, struck=hit.items, acted={act.subject for act in fresh} | hit.keys)
        tx.send(self._tell(fold.changed, book, rules))
        tx.send(WRITER.tombstone(key) for key in sorted(fold.ceased))
        tx.send(self._ask(fold, book))
        tx.tell_facts(self._tell_forgotten(hit, prepared))
        if prepared.erasures:
            self.forget()

    def book(self, tx: Transaction) -> Book:
        """Return the book to work with in a transaction: the one at hand as long as nobody else wrote."""
        if not tx.undisturbed or self._book.is_full:
            self.forget()
        return self._book

    def _tell(self, accounts: Iterable[Account], book: Book, rules: RecognitionRules) -> list[Message]:
        now = rfc3339(self._clock())
        return [
            tell_standing(book.whole(account), rules, book.deeds(account.author_key), excluded=book.excluded(account.author_key), now=now)
            if (owner := book.bound_to(account.author_key)) is None
            else tell_merged(account, owner, now=now)
            for account in accounts
        ]

    def _ask(self, fold: Fold, book: Book) -> list[Message]:
        """Ask for members to be written to, whom there is a new cause to thank."""
        now = rfc3339(self._clock())
        return [
            tell_outreach(
                OutreachRequested(
                    outreach_id=str(thank_you_id(key, rule.name)),
                    author_key=key,
                    purpose=THANK_YOU,
                    template=rule.template,
                    cause=rule.name,
                ),
                now=now,
            )
            for key, rule in fold.due
            if rule.template is not None and not book.excluded(key)
        ]

    def _tell_forgotten(self, hit: Struck, prepared: Prepared) -> list[Message]:
        """Make the topic forget acts about the erased, and say what was erased; a replay says it to nobody."""
        now = rfc3339(self._clock())
        told = [Message(Topic.ACTION_TAKEN, action_id.encode(), None) for action_id in sorted(hit.acts)]
        told += [
            RECEIPTS.tell_erased(each, counts, now=now) for each, counts in sorted(hit.counts.items()) if each not in prepared.answered
        ]
        return told

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the standing of the keys as it is; a key without an account gets a tombstone."""
        del topic  # the other topics that recognition writes are no topics of state
        book = await Book.load(tx.conn, keys)
        known = [book.accounts[key] for key in sorted(keys) if key in book.accounts]
        return [*self._tell(known, book, self.rules()), *(WRITER.tombstone(key) for key in sorted(keys) if key not in book.accounts)]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the standing of the next author keys."""
        keys = await repository.page_of_accounts(tx.conn, after, PAGE_KEYS)
        return await self.restate(tx, topic, keys), keys[-1] if len(keys) == PAGE_KEYS else None

    def forget(self) -> None:
        """Begin a new book: a transaction failed, or somebody else wrote."""
        self._book = Book()


def _poison(record: Record, topic: Topic) -> Poison:
    return Poison(record, "undecodable", f"The record is not one of {topic.value.noun}.")


def _read_item(value: bytes, replaying: bool, prepared: Prepared) -> None:
    item, imported = decode_triaged(value)
    known = prepared.items.get(item.feedback_id)
    if known is None or item.version > known.version:
        prepared.items[item.feedback_id] = item
        if not (replaying or imported):
            prepared.live.add(item.feedback_id)


def _read_act(value: bytes, replaying: bool, prepared: Prepared) -> None:
    del replaying  # what an act asks for was asked when it was done
    act = act_of(decode_action(envelope.decode(value).data))
    if act is not None:
        prepared.acts.append(act)


def _read_erasure(value: bytes, replaying: bool, prepared: Prepared) -> None:
    told = decode_erasure(value)
    if replaying:
        prepared.answered.add(told.erasure_id)
    prepared.erasures.append(Erasure(told.erasure_id, told.identifiers, told.at))
