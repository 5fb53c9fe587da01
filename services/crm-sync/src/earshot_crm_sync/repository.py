"""The queries of a slice: statements, identifiers, customers, items. Takes a connection, begins and ends no transaction.

Owns the rows' translation to working copies. People's words and contacts are in ``repository_words``, the HTTP side in ``repository_read``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from earshot_crm_sync.domain.profile import pack_profile, unpack_profile
from earshot_crm_sync.domain.statements import Link, Tally, unpack_saying
from earshot_crm_sync.identity import Identifier, Rule
from earshot_crm_sync.rows import ActivityRow, CustomerRow, IdentifierRow, NewActivity, StatementRow, Totals
from earshot_shared.postgres import Queries

QUERIES: Final = Queries.load("earshot_crm_sync")
_SPEAKER, _OWN_NAME, _VOUCHED, _CLAIMED = 0, 1, 2, 3  # evidence.rule


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
        records=activities,
        columns=NewActivity._fields,
    )


async def update_activities(conn: Any, activities: Sequence[NewActivity]) -> None:
    """Write items that the store knows."""
    await conn.execute(QUERIES["update_activities"], *zip(*activities, strict=True))


def _statement(row: Any) -> StatementRow:
    tally = Tally(
        count=row["record_count"],
        first_at=row["first_at"],
        first_id=str(row["first_id"]),
        last_at=row["last_at"],
        heard_at=row["heard_at"],
        heard_id=str(row["heard_id"]),
    )
    saying = unpack_saying(row["saying"])
    return StatementRow(
        row["statement_no"],
        row["digest"],
        tuple(row["links"]),
        row["saying"],
        saying.author_key,
        tally,
        row["customer_no"],
        row["version"],
        saying,
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
    return customer_rows(await conn.fetch(QUERIES["load_customers"], sorted(numbers)))


def customer_rows(rows: Iterable[Any]) -> list[CustomerRow]:
    """Return rows of customers as working copies."""
    return [CustomerRow(row[0], tuple(row[1]), unpack_profile(row[2]), row[3]) for row in rows]


def _identifier(row: Any) -> IdentifierRow:
    return IdentifierRow(
        row["identifier_no"], str(row["alias"]), Identifier(row["kind"], row["value"]), row["customer_no"], row["shared"], row["published"]
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
        records=[(i.no, i.alias, i.identifier.kind, i.identifier.value, i.customer_no, i.shared) for i in identifiers],
        columns=("identifier_no", "alias", "kind", "value", "customer_no", "shared"),
    )


async def hold_identifiers(conn: Any, held: Mapping[int, int | None]) -> None:
    """Say who holds identifiers now."""
    await conn.execute(QUERIES["hold_identifiers"], list(held), list(held.values()))


async def insert_statements(conn: Any, statements: Sequence[tuple[StatementRow, Sequence[Identifier]]], version: int) -> None:
    """Write statements that the store does not know, with all they show, and how they are found."""
    await conn.copy_records_to_table(
        "statements",
        records=[
            (
                row.no,
                row.digest,
                row.links,
                row.packed,
                row.tally.count,
                row.tally.first_at,
                row.tally.first_id,
                row.tally.last_at,
                row.tally.heard_at,
                row.tally.heard_id,
                version,
            )
            for row, _ in statements
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
        records=[place for row, shown in statements for place in evidence_places(row, shown)],
        columns=("identifier_no", "statement_no", "rule"),
    )


def evidence_places(row: StatementRow, shown: Sequence[Identifier]) -> set[tuple[int, int, int]]:
    """Return how a statement is found: (identifier_no, statement_no, rule)."""
    number_of = dict(zip(shown, row.links, strict=True))
    places = {(row.links[0], row.no, _SPEAKER)}
    for link in row.saying.links:
        places.add((number_of[link.identifier], row.no, _rule_number(link)))
    return places


def _rule_number(link: Link) -> int:
    if link.rule is Rule.ACCOUNT:
        return _OWN_NAME
    return _VOUCHED if link.verified else _CLAIMED


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


async def mark_shared(conn: Any, bits: Mapping[int, int]) -> None:
    """Say what identifiers tie nobody as."""
    await conn.execute(QUERIES["mark_shared"], list(bits), list(bits.values()))


async def first_claimant(conn: Any, identifier_no: int) -> str | None:
    """Return the id of the customer who is answered for an identifier that ties nobody; None when nobody shows it."""
    alias = await conn.fetchval(QUERIES["first_claimant"], identifier_no)
    return None if alias is None else str(alias)


async def load_told_of(conn: Any, aliases: Sequence[str]) -> set[str]:
    """Return the ids among these by which a customer was ever told of."""
    return {str(row[0]) for row in await conn.fetch(QUERIES["load_told_of"], aliases)}


async def tell_of(conn: Any, aliases: Collection[str]) -> None:
    """Remember that customers are told of by these ids."""
    await conn.execute(QUERIES["tell_of"], sorted(aliases))


async def name_identifiers(conn: Any, rows: Sequence[IdentifierRow]) -> None:
    """Say what identifiers are that were named before any record showed them."""
    await conn.execute(
        QUERIES["name_identifiers"],
        [row.no for row in rows],
        [row.identifier.kind for row in rows],
        [row.identifier.value for row in rows],
    )


async def spans_of_shared(conn: Any, identifier_no: int, most: int | None = None) -> list[tuple[int, bool, datetime, datetime]]:
    """Return (speaker, by handle, first, last) of all who show an identifier as a value; of ``most`` statements when given."""
    rows = await conn.fetch(QUERIES["spans_of_shared"], identifier_no, most)
    return [(row["speaker_no"], row["by_handle"], row["first_at"], row["last_at"]) for row in rows]


async def links_of_speakers(conn: Any, identifiers: Collection[int]) -> set[int]:
    """Return all that the living statements of some speakers show."""
    return {row[0] for row in await conn.fetch(QUERIES["links_of_speakers"], sorted(identifiers))}


async def log_moves(conn: Any, moved: Mapping[str, str | None], causes: Mapping[str, str], version: int) -> None:
    """Remember what became of ids, each with its cause."""
    await conn.execute(QUERIES["log_moves"], list(moved), list(moved.values()), [causes[alias] for alias in moved], version)
