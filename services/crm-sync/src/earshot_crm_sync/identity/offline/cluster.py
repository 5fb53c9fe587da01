"""From scored pairs to customers: the best pairs join first, and groups join only while what is known of them agrees.

Owns the clustering. Must not score. A chain of good pairs does not join two groups whose other pairs speak against it:
that is what keeps twins and families apart when one poor record resembles both.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .model import Floats
from .texts import Codes

MERGE_BITS = 2.0  # a pair joins from here on; where relatives must be reckoned with a wrong join costs more
MERGE_BITS_OF_STRANGERS = 0.5  # in a file that shows no relatives
MOST_FOR, MOST_AGAINST = 16.0, 12.0  # one pair is worth no more than this
RELATIVES = 3.0  # what speaks against counts so much more where relatives must be reckoned with
EQUAL_DIGITS = 6  # of bits; what differs beyond was merely added up in another order
A_TIE = 0.5  # bits by which no tie is firmer than another
LARGEST_JOIN = 4_000  # cross pairs looked at; beyond, the pair at hand decides


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """All candidate pairs (i < j) with their bits. Shapes: one row a pair, but for `place`: one a record."""

    i: Codes
    j: Codes
    bits: Floats
    apart: NDArray[np.bool_]  # two people, unless the pair itself says otherwise
    families: bool  # the file holds people who live together
    place: NDArray[np.int64]  # of the records in an order that does not depend on the file's


def cluster(pairs: ScoredPairs, least: float | None = None) -> tuple[Codes, Floats]:
    """Return each record's cluster (its smallest member) and the bits of its best pair inside it (inf alone).

    `least`: the bits from which on a pair joins, unless the usual ones. What fits two clusters equally well that are not one
    belongs to neither.
    Shapes: the answer has one row a record.
    """
    if least is None:
        least = MERGE_BITS if pairs.families else MERGE_BITS_OF_STRANGERS
    joins = pairs.bits >= np.where(pairs.apart, max(least, MERGE_BITS), least)
    known = _PairTable(pairs, joins)
    good = _best_first(pairs, joins)
    label, refused = _joined(pairs, good, known)
    torn = _torn(pairs, refused, label)
    if torn.any():
        label, _ = _joined(pairs, good[torn[pairs.i[good]] == torn[pairs.j[good]]], known)
    bond = _bonds(pairs, label)
    return label, np.where(np.isneginf(bond), np.inf, bond)


def _best_first(pairs: ScoredPairs, joins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows that may join, best first; equal ones by their records' places."""
    good = np.flatnonzero(joins)
    one, other = pairs.place[pairs.i[good]], pairs.place[pairs.j[good]]
    return good[np.lexsort((np.maximum(one, other), np.minimum(one, other), -pairs.bits[good].round(EQUAL_DIGITS)))]


def _joined(pairs: ScoredPairs, rows: NDArray[np.int64], known: _PairTable) -> tuple[Codes, list[int]]:
    """Return each record's cluster when pairs join in this order, and the rows that were refused."""
    count = pairs.place.size
    root = array("i", range(count))
    members: dict[int, list[int]] = {}
    refused = []
    for row, first, second in zip(rows.tolist(), pairs.i[rows].tolist(), pairs.j[rows].tolist(), strict=True):
        a, b = _root(root, first), _root(root, second)
        if a == b:
            continue
        ours, theirs = members.get(a, [a]), members.get(b, [b])
        if len(ours) * len(theirs) > 1 and not _agree(known, ours, theirs):
            refused.append(row)
            continue
        low, high = (a, b) if a < b else (b, a)
        root[high] = low
        members[low] = ours + theirs
        members.pop(high, None)
    label = np.arange(count, dtype=np.int32)
    for low, joined in members.items():
        label[joined] = low
    return label, refused


def _torn(pairs: ScoredPairs, refused: list[int], label: Codes) -> NDArray[np.bool_]:
    """Return which records a refused pair ties as firmly to another cluster as any pair does to their own."""
    rows = np.asarray(refused, np.int64)
    rows = rows[label[pairs.i[rows]] != label[pairs.j[rows]]]
    torn, bond = np.zeros(label.size, np.bool_), _bonds(pairs, label)
    for ends in (pairs.i[rows], pairs.j[rows]):
        torn[ends[(bond[ends] <= pairs.bits[rows] + A_TIE) & ~np.isneginf(bond[ends])]] = True
    return torn


def _bonds(pairs: ScoredPairs, label: Codes) -> Floats:
    """Return the bits of each record's best pair inside its cluster, -inf where there is none."""
    best = np.full(label.size, -np.inf)
    inside = label[pairs.i] == label[pairs.j]
    for ends in (pairs.i, pairs.j):
        np.maximum.at(best, ends[inside], pairs.bits[inside])
    return best


class _PairTable:
    """The scored pairs of records that have one worth merging, by either record."""

    def __init__(self, pairs: ScoredPairs, good: NDArray[np.bool_]) -> None:
        i, j, bits = pairs.i, pairs.j, pairs.bits
        wanted = np.zeros(pairs.place.size, np.bool_)
        wanted[i[good]] = wanted[j[good]] = True
        rows = np.flatnonzero(wanted[i] & wanted[j])
        told = np.where(np.isneginf(bits[rows]), 0.0, bits[rows])  # too little to tell is nothing against
        value = np.clip(np.where(told < 0, told * (RELATIVES if pairs.families else 1.0), told), -MOST_AGAINST, MOST_FOR)
        value[pairs.apart[rows] & ~good[rows]] = -np.inf  # father and son, whatever fits both
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
