"""The offline resolver: columns in, a customer and a confidence for each record out.

Owns the order of the steps and the size of the batches. Must not read or write files: see `commands`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from .blocking import candidate_pairs, places
from .cluster import ScoredPairs, cluster, confidence
from .columns import Columns
from .model import Floats, Model, adapted, bits_of, expected_same, shipped_model
from .parallel import both
from .score import PairScorer, Weighed
from .tables import EXPECTED_SAME
from .texts import Codes

BATCH_PAIRS = 100_000  # bounds the memory of scoring; in smaller ones more texts are prepared again and again
FEW_PAIRS = 50_000  # scored at once, where they are
FAMILIES_FROM = 0.005  # so many plain households a record, and relatives must be reckoned with
ADAPTATIONS = 4  # steps by which the weights follow the file
SMALL_FILE = 300  # too few records to tell: reckon with them


@dataclass(frozen=True, slots=True)
class Answer:
    """One row a record: the smallest record of its customer, and the probability that it belongs there."""

    label: Codes
    confidence: NDArray[np.float64]
    pair_count: int


def resolve_columns(columns: Columns, model: Model | None = None) -> Answer:
    """Return who is who among the records."""
    scored = scored_pairs(columns, model or shipped_model())
    label, best = cluster(scored)
    return Answer(label, confidence(best), scored.i.size)


def scored_pairs(columns: Columns, model: Model) -> ScoredPairs:
    """Return all candidate pairs with their scores."""
    place = places(columns)
    pairs = candidate_pairs(columns, place)
    i, j = (pairs // columns.count).astype(np.int32), (pairs % columns.count).astype(np.int32)
    scorer = PairScorer(columns, model)
    starts = _batches(pairs.size)
    del pairs

    def weigh(turn: int) -> list[Weighed]:
        return [scorer.weigh(i[start : start + starts.step], j[start : start + starts.step]) for start in starts[turn::2]]

    ours, theirs = both(lambda: weigh(0), lambda: weigh(1), worth_it=len(starts) > 1)
    parts = [part for pair in zip_longest(ours, theirs) for part in pair if part is not None]
    households = sum(float(part.together.sum()) for part in parts)
    families = columns.count < SMALL_FILE or households >= FAMILIES_FROM * columns.count
    fields = scorer.fields

    def weighted(expected: float = EXPECTED_SAME) -> Floats:
        told = (bits_of(model, fields, part, columns.count, families=families, expected=expected) for part in parts)
        return np.concatenate(list(told))

    bits = weighted()
    for _ in range(0 if families else ADAPTATIONS):
        expected = expected_same(bits, columns.count)
        model = adapted(model, fields, parts, np.split(bits, list(starts)[1:]))
        bits = weighted(expected)
    apart = np.concatenate([part.apart if families else part.heirs for part in parts])
    return ScoredPairs(i, j, bits, apart, families, place)


def _batches(pairs: int) -> range:
    """Return where the batches begin, all of one size: an even number of them unless there are few pairs, so that two take as long."""
    turns = 1 if pairs <= FEW_PAIRS else 2 * math.ceil(pairs / (2 * BATCH_PAIRS))
    return range(0, max(pairs, 1), max(math.ceil(pairs / turns), 1))
