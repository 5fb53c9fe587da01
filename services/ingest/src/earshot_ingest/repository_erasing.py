"""The queries of erasure. Takes a connection, begins and ends no transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from earshot_ingest.repository import NO_ID, QUERIES


@dataclass(frozen=True, slots=True)
class OpenErasure:
    """An erasure under way; ``after`` is the last item that was looked at."""

    erasure_id: str
    at: datetime
    aliases: frozenset[str]
    after: str


@dataclass(frozen=True, slots=True)
class Struck:
    """What an erasure struck: items of the person's own, and items of others that named the person."""

    items: int = 0
    mentions: int = 0

    def __add__(self, other: Self) -> Self:
        """Return both together."""
        return replace(self, items=self.items + other.items, mentions=self.mentions + other.mentions)

    def told(self) -> dict[str, int]:
        """Return the counts as a receipt has them."""
        return asdict(self)


async def insert_erasure(conn: Any, erasure_id: str, aliases: Sequence[str], at: datetime) -> bool:
    """Keep an erasure; return whether it is new."""
    return await conn.fetchval(QUERIES["insert_erasure"], erasure_id, at, sorted(aliases), NO_ID) is not None


async def put_erased(conn: Any, aliases: Sequence[str], at: datetime, version: int) -> None:
    """Remember until when hashes are erased."""
    await conn.execute(QUERIES["put_erased"], sorted(set(aliases)), at, version)


async def load_erased(conn: Any, after: int) -> list[tuple[str, datetime, int]]:
    """Return (alias, at, version) of what was erased after a transaction."""
    return [(str(row["alias"]), row["at"], row["version"]) for row in await conn.fetch(QUERIES["load_erased"], after)]


async def open_erasures(conn: Any) -> list[OpenErasure]:
    """Return the erasures that go on together now."""
    rows = await conn.fetch(QUERIES["open_erasures"])
    return [OpenErasure(row["erasure_id"], row["at"], frozenset(map(str, row["aliases"])), str(row["after"])) for row in rows]


async def page(conn: Any, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Return the next items by id: (feedback_id, body)."""
    return [(str(row[0]), row[1]) for row in await conn.fetch(QUERIES["page_to_erase"], after, limit)]


async def advance(conn: Any, struck: Mapping[str, Struck], *, before: str, after: str, done: bool) -> dict[str, Struck]:
    """Remember how far erasures have come and what they struck; return all they struck so far, of those that stood at ``before``."""
    items, mentions = [each.items for each in struck.values()], [each.mentions for each in struck.values()]
    rows = await conn.fetch(QUERIES["advance_erasures"], list(struck), before, after, done, items, mentions)
    return {row["erasure_id"]: Struck(row["items"], row["mentions"]) for row in rows}
