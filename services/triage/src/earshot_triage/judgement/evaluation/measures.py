"""Measures of quality with their intervals.

Owns F1, recall, calibration error and the bootstrap. Must not know sets or models. Scores are 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Measure = Callable[[Labels, Labels], float]
RESAMPLES: Final = 300
BINS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A value with its 95 % interval (percentiles of the bootstrap over texts)."""

    value: float
    low: float
    high: float


def f1(truth: Labels, answer: Labels, label: int) -> float:
    """Return the F1 of one label; 0 when it never occurs on either side."""
    hits = float(((truth == label) & (answer == label)).sum())
    total = float((truth == label).sum() + (answer == label).sum())
    return 2 * hits / total if total else 0.0


def mean_f1(labels: Sequence[int]) -> Measure:
    """Return the measure “mean F1 over these labels”."""
    return lambda truth, answer: float(np.mean([f1(truth, answer, label) for label in labels]))


def macro_recall(labels: Sequence[int]) -> Measure:
    """Return the measure “mean recall over these labels”."""

    def measure(truth: Labels, answer: Labels) -> float:
        found = [float((answer[truth == label] == label).mean()) for label in labels if (truth == label).any()]
        return float(np.mean(found))

    return measure


def with_interval(measure: Measure, truth: Labels, answer: Labels, *, seed: int = 0) -> Score:
    """Return a measure with its interval; the same input gives the same interval."""
    chance = np.random.default_rng(seed)
    size = len(truth)
    again = [measure(truth[pick], answer[pick]) for pick in (chance.integers(0, size, size) for _ in range(RESAMPLES))]
    low, high = np.percentile(again, [2.5, 97.5])
    return Score(value=measure(truth, answer), low=float(low), high=float(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of a reliability curve: what was claimed, what held, how many texts."""

    claimed: float
    held: float
    count: int


def reliability(claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Bin]:
    """Return the reliability curve in ten even bins; empty bins are left out."""
    places = np.minimum((claimed * BINS).astype(np.int64), BINS - 1)
    return [
        Bin(claimed=float(claimed[inside].mean()), held=float(right[inside].mean()), count=int(inside.sum()))
        for inside in (places == place for place in range(BINS))
        if inside.any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: the mean gap between claim and truth, weighted by texts."""
    total = sum(item.count for item in bins)
    return sum(item.count * abs(item.claimed - item.held) for item in bins) / total if total else 0.0
