"""The queries of the HTTP side. Takes a connection; every answer is of the moment of its transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from earshot_crm_sync.domain.suggestions import unpack_suggestion
from earshot_crm_sync.domain.timeline import Connector, Owner, TimelineEntry, unpack_entry
from earshot_crm_sync.repository import (
    QUERIES,
    customer_rows,
    first_claimant,
    load_customers,
    load_identifiers,
    load_identifiers_by_alias,
    load_statements,
)
from earshot_crm_sync.rows import ActLine, CustomerRow, FoundSuggestion, Held, IdentifierRow, MoveLine, held_of

NO_ID: Final = "00000000-0000-0000-0000-000000000000"  # before every id
Place = tuple[int, str]
"""Where a customer stands in what a search finds: by rank, then by id. Rank 0 holds an identifier that is just so."""


async def find_identifiers(conn: Any, aliases: Sequence[str]) -> list[IdentifierRow]:
    """Return the known identifiers of these aliases, sorted by them, with who holds each; of what ties nobody, who is answered for."""
    rows = sorted(await load_identifiers_by_alias(conn, aliases), key=lambda row: row.alias)
    for row in rows:
        if row.customer_no is None and row.shared:  # few
            answered = await first_claimant(conn, row.no)
            if answered is not None:
                row.customer_no = (await load_identifiers_by_alias(conn, [answered]))[0].no
    return rows


async def read_many(conn: Any, numbers: Collection[int]) -> dict[int, Held]:
    """Return customers by number, with all statements that speak of them."""
    return {held.no: held for held in await hold_all(conn, await load_customers(conn, numbers))}


async def read_held(conn: Any, customer_no: int) -> Held | None:
    """Return a customer with all statements that speak of him."""
    return (await read_many(conn, [customer_no])).get(customer_no)


async def page_of_customers(conn: Any, after: str, limit: int) -> list[CustomerRow]:
    """Return customers after an id (`NO_ID`: from the first)."""
    return customer_rows(await conn.fetch(QUERIES["page_of_customers"], after, limit))


async def page_of_merged(conn: Any, before: str, limit: int) -> list[CustomerRow]:
    """Return customers met before one (`NO_ID`: any) of whom several speak, the last that were met first."""
    return customer_rows(await conn.fetch(QUERIES["page_of_merged"], before, limit))


async def search_customers(
    conn: Any, words: str, place: Place, limit: int, *, but: Collection[int] = ()
) -> list[tuple[Place, CustomerRow]]:
    """Return customers after a place who have all words, each with its own place, but some; those who are just so called come first."""
    begun, whole = query_of(words), phrase_of(words)
    if not begun:
        return []
    rows = await conn.fetch(QUERIES["search_customers"], *place, limit, begun, whole, names_as_json(words), sorted(but))
    return [((row["rank"], customer.profile.customer_id), customer) for row, customer in zip(rows, customer_rows(rows), strict=True)]


async def with_words(conn: Any, customers: Collection[int], words: str) -> set[int]:
    """Return which of some customers have all words."""
    begun = query_of(words)
    return {row[0] for row in await conn.fetch(QUERIES["with_words"], sorted(customers), begun)} if begun else set()


def _quoted(words: str) -> list[str]:
    quoted = [word.replace("'", "").replace("\\", "").replace("\x00", "") for word in words.split()]
    return [f"'{word}'" for word in quoted if word]


def query_of(words: str) -> str:
    """Return words as Postgres's text search takes them: each may be the beginning of one. Empty when there is no word."""
    return " & ".join(f"{word}:*" for word in _quoted(words))


def phrase_of(words: str) -> str:
    """Return words as Postgres's text search takes them: whole, one after another."""
    return " <-> ".join(_quoted(words))


def names_as_json(words: str) -> list[bytes]:
    """Return how a profile's JSON spells that this is somebody's name or handle, in the cases that people type."""
    name = " ".join(words.split())
    spelt = {name, name.lower(), name.upper(), name.title()}
    return [b'"%b":%b' % (key, msgspec.json.encode(each.lstrip("@"))) for each in sorted(spelt) for key in (b"name", b"handle")]


