"""Who a file shows beside a value: how many names, how many people who have nothing to do with each other.

Owns that counting. Must not judge pairs: see `score`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import levels as lv
from .columns import Columns
from .tables import Level
from .texts import Codes, coded

Counts = NDArray[np.int64]
_MOST_NAMES = 12  # beyond, every name counts as one of its own
MOST_BORN = 12  # people of one birth that a small file may show
DAYS = 22_000  # on which the living may be born


def distinct_beside(codes: Codes, names: Counts) -> Counts:
    """Return for each value the number of different names (-1 is none) on the records that carry it."""
    size = max(int(codes.max(initial=0)) + 1, 1)
    rows = np.flatnonzero((codes >= 0) & (names >= 0))
    if not rows.size:
        return np.zeros(size, np.int64)
    beside = np.sort(codes[rows].astype(np.int64) * (int(names.max()) + 1) + names[rows])
    fresh = np.concatenate(([True], beside[1:] != beside[:-1]))
    return np.bincount(beside[fresh] // (int(names.max()) + 1), minlength=size)


def heard_beside(columns: Columns, table: lv.NameTable) -> Counts:
    """Return a number for how each record's whole name sounds."""
    heard = table.sounds[columns.codes["given"]].astype(np.int64) * len(columns.names) + table.sounds[columns.codes["family"]]
    return np.asarray(np.unique(heard, return_inverse=True)[1].reshape(-1), np.int64)


def without_default_births(columns: Columns, names: Counts) -> Columns:
    """Return the columns without the days that far more people are born on than chance allows: what a form fills in.

    `names`: see `heard_beside`.
    """
    births = columns.codes["birth"]
    people = distinct_beside(births, names)
    common = people > MOST_BORN * (1 + columns.count / DAYS)
    kept = np.where(common[np.maximum(births, 0)], np.int32(-1), births)
    return replace(columns, codes=columns.codes | {"birth": kept})


def by_initial(columns: Columns, table: lv.NameTable) -> Counts:
    """Return a number for each record's first letter and how its family name sounds; -1 where it tells neither."""
    first = np.append(coded(text[:1] for text in columns.names)[: len(columns.names)], np.int32(-1))
    given, family = columns.codes["given"], columns.codes["family"]
    key = (first[given].astype(np.int64) + 1) * (len(columns.names) + 2) + table.sounds[family] + 1
    return np.where((given >= 0) | (family >= 0), key, -1)


def unrelated_beside(codes: Codes, columns: Columns, table: lv.NameTable) -> Counts:
    """Return for each value how many groups of people use it between whom no name is alike: neither misspelling nor
    kinship nor marriage explains them, so the value is an office's, or was passed on.
    """
    given, family = columns.codes["given"], columns.codes["family"]
    size = max(int(codes.max(initial=0)) + 1, 1)
    users = np.bincount(codes[codes >= 0], minlength=size)
    rows = np.flatnonzero((codes >= 0) & (given >= 0) & (family >= 0))
    rows = rows[users[codes[rows]] > 1]
    names = np.unique(given[rows].astype(np.int64) * (len(columns.names) + 1) + family[rows], return_inverse=True)[1].reshape(-1)
    rows = rows[np.unique(codes[rows].astype(np.int64) * (rows.size + 1) + names, return_index=True)[1]]
    value = codes[rows]
    counts = np.maximum(np.bincount(value, minlength=size), np.minimum(users, 1))
    several = (counts[value] > 1) & (counts[value] <= _MOST_NAMES)
    told = np.stack((value, given[rows], family[rows]), axis=1)[several]
    for at, (one, other) in _alike(told, table).items():
        counts[at] -= _joins(one, other)
    return counts


def _alike(told: NDArray[np.int32], table: lv.NameTable) -> dict[int, tuple[list[int], list[int]]]:
    """Return by value the pairs of rows (value, given, family) whose names are alike in any part."""
    found: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for distance in range(1, min(_MOST_NAMES, len(told))):
        left = np.flatnonzero(told[distance:, 0] == told[:-distance, 0])
        one, other = told[left], told[left + distance]
        like = np.zeros(left.size, np.bool_)
        for parts in ((1, 2), (2, 1)):  # straight and crossed
            given, family = (lv.name_levels(table, one[:, mine], other[:, its]) for mine, its in zip((1, 2), parts, strict=True))
            like |= (np.maximum(given, family) >= Level.CLOSE) | (np.minimum(given, family) >= Level.ROUGH)
        for row in left[like].tolist():
            pairs = found[int(told[row, 0])]
            pairs[0].append(row)
            pairs[1].append(row + distance)
    return found


def _joins(one: list[int], other: list[int]) -> int:
    """Return by how much the pairs lessen the number of groups."""
    group = {row: row for row in one + other}
    joined = 0
    for a, b in zip(one, other, strict=True):
        low, high = sorted((group[a], group[b]))
        if low != high:
            joined += 1
            for row, its in group.items():
                if its == high:
                    group[row] = low
    return joined
