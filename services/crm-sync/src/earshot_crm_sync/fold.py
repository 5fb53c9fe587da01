"""One slice applied to the store: from what records say to who the customers are.

Owns the order of loading, deciding and writing. What a statement proves and who that amounts to is decided in ``domain`` and ``identity``;
every query is in ``repository``. A record whose author says nothing new costs a probe, a row and a counter; components are loaded and
judged anew only where something new touches them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from earshot_crm_sync import repository
from earshot_crm_sync.cache import Cache
from earshot_crm_sync.domain.components import Person, earliest, judge, split
from earshot_crm_sync.domain.profile import Spoken, build_profile, members_of, read_head, words_of
from earshot_crm_sync.domain.statements import Statement, Tally
from earshot_crm_sync.identity import Identifier, IdentityRules, identifier_id
from earshot_crm_sync.repository import CustomerRow, Held, IdentifierRow, NewActivity, StatementRow, held_of


@dataclass(slots=True)
class Told:
    """One record of a slice: what it says of whom (None: of nobody), and when."""

    record_id: str
    version: int
    statement: Statement | None
    occurred_at: datetime
    heard_at: datetime
    entry: bytes


@dataclass(slots=True)
class Outcome:
    """What a slice changed: customers as they are now, and ids that lead elsewhere (alias to alias) or nowhere (to None)."""

    changed: dict[int, Held]
    moved: dict[str, str | None]


class Fold:
    """The working set of one slice. ``cache`` is changed as the store is: drop it when the transaction fails."""

    def __init__(self, conn: Any, version: int, cache: Cache, rules: IdentityRules, key: bytes) -> None:
        self._conn = conn
        self._version = version
        self._cache = cache
        self._rules = rules
        self._key = key
        self._touched: dict[int, StatementRow] = {}  # known statements whose tally changed
        self._moved_first: set[int] = set()  # of these, the first time too
        self._new: dict[int, tuple[StatementRow, Statement]] = {}
        self._identifiers: dict[Identifier, IdentifierRow] = {}
        self._fresh: set[Identifier] = set()  # identifiers the store does not know yet
        self._seeds: set[int] = set()  # identifiers whose components must be judged anew
        self._rebuild: set[int] = set()  # customers whose profile may change
        self._founded: dict[int, Held] = {}  # customers that nothing known could touch
        self._reshaped: dict[int, Held] = {}  # customers whose row changes
        self._gone: set[int] = set()
        self._held: dict[int, int | None] = {}  # identifier_no: customer_no, where that changes
        self._changed: dict[int, Held] = {}
        self._moved: dict[str, str | None] = {}

    async def run(self, told: Mapping[str, Told]) -> Outcome:
        """Apply the newest version of each item of a slice."""
        if self._cache.totals is None:
            self._cache.totals = await repository.load_totals(self._conn)
        known = await repository.load_activities(self._conn, list(told))
        applied = [one for one in told.values() if (was := known.get(one.record_id)) is None or one.version > was.version]
        if applied:
            await self._meet(applied, known)
            await self._write_records(applied, known)
            await self._count(applied, known)
            if self._seeds:
                await self._judge()
            await self._rebuild_profiles()
            await self._store_customers()
        self._cache.shrink()
        return Outcome(self._changed, self._moved)

    @property
    def _totals(self) -> repository.Totals:
        assert self._cache.totals is not None
        return self._cache.totals

    # Meeting: every statement of the slice gets its row, new ones with their identifiers.

    async def _meet(self, applied: list[Told], known: Mapping[str, repository.ActivityRow]) -> None:
        """Bring into the cache every statement that the slice adds to or takes from."""
        held = self._cache.statements
        wanted = {one.statement.digest: one.statement for one in applied if one.statement is not None and one.statement.digest not in held}
        rows = await repository.load_statements_by_digest(self._conn, list(wanted)) if wanted else []
        left = {row.statement_no for row in known.values() if row.statement_no is not None} - {row.no for row in rows}
        if left:
            rows += await repository.load_statements(self._conn, left - {row.no for row in held.values()})
        await self._adopt(rows)
        strangers = [statement for digest, statement in wanted.items() if digest not in held]
        if strangers:
            await self._introduce(strangers)

    async def _adopt(self, rows: list[StatementRow]) -> None:
        """Put stored statements into the cache, each with its whole customer."""
        for row in rows:
            if row.customer_no is None:
                self._cache.statements[row.digest] = row
        await self._load_held({row.customer_no for row in rows if row.customer_no is not None})

    async def _load_held(self, numbers: Iterable[int]) -> None:
        """Bring customers into the cache."""
        missing = set(numbers) - self._cache.customers.keys()
        if not missing:
            return
        stored = await repository.load_customers(self._conn, missing)
        rows = await repository.load_statements(self._conn, {no for customer in stored for no in customer.statements})
        spoken = {row.no: self._cache.statements.get(row.digest, row) for row in rows}
        for customer in stored:
            self._cache.put(held_of(customer, [spoken[no] for no in customer.statements]))

    async def _introduce(self, strangers: list[Statement]) -> None:
        """Give numbers to statements that the store does not know, and to the identifiers they bring."""
        identifiers = [statement.saying.identifiers() for statement in strangers]
        uses = Counter(each for shown in identifiers for each in shown)
        await self._number(uses)
        for statement, shown in zip(strangers, identifiers, strict=True):
            links = tuple(self._identifiers[each].no for each in shown)
            row = StatementRow(self._totals.next_statement, statement.digest, links, statement.saying, Tally(), None, self._version)
            self._totals.next_statement += 1
            self._new[row.no] = (row, statement)
            self._cache.statements[row.digest] = row
            if all(each in self._fresh and uses[each] == 1 for each in shown):
                self._found(row, shown)
            else:
                self._seeds.update(links)

    async def _number(self, wanted: Iterable[Identifier]) -> None:
        """Load the rows of identifiers, or make them."""
        alias_of = {each: str(identifier_id(each, self._key)) for each in wanted}
        stored = await repository.load_identifiers_by_alias(self._conn, list(alias_of.values()))
        self._identifiers |= {row.identifier: row for row in stored}
        for each, alias in alias_of.items():
            if each not in self._identifiers:
                self._identifiers[each] = IdentifierRow(self._totals.next_identifier, alias, each)
                self._totals.next_identifier += 1
                self._fresh.add(each)

    def _found(self, row: StatementRow, shown: list[Identifier]) -> None:
        """Make a customer of a statement whose identifiers nobody knew: no judgement could say otherwise."""
        members = frozenset(shown)
        anchor = self._identifiers[earliest(members, [(row.saying, row.tally)])]
        for each in shown:
            self._identifiers[each].customer_no = anchor.no
        self._totals.identifiers += len(shown)
        profile = build_profile(anchor.alias, members, [Spoken(row.no, row.saying, row.tally)], alone=True)
        held = Held(anchor.no, profile, {row.no: row}, self._version, 0)
        self._cache.put(held)
        self._founded[anchor.no] = held

    # Counting: records are written, and the tallies of what they say.

    async def _write_records(self, applied: list[Told], known: Mapping[str, repository.ActivityRow]) -> None:
        statements = self._cache.statements
        fresh: list[NewActivity] = []
        revised: list[NewActivity] = []
        for one in applied:
            number = None if one.statement is None else statements[one.statement.digest].no
            heard_at = None if one.heard_at == one.occurred_at else one.heard_at
            activity = NewActivity(one.record_id, one.version, number, one.occurred_at, heard_at, one.entry)
            (revised if one.record_id in known else fresh).append(activity)
        if fresh:
            await repository.insert_activities(self._conn, fresh)
            self._totals.feedback += len(fresh)
        if revised:
            await repository.update_activities(self._conn, revised)

    async def _count(self, applied: list[Told], known: Mapping[str, repository.ActivityRow]) -> None:
        """Bring the tallies up to the records, and note what that may change."""
        taken: set[int] = set()
        for one in applied:
            row = None if one.statement is None else self._cache.statements[one.statement.digest]
            was = known.get(one.record_id)
            if was is None or was.statement_no is None:
                if row is not None:
                    self._add(row, one)
            elif row is None or was.statement_no != row.no:
                taken.add(was.statement_no)
                if row is not None:
                    self._add(row, one)
            elif (was.occurred_at, was.heard_at) != (one.occurred_at, one.heard_at):
                taken.add(row.no)
        if self._fresh:
            await repository.insert_identifiers(self._conn, [self._identifiers[each] for each in self._identifiers if each in self._fresh])
        if self._new:
            await repository.insert_statements(self._conn, list(self._new.values()), self._version)
        if taken:
            await self._recount(taken)
        await self._store_tallies()

    async def _store_tallies(self) -> None:
        moved = self._moved_first
        usual = [row for row in self._touched.values() if row.no not in moved and row.tally.heard_at == row.tally.last_at]
        if usual:
            await repository.advance_tallies(self._conn, usual, self._version)
        if len(usual) < len(self._touched):
            known = {row.no for row in usual}
            rest = [row for row in self._touched.values() if row.no not in known]
            await repository.update_tallies(self._conn, rest, self._version)

    def _add(self, row: StatementRow, one: Told) -> None:
        earlier, later = row.tally.add(one.occurred_at, one.heard_at, one.record_id)
        if earlier:
            self._moved_first.add(row.no)
        held = self._touch(row)
        if held is None:
            self._seeds.update(row.links)
            return
        if row.saying.is_item:
            held.feedback_count += 1
        if earlier and not held.profile.alone:
            self._seeds.update(row.links)
        elif later and row.no not in held.profile.settled:
            self._rebuild.add(held.no)

    def _touch(self, row: StatementRow) -> Held | None:
        """Note that a statement's tally changed, and with it the customer, who is returned when there is one."""
        row.version = self._version
        if row.no not in self._new:
            self._touched[row.no] = row
        if row.customer_no is None:
            return None
        held = self._cache.customers[row.customer_no]
        held.version = self._version
        self._changed[held.no] = held
        return held

    async def _recount(self, taken: set[int]) -> None:
        """Work out anew the tallies from which a record was taken."""
        found = await repository.recount_statements(self._conn, taken)
        for row in [row for row in self._cache.statements.values() if row.no in taken]:
            tally = found.get(row.no)
            if tally is None:
                row.tally.count = 0
            else:
                row.tally = tally
            self._moved_first.add(row.no)
            held = self._touch(row)
            if held is not None:
                held.count_feedback()
            if held is None or not held.profile.alone or not row.tally.count:
                self._seeds.update(row.links)

    # Judging: who the customers of the touched components are now.

    async def _judge(self) -> None:
        """Load the components of the seeds, judge them, and note what that changes."""
        reached = await repository.reach(self._conn, self._seeds)
        rows = {row.no: self._cache.statements.get(row.digest, row) for row in await repository.load_component(self._conn, reached)}
        numbers = {*reached, *(link for row in rows.values() for link in row.links)}
        identifiers = {row.no: row for row in await repository.load_identifiers(self._conn, numbers)}
        by_value = {row.identifier: row for row in identifiers.values()}
        was = {no: row.customer_no for no, row in identifiers.items()}
        old = {no for no in was.values() if no is not None}
        await self._load_held(old)
        before = {no: held for no in old if (held := self._cache.customers.get(no)) is not None}
        for no in before:
            self._cache.drop(no)
        holder: dict[int, int] = {}
        for group in split({no: row.links for no, row in rows.items()}):
            judged = judge({no: (rows[no].saying, rows[no].tally) for no in group}, (), self._rules)
            for person in judged.people:
                number = by_value[person.anchor].no
                for member in person.members:
                    holder[by_value[member].no] = number
                self._settle(number, by_value[person.anchor].alias, person, [rows[no] for no in person.statements], before)
        for no, customer in was.items():
            if (now := holder.get(no)) != customer:
                self._held[no] = now
                self._totals.identifiers += (now is not None) - (customer is not None)
        self._dissolve(before.keys() - set(holder.values()), identifiers, holder)

    def _settle(self, number: int, alias: str, person: Person, rows: list[StatementRow], before: Mapping[int, Held]) -> None:
        """Note a judged customer, and whether he is another than before."""
        spoken = [Spoken(row.no, row.saying, row.tally) for row in rows]
        profile = build_profile(alias, person.members, spoken, alone=person.alone)
        held = Held(number, profile, {row.no: row for row in rows}, self._version, 0)
        held.count_feedback()
        known = before.get(number)
        if known is not None and known.profile == profile and known.spoken.keys() == held.spoken.keys():
            held.version = known.version
            if number in self._changed:
                self._changed[number] = held
        else:
            self._reshaped[number] = self._changed[number] = held
        self._cache.put(held)

    def _dissolve(self, gone: Iterable[int], identifiers: Mapping[int, IdentifierRow], holder: Mapping[int, int]) -> None:
        """Note customers that are no more, and where their ids lead."""
        for no in gone:
            self._gone.add(no)
            self._changed.pop(no, None)
            into = holder.get(no)
            self._moved[identifiers[no].alias] = None if into is None else identifiers[into].alias

    async def _rebuild_profiles(self) -> None:
        """Work out anew the profiles in which another statement may have the last word now."""
        for no in self._rebuild:
            held = self._cache.customers.get(no)
            if held is None or no in self._reshaped:
                continue
            spoken = [Spoken(row.no, row.saying, row.tally) for row in held.spoken.values()]
            head = read_head(held.profile)
            profile = build_profile(
                head.customer_id, members_of(head), spoken, recognition=bytes(head.recognition), alone=held.profile.alone
            )
            if profile != held.profile:
                held.profile = profile
                self._reshaped[no] = held

    # Storing: the rows of customers, and who holds which identifier.

    async def _store_customers(self) -> None:
        conn, version = self._conn, self._version
        if self._held:
            await repository.hold_identifiers(conn, self._held)
        if self._gone:
            self._totals.customers -= await repository.delete_customers(conn, self._gone)
        if self._founded:
            await repository.insert_customers(conn, [_row(held) for held in self._founded.values()])
            self._totals.customers += len(self._founded)
        if self._reshaped:
            self._totals.customers += await repository.upsert_customers(conn, [_row(held) for held in self._reshaped.values()], version)
        if self._founded or self._reshaped:
            everybody = self._founded | self._reshaped
            await repository.upsert_words(conn, {no: words_of(held.profile) for no, held in everybody.items()})
        await repository.store_totals(conn, self._totals)


def _row(held: Held) -> CustomerRow:
    return CustomerRow(held.no, tuple(sorted(held.spoken)), held.profile, held.version)
