"""Leaders in memory, looked through quickly: the same definition as `gathering.nearest`, over arrays, for many voices at once.

Owns the index from stems to leaders. Must not know tables. It may hold some leaders only: of a book all that have a stem that is known.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.domain.gathering import LIKE, TELLING, Voice
from earshot_triage.domain.message import Order

Match = tuple[int, Order, str]
"""A leader that a voice is like: likeness below zero, order, key. The least is the one to follow: the likest, of equals the earliest."""
BookStem = tuple[str, str]
"""A stem, in the book named first."""
Ints = NDArray[np.int32]
_ROOM: Final = 256
_VOICES_AT_ONCE: Final = 128
_PAIRS_AT_ONCE: Final = 4_000
"""So many voices, and pairs of a voice and a leader, are compared at a time: what stays in the processor's caches."""


class Leaders:
    """Leaders by book and stem. ``latest``: when the last item of each book that was asked about occurred, or later."""

    def __init__(self, voices: Iterable[Voice] = ()) -> None:
        self.latest: dict[str, datetime] = {}
        self._known: set[BookStem] = set()
        self._numbers: dict[str, dict[str, int]] = {}
        self._holders: list[array[int]] = [array("i")]  # number 0 is no stem
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._orders: list[Order] = []
        self._theirs: Ints = np.zeros((_ROOM, TELLING), dtype=np.int32)
        self._weights: Ints = np.zeros((_ROOM, TELLING), dtype=np.int32)
        self._columns: Ints = np.zeros(_ROOM, dtype=np.int32)
        for voice in voices:
            self.add(voice)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def add(self, voice: Voice) -> None:
        """Take in a leader; one that is here stays as it is."""
        if voice.key in self._places:
            return
        place = self._places[voice.key] = len(self._keys)
        self._keys.append(voice.key)
        self._orders.append(voice.order)
        if place == len(self._theirs):
            self._theirs, self._weights = _doubled(self._theirs), _doubled(self._weights)
        numbers = [self._number(voice.book, stem) for stem in voice.weights]
        self._theirs[place, : len(numbers)] = numbers
        self._weights[place, : len(numbers)] = list(voice.weights.values())
        for number in numbers:
            self._holders[number].append(place)

    def remove(self, key: str) -> None:
        """Forget a leader, if it is here. Its words weigh nothing from now on, so nobody is like it."""
        place = self._places.pop(key, None)
        if place is not None:
            self._weights[place] = 0

    def unknown(self, voices: Iterable[Voice]) -> set[BookStem]:
        """Return the heavy stems of some voices, in their books, of which leaders may be missing here."""
        return {(voice.book, stem) for voice in voices for stem in voice.heavy} - self._known

    def know(self, stems: Collection[BookStem]) -> None:
        """Take note that all leaders that have one of some stems in its book are here now."""
        self._known.update(stems)

    def likeness(self, voice: Voice, key: str) -> int | None:
        """Return how like a leader a voice is, in square units; None when the leader is not here."""
        place = self._places.get(key)
        if place is None:
            return None
        return int(self._measure([voice], np.zeros(1, dtype=np.int32), np.array([place], dtype=np.int32))[0])

    def alike(self, voices: Sequence[Voice]) -> list[list[Match]]:
        """Return of each voice the leaders before it that it is like, in no order.

        All leaders that have one of its heavy stems must be here.
        """
        found: list[list[Match]] = [[] for _ in voices]
        for first, some, who, places in self._candidates(voices):
            near = self._measure(some, who, places)
            hits = (near >= LIKE).nonzero()[0]
            for one, place, much in zip(who[hits].tolist(), places[hits].tolist(), near[hits].tolist(), strict=True):
                order = self._orders[place]
                if order < some[one].order:
                    found[first + one].append((-much, order, self._keys[place]))
        return found

    def nearest(self, voice: Voice) -> str | None:
        """Return the key of the leader that a voice follows; None when it leads itself."""
        return min(self.alike([voice])[0], default=(0, voice.order, None))[2]

    def _candidates(self, voices: Sequence[Voice]) -> Iterator[tuple[int, Sequence[Voice], Ints, Ints]]:
        """Yield the voices in portions: the number of the first, they, and who of them shares a heavy stem with the leader where."""
        who: list[int] = []
        held: list[array[int]] = []
        first, pairs = 0, 0
        for number, voice in enumerate(voices, start=1):
            numbers = self._numbers.get(voice.book, {})
            for stem in voice.heavy:
                if stem in numbers:
                    holders = self._holders[numbers[stem]]
                    who.append(number - 1 - first)
                    held.append(holders)
                    pairs += len(holders)
            if pairs >= _PAIRS_AT_ONCE or number - first == _VOICES_AT_ONCE or number == len(voices):
                if pairs:
                    sizes = list(map(len, held))
                    yield (
                        first,
                        voices[first:number],
                        np.repeat(np.array(who, dtype=np.int32), sizes),
                        np.frombuffer(b"".join(held), np.int32),
                    )
                first, pairs = number, 0
                who.clear()
                held.clear()

    def _number(self, book: str, stem: str) -> int:
        numbers = self._numbers.setdefault(book, {})
        number = numbers.get(stem)
        if number is None:
            number = numbers[stem] = len(self._holders)
            self._holders.append(array("i"))
            if number == len(self._columns):
                self._columns = _doubled(self._columns)
        return number

    def _measure(self, voices: Sequence[Voice], who: Ints, places: Ints) -> Ints:
        """Return how alike the voices ``who`` and the leaders at ``places`` are, pair by pair."""
        rows: list[int] = []
        asked: list[int] = []
        said: list[int] = []
        for row, voice in enumerate(voices):
            numbers = self._numbers.get(voice.book, {})
            for stem, weight in voice.weights.items():
                if stem in numbers:
                    rows.append(row)
                    asked.append(numbers[stem])
                    said.append(weight)
        self._columns[asked] = np.arange(1, len(asked) + 1)
        weights = np.zeros((len(voices), len(asked) + 1), dtype=np.int32)  # of each voice, by what is asked; column 0: what nobody asked
        weights[rows, self._columns[asked]] = said
        cells = self._columns.take(self._theirs.take(places, axis=0))
        cells += (who * weights.shape[1])[:, np.newaxis]
        alike = weights.reshape(-1).take(cells)
        alike *= self._weights.take(places, axis=0)
        self._columns[asked] = 0
        found: Ints = alike.sum(axis=1, dtype=np.int32)
        return found


def _doubled(numbers: Ints) -> Ints:
    return np.concatenate([numbers, np.zeros_like(numbers)])
