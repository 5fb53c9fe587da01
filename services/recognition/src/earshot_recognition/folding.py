"""The fold of one slice: changed items in, ledger, accounts and counts moved by the difference.

Owns the order of loading, deciding and storing. What an item earns is decided in ``domain.ledger``; every query is in ``repository``.
Most slices bring items by authors who are in the book, with nothing to take back: those cost one look for the items and one write a table.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Set
from uuid import UUID

from earshot_recognition import repository, repository_acts
from earshot_recognition.book import Book
from earshot_recognition.domain.accounts import Account, may_be_handle
from earshot_recognition.domain.ledger import Contribution, Help, earner_of, helps_of, worth_of
from earshot_recognition.domain.thanks import ThankRule, causes_moved
from earshot_recognition.repository import Held
from earshot_recognition.rules import RecognitionRules
from earshot_shared.pipeline.writer import Transaction

Pairs = set[tuple[str, str]]


class Fold:
    """The working set of one slice. ``book`` is changed in place: it must be dropped when the transaction fails."""

    def __init__(self, tx: Transaction, book: Book, rules: RecognitionRules, *, live: Set[UUID] = frozenset()) -> None:
        """``live``: items that nobody imported and no replay brings; only by those does a member become due to be written to."""
        self._tx = tx
        self._conn = tx.conn
        self._version = tx.version
        self._book = book
        self._points = rules.ledger_points
        self._thank_rules = rules.thank_yous
        self._live = live
        self._held: dict[UUID, Held] = {}  # items as they are stored
        self._fresh: dict[UUID, Contribution] = {}  # items that say something new
        self._now: dict[UUID, Held] = {}  # items with what they earn from now on
        self._changed: dict[str, Account] = {}
        self._before: dict[str, tuple[int, int]] = {}  # whose sums moved: (helped, items) before
        self._alive: set[str] = set()  # members who earned by live items
        self._bare: set[str] = set()  # accounts that no present item shows any more
        self._counts: Counter[str] = Counter()
        self._sought: set[UUID] = set()
        self.due: list[tuple[str, ThankRule]] = []  # members who are to be written to, and what for

    async def run(
        self, items: Mapping[UUID, Contribution], *, struck: Mapping[UUID, Contribution] | None = None, acted: Iterable[str] = ()
    ) -> None:
        """Apply the items that are newer than what is stored.

        ``struck`` are stored items as an erasure leaves them, whatever their version; ``acted``: authors about whom people did something.
        """
        await self._meet(items, struck or {})
        if self._fresh:
            moved = await self._show()
            await self._post(await self._affected(moved))
            self._let_owners_show()
        for key in {self._book.owner(key) for key in acted} & self._book.accounts.keys():
            self._changed[key] = self._book.accounts[key]
        if self._changed or self._fresh:
            await self._store()

    @property
    def changed(self) -> Collection[Account]:
        """The accounts whose standing may have changed."""
        return self._changed.values()

    @property
    def ceased(self) -> Collection[str]:
        """Author keys that were told and have no account any more."""
        return self._bare

    async def _meet(self, items: Mapping[UUID, Contribution], struck: Mapping[UUID, Contribution]) -> None:
        """Load the items as they are stored, and what they reply to; tell apart what is old, what says the same, and what is new."""
        parents = {parent for item in items.values() for parent in item.parents}
        self._sought = items.keys() | parents | struck.keys()
        self._held = await repository.load_items(self._conn, self._sought)
        same = []
        for key, item in items.items():
            held = self._held.get(key)
            if held is None or (item.version > held.item.version and item.said != held.item.said):
                self._fresh[key] = item
            elif item.version > held.item.version:
                same.append(item)
        self._tx.duplicates += len(items) - len(self._fresh) - len(same)
        await repository.update_versions(self._conn, same)
        for key in struck.keys() - self._fresh.keys():
            self._fresh[key] = struck[key]._replace(version=max(struck[key].version, items[key].version if key in items else 0))
        await self._know([*self._fresh.values(), *(held.item for held in self._held.values())])

    async def _know(self, items: Iterable[Contribution]) -> None:
        keys = set()
        for item in items:
            keys.add(item.author_key)
            if item.handle_key:
                keys.add(item.handle_key)
        await self._book.know(self._conn, keys)

    def _was(self, key: UUID) -> Contribution | None:
        held = self._held.get(key)
        return held.item if held is not None else None

    def _is(self, key: UUID) -> Contribution | None:
        return self._fresh.get(key) or self._was(key)

    async def _load(self, ids: Set[UUID]) -> None:
        """Load more items, with their authors."""
        if missing := ids - self._held.keys() - self._sought:
            self._sought |= missing
            loaded = await repository.load_items(self._conn, missing)
            self._held |= loaded
            await self._know(held.item for held in loaded.values())

    async def _load_of(self, author_keys: Collection[str]) -> dict[UUID, Contribution]:
        """Load all items of some authors; return them as they are now."""
        loaded = await repository.load_items_of(self._conn, author_keys)
        self._held |= loaded
        await self._know(held.item for held in loaded.values())
        items = {key: self._fresh.get(key) or held.item for key, held in loaded.items()}
        return {key: item for key, item in items.items() if item.author_key in author_keys}

    async def _show(self) -> set[str]:
        """Bring what accounts show, and whose each handle is, up to date; return the keys whose items may earn differently now."""
        book = self._book
        taken_back = {was.author_key for key, item in self._fresh.items() if (was := self._was(key)) and was.shown != item.shown}
        everything = await self._load_of(taken_back)
        said = everything | self._fresh
        gone, added = self._repaired(said.values(), taken_back)
        rebound = await self._rebind(gone, added)
        suspects = self._suspects(taken_back) | rebound.keys() | {key for pair in rebound.values() for key in pair if key}
        before = {key: book.excluded(key) for key in suspects}
        for pair in gone:
            book.part(*pair)
        for pair in added:
            book.pair(*pair)
        self._display(said.values(), taken_back)
        await repository.change_pairs(self._conn, gone, added)
        flipped = {key for key, excluded in before.items() if book.excluded(key) != excluded}
        self._changed |= {key: book.accounts[key] for pair in rebound.values() for key in pair if key is not None and key in book.accounts}
        return rebound.keys() | flipped | {handle for key in flipped for handle in book.names_of(key)}

    def _repaired(self, said: Iterable[Contribution], taken_back: Collection[str]) -> tuple[Pairs, Pairs]:
        """Return the pairs of handle and account that no item shows any more, and those that one shows now."""
        handles_of = self._book.handles_of
        was = {(handle, account) for account in taken_back for handle in handles_of.get(account, ())}
        kept: Pairs = set()
        added: Pairs = set()
        for item in said:
            handle, account = item.handle_key, item.author_key
            if handle and item.present and handle != account:
                (kept if handle in handles_of.get(account, ()) else added).add((handle, account))
        return was - kept, added

    async def _rebind(self, gone: Pairs, added: Pairs) -> dict[str, tuple[str | None, str | None]]:
        """Return the handles that lead elsewhere once the pairs have changed: from which account to which."""
        now = {handle: set(self._book.accounts_of.get(handle, ())) for handle, _ in gone | added}
        for handle, account in gone:
            now[handle].discard(account)
        for handle, account in added:
            now[handle].add(account)
        ends = {handle: (self._book.bound_to(handle), _only(accounts)) for handle, accounts in now.items()}
        rebound = {handle: (was, will) for handle, (was, will) in ends.items() if was != will}
        await self._book.know(self._conn, {account for _, account in rebound.values() if account})
        return rebound

    def _suspects(self, taken_back: Collection[str]) -> set[str]:
        """Return the accounts that may become or cease to be staff's or a brand's, by what is said under their own key or names."""
        book = self._book
        said_so = {item.author_key for item in self._fresh.values() if item.staff or item.brand}
        news = {key for key in said_so if (account := book.accounts.get(key)) is None or not (account.staff and account.brand)}
        return {owner for key in news | set(taken_back) for owner in (key, book.owner(key))}

    def _display(self, said: Collection[Contribution], taken_back: Collection[str]) -> None:
        """Let the accounts show what the present items say of them; those of ``taken_back`` anew."""
        shown = {item.author_key for item in said if item.present}
        for key in taken_back:
            if key in shown:
                account = self._changed[key] = self._book.account(key)
                account.blank()
            elif key in self._book.accounts:
                self._bare.add(key)
                self._book.accounts[key].blank()
        for item in said:
            if item.present:
                account = self._changed[item.author_key] = self._book.account(item.author_key)
                account.show(
                    staff=item.staff,
                    brand=item.brand,
                    followers=item.followers,
                    name=item.name,
                    named_at=item.named_at,
                    feedback_id=item.feedback_id,
                )

    def _let_owners_show(self) -> None:
        """What is shown under a handle is the account's to show: whose handles changed is told too."""
        accounts, book = self._book.accounts, self._book
        owners = {book.bound_to(key) for key in (*self._changed, *self._bare) if may_be_handle(key)}
        self._changed |= {owner: accounts[owner] for owner in owners if owner is not None and owner in accounts}

    async def _affected(self, moved: Collection[str]) -> Set[UUID]:
        """Return the ids of the items that may earn differently now: new ones, those of moved authors, and replies to any of them."""
        stored = {key: account for key in moved if (account := self._book.accounts.get(key)) is not None}
        self._changed |= stored
        self._changed |= {owner: self._book.account(owner) for key in stored if (owner := self._book.owner(key)) in self._book.accounts}
        theirs = await self._load_of({key for key, account in stored.items() if account.version})
        asked = {key for key, item in theirs.items() if item.question}
        asked |= {key for key, item in self._fresh.items() if item.question or ((was := self._was(key)) and was.question)}
        children = await repository.load_children(self._conn, asked)
        affected = self._fresh.keys() | theirs.keys() | children
        await self._load(affected)
        await self._load({parent for key in affected if (item := self._is(key)) for parent in item.parents})
        return affected

    async def _post(self, affected: Collection[UUID]) -> None:
        """Work out what the affected items earn, and move the sums by the difference."""
        book, points = self._book, self._points
        helps: set[Help] = set()
        replying = []
        for key in affected:
            item = self._is(key)
            assert item is not None, "what is affected has been loaded"
            member = earner_of(item, book)
            self._now[key] = Held(item, member, worth_of(item, points) if member is not None else 0)
            was = self._was(key)
            if item.parents or (was and was.parents):
                if was:
                    replying.append(key)
                if member is not None:
                    helps |= helps_of(item, member, filter(None, map(self._is, item.parents)), book, points)
        had = await repository.load_helps(self._conn, replying)
        await repository.change_helps(self._conn, had - helps, helps - had)
        self._sum(had - helps, helps - had)

    def _sum(self, gone: Collection[Help], fresh: Collection[Help]) -> None:
        for key, held in self._now.items():
            was = self._held.get(key)
            if held.member is not None and key in self._live:
                self._alive.add(held.member)
            if was is None or (was.member, was.earned) != (held.member, held.earned):
                if was is not None and was.member is not None:
                    self._earn(was.member, -1, -was.earned)
                if held.member is not None:
                    self._earn(held.member, 1, held.earned)
        for sign, helps in ((-1, gone), (1, fresh)):
            for each in helps:
                account = self._touch(each.member)
                account.helped += sign
                account.helpful += sign * each.points
                self._counts["entries"] += sign
                self._counts["points"] += sign * each.points

    def _earn(self, member: str, entries: int, points: int) -> None:
        account = self._touch(member)
        account.entries += entries
        account.active += points
        self._counts["entries"] += entries
        self._counts["points"] += points

    def _touch(self, member: str) -> Account:
        """Return an account whose sums change."""
        account = self._changed.get(member)
        if account is None:
            account = self._changed[member] = self._book.account(member)
        if member not in self._before:
            self._before[member] = (account.helped, account.entries)
        return account

    async def _store(self) -> None:
        """Write everything: one statement a table."""
        conn, held, now = self._conn, self._held, self._now
        await repository.insert_items(conn, [now[key] for key in self._fresh if key not in held])
        await repository.upsert_items(conn, [now[key] for key in self._fresh if key in held])
        others = [each for key, each in now.items() if key not in self._fresh and each != held[key]]
        await repository.update_earned(conn, others)
        was = {(parent, key) for key in self._fresh if (item := self._was(key)) for parent in item.parents}
        replies = {(parent, key) for key, item in self._fresh.items() for parent in item.parents}
        await repository.change_replies(conn, was - replies, replies - was)
        await self._part()
        for account in self._changed.values():
            account.version = self._version
        await repository.store_accounts(conn, [*self._changed.values()], self._version)
        self._counts["feedback"] += sum(key not in held for key in self._fresh)
        self._counts["members"] += sum(
            (account is not None and account.is_member) - any(before)
            for key, before in self._before.items()
            for account in (self._book.accounts.get(key),)
        )
        await self._thank()
        await repository.add_counts(conn, self._counts)

    async def _part(self) -> None:
        """Delete the accounts of which nothing is left."""
        for key in self._bare:
            self._changed.pop(key, None)
            self._book.accounts.pop(key)
        await repository_acts.delete_accounts(self._conn, self._bare)

    async def _thank(self) -> None:
        """Note the causes to thank for that were reached, or are no more."""
        gone: list[tuple[str, str]] = []
        fresh: list[tuple[str, str]] = []
        for key, was in self._before.items():
            account = self._book.accounts.get(key)
            lost, won = causes_moved(self._thank_rules, was, (account.helped, account.entries) if account is not None else (0, 0))
            gone += [(key, rule.name) for rule in lost]
            fresh += [(key, rule.name) for rule in won]
            if won and key in self._alive:
                thanked = self._book.deeds(key).thanked
                self.due += [(key, rule) for rule in won if rule.template is not None and rule.name not in thanked]
        await repository_acts.change_thank_yous(self._conn, gone, fresh)


def _only(accounts: Collection[str]) -> str | None:
    return next(iter(accounts)) if len(accounts) == 1 else None
