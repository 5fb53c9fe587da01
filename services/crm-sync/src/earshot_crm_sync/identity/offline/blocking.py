"""Which pairs of records are worth comparing: those that share at least one of several keys.

Owns the keys and the bound on their number: a key shared by many records pairs only neighbours in a sorted order, so
the number of pairs grows
with the number of records whatever they share. Must not score.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from . import spelling
from .columns import Codes, Columns, Vocabulary

LARGEST_BLOCK = 40  # all pairs of a block up to here: 780
STRONG_KEYS = 3  # mail, mailbox name, phone, and every handle: one of them is enough, of the others it takes WEAK_KEYS
LARGE_FILE, WEAK_KEYS, WEAK_KEYS_OF_LARGE = 30_000, 2, 3  # the more records, the more share two keys by chance
NEIGHBOURS = 8  # of a larger block each record meets as many on either side of it in sorted order

Keys = NDArray[np.int64]
Pairs = NDArray[np.int64]  # i * count + j with i < j


def candidate_pairs(columns: Columns) -> Pairs:
    """Return the distinct candidate pairs, sorted."""
    order = _sort_order(columns)
    strong: list[Pairs] = []
    weak: list[Pairs] = []
    for number, key in enumerate(blocking_keys(columns)):
        pairs = _pairs_of_key(key, order, columns.count)
        (strong if number < STRONG_KEYS + len(columns.handles) else weak).append(pairs)
    found = np.concatenate([*strong, *weak])
    first = np.concatenate((np.ones(sum(part.size for part in strong), np.int8), np.zeros(sum(part.size for part in weak), np.int8)))
    order = np.argsort(found)
    found, first = found[order], first[order]
    if found.size == 0:
        return found
    enough = WEAK_KEYS_OF_LARGE if columns.count > LARGE_FILE else WEAK_KEYS
    starts = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1])))
    times = np.diff(np.concatenate((starts, [found.size])))
    return found[starts[(times >= enough) | np.maximum.reduceat(first, starts).astype(np.bool_)]]


def blocking_keys(columns: Columns) -> Iterator[Keys]:
    """Return one column of keys after the other; -1 where a record lacks what the key is made of."""
    texts, codes = columns.vocabularies, columns.codes
    given, family, birth = codes["given"], codes["family"], codes["birth"]
    sounds = _recode(columns.names, spelling.sound)
    given_sound, family_sound = _map(given, sounds), _map(family, sounds)
    heads = _recode(columns.names, lambda name: name[:3])
    email, phone = codes["email"], codes["phone"]
    yield email.astype(np.int64)
    yield _map(email, _recode(texts["email"], _local_part)).astype(np.int64)
    yield _map(phone, _recode(texts["phone"], lambda digits: digits[-7:])).astype(np.int64)
    for column in columns.handles.values():
        yield column.astype(np.int64)
    yield birth.astype(np.int64)
    low, high = np.minimum(given_sound, family_sound), np.maximum(given_sound, family_sound)
    yield _both(low, high)
    postcode, city = codes["postcode"], codes["city"]
    sorted_digits = _map(postcode, _recode(texts["postcode"], lambda code: "".join(sorted(code))))
    yield _both(family_sound, sorted_digits)
    yield _both(given_sound, sorted_digits)
    street = codes["street"]
    yield street.astype(np.int64)
    yield _both(_map(street, _recode(texts["street"], _number_of)), sorted_digits)
    year = _map(birth, _recode(texts["birth"], lambda day: day[:4]))
    given_head, family_head = _map(given, heads), _map(family, heads)
    for name in (given_sound, family_sound, given_head, family_head):
        yield _both(year, name)
    low_head, high_head = np.minimum(given_head, family_head), np.maximum(given_head, family_head)
    yield _both(low_head, high_head)
    domain = _map(email, _recode(texts["email"], lambda address: address.rpartition("@")[2][:5]))
    yield _both(domain, _map(email, _recode(texts["email"], lambda address: address[:3])))
    yield _both(domain, given_head)
    yield _both(domain, family_head)
    yield _both(domain, year)
    yield _both(_map(birth, _recode(texts["birth"], lambda day: "".join(sorted(day)))), city)
    yield _both(_map(street, _recode(texts["street"], _first_word)), given_sound)
    yield _both(_map(street, _recode(texts["street"], _first_word)), family_sound)
    yield _both(given_head, city)
    yield _both(family_head, city)


def _local_part(address: str) -> str:
    local = spelling.fold(address.partition("@")[0]).replace(" ", "")
    return local if len(local) >= 5 else ""


def _number_of(street: str) -> str:
    return next((word for word in street.split() if word[0].isdigit()), "")


def _first_word(street: str) -> str:
    return next((word[:5] for word in street.split() if word[0].isalpha() and len(word) > 2), "")


def _recode(vocabulary: Vocabulary, change: object) -> Codes:
    """Return for each text of a vocabulary the code of its changed form."""
    assert callable(change)
    changed = Vocabulary()
    return np.asarray([changed.code(change(text)) for text in vocabulary.texts] or [-1], np.int32)


def _map(codes: Codes, table: Codes) -> Codes:
    return np.where(codes >= 0, table[np.maximum(codes, 0)], -1).astype(np.int32)


def _both(left: NDArray[np.integer], right: NDArray[np.integer]) -> Keys:
    """Return one key for two; missing when either is."""
    key = left.astype(np.int64) * (np.int64(right.max(initial=0)) + 1) + right
    return np.where((left >= 0) & (right >= 0), key, -1)


def _sort_order(columns: Columns) -> NDArray[np.int64]:
    """Return each record's place when sorted by family name, given name and birth.

    What neighbours in a large block are.
    """
    texts = np.asarray([*columns.names.texts, ""], dtype=object)
    names = texts.argsort(kind="stable").argsort(kind="stable")
    rank = names[columns.codes["family"]], names[columns.codes["given"]], columns.codes["birth"]
    order = np.lexsort((rank[2], rank[1], rank[0]))
    place = np.empty(columns.count, np.int64)
    place[order] = np.arange(columns.count)
    return place


def _pairs_of_key(key: Keys, place: NDArray[np.int64], count: int) -> Pairs:
    """Return all pairs of small blocks and the neighbours of large ones."""
    rows = np.flatnonzero(key >= 0)
    if rows.size < 2:
        return np.empty(0, np.int64)
    rows = rows[np.lexsort((place[rows], key[rows]))]
    sorted_key = key[rows]
    starts = np.flatnonzero(np.concatenate(([True], sorted_key[1:] != sorted_key[:-1])))
    sizes = np.diff(np.concatenate((starts, [rows.size])))
    size_of_row = np.repeat(sizes, sizes)
    found = []
    for distance in range(1, min(int(sizes.max()), LARGEST_BLOCK)):
        left = np.flatnonzero(sorted_key[:-distance] == sorted_key[distance:]) if distance < rows.size else np.empty(0, np.int64)
        if distance > NEIGHBOURS:
            left = left[size_of_row[left] <= LARGEST_BLOCK]
        if left.size == 0:
            break
        a, b = rows[left], rows[left + distance]
        found.append(np.minimum(a, b) * np.int64(count) + np.maximum(a, b))
    return np.concatenate(found) if found else np.empty(0, np.int64)
