"""From scored pairs to customers: the best pairs join first, and groups join only while what is known of them agrees.

Owns the clustering. Must not score. A chain of good pairs does not join two groups whose other pairs speak against it:
that is what keeps twins and families apart when one poor record resembles both.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .model import Floats
from .texts import Codes

MERGE_BITS = 2.0  # a pair joins from here on; where relatives must be reckoned with a wrong join costs more
MERGE_BITS_OF_STRANGERS = 0.5  # in a file that shows no relatives
MOST_FOR, MOST_AGAINST = 16.0, 12.0  # one pair is worth no more than this
RELATIVES = 3.0  # what speaks against counts so much more where relatives must be reckoned with
LARGEST_JOIN = 4_000  # cross pairs looked at; beyond, the pair at hand decides


def cluster(i: Codes, j: Codes, bits: Floats, count: int, *, families: bool = False, least: float | None = None) -> tuple[Codes, Floats]:
    """Return each record's cluster (its smallest member) and the bits of its best pair inside it (inf alone).

    `least`: the bits from which on a pair joins, unless the usual ones.
    Shapes: i < j, one row a scored pair; the answer has one row a record.
    """
    if least is None:
        least = MERGE_BITS if families else MERGE_BITS_OF_STRANGERS
    known = _PairTable(i, j, bits, least=least, against=RELATIVES if families else 1.0)
    root = array("i", range(count))
    members: dict[int, list[int]] = {}
    good = np.flatnonzero(bits >= least)
    good = good[np.lexsort((j[good], i[good], -bits[good]))]
    for first, second in zip(i[good].tolist(), j[good].tolist(), strict=True):
        a, b = _root(root, first), _root(root, second)
        if a == b:
            continue
        ours, theirs = members.get(a, [a]), members.get(b, [b])
        if len(ours) * len(theirs) > 1 and not _agree(known, ours, theirs):
            continue
        low, high = (a, b) if a < b else (b, a)
        root[high] = low
        members[low] = ours + theirs
        members.pop(high, None)
    label = np.arange(count, dtype=np.int32)
    for low, joined in members.items():
        label[joined] = low
    best = np.full(count, -np.inf)
    inside = label[i] == label[j]
    np.maximum.at(best, i[inside], bits[inside])
    np.maximum.at(best, j[inside], bits[inside])
    return label, np.where(np.isneginf(best), np.inf, best)


class _PairTable:
    """The scored pairs of records that have one worth merging, by either record."""

    def __init__(self, i: Codes, j: Codes, bits: Floats, *, least: float, against: float) -> None:
        good = bits >= least
        wanted = np.zeros(int(max(i.max(initial=0), j.max(initial=0))) + 1, np.bool_)
        wanted[i[good]] = wanted[j[good]] = True
        rows = np.flatnonzero(wanted[i] & wanted[j]) if i.size else np.empty(0, np.int64)
        told = np.where(np.isneginf(bits[rows]), 0.0, bits[rows])  # too little to tell is nothing against
        value = np.clip(np.where(told < 0, told * against, told), -MOST_AGAINST, MOST_FOR)
        ends = np.concatenate((i[rows], j[rows]))
        order = np.argsort(ends, kind="stable")
        self._others = np.concatenate((j[rows], i[rows]))[order]
        self._values = np.concatenate((value, value))[order]
        self._starts = np.searchsorted(ends[order], np.arange(wanted.size + 1))

    def of(self, record: int) -> Iterator[tuple[int, float]]:
        """Return the other record and the value of each of a record's pairs."""
        own = slice(self._starts[record], self._starts[record + 1])
        return zip(self._others[own].tolist(), self._values[own].tolist(), strict=True)


def _agree(known: _PairTable, ours: list[int], theirs: list[int]) -> bool:
    """Whether the scored pairs between two groups speak for joining them, all taken together."""
    if len(ours) * len(theirs) > LARGEST_JOIN:
        return True
    if len(ours) > len(theirs):
        ours, theirs = theirs, ours
    others = set(theirs)
    return sum(value for one in ours for other, value in known.of(one) if other in others) > 0


def _root(root: array[int], record: int) -> int:
    while root[record] != record:
        root[record] = root[root[record]]
        record = root[record]
    return record


def confidence(best: Floats) -> NDArray[np.float64]:
    """Return the probability that a record belongs to its customer, from the bits of its best pair; 1 when alone."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(best, -60, 60))))
