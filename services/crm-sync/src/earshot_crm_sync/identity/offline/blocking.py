"""Which pairs of records are worth comparing: those that share at least one of several keys.

Owns the keys and the bound on their number: a key shared by many records pairs only neighbours in a sorted order, so
the number of pairs grows with the number of records whatever they share. Must not score.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from . import sounds, spelling
from .columns import Columns
from .parallel import both
from .texts import Codes, Texts, coded, looked_up, objects

LARGEST_BLOCK = 40  # all pairs of a block up to here: 780
STRONG_KEYS_OF_SMALL = 2  # postcode with house number or street: in a short file few share them
STRONG_KEYS = 3  # mail, mailbox name, phone, and every handle: one of them is enough, of the others it takes WEAK_KEYS
LARGE_FILE, WEAK_KEYS, WEAK_KEYS_OF_LARGE = 30_000, 2, 3  # the more records, the more share two keys by chance
NEIGHBOURS = 8  # of a larger block each record meets as many on either side of it in sorted order
_ODD = 0x9E3779B97F4A7C15  # any odd number with bits all over
PILE_RECORDS = 40_000  # pairs are counted by so many first records at a time

Keys = NDArray[np.int64]
Pairs = NDArray[np.int64]  # i * count + j with i < j


def candidate_pairs(columns: Columns, place: NDArray[np.int64]) -> Pairs:
    """Return the distinct candidate pairs, sorted. `place`: see `places`."""
    count = columns.count
    enough = WEAK_KEYS_OF_LARGE if count > LARGE_FILE else WEAK_KEYS
    keys = blocking_keys(columns)
    strong = STRONG_KEYS + len(columns.handles) + (0 if count > LARGE_FILE else STRONG_KEYS_OF_SMALL)
    with tempfile.TemporaryDirectory(prefix="earshot-resolve-") as folder:
        ours, theirs = _Piles(Path(folder) / "0", count), _Piles(Path(folder) / "1", count)

        def note(turn: int, piles: _Piles) -> None:
            for number in range(turn, len(keys), 2):
                for pairs in _pairs_of_key(keys[number](), place, count):
                    piles.add(pairs * 2 + (number >= strong))
            piles.close()

        both(lambda: note(0, ours), lambda: note(1, theirs), worth_it=count > LARGE_FILE)
        return np.concatenate([_often(np.concatenate(pile), enough) for pile in zip(ours, theirs, strict=True)])


def _often(noted: NDArray[np.int64], enough: int) -> Pairs:
    """Return the pairs that one strong key or enough weak ones hold, from `pair * 2 + is weak`, one a key."""
    noted.sort()
    pairs = noted >> 1
    starts = np.flatnonzero(np.concatenate((np.ones(min(pairs.size, 1), np.bool_), pairs[1:] != pairs[:-1])))
    times = np.diff(np.concatenate((starts, [pairs.size])))
    strong = noted[starts] & 1 == 0
    return np.asarray(pairs[starts[strong | (times >= enough)]])


class _Piles:
    """Noted pairs by their first record, in files that go with their folder: memory stays flat, however many they are."""

    def __init__(self, stem: Path, count: int) -> None:
        self._width = PILE_RECORDS * max(count, 1) * 2
        self._paths = [stem.with_name(f"{stem.name}-{number}") for number in range(max(count, 1) // PILE_RECORDS + 1)]
        self._files: list[IO[bytes]] = []

    def add(self, noted: NDArray[np.int64]) -> None:
        """Put pairs where they belong; the first ones begin the files anew, whoever began them before."""
        if not self._files:
            self._files = [path.open("wb") for path in self._paths]
        if len(self._files) == 1:
            self._files[0].write(noted.tobytes())
            return
        noted.sort()
        cuts = np.searchsorted(noted, np.arange(1, len(self._files)) * self._width)
        for pile, part in zip(self._files, np.split(noted, cuts), strict=True):
            if part.size:
                pile.write(part.tobytes())

    def close(self) -> None:
        """Write out what waits."""
        for pile in self._files:
            pile.close()

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        for path in self._paths:
            yield np.fromfile(path, np.int64) if path.exists() else np.empty(0, np.int64)
            path.unlink(missing_ok=True)


def blocking_keys(columns: Columns) -> list[Callable[[], Keys]]:
    """Return how to make each column of keys, the strong ones first; -1 where a record lacks what the key is made of."""
    texts, codes = columns.vocabularies, columns.codes
    given, family, birth = codes["given"], codes["family"], codes["birth"]
    email, phone, street = codes["email"], codes["phone"], codes["street"]
    postcode, city = codes["postcode"], codes["city"]
    heard = coded(sounds.sound(name) for name in columns.names)
    heads = coded(name[:3] for name in columns.names)
    given_sound, family_sound = looked_up(given, heard), looked_up(family, heard)
    given_head, family_head = looked_up(given, heads), looked_up(family, heads)
    year = looked_up(birth, _recode(texts["birth"], lambda day: day[:4]))
    digits = looked_up(postcode, _recode(texts["postcode"], lambda code: "".join(sorted(code))))
    domain = looked_up(email, _recode(texts["email"], lambda address: address.rpartition("@")[2][:5]))
    word = looked_up(street, _recode(texts["street"], _first_word))
    number = looked_up(street, _recode(texts["street"], _number_of))
    at_home = [partial(_both, number, digits), partial(_both, word, digits)]
    more = [partial(_both, number, city), partial(_both, number, year), partial(_both, word, city)]
    more += [partial(_both, digits, other) for other in (city, year)] + [partial(_both, name, city) for name in (given_sound, family_sound)]
    return [
        lambda: email.astype(np.int64),
        lambda: looked_up(email, _recode(texts["email"], _local_part)).astype(np.int64),
        lambda: looked_up(phone, _recode(texts["phone"], lambda number: number[-7:])).astype(np.int64),
        *(partial(np.ndarray.astype, column, np.int64) for column in columns.handles.values()),
        *(at_home if columns.count <= LARGE_FILE else ()),
        lambda: birth.astype(np.int64),
        lambda: _either_way(given_sound, family_sound),
        *(partial(_both, name, digits) for name in (family_sound, given_sound)),
        lambda: street.astype(np.int64),
        *(at_home[:1] if columns.count > LARGE_FILE else ()),
        *(partial(_both, year, name) for name in (given_sound, family_sound, given_head, family_head)),
        lambda: _either_way(given_head, family_head),
        lambda: _both(domain, looked_up(email, _recode(texts["email"], lambda address: address[:3]))),
        *(partial(_both, domain, other) for other in (given_head, family_head, year)),
        lambda: _both(looked_up(birth, _recode(texts["birth"], lambda day: "".join(sorted(day)))), city),
        *(partial(_both, word, name) for name in (given_sound, family_sound)),
        *(partial(_both, name, city) for name in (given_head, family_head)),
        *(more if columns.count <= LARGE_FILE else ()),  # they cost little there, and two slips hide fewer pairs
    ]


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


def _either_way(left: Codes, right: Codes) -> Keys:
    """Return one key for two in either order."""
    return _both(np.minimum(left, right), np.maximum(left, right))


def places(columns: Columns) -> NDArray[np.int64]:
    """Return each record's place when sorted by family name, given name, birth and a checksum of all it says.

    It says what neighbours in a large block are, and does not depend on the order of lines.
    """
    names = objects([*columns.names, ""]).argsort(kind="stable").argsort(kind="stable").astype(np.int32)
    births = objects([*columns.vocabularies["birth"], ""]).argsort(kind="stable").argsort(kind="stable").astype(np.int32)
    rank = names[columns.codes["family"]], names[columns.codes["given"]], births[columns.codes["birth"]]
    order = np.lexsort((_checksums(columns), rank[2], rank[1], rank[0]))
    place = np.empty(columns.count, np.int64)
    place[order] = np.arange(columns.count)
    return place


def _checksums(columns: Columns) -> NDArray[np.uint64]:
    told = [(columns.vocabularies[name], columns.codes[name]) for name in ("email", "phone", "street", "city", "postcode")]
    told += [(columns.handle_names, columns.handles[channel]) for channel in sorted(columns.handles)]
    total = np.zeros(columns.count, np.uint64)
    for texts, codes in told:
        total *= np.uint64(_ODD)
        total += np.append(texts.checksums(), np.uint64(0))[codes]
    return total


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
