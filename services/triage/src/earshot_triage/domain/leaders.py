"""The leaders of one book in memory, looked through quickly: the same definition as `gathering.nearest`, over arrays.

Owns the index from stems to leaders. Must not know tables. It may hold some of a book's leaders only: all that have one of `stems`.
"""

from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.domain.gathering import LIKE, TELLING, Voice
from earshot_triage.domain.message import Order

_ROOM: Final = 256


class Leaders:
    """Leaders by their stems. ``latest``: when the last item of the book occurred, or later."""

    def __init__(self, latest: datetime | None = None) -> None:
        self.stems: set[str] = set()
        """Every leader of the book that has one of these is here."""
        self.latest = latest
        self._numbers: dict[str, int] = {}
        self._holders: list[array[int]] = [array("i")]  # number 0 is no stem
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._orders: list[Order] = []
        self._theirs: NDArray[np.int32] = np.zeros((_ROOM, TELLING), dtype=np.int32)
        self._weights: NDArray[np.int32] = np.zeros((_ROOM, TELLING), dtype=np.int32)
        self._asked: NDArray[np.int32] = np.zeros(_ROOM, dtype=np.int32)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, voice: Voice) -> None:
        """Take in a leader; one that is here stays as it is."""
        if voice.key in self._places:
            return
        place = self._places[voice.key] = len(self._keys)
        self._keys.append(voice.key)
        self._orders.append(voice.order)
        if place == len(self._theirs):
            self._theirs, self._weights = _doubled(self._theirs), _doubled(self._weights)
        for column, (stem, weight) in enumerate(voice.weights.items()):
            number = self._number(stem)
            self._theirs[place, column], self._weights[place, column] = number, weight
            self._holders[number].append(place)

    def remove(self, key: str) -> None:
        """Forget a leader, if it is here. Its words weigh nothing from now on, so nobody is like it."""
        place = self._places.pop(key, None)
        if place is not None:
            self._weights[place] = 0

    def likeness(self, voice: Voice, key: str) -> int | None:
        """Return how like a leader a voice is, in square units; None when the leader is not here."""
        place = self._places.get(key)
        return None if place is None else int(self._measure(voice, np.array([place]))[0])

    def nearest(self, voice: Voice) -> str | None:
        """Return the key of the leader that a voice follows, of equals the earliest; None when it leads itself.

        All leaders that have one of its heavy stems must be here.
        """
        numbers = [number for stem in voice.heavy if (number := self._numbers.get(stem)) is not None]
        held = [holders for number in numbers if (holders := self._holders[number])]
        if not held:
            return None
        places = np.concatenate([np.frombuffer(holders, dtype=np.int32) for holders in held])
        found = self._measure(voice, places)
        alike = (found >= LIKE).nonzero()[0]
        best: tuple[int, Order, str] | None = None
        for likeness, place in zip(found[alike].tolist(), places[alike].tolist(), strict=True):
            order = self._orders[place]
            if order < voice.order and (best is None or (-likeness, order) < best[:2]):
                best = (-likeness, order, self._keys[place])
        return None if best is None else best[2]

    def know(self, stems: Iterable[str], leaders: Iterable[Voice]) -> None:
        """Take in all leaders of the book that have one of some stems."""
        for leader in leaders:
            self.add(leader)
        self.stems.update(stems)

    def _number(self, stem: str) -> int:
        number = self._numbers.get(stem)
        if number is None:
            number = self._numbers[stem] = len(self._holders)
            self._holders.append(array("i"))
            if number == len(self._asked):
                self._asked = _doubled(self._asked)
        return number

    def _measure(self, voice: Voice, places: NDArray[np.integer]) -> NDArray[np.int32]:
        """Return the likeness to each of some leaders."""
        known = [(number, weight) for stem, weight in voice.weights.items() if (number := self._numbers.get(stem)) is not None]
        for number, weight in known:
            self._asked[number] = weight
        said = self._asked.take(self._theirs.take(places, axis=0))
        said *= self._weights.take(places, axis=0)
        found: NDArray[np.int32] = said.sum(axis=1, dtype=np.int32)
        for number, _ in known:
            self._asked[number] = 0
        return found


def _doubled(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.concatenate([numbers, np.zeros_like(numbers)])
