"""From scored pairs to customers: the best pairs join first, and groups join only while what is known of them agrees.

Owns the clustering. Must not score. A chain of good pairs does not join two groups whose other pairs speak against it:
that is what keeps twins and families apart when one poor record resembles both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .columns import Codes
from .model import Floats

MERGE_BITS = 2.0
CLIP_BITS = 12.0  # one pair is worth no more than this for or against
RELATIVES = 3.0  # what speaks against counts so much more where relatives must be reckoned with
LARGEST_JOIN = 4_000  # cross pairs looked at; beyond, the pair at hand decides


def cluster(i: Codes, j: Codes, bits: Floats, count: int, *, families: bool = False) -> tuple[Codes, Floats]:
    """Return each record's cluster (its smallest member) and the bits of its best pair inside it (inf alone).

    Shapes: i < j, one row a scored pair; the answer has one row a record.
    """
    known = _pair_table(i, j, bits, against=RELATIVES if families else 1.0)
    root = list(range(count))
    members: dict[int, list[int]] = {}
    order = np.lexsort((j, i, -bits))
    for row in order[bits[order] >= MERGE_BITS].tolist():
        a, b = _root(root, int(i[row])), _root(root, int(j[row]))
        if a == b:
            continue
        ours, theirs = members.get(a, [a]), members.get(b, [b])
        if len(ours) * len(theirs) > 1 and not _agree(known, ours, theirs):
            continue
        low, high = (a, b) if a < b else (b, a)
        root[high] = low
        members[low] = ours + theirs
        members.pop(high, None)
    label = np.asarray([_root(root, record) for record in range(count)], np.int32)
    best = np.full(count, -np.inf)
    inside = label[i] == label[j]
    np.maximum.at(best, i[inside], bits[inside])
    np.maximum.at(best, j[inside], bits[inside])
    return label, np.where(np.isneginf(best), np.inf, best)


def _pair_table(i: Codes, j: Codes, bits: Floats, *, against: float) -> dict[int, dict[int, float]]:
    """Return, for records with a pair worth merging, all their scored pairs."""
    wanted = np.zeros(int(max(i.max(initial=0), j.max(initial=0))) + 1, np.bool_)
    good = bits >= MERGE_BITS
    wanted[i[good]] = wanted[j[good]] = True
    rows = np.flatnonzero(wanted[i] & wanted[j]) if i.size else np.empty(0, np.int64)
    clipped = np.clip(np.where(bits[rows] < 0, bits[rows] * against, bits[rows]), -CLIP_BITS, CLIP_BITS)
    table: dict[int, dict[int, float]] = {}
    for a, b, value in zip(i[rows].tolist(), j[rows].tolist(), clipped.tolist(), strict=True):
        table.setdefault(a, {})[b] = value
        table.setdefault(b, {})[a] = value
    return table


def _agree(known: dict[int, dict[int, float]], ours: list[int], theirs: list[int]) -> bool:
    """Whether the scored pairs between two groups speak for joining them, all taken together."""
    if len(ours) * len(theirs) > LARGEST_JOIN:
        return True
    if len(ours) > len(theirs):
        ours, theirs = theirs, ours
    others = set(theirs)
    return sum(value for one in ours for other, value in known.get(one, {}).items() if other in others) > 0


def _root(root: list[int], record: int) -> int:
    while root[record] != record:
        root[record] = root[root[record]]
        record = root[record]
    return record


def confidence(best: Floats) -> NDArray[np.float64]:
    """Return the probability that a record belongs to its customer, from the bits of its best pair; 1 when alone."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(best, -60, 60))))
