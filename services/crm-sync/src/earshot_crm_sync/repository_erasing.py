"""The queries of erasure. Takes a connection, begins and ends no transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from earshot_crm_sync.desk import Erasure, Told
from earshot_crm_sync.repository import QUERIES


async def has_erasures(conn: Any) -> bool:
    """Return whether anybody ever asked to be forgotten."""
    found: bool = await conn.fetchval(QUERIES["has_erasures"])
    return found


async def insert_erasure(conn: Any, erasure: Erasure) -> bool:
    """Keep an erasure; return whether it is new."""
    found = await conn.fetchval(QUERIES["insert_erasure"], erasure.erasure_id, erasure.at, erasure.actor, len(erasure.aliases))
    return found is not None


async def mark_erased(conn: Any, numbers: Collection[int], at: datetime) -> None:
    """Remember until when identifiers are erased."""
    await conn.execute(QUERIES["mark_erased"], sorted(numbers), at)


async def load_erased(conn: Any, aliases: Sequence[str]) -> dict[str, datetime]:
    """Return until when some identifiers are erased; those that are not are left out."""
    return {str(row["alias"]): row["erased_at"] for row in await conn.fetch(QUERIES["load_erased"], aliases)}


async def load_struck_items(conn: Any, numbers: Collection[int], at: datetime) -> list[Told]:
    """Return the items up to a time whose authors show some identifiers as their own."""
    rows = await conn.fetch(QUERIES["load_struck_items"], sorted(numbers), at)
    return [Told(str(row["feedback_id"]), row["version"], None, row["occurred_at"], row["heard_at"], row["entry"]) for row in rows]


async def load_struck_contacts(conn: Any, numbers: Collection[int], at: datetime) -> list[Told]:
    """Return the records of other systems up to a time that vouch for some identifiers."""
    rows = await conn.fetch(QUERIES["load_struck_contacts"], sorted(numbers), at)
    return [
        Told(
            str(row["contact_id"]),
            row["revision"],
            None,
            row["updated_at"],
            row["updated_at"],
            row["record"],
            row["connector"],
            row["record_id"],
        )
        for row in rows
    ]


async def purge_statements(conn: Any, numbers: Collection[int]) -> tuple[int, set[int]]:
    """Delete statements about some identifiers that no record makes any more; return how many, and all identifiers they showed."""
    rows = await conn.fetch(QUERIES["purge_statements"], sorted(numbers))
    return len(rows), {link for row in rows for link in row["links"]}


async def purge_words(conn: Any, numbers: Collection[int]) -> set[str]:
    """Delete edits and consents of some identifiers; return the acts of which nothing is left anywhere."""
    return {str(row[0]) for row in await conn.fetch(QUERIES["purge_words"], sorted(numbers))}


async def purge_spellings(conn: Any, numbers: Collection[int]) -> None:
    """Forget how some identifiers are spelt, where nobody shows them any more, and what recognition said of them."""
    await conn.execute(QUERIES["purge_standings"], sorted(numbers))
    await conn.execute(QUERIES["purge_spellings"], sorted(numbers))


async def keep_receipt(conn: Any, erasure_id: str, service: str, counts: bytes) -> None:
    """Keep what a service says it erased."""
    await conn.execute(QUERIES["keep_receipt"], erasure_id, service, counts)


async def read_erasure(conn: Any, erasure_id: str) -> Any:
    """Return (erasure_id, requested_at, identifiers), or None."""
    return await conn.fetchrow(QUERIES["read_erasure"], erasure_id)


async def read_receipts(conn: Any, erasure_id: str) -> list[tuple[str, datetime, bytes]]:
    """Return what services say they erased: (service, at, counts as JSON)."""
    return [(row["service"], row["at"], row["counts"]) for row in await conn.fetch(QUERIES["read_receipts"], erasure_id)]
