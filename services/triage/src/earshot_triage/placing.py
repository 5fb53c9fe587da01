"""The placing of voices: whom each new one follows, and what that changes for those that are there.

Owns the order of decisions. What is alike is defined in `domain.gathering`; what is stored is asked of a `Shelf`.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from earshot_triage.domain.gathering import Voice, likeness, may_follow
from earshot_triage.domain.leaders import BookStem, Leaders, Match

RECENT: Final = 8_000
"""So many of the latest stored voices, of all books, are looked through for those that may follow a late one."""
WORTH: Final = 300
"""Looking through so many costs as much as letting one late voice ask for itself."""
_BREATHE_EVERY: Final = 100


class Shelf(Protocol):
    """The voices that were placed before."""

    async def leaders(self, stems: Collection[BookStem]) -> Sequence[Voice]:
        """Return those that lead and have one of some stems in its book; some of them several times."""

    async def followers(self, keys: Sequence[str]) -> Sequence[Voice]:
        """Return those that follow some leaders."""

    async def last(self, books: Sequence[str]) -> Mapping[str, datetime]:
        """Return when the last voice of each book occurred; no entry for an empty one."""

    def recent(self, since: Mapping[str, datetime], most: int) -> AsyncIterator[Sequence[Voice]]:
        """Yield the latest of each book, down to a time each, ``most`` of a book at most, some at a time."""

    async def later(self, voice: Voice) -> Sequence[Voice]:
        """Return at least those of its book that came after it and have one of its stems among their heavy ones."""


class Placing:
    """One round. ``leaders`` are kept true for the next."""

    def __init__(self, shelf: Shelf, leaders: Leaders) -> None:
        self._shelf = shelf
        self._leaders = leaders
        self._placed: dict[str, str] = {}
        """What is decided about these is newer than what the shelf says."""
        self._matches: dict[str, list[Match]] = {}
        self._after: dict[str, list[Voice]] = {}
        self._hopeful: set[str] = set()
        self._surprised: set[str] = set()

    async def run(self, voices: Sequence[Voice]) -> dict[str, str]:
        """Return whom the voices follow, by key, and all whom that disturbs.

        In their order each is decided once: what it disturbs comes after it.
        """
        await self._know(voices)
        await self._look(voices)
        waiting = {voice.key: voice for voice in voices}
        heap = [(voice.order, voice.key) for voice in voices]
        heapq.heapify(heap)
        while heap:
            if len(self._placed) % _BREATHE_EVERY == 0:
                await asyncio.sleep(0)  # the fold and the routes share this loop
            disturbed = await self._place(waiting[heapq.heappop(heap)[1]])
            if more := [each for each in disturbed if each.key not in waiting]:
                await self._know(more)
                for each in more:
                    waiting[each.key] = each
                    heapq.heappush(heap, (each.order, each.key))
        for voice in voices:
            at = voice.order[0]
            self._leaders.latest[voice.book] = max(at, self._leaders.latest.get(voice.book, at))
        return self._placed

    async def _know(self, voices: Sequence[Voice]) -> None:
        """Load every leader that some voices may follow."""
        missing = self._leaders.unknown(voices)
        if missing:
            for number, leader in enumerate(await self._shelf.leaders(missing)):
                if number % _BREATHE_EVERY == 0:
                    await asyncio.sleep(0)
                if leader.key not in self._placed:
                    self._leaders.add(leader)
            self._leaders.know(missing)

    async def _look(self, voices: Sequence[Voice]) -> None:
        """Compare all at once: with the leaders that are there, and with those among themselves that may come to lead."""
        hopeful = await asyncio.to_thread(self._compare, voices)
        self._hopeful = {voice.key for voice in hopeful}
        books = {voice.book for voice in voices} - self._leaders.latest.keys()
        self._leaders.latest.update(await self._shelf.last(sorted(books)) if books else {})
        late = [voice for voice in hopeful if self._is_late(voice)]
        if late:
            await self._look_back(late)

    def _compare(self, voices: Sequence[Voice]) -> list[Voice]:
        """Note whom each is like; return those that are like no leader."""
        before = self._leaders.alike(voices)
        hopeful = [voice for voice, found in zip(voices, before, strict=True) if not found]
        among = Leaders(hopeful).alike(voices)
        self._matches = {voice.key: old + new for voice, old, new in zip(voices, before, among, strict=True)}
        return hopeful

    async def _look_back(self, late: Sequence[Voice]) -> None:
        """Note which of the latest stored voices are like those that come late. What came long before asks for itself when it leads."""
        since: dict[str, datetime] = {}
        for voice in late:
            since[voice.book] = min(voice.order[0], since.get(voice.book, voice.order[0]))
        most = max(1, min(RECENT, WORTH * len(late)) // len(since))
        searched = await asyncio.to_thread(Leaders, late)
        after: dict[str, list[Voice]] = {voice.key: [] for voice in late}
        by_book: dict[str, list[datetime]] = {}
        async for some in self._shelf.recent(since, most):  # all of them at once would be ten megabytes
            for each, matches in zip(some, await asyncio.to_thread(searched.alike, some), strict=True):
                by_book.setdefault(each.book, []).append(each.order[0])
                for _, _, key in matches:
                    after[key].append(each)
        full_from = {book: min(times) for book, times in by_book.items() if len(times) == most}
        self._after = {
            voice.key: after[voice.key] for voice in late if voice.book not in full_from or voice.order[0] > full_from[voice.book]
        }

    async def _place(self, voice: Voice) -> Sequence[Voice]:
        """Decide whom a voice follows; return those for whom that may change something."""
        led = voice.leads
        best = self._best(voice)
        voice.leader = self._placed[voice.key] = voice.key if best is None else best
        if best is not None and led:
            self._leaders.remove(voice.key)
            return await self._shelf.followers([voice.key])
        if best is None and not led:
            self._leaders.add(voice)
            if voice.key not in self._hopeful:
                self._surprised.add(voice.book)
            return await self._disturbed(voice) if self._is_late(voice) else ()
        return ()

    def _best(self, voice: Voice) -> str | None:
        """Return whom a voice follows. Once somebody leads of whom nobody thought, the voices of its book are compared anew, one by one."""
        matches = None if voice.book in self._surprised else self._matches.get(voice.key)
        if matches is None:
            return self._leaders.nearest(voice)
        return min((match for match in matches if match[2] in self._leaders), default=(0, voice.order, None))[2]

    def _is_late(self, voice: Voice) -> bool:
        latest = self._leaders.latest.get(voice.book)
        return latest is not None and voice.order[0] <= latest

    async def _disturbed(self, leader: Voice) -> list[Voice]:
        """Return those that may leave whom they follow for a new leader; when in doubt they are asked."""
        found = self._after.get(leader.key)
        if found is None:
            found = [each for each in await self._shelf.later(leader) if may_follow(each, leader)]
        return [each for each in found if self._may_leave(each, leader)]

    def _may_leave(self, voice: Voice, leader: Voice) -> bool:
        held = None if voice.leads or voice.leader is None else self._leaders.likeness(voice, voice.leader)
        return held is None or likeness(voice, leader) >= held