async def page_of_told(conn: Any, after: str, limit: int) -> list[str]:
    """Return the next ids by which customers were ever told of; ``after`` is empty at first."""
    return [str(row[0]) for row in await conn.fetch(QUERIES["page_of_told"], after or NO_ID, limit)]


async def customers_by_alias(conn: Any, aliases: Sequence[str], limit: int) -> list[CustomerRow]:
    """Return customers who hold one of these identifiers, by id."""
    return customer_rows(await conn.fetch(QUERIES["customers_by_alias"], limit, aliases))


async def hold_all(conn: Any, customers: Sequence[CustomerRow]) -> list[Held]:
    """Return customers with all statements that speak of them, in the given order."""
    rows = {row.no: row for row in await load_statements(conn, {no for each in customers for no in each.statements})}
    return [held_of(each, [rows[no] for no in each.statements]) for each in customers]


async def read_timeline(
    conn: Any, statements: Sequence[int], before: tuple[datetime, str] | None, limit: int | None
) -> list[TimelineEntry]:
    """Return the newest items of some statements before a place; all without a limit."""
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


async def read_held_of(conn: Any, identifiers: Collection[int]) -> dict[int, Held]:
    """Return the customers who hold some identifiers, by these."""
    holders = {row.no: row.customer_no for row in await load_identifiers(conn, identifiers) if row.customer_no is not None}
    found = await read_many(conn, set(holders.values()))
    return {no: found[customer_no] for no, customer_no in holders.items() if customer_no in found}


async def holders_of(conn: Any, aliases: Sequence[str]) -> dict[str, str]:
    """Return the ids of the customers who hold some identifiers, by alias."""
    rows = await load_identifiers_by_alias(conn, aliases)
    anchors = {row.no: row.alias for row in await load_identifiers(conn, {row.customer_no for row in rows if row.customer_no is not None})}
    return {row.alias: anchors[row.customer_no] for row in rows if row.customer_no is not None}


async def list_acts(conn: Any, identifiers: Collection[int], after: int) -> list[ActLine]:
    """Return what people did to some identifiers after a version, oldest first."""
    rows = await conn.fetch(QUERIES["list_acts"], sorted(identifiers), after)
    return [ActLine(str(row["action_id"]), row["version"], row["verb"], row["actor"], row["at"], row["key_id"]) for row in rows]


async def last_act_at(conn: Any, identifiers: Collection[int]) -> datetime | None:
    """Return when something was last done to some identifiers."""
    at: datetime | None = await conn.fetchval(QUERIES["last_act_at"], sorted(identifiers))
    return at


async def list_moves(conn: Any, aliases: Collection[str]) -> list[MoveLine]:
    """Return what became of ids that lead, or led, through some."""
    rows = await conn.fetch(QUERIES["list_moves"], sorted(aliases))
    return [
        MoveLine(str(row["customer_id"]), None if row["into_id"] is None else str(row["into_id"]), row["version"], row["cause"], row["at"])
        for row in rows
    ]


async def page_of_suggestions(conn: Any, after: tuple[float, str] | None, limit: int) -> list[FoundSuggestion]:
    """Return suggestions after a place, the weightiest first."""
    weight, suggestion_id = after or (float("inf"), "00000000-0000-0000-0000-000000000000")
    return [_suggestion(row) for row in await conn.fetch(QUERIES["page_of_suggestions"], -weight, suggestion_id, limit)]


async def read_suggestion(conn: Any, suggestion_id: str) -> FoundSuggestion | None:
    """Return one suggestion."""
    row = await conn.fetchrow(QUERIES["read_suggestion"], suggestion_id)
    return None if row is None else _suggestion(row)


def _suggestion(row: Any) -> FoundSuggestion:
    return FoundSuggestion(str(row["suggestion_id"]), row["a"], row["b"], unpack_suggestion(row["suggestion"]))


async def contacts_of(conn: Any, statements: Collection[int]) -> list[msgspec.Raw]:
    """Return the records of other systems behind some statements, as JSON."""
    return [msgspec.Raw(row["record"]) for row in await conn.fetch(QUERIES["contacts_of"], sorted(statements))]
