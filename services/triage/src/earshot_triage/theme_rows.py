"""The rows of themes, as the gathering reads and writes them. Takes a connection; begins and ends no transaction."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from earshot_shared.postgres import in_turns
from earshot_triage.domain.gathering import Voice
from earshot_triage.domain.leaders import BookStem
from earshot_triage.repository import QUERIES
from earshot_triage.voices import Fresh

_COLUMNS: Final = ("key", "feedback_id", "book", "kind", "brand", "author_key", "at", "leader", "theme", "stems", "weights")
_ASKED_AT_ONCE: Final = 1_000
"""Stems of one query: writing it holds the event loop."""
_READ_AT_ONCE: Final = 1_000
"""Voices, where many are read to be looked at once: one takes more than a kilobyte."""


class ThemeRows:
    """Implements `placing.Shelf`."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    async def leaders(self, stems: Collection[BookStem]) -> list[Voice]:
        """Return those that lead and have one of some stems in its book; some of them several times."""
        found: list[Voice] = []
        asked = list(stems)
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            some = asked[start : start + _ASKED_AT_ONCE]
            found += await self._voices("load_leaders", [book for book, _ in some], [stem for _, stem in some])
        return found

    async def followers(self, keys: Sequence[str]) -> list[Voice]:
        """Return those that follow some leaders."""
        return await self._voices("load_followers", keys)

    async def last(self, books: Sequence[str]) -> dict[str, datetime]:
        """Return when the last voice of each book occurred; no entry for an empty one."""
        return {row["book"]: row["at"] for row in await self._conn.fetch(QUERIES["last_of_books"], books)}

    async def recent(self, since: Mapping[str, datetime], most: int) -> AsyncIterator[list[Voice]]:
        """Yield the latest of each book, down to a time each, ``most`` of a book at most, some at a time."""
        cursor = await self._conn.cursor(QUERIES["load_recent"], list(since), list(since.values()), most)
        while rows := await cursor.fetch(_READ_AT_ONCE):
            yield [_voice(row) async for row in in_turns(rows)]

    async def later(self, voice: Voice) -> list[Voice]:
        """Return those of its book that came after it and have one of its stems among their heavy ones."""
        return await self._voices("load_later", voice.book, *voice.order, list(voice.weights))

    async def _voices(self, query: str, *arguments: object) -> list[Voice]:
        return [_voice(row) async for row in in_turns(await self._conn.fetch(QUERIES[query], *arguments))]

    async def drop(self, keys: Sequence[str]) -> None:
        """Forget voices that speak no more, or otherwise."""
        await self._conn.execute(QUERIES["drop_theme_items"], keys)

    async def write(self, fresh: Sequence[Fresh], placed: Mapping[str, str]) -> None:
        """Store the fresh ones, and whom everybody else follows now."""
        if fresh:
            await self._conn.copy_records_to_table("theme_items", records=in_turns(_rows(fresh, placed)), columns=_COLUMNS)
        moved = placed.keys() - {each.voice.key for each in fresh}
        if moved:
            await self._conn.execute(QUERIES["move_theme_items"], list(moved), [placed[key] for key in moved])


def _voice(row: Any) -> Voice:
    weights = dict(zip(row["stems"], row["weights"], strict=True))
    return Voice(str(row["key"]), (row["at"], str(row["feedback_id"])), weights, str(row["leader"]), row["book"])


def _rows(fresh: Iterable[Fresh], placed: Mapping[str, str]) -> Iterable[tuple[object, ...]]:
    for voice, kind, brand, author_key in fresh:
        at, feedback_id = voice.order
        leader = placed[voice.key]
        weights = voice.weights
        yield voice.key, feedback_id, voice.book, kind, brand, author_key, at, leader, leader, list(weights), list(weights.values())
