"""The stage of recognition: decodes triaged items, keeps the book between slices, tells whose standing changed.

What a slice changes is in ``folding``.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from earshot_recognition import repository
from earshot_recognition.book import Book
from earshot_recognition.domain.accounts import Account, Accounts
from earshot_recognition.domain.ledger import Contribution
from earshot_recognition.events import WRITER, decode_triaged, tell_merged, tell_standing
from earshot_recognition.folding import Fold
from earshot_recognition.rules import RecognitionRules
from earshot_shared.envelope import rfc3339
from earshot_shared.messages import Message
from earshot_shared.pipeline.records import Batch, Poison
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic

PAGE_KEYS = 500


@dataclass(slots=True)
class Prepared:
    """A slice decoded: the newest version of each item in it, and what could not be decoded."""

    items: dict[UUID, Contribution] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)


class Recognition:
    """The stage of recognition (see `earshot_shared.pipeline.records.Stage`)."""

    name = "recognition"
    inputs = (Topic.FEEDBACK_TRIAGED,)

    def __init__(self, rules: Callable[[], RecognitionRules], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._rules = rules
        self._clock = clock
        self._book = Book()

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode the slice; needs no database."""
        prepared = Prepared()
        for batch in slice_:
            for record in batch.records:
                if record.value is None:
                    continue
                try:
                    item = decode_triaged(record.value)
                except (msgspec.DecodeError, ValueError):
                    prepared.poison.append(Poison(record, "decode-failed", "The record is no triaged item."))
                    continue
                known = prepared.items.get(item.feedback_id)
                if known is None or item.version > known.version:
                    prepared.items[item.feedback_id] = item
        return prepared

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice: items, who owns them, what they earn, who stands where."""
        tx.bury(prepared.poison)
        if not tx.undisturbed or self._book.is_full:
            self.forget()
        rules = self._rules()
        changed = await Fold(tx, self._book, rules.ledger_points).run(prepared.items)
        tx.send(self._tell(changed, self._book, rules))

    def _tell(self, accounts: Iterable[Account], book: Accounts, rules: RecognitionRules) -> list[Message]:
        now = rfc3339(self._clock())
        return [
            tell_standing(account, rules, excluded=book.excluded(account.author_key), now=now)
            if (owner := book.bound_to(account.author_key)) is None
            else tell_merged(account, owner, now=now)
            for account in accounts
        ]

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the standing of the keys as it is; a key without an account gets a tombstone."""
        del topic  # recognition writes one
        book = await Book.load(tx.conn, keys)
        known = [book.accounts[key] for key in sorted(keys) if key in book.accounts]
        return [*self._tell(known, book, self._rules()), *(WRITER.tombstone(key) for key in sorted(keys) if key not in book.accounts)]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the standing of the next author keys."""
        keys = await repository.page_of_accounts(tx.conn, after, PAGE_KEYS)
        return await self.restate(tx, topic, keys), keys[-1] if len(keys) == PAGE_KEYS else None

    def forget(self) -> None:
        """Begin a new book: a transaction failed, or somebody else wrote."""
        self._book = Book()
