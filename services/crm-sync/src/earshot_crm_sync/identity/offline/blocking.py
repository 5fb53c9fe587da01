"""Which pairs of records are worth comparing: those that share at least one of several keys.

Owns the keys and the bound on their number: a key shared by many records pairs only neighbours in a sorted order, so
the number of pairs grows
with the number of records whatever they share. Must not score.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from . import spelling
from .columns import Columns
from .texts import Codes, Texts, coded, looked_up, objects

LARGEST_BLOCK = 40  # all pairs of a block up to here: 780
STRONG_KEYS = 3  # mail, mailbox name, phone, and every handle: one of them is enough, of the others it takes WEAK_KEYS
LARGE_FILE, WEAK_KEYS, WEAK_KEYS_OF_LARGE = 30_000, 2, 3  # the more records, the more share two keys by chance
NEIGHBOURS = 8  # of a larger block each record meets as many on either side of it in sorted order
PILE_RECORDS = 40_000  # pairs are counted by so many first records at a time
PILE_BYTES = 1 << 20  # of a pile in memory; the rest waits in a temporary file

Keys = NDArray[np.int64]
Pairs = NDArray[np.int64]  # i * count + j with i < j


def candidate_pairs(columns: Columns) -> Pairs:
    """Return the distinct candidate pairs, sorted."""
    count = columns.count
    order = _sort_order(columns)
    enough = WEAK_KEYS_OF_LARGE if count > LARGE_FILE else WEAK_KEYS
    with _Piles(count) as piles:
        for number, key in enumerate(blocking_keys(columns)):
            weak = number >= STRONG_KEYS + len(columns.handles)
            for pairs in _pairs_of_key(key, order, count):
                piles.add(pairs * 2 + weak)
        found = [_often(pile, enough) for pile in piles]
    return np.concatenate(found)


def _often(noted: NDArray[np.int64], enough: int) -> Pairs:
    """Return the pairs that one strong key or enough weak ones hold, from `pair * 2 + is weak`, one a key."""
    noted.sort()
    pairs = noted >> 1
    starts = np.flatnonzero(np.concatenate((np.ones(min(pairs.size, 1), np.bool_), pairs[1:] != pairs[:-1])))
    times = np.diff(np.concatenate((starts, [pairs.size])))
    strong = noted[starts] & 1 == 0
    return pairs[starts[strong | (times >= enough)]]


class _Piles:
    """Noted pairs by their first record, kept in temporary files once they are many: memory stays flat."""

    def __init__(self, count: int) -> None:
        self._width = PILE_RECORDS * max(count, 1) * 2
        made = range(max(count, 1) // PILE_RECORDS + 1)
        self._piles: list[IO[bytes]] = [tempfile.SpooledTemporaryFile(PILE_BYTES) for _ in made]  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> _Piles:
        return self

    def __exit__(self, *_: object) -> None:
        for pile in self._piles:
            pile.close()

    def add(self, noted: NDArray[np.int64]) -> None:
        """Put pairs where they belong."""
        if len(self._piles) > 1:
            noted.sort()
        cuts = np.searchsorted(noted, np.arange(1, len(self._piles)) * self._width) if len(self._piles) > 1 else np.empty(0, np.int64)
        for pile, part in zip(self._piles, np.split(noted, cuts), strict=True):
            if part.size:
                pile.write(part.tobytes())

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        for pile in self._piles:
            pile.seek(0)
            yield np.frombuffer(bytearray(pile.read()), np.int64)
            pile.close()


def blocking_keys(columns: Columns) -> Iterator[Keys]:
    """Return one column of keys after the other; -1 where a record lacks what the key is made of."""
    texts, codes = columns.vocabularies, columns.codes
    given, family, birth = codes["given"], codes["family"], codes["birth"]
    sounds = coded(spelling.sound(name) for name in columns.names)
    given_sound, family_sound = looked_up(given, sounds), looked_up(family, sounds)
    heads = coded(name[:3] for name in columns.names)
    email, phone = codes["email"], codes["phone"]
    yield email.astype(np.int64)
    yield looked_up(email, _recode(texts["email"], _local_part)).astype(np.int64)
    yield looked_up(phone, _recode(texts["phone"], lambda digits: digits[-7:])).astype(np.int64)
    for column in columns.handles.values():
        yield column.astype(np.int64)
    yield birth.astype(np.int64)
    low, high = np.minimum(given_sound, family_sound), np.maximum(given_sound, family_sound)
    yield _both(low, high)
    postcode, city = codes["postcode"], codes["city"]
    sorted_digits = looked_up(postcode, _recode(texts["postcode"], lambda code: "".join(sorted(code))))
    yield _both(family_sound, sorted_digits)
    yield _both(given_sound, sorted_digits)
    street = codes["street"]
    yield street.astype(np.int64)
    yield _both(looked_up(street, _recode(texts["street"], _number_of)), sorted_digits)
    year = looked_up(birth, _recode(texts["birth"], lambda day: day[:4]))
    given_head, family_head = looked_up(given, heads), looked_up(family, heads)
    for name in (given_sound, family_sound, given_head, family_head):
        yield _both(year, name)
    low_head, high_head = np.minimum(given_head, family_head), np.maximum(given_head, family_head)
    yield _both(low_head, high_head)
    domain = looked_up(email, _recode(texts["email"], lambda address: address.rpartition("@")[2][:5]))
    yield _both(domain, looked_up(email, _recode(texts["email"], lambda address: address[:3])))
    yield _both(domain, given_head)
    yield _both(domain, family_head)
    yield _both(domain, year)
    yield _both(looked_up(birth, _recode(texts["birth"], lambda day: "".join(sorted(day)))), city)
    word = looked_up(street, _recode(texts["street"], _first_word))
    yield _both(word, given_sound)
    yield _both(word, family_sound)
    yield _both(given_head, city)
    yield _both(family_head, city)


def _local_part(address: str) -> str:
    local = spelling.fold(address.partition("@")[0]).replace(" ", "")
    return local if len(local) >= 5 else ""


def _number_of(street: str) -> str:
    for word in street.split():
        if word[0].isdigit():
            return word
    return ""


def _first_word(street: str) -> str:
    for word in street.split():
        if len(word) > 2 and word[0].isalpha():
            return word[:5]
    return ""


def _recode(texts: Texts, change: Callable[[str], str]) -> Codes:
    """Return for each text the code of its changed form."""
    return coded(change(text) for text in texts)


def _both(left: NDArray[np.integer], right: NDArray[np.integer]) -> Keys:
    """Return one key for two; missing when either is."""
    key = left.astype(np.int64) * (np.int64(right.max(initial=0)) + 1) + right
    return np.where((left >= 0) & (right >= 0), key, -1)


def _sort_order(columns: Columns) -> NDArray[np.int64]:
    """Return each record's place when sorted by family name, given name and birth.

    What neighbours in a large block are.
    """
    names = objects([*columns.names, ""]).argsort(kind="stable").argsort(kind="stable").astype(np.int32)
    rank = names[columns.codes["family"]], names[columns.codes["given"]], columns.codes["birth"]
    order = np.lexsort((rank[2], rank[1], rank[0]))
    place = np.empty(columns.count, np.int64)
    place[order] = np.arange(columns.count)
    return place


def _pairs_of_key(key: Keys, place: NDArray[np.int64], count: int) -> Iterator[Pairs]:
    """Return all pairs of small blocks and the neighbours of large ones, some at a time."""
    rows = np.flatnonzero(key >= 0)
    if rows.size < 2:
        return
    rows = rows[np.lexsort((place[rows], key[rows]))]
    sorted_key = key[rows]
    starts = np.flatnonzero(np.concatenate(([True], sorted_key[1:] != sorted_key[:-1])))
    sizes = np.diff(np.concatenate((starts, [rows.size])))
    end_of_block = np.repeat(starts + sizes, sizes)
    small = np.repeat(sizes <= LARGEST_BLOCK, sizes)
    left = np.arange(rows.size)  # those that have a partner at the distance
    for distance in range(1, min(int(sizes.max()), LARGEST_BLOCK)):
        left = left[left + distance < end_of_block[left]]
        if distance == NEIGHBOURS + 1:
            left = left[small[left]]
        if left.size == 0:
            return
        a, b = rows[left], rows[left + distance]
        yield np.minimum(a, b) * np.int64(count) + np.maximum(a, b)
