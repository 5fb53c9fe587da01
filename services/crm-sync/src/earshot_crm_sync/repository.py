"""Every query of crm-sync. Takes a connection, begins and ends no transaction.

Owns the rows' translation to what the fold and the routes work with.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from earshot_crm_sync.domain.profile import Profile, pack_profile, unpack_profile
from earshot_crm_sync.domain.statements import Saying, Statement, Tally, unpack_saying
from earshot_crm_sync.domain.timeline import Connector, Owner, TimelineEntry, unpack_entry
from earshot_crm_sync.identity import Identifier, Rule
from earshot_shared.postgres import Queries

QUERIES: Final = Queries.load("earshot_crm_sync")
_SPEAKER, _OWN_NAME, _VALUE = 0, 1, 2  # evidence.rule


@dataclass(slots=True)
class StatementRow:
    """One statement in the store, as a working copy. ``customer_no`` is who its speaker belongs to."""

    no: int
    digest: bytes
    links: tuple[int, ...]
    saying: Saying
    tally: Tally
    customer_no: int | None
    version: int


@dataclass(slots=True)
class IdentifierRow:
    """One identifier in the store, as a working copy."""

    no: int
    alias: str
    identifier: Identifier
    customer_no: int | None = None
    shared: int = 0
    claimed: bool = False


@dataclass(slots=True)
class CustomerRow:
    """One customer in the store, as a working copy."""

    no: int
    statements: tuple[int, ...]
    profile: Profile
    version: int


@dataclass(slots=True)
class Held:
    """A customer with all statements that speak of him."""

    no: int
    profile: Profile
    spoken: dict[int, StatementRow]
    version: int
    feedback_count: int

    def count_feedback(self) -> None:
        """Work out ``feedback_count`` from the statements anew."""
        self.feedback_count = sum(row.tally.count for row in self.spoken.values() if row.saying.is_item)


def held_of(customer: CustomerRow, rows: Iterable[StatementRow]) -> Held:
    """Return a customer row with the statements that speak of him."""
    held = Held(customer.no, customer.profile, {row.no: row for row in rows}, customer.version, 0)
    held.version = max([customer.version, *(row.version for row in held.spoken.values())])
    held.count_feedback()
    return held


@dataclass(slots=True)
class Totals:
    """The exact counts, and the next numbers to give."""

    feedback: int
    customers: int
    identifiers: int
    contacts: int
    next_identifier: int
    next_statement: int


@dataclass(slots=True)
class ActivityRow:
    """What the store knows of an item: by what it was decided, whom it speaks of."""

    version: int
    statement_no: int | None
    occurred_at: datetime
    heard_at: datetime


@dataclass(slots=True)
class NewActivity:
    """One item to write."""

    feedback_id: str
    version: int
    statement_no: int | None
    occurred_at: datetime
    heard_at: datetime | None
    entry: bytes = field(repr=False)


async def load_totals(conn: Any) -> Totals:
    """Return the totals; a store that is empty has counted nothing."""
    row = await conn.fetchrow(QUERIES["load_totals"])
    return Totals(0, 0, 0, 0, 1, 1) if row is None else Totals(*row)


async def store_totals(conn: Any, totals: Totals) -> None:
    """Write the totals."""
    await conn.execute(
        QUERIES["store_totals"],
        totals.feedback,
        totals.customers,
        totals.identifiers,
        totals.contacts,
        totals.next_identifier,
        totals.next_statement,
    )


async def load_activities(conn: Any, feedback_ids: Sequence[str]) -> dict[str, ActivityRow]:
    """Return what is known of these items, by feedback_id."""
    rows = await conn.fetch(QUERIES["load_activities"], feedback_ids)
    return {str(row[0]): ActivityRow(row[1], row[2], row[3], row[4]) for row in rows}


async def insert_activities(conn: Any, activities: Iterable[NewActivity]) -> None:
    """Write items that the store does not know."""
    await conn.copy_records_to_table(
        "activities",
        records=[(a.feedback_id, a.version, a.statement_no, a.occurred_at, a.heard_at, a.entry) for a in activities],
        columns=("feedback_id", "version", "statement_no", "occurred_at", "heard_at", "entry"),
    )


async def update_activities(conn: Any, activities: Sequence[NewActivity]) -> None:
    """Write items that the store knows."""
    await conn.execute(
        QUERIES["update_activities"],
        [a.feedback_id for a in activities],
        [a.version for a in activities],
        [a.statement_no for a in activities],
        [a.occurred_at for a in activities],
        [a.heard_at for a in activities],
        [a.entry for a in activities],
    )


def _statement(row: Any) -> StatementRow:
    tally = Tally(
        count=row["record_count"],
        first_at=row["first_at"],
        first_id=str(row["first_id"]),
        last_at=row["last_at"],
        heard_at=row["heard_at"],
        heard_id=str(row["heard_id"]),
    )
    return StatementRow(
        row["statement_no"], row["digest"], tuple(row["links"]), unpack_saying(row["saying"]), tally, row["customer_no"], row["version"]
    )


async def load_statements_by_digest(conn: Any, digests: Sequence[bytes]) -> list[StatementRow]:
    """Return the known statements among these."""
    return [_statement(row) for row in await conn.fetch(QUERIES["load_statements_by_digest"], digests)]


async def load_statements(conn: Any, numbers: Collection[int]) -> list[StatementRow]:
    """Return statements by number."""
    return [_statement(row) for row in await conn.fetch(QUERIES["load_statements"], sorted(numbers))]


async def load_component(conn: Any, identifiers: Collection[int]) -> list[StatementRow]:
    """Return the living statements that show some of these identifiers in a way that may link."""
    return [_statement(row) for row in await conn.fetch(QUERIES["load_component"], sorted(identifiers))]


async def reach(conn: Any, identifiers: Collection[int]) -> list[int]:
    """Return these identifiers and all that evidence connects with them."""
    return [row[0] for row in await conn.fetch(QUERIES["reach"], sorted(identifiers))]


async def load_customers(conn: Any, numbers: Collection[int]) -> list[CustomerRow]:
    """Return customers by number."""
    return _customers(await conn.fetch(QUERIES["load_customers"], sorted(numbers)))


def _customers(rows: Iterable[Any]) -> list[CustomerRow]:
    return [CustomerRow(row[0], tuple(row[1]), unpack_profile(row[2]), row[3]) for row in rows]


def _identifier(row: Any) -> IdentifierRow:
    return IdentifierRow(
        row["identifier_no"], str(row["alias"]), Identifier(row["kind"], row["value"]), row["customer_no"], row["shared"], row["claimed"]
    )


async def load_identifiers_by_alias(conn: Any, aliases: Sequence[str]) -> list[IdentifierRow]:
    """Return the known identifiers among these."""
    return [_identifier(row) for row in await conn.fetch(QUERIES["load_identifiers_by_alias"], aliases)]


async def load_identifiers(conn: Any, numbers: Collection[int]) -> list[IdentifierRow]:
    """Return identifiers by number."""
    return [_identifier(row) for row in await conn.fetch(QUERIES["load_identifiers"], sorted(numbers))]


async def insert_identifiers(conn: Any, identifiers: Iterable[IdentifierRow]) -> None:
    """Write identifiers that the store does not know."""
    await conn.copy_records_to_table(
        "identifiers",
        records=[(i.no, i.alias, i.identifier.kind, i.identifier.value, i.customer_no, i.shared, i.claimed) for i in identifiers],
        columns=("identifier_no", "alias", "kind", "value", "customer_no", "shared", "claimed"),
    )


async def hold_identifiers(conn: Any, held: dict[int, int | None]) -> None:
    """Say who holds identifiers now."""
    await conn.execute(QUERIES["hold_identifiers"], list(held), list(held.values()))


async def insert_statements(conn: Any, statements: Sequence[tuple[StatementRow, Statement]], version: int) -> None:
    """Write statements that the store does not know, and how they are found."""
    await conn.copy_records_to_table(
        "statements",
        records=[
            (
                row.no,
                row.digest,
                row.links,
                statement.packed,
                row.tally.count,
                row.tally.first_at,
                row.tally.first_id,
                row.tally.last_at,
                row.tally.heard_at,
                row.tally.heard_id,
                version,
            )
            for row, statement in statements
        ],
        columns=(
            "statement_no",
            "digest",
            "links",
            "saying",
            "record_count",
            "first_at",
            "first_id",
            "last_at",
            "heard_at",
            "heard_id",
            "version",
        ),
    )
    await conn.copy_records_to_table(
        "evidence",
        records=[place for row, _ in statements for place in evidence_places(row)],
        columns=("identifier_no", "statement_no", "rule"),
    )


def evidence_places(row: StatementRow) -> list[tuple[int, int, int]]:
    """Return how a statement is found: (identifier_no, statement_no, rule)."""
    number_of = dict(zip(row.saying.identifiers(), row.links, strict=True))
    places = {(row.links[0], row.no, _SPEAKER)}
    for link in row.saying.links:
        places.add((number_of[link.identifier], row.no, _OWN_NAME if link.rule == Rule.ACCOUNT else _VALUE))
    return sorted(places)


async def update_tallies(conn: Any, statements: Sequence[StatementRow], version: int) -> None:
    """Write the counters of statements."""
    tallies = [row.tally for row in statements]
    await conn.execute(
        QUERIES["update_tallies"],
        [row.no for row in statements],
        [tally.count for tally in tallies],
        [tally.first_at for tally in tallies],
        [tally.first_id for tally in tallies],
        [tally.last_at for tally in tallies],
        [tally.heard_at for tally in tallies],
        [tally.heard_id for tally in tallies],
        version,
    )


async def advance_tallies(conn: Any, statements: Sequence[StatementRow], version: int) -> None:
    """Write the counters of statements whose first time stays and whose last was heard when it happened: the usual case, cheaper."""
    tallies = [row.tally for row in statements]
    await conn.execute(
        QUERIES["advance_tallies"],
        [row.no for row in statements],
        [tally.count for tally in tallies],
        [tally.last_at for tally in tallies],
        [tally.heard_id for tally in tallies],
        version,
    )


async def recount_statements(conn: Any, numbers: Collection[int]) -> dict[int, Tally]:
    """Return the tallies of statements as their records have it; one without records is not in the answer."""
    rows = await conn.fetch(QUERIES["recount_statements"], sorted(numbers))
    return {
        row["statement_no"]: Tally(
            count=row["record_count"],
            first_at=row["first_at"],
            first_id=str(row["first_id"]),
            last_at=row["last_at"],
            heard_at=row["heard_at"],
            heard_id=str(row["heard_id"]),
        )
        for row in rows
    }


async def insert_customers(conn: Any, customers: Iterable[CustomerRow]) -> None:
    """Write customers whose anchor the store met in this very slice."""
    await conn.copy_records_to_table(
        "customers",
        records=[(row.no, row.statements, pack_profile(row.profile), row.version) for row in customers],
        columns=("customer_no", "statements", "profile", "version"),
    )


async def upsert_customers(conn: Any, customers: Sequence[CustomerRow], version: int) -> int:
    """Write customers as they are now; return how many there were not before."""
    count: int = await conn.fetchval(
        QUERIES["upsert_customers"],
        [row.no for row in customers],
        [",".join(map(str, row.statements)) for row in customers],
        [pack_profile(row.profile) for row in customers],
        version,
    )
    return count


async def delete_customers(conn: Any, numbers: Collection[int]) -> int:
    """Delete customers; return how many there were."""
    count: int = await conn.fetchval(QUERIES["delete_customers"], sorted(numbers))
    return count


async def upsert_words(conn: Any, words: dict[int, str]) -> None:
    """Say by which words customers are found."""
    await conn.execute(QUERIES["upsert_words"], list(words), list(words.values()))


async def find_customer(conn: Any, alias: str) -> IdentifierRow | None:
    """Return the identifier of this alias, with who holds it."""
    rows = await load_identifiers_by_alias(conn, [alias])
    return rows[0] if rows else None


async def read_held(conn: Any, customer_no: int) -> Held | None:
    """Return a customer with all statements that speak of him."""
    customers = await load_customers(conn, [customer_no])
    if not customers:
        return None
    rows = await load_statements(conn, customers[0].statements)
    return held_of(customers[0], rows)


async def page_of_customers(conn: Any, words: str | None, after: int, limit: int) -> list[CustomerRow]:
    """Return customers after a number; with ``words``, those who have them all."""
    asked = None if words is None else query_of(words)
    if asked is None:
        return _customers(await conn.fetch(QUERIES["page_of_customers"], after, limit))
    return _customers(await conn.fetch(QUERIES["search_customers"], after, limit, asked)) if asked else []


def query_of(words: str) -> str:
    """Return words as Postgres's text search takes them: each may be the beginning of one. Empty when there is no word."""
    quoted = [word.replace("'", "").replace("\\", "").replace("\x00", "") for word in words.split()]
    return " & ".join(f"'{word}':*" for word in quoted if word)


