"""The fold of recognition: triaged items in, ledger and standing out.

Owns the order of loading and applying. What an item earns is decided in ``domain.ledger``; every query is in ``repository``.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from earshot_recognition import repository
from earshot_recognition.domain.ledger import RULE_ITEM, Accounts, Contribution, Entry, entries_of
from earshot_recognition.domain.standing import Totals, decide_standing
from earshot_recognition.events import WRITER, RecognitionChanged, decode_triaged
from earshot_recognition.repository import Account
from earshot_recognition.rules import RecognitionRules
from earshot_shared import ids
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

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode the slice; needs no database."""
        prepared = Prepared()
        for batch in slice_:
            for record in batch.records:
                if record.value is None:
                    continue
                try:
                    item = decode_triaged(record.value)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    prepared.poison.append(Poison(record, "decode-failed", "The record is no triaged item."))
                    continue
                known = prepared.items.get(item.feedback_id)
                if known is None or item.version > known.version:
                    prepared.items[item.feedback_id] = item
        return prepared

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice: items, who owns them, what they earn, who stands where."""
        tx.bury(prepared.poison)
        old = await repository.load_items(tx.conn, prepared.items)
        fresh = {key: item for key, item in prepared.items.items() if key not in old or item.version > old[key].version}
        tx.duplicates += len(prepared.items) - len(fresh)
        if not fresh:
            return
        fold = _Fold(tx, self._rules(), {key: item for key, item in old.items() if key in fresh}, fresh)
        tx.send(self._tell(await fold.run(), fold, tx.version))

    def _tell(self, changed: Collection[str], fold: "_Fold", version: int) -> list[Message]:
        now = rfc3339(self._clock())
        return [
            tell_standing(fold.accounts[key], fold.bindings.get(key), fold.rules, version=version, now=now, excluded=fold.excluded(key))
            for key in sorted(changed)
        ]

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the standing of the keys as it is; a key without an account gets a tombstone."""
        del topic  # recognition writes one
        rules, now = self._rules(), rfc3339(self._clock())
        book = await AccountBook.load(tx.conn, keys)
        return [
            tell_standing(
                book.accounts[key], book.bindings.get(key), rules, version=book.accounts[key].version, now=now, excluded=book.excluded(key)
            )
            if key in book.accounts
            else WRITER.tombstone(key)
            for key in sorted(keys)
        ]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the standing of the next author keys."""
        keys = await repository.page_of_accounts(tx.conn, after, PAGE_KEYS)
        return await self.restate(tx, topic, keys), keys[-1] if len(keys) == PAGE_KEYS else None

    def forget(self) -> None:
        """Nothing is cached."""


def totals_of(account: Account) -> Totals:
    """Return the sums that standing is decided from."""
    return Totals(helpful=account.helpful, active=account.active, helped=account.helped, items=account.entries, followers=account.followers)


def tell_standing(account: Account, merged_into: str | None, rules: RecognitionRules, *, version: int, now: str, excluded: bool) -> Message:
    """Return the ``recognition.changed`` message of an account."""
    key = account.author_key
    event_id = ids.uuid5_text(ids.NAMESPACE.bytes, f"recognition{ids.UNIT_SEPARATOR}{key}{ids.UNIT_SEPARATOR}{version}")
    if merged_into is not None:
        return WRITER.write(key, event_id, RecognitionChanged(author_key=key, version=version, merged_into=merged_into), time=now)
    totals = totals_of(account)
    standing = decide_standing(totals, rules.tiers, rules.badges, excluded=excluded)
    body = RecognitionChanged(
        author_key=key,
        version=version,
        name=account.name,
        points={"helpful": totals.helpful, "active": totals.active, "reach": totals.reach},
        tier=standing.tier,
        badges=standing.badges,
        reasons=standing.reasons,
        next_step=standing.next_step,
        excluded=excluded,
    )
    return WRITER.write(key, event_id, body, time=now)


class AccountBook:
    """The accounts, pairs and bindings that a slice or a request looks at."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.pairs: set[tuple[str, str]] = set()
        self.bindings: dict[str, str] = {}
        self._handles_of: dict[str, set[str]] = {}

    @classmethod
    async def load(cls, conn: Any, keys: Collection[str]) -> "AccountBook":
        """Return a book of these author keys and of all they are bound to."""
        book = cls()
        await book.add(conn, keys)
        return book

    async def add(self, conn: Any, keys: Iterable[str]) -> None:
        """Load these keys, the handles and accounts they are paired with, and what is known of those."""
        wanted = set(keys)
        missing = wanted - self.accounts.keys()
        pairs = await repository.load_pairs(conn, wanted, wanted)
        partners = {key for pair in pairs for key in pair}
        # An account paired with our handle may own it only if no other account is: its other handles matter for exclusion too.
        further = await repository.load_pairs(conn, partners - wanted, partners - wanted)
        partners |= {key for pair in further for key in pair}
        self.pairs |= pairs | further
        self.accounts |= await repository.load_accounts(conn, (missing | partners) - self.accounts.keys())
        self.bind()

    def bind(self) -> dict[str, str]:
        """Work out the bindings anew from the pairs, and return them: a handle with exactly one account is that account's."""
        shown: dict[str, set[str]] = defaultdict(set)
        for handle, account in self.pairs:
            shown[handle].add(account)
        self.bindings = {handle: next(iter(accounts)) for handle, accounts in shown.items() if len(accounts) == 1}
        self._handles_of = defaultdict(set)
        for handle, account in self.bindings.items():
            self._handles_of[account].add(handle)
        return self.bindings

    def owner(self, key: str) -> str:
        """Return the account that items of this author key belong to."""
        return self.bindings.get(key, key)

    def excluded(self, owner: str) -> bool:
        """Return whether an account is staff's or a brand's: any present item of it, or of a handle bound to it, says so."""
        shown = (self.accounts.get(key) for key in (owner, *self._handles_of.get(owner, ())))
        return any(account is not None and (account.staff or account.brand) for account in shown)

    def account(self, key: str) -> Account:
        """Return the account of a key, new when there is none."""
        if key not in self.accounts:
            self.accounts[key] = Account(key)
        return self.accounts[key]


