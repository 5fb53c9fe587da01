"""Whom everybody follows is a function of the voices there are: not of batches, of the order of arrival, or of what is in memory."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_triage.domain.gathering import Voice, nearest, weigh
from earshot_triage.domain.leaders import BookStem, Leaders
from earshot_triage.placing import Placing
from support.triage_world import DAY

WORDS = [f"word{n}" for n in range(9)]
TELLING = {word: 2.0 + n / 3 for n, word in enumerate(WORDS)}
KEYS = st.integers(0, 24)
BOOKS = ("idea Acme", "bug Acme")


@dataclass(slots=True)
class Change:
    """What is heard of one item: a voice, or that it speaks no more."""

    key: int
    minute: int
    words: list[str]
    book: str

    def voice(self) -> Voice | None:
        if not self.words:
            return None
        order = (DAY + timedelta(minutes=self.minute), f"id{self.key:03}")
        return Voice(f"key{self.key}", order, weigh(dict.fromkeys(self.words, 1), TELLING), book=self.book)


@dataclass(slots=True)
class Batch:
    """What is heard at once, with how much of it is compared and looked back at together, and whether memory was lost before."""

    changes: list[Change]
    forgetful: bool
    portion: int
    recent: int


changes = st.builds(Change, KEYS, st.integers(0, 5), st.lists(st.sampled_from(WORDS), max_size=5, unique=True), st.sampled_from(BOOKS))
batches = st.builds(
    Batch,
    st.lists(changes, min_size=1, max_size=12, unique_by=lambda change: change.key),
    st.booleans(),
    st.sampled_from([1, 3, 128]),
    st.sampled_from([1, 2, 50]),
)


@dataclass(slots=True)
class MemoryShelf:
    """Implements `placing.Shelf` over a dictionary, by the widest answers that its promises allow."""

    rows: dict[str, Voice] = field(default_factory=dict)

    def _those(self, wanted: Iterable[Voice]) -> list[Voice]:
        return [replace(voice) for voice in wanted]

    async def leaders(self, stems: Collection[BookStem]) -> list[Voice]:
        return self._those(
            voice for book, stem in stems for voice in self.rows.values() if voice.leads and voice.book == book and stem in voice.weights
        )

    async def followers(self, keys: Sequence[str]) -> list[Voice]:
        return self._those(voice for voice in self.rows.values() if voice.leader in keys and not voice.leads)

    async def last(self, books: Sequence[str]) -> dict[str, datetime]:
        times = {book: [voice.order[0] for voice in self.rows.values() if voice.book == book] for book in books}
        return {book: max(each) for book, each in times.items() if each}

    async def recent(self, since: Mapping[str, datetime], most: int) -> AsyncIterator[list[Voice]]:
        for book, at in since.items():
            of_book = [voice for voice in self.rows.values() if voice.book == book and voice.order[0] >= at]
            found = self._those(sorted(of_book, key=lambda voice: voice.order[0], reverse=True)[:most])
            yield found[:1]
            yield found[1:]

    async def later(self, voice: Voice) -> list[Voice]:
        return self._those(each for each in self.rows.values() if each.book == voice.book and each.order > voice.order)

    async def take_in(self, batch: Batch, leaders: Leaders) -> None:
        """Do with one batch what the gatherer does with its rows."""
        known = [key for change in batch.changes if (key := f"key{change.key}") in self.rows]
        orphans = [voice for voice in await self.followers(known) if voice.key not in known]
        for key in known:
            del self.rows[key]
            leaders.remove(key)
        fresh = [voice for change in batch.changes if (voice := change.voice()) is not None]
        placed = await Placing(self, leaders).run([*fresh, *orphans])
        for voice in fresh:
            self.rows[voice.key] = voice
        for key, leader in placed.items():
            self.rows[key] = replace(self.rows[key], leader=leader)


def by_definition(voices: Iterable[Voice]) -> dict[str, str]:
    """One after the other, looking at all leaders."""
    leaders: dict[str, list[Voice]] = {}
    found = {}
    for voice in sorted(voices, key=lambda voice: voice.order):
        leader = nearest(voice, leaders.get(voice.book, ()))
        found[voice.key] = voice.key if leader is None else leader.key
        if leader is None:
            leaders.setdefault(voice.book, []).append(voice)
    return found


async def gathered(heard: Iterable[Batch]) -> dict[str, str]:
    shelf, leaders = MemoryShelf(), Leaders()
    for batch in heard:
        if batch.forgetful:
            leaders = Leaders()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("earshot_triage.domain.leaders._VOICES_AT_ONCE", batch.portion)
            patch.setattr("earshot_triage.placing.RECENT", batch.recent)
            await shelf.take_in(batch, leaders)
        assert {key: voice.leader for key, voice in shelf.rows.items()} == by_definition(shelf.rows.values())
    return {key: str(voice.leader) for key, voice in shelf.rows.items()}


@pytest.mark.capability("C5")
@given(st.lists(batches, min_size=1, max_size=6))
def test_after_every_batch_everybody_follows_whom_the_definition_says(heard: list[Batch]) -> None:
    asyncio.run(gathered(heard))


@pytest.mark.capability("C5")
@given(st.lists(changes, min_size=1, max_size=24, unique_by=lambda change: change.key), st.randoms(use_true_random=False))
def test_all_at_once_one_by_one_or_in_any_order_is_the_same(heard: list[Change], chance: random.Random) -> None:
    shuffled = chance.sample(heard, len(heard))
    at_once = asyncio.run(gathered([Batch(heard, False, 128, 50)]))
    assert asyncio.run(gathered([Batch([change], False, 128, 50) for change in shuffled])) == at_once