async def customers_by_alias(conn: Any, aliases: Sequence[str], after: int, limit: int) -> list[CustomerRow]:
    """Return customers after a number who hold one of these identifiers."""
    return _customers(await conn.fetch(QUERIES["customers_by_alias"], after, limit, aliases))


async def hold_all(conn: Any, customers: Sequence[CustomerRow]) -> list[Held]:
    """Return customers with all statements that speak of them, in the given order."""
    rows = {row.no: row for row in await load_statements(conn, {no for each in customers for no in each.statements})}
    return [held_of(each, [rows[no] for no in each.statements]) for each in customers]


async def read_timeline(conn: Any, statements: Sequence[int], before: tuple[datetime, str] | None, limit: int) -> list[TimelineEntry]:
    """Return the newest items of some statements before a place."""
    at, feedback_id = before or (None, None)
    entries = []
    for row in await conn.fetch(QUERIES["read_timeline"], statements, at, feedback_id, limit):
        kept = unpack_entry(row["entry"])
        entries.append(
            TimelineEntry(str(row["feedback_id"]), row["occurred_at"], kept.channel, kept.kind, kept.text, kept.intent, kept.case_id)
        )
    return entries


async def whose_is_it(conn: Any, feedback_id: str) -> Owner | None:
    """Return whose an item is; None when it was never heard."""
    row = await conn.fetchrow(QUERIES["whose_is_it"], feedback_id)
    if row is None:
        return None
    owner = row["customer_id"]
    return Owner(feedback_id, None if owner is None else str(owner), unpack_entry(row["entry"]).author_key)


async def count_contacts(conn: Any) -> list[Connector]:
    """Return what each connector has brought."""
    return [Connector(row["connector"], row["contacts"], row["updated_at"]) for row in await conn.fetch(QUERIES["count_contacts"])]