class _Fold(AccountBook):
    """The working set of one slice: changed items, accounts and pairs as they were and as they become."""

    def __init__(self, tx: Transaction, rules: RecognitionRules, old: dict[UUID, Contribution], fresh: dict[UUID, Contribution]) -> None:
        super().__init__()
        self.rules = rules
        self._tx = tx
        self._conn = tx.conn
        self._old = old
        self._fresh = fresh
        self._items: dict[UUID, Contribution] = dict(fresh)
        self._changed: set[str] = set()

    async def run(self) -> set[str]:
        """Apply everything; return the keys of the accounts whose standing changed."""
        keys = {each.author_key for group in (self._old, self._fresh) for each in group.values()}
        handles = {each.handle_key for group in (self._old, self._fresh) for each in group.values() if each.handle_key}
        await self.add(self._conn, keys | handles)
        before = (dict(self.bindings), {key for key in self.accounts if self.excluded(key)})
        await self._store_items()
        await self._show()
        affected = await self._affected(*before)
        await self._post(affected)
        stored = {key: self.account(key) for key in self._changed}
        for account in stored.values():
            account.version = self._tx.version
        await repository.store_accounts(self._conn, stored, self._tx.version)
        return self._changed

    async def _store_items(self) -> None:
        await repository.insert_items(self._conn, [item for key, item in self._fresh.items() if key not in self._old])
        await repository.upsert_items(self._conn, [self._fresh[key] for key in self._old])
        was = {(parent, key) for key, item in self._old.items() for parent in item.parents}
        now = {(parent, key) for key, item in self._fresh.items() for parent in item.parents}
        await repository.change_replies(self._conn, was - now, now - was)

    async def _show(self) -> None:
        """Bring what accounts show, and which handle goes with which account, up to the changed items."""
        # Most new versions only say that an item is in another case now: then nothing that accounts show has changed.
        took_back = {item.author_key for key, item in self._old.items() if item.shown != self._fresh[key].shown}
        everything = await repository.load_items_of(self._conn, took_back)
        self._items |= everything
        for key in took_back:
            self.account(key).blank()
        was, handles = set(self.pairs), {item.handle_key for item in self._old.values() if item.handle_key}
        self.pairs = {pair for pair in self.pairs if pair[1] not in took_back or pair[0] not in handles}
        for item in [*everything.values(), *(each for each in self._fresh.values() if each.author_key not in took_back)]:
            if item.present:
                self.account(item.author_key).show(item)
                self._changed.add(item.author_key)
                if item.handle_key and item.handle_key != item.author_key:
                    self.pairs.add((item.handle_key, item.author_key))
        self._changed |= took_back
        await repository.change_pairs(self._conn, was - self.pairs, self.pairs - was)
        self.bind()

    async def _affected(self, bindings: dict[str, str], excluded: set[str]) -> set[UUID]:
        """Return the ids of the items whose entries may differ now."""
        rebound = {key for key in bindings.keys() | self.bindings.keys() if bindings.get(key) != self.bindings.get(key)}
        flipped = {key for key in self.accounts if self.excluded(key) != (key in excluded)}
        moved = rebound | flipped | {handle for handle, account in self.bindings.items() if account in flipped}
        known = moved & self.accounts.keys()
        theirs = await repository.load_items_of(self._conn, known)
        self._items |= {key: item for key, item in theirs.items() if key not in self._fresh}
        self._changed |= {key for key in known if key in self.accounts}
        ground = set(theirs) | set(self._fresh)
        return ground | await repository.load_children(self._conn, ground)

    async def _post(self, affected: set[UUID]) -> None:
        """Work out the entries of the affected items, and change the ledger and the sums by the difference."""
        self._items |= await repository.load_items(self._conn, affected - self._items.keys())
        parents = {parent for key in affected for parent in self._items[key].parents}
        self._items |= await repository.load_items(self._conn, parents - self._items.keys())
        strangers = {self._items[key].author_key for key in affected | (parents & self._items.keys())}
        await self.add(self._conn, strangers - self.accounts.keys())
        accounts = Accounts(self.bindings, frozenset(key for key in self.accounts if self.excluded(key)))
        points = self.rules.ledger_points
        now = {
            entry
            for key in affected
            for entry in entries_of(
                self._items[key], [self._items[each] for each in self._items[key].parents if each in self._items], accounts, points
            )
        }
        first_seen = self._fresh.keys() - self._old.keys()
        was = set(await repository.load_entries(self._conn, affected - first_seen))
        await repository.change_entries(self._conn, was - now, now - was)
        for sign, entries in ((-1, was - now), (1, now - was)):
            self._sum(sign, entries)

    def _sum(self, sign: int, entries: Iterable[Entry]) -> None:
        for entry in entries:
            account = self.account(entry.member)
            self._changed.add(entry.member)
            if entry.rule == RULE_ITEM:
                account.entries += sign
                account.active += sign * entry.points
            else:
                account.helped += sign
                account.helpful += sign * entry.points
