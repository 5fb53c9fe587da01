"""Every query of ingest. Takes a connection, returns values, neither begins nor ends a transaction.

All writes happen under the service's pen: nobody else adds an item between a look and an insert.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from earshot_shared.postgres import Queries

QUERIES: Final = Queries.load("earshot_ingest")

# Below this, one insert that skips what is there; above, a copy at half its price, with the fallback that a copy needs.
COPY_FROM: Final = 48


NO_ID: Final = "00000000-0000-0000-0000-000000000000"  # before every id


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as it stands: its JSON, its revision, and whether its topic is the live one."""

    feedback_id: str
    revision: int
    live: bool
    body: bytes


@dataclass(slots=True)
class SourceCount:
    """What one source sent in one transaction."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_occurred_at: datetime | None = None


async def insert_fresh(conn: Any, rows: Sequence[tuple[str, bool, bytes]]) -> set[str] | None:
    """Insert first revisions (feedback_id, live, body), ids unique among them; return the ids that were there already.

    A copy is tried first and fails when any row is known; then the known ones are looked up and the rest is copied.
    """
    if len(rows) < COPY_FROM:
        added = await conn.fetch(QUERIES["insert_items"], [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
        return None if len(added) == len(rows) else {row[0] for row in rows} - {str(row["feedback_id"]) for row in added}
    try:
        async with conn.transaction():  # a savepoint
            await _copy(conn, rows)
    except asyncpg.UniqueViolationError:
        known = {str(row["feedback_id"]) for row in await conn.fetch(QUERIES["known_items"], [row[0] for row in rows])}
        fresh = [row for row in rows if row[0] not in known]
        if fresh:
            await _copy(conn, fresh)
        return known
    return None


async def _copy(conn: Any, rows: Sequence[tuple[str, bool, bytes]]) -> None:
    await conn.copy_records_to_table("items", columns=("feedback_id", "live", "body"), records=rows)


async def load(conn: Any, feedback_ids: Collection[str]) -> dict[str, StoredItem]:
    """Return the items that are there, by id."""
    rows = await conn.fetch(QUERIES["load_items"], list(feedback_ids))
    return {str(row[0]): StoredItem(str(row[0]), row[1], row[2], row[3]) for row in rows}


async def page_of_items(conn: Any, *, live: bool, after: str, limit: int) -> list[StoredItem]:
    """Return the next items of the live topic, or of the other, by id; ``after`` is empty at first."""
    rows = await conn.fetch(QUERIES["page_of_items"], live, after or NO_ID, limit)
    return [StoredItem(str(row[0]), row[1], row[2], row[3]) for row in rows]


async def update(conn: Any, items: Sequence[tuple[str, int, bytes]]) -> None:
    """Put the next revisions (feedback_id, revision, body) in place."""
    ordered = sorted(items)
    await conn.execute(QUERIES["update_items"], [each[0] for each in ordered], [each[1] for each in ordered], [each[2] for each in ordered])


async def count(conn: Any, counts: Mapping[str, SourceCount]) -> None:
    """Add to what the sources sent."""
    names = sorted(counts)
    await conn.execute(
        QUERIES["count_items"],
        names,
        [counts[name].accepted for name in names],
        [counts[name].duplicates for name in names],
        [counts[name].rejected for name in names],
        [counts[name].last_occurred_at for name in names],
    )


async def totals(conn: Any) -> dict[str, int]:
    """Return what all sources sent together: ``accepted``, ``duplicates``, ``rejected``."""
    return dict(await conn.fetchrow(QUERIES["totals"]))


async def all_sources(conn: Any) -> dict[str, bytes]:
    """Return the sources kept by HTTP: name and settings as JSON."""
    return {row["name"]: row["settings"] for row in await conn.fetch(QUERIES["all_sources"])}


async def add_source(conn: Any, name: str, settings: bytes) -> bool:
    """Keep a new source; return whether there was none of that name."""
    return await conn.fetchval(QUERIES["add_source"], name, settings) is not None


async def put_source(conn: Any, name: str, settings: bytes) -> None:
    """Keep a source, new or changed."""
    await conn.execute(QUERIES["put_source"], name, settings)


async def drop_source(conn: Any, name: str) -> bool:
    """Forget a source; return whether it was there."""
    return await conn.fetchval(QUERIES["drop_source"], name) is not None


async def list_sources(conn: Any, *, configured: Collection[str], after: str = "", limit: int = 1, name: str | None = None) -> list[Any]:
    """Return sources with what they sent (null: nothing yet): the one of that ``name``, or those that come ``after`` one."""
    return list(await conn.fetch(QUERIES["list_sources"], after, limit, sorted(configured), name))


async def rotate_secret(conn: Any, source: str, secret: bytes, *, keep_previous_s: float) -> None:
    """Give a source a new webhook secret; the old one stays good for a while."""
    await conn.execute(QUERIES["rotate_secret"], source, secret, keep_previous_s)


async def live_secrets(conn: Any, source: str) -> list[bytes]:
    """Return the one or two secrets that sign for a source now; none when it has no webhook."""
    row = await conn.fetchrow(QUERIES["live_secrets"], source)
    return [] if row is None else [secret for secret in (row["secret"], row["previous"]) if secret is not None]
