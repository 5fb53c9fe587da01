"""How much the levels of two records speak for one person: probabilities under four hypotheses, combined into bits.

Owns the arithmetic, many pairs at a time. Must not read text. The hypotheses and their weights are in `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .tables import (
    CROSSED,
    DOUBT,
    EXPECTED_HOUSEHOLD,
    EXPECTED_SAME,
    EXPECTED_TWINS,
    HOUSEHOLD,
    MOST_UNLIKE,
    NO_FAMILIES,
    PRIOR_PAIRS,
    SAME,
    SMALLEST_POPULATION,
    TABLES,
    TWIN,
)

if TYPE_CHECKING:
    from .score import Weighed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """Natural logarithms of the tables, ready for taking by level; row 0 (MISSING) is 0."""

    logs: dict[str, Floats]  # field to (level, hypothesis)


def shipped_model() -> Model:
    """Return the model of the tables above."""
    logs = {}
    for name, rows in TABLES.items():
        table = np.zeros((6, 4))
        table[1:, :] = np.log(np.asarray(rows)).T
        logs[name] = table
    return Model(logs)


def likelihoods(model: Model, fields: tuple[str, ...], weighed: Weighed, hypothesis: int) -> Floats:
    """Return the log likelihood of pairs under one hypothesis that is not STRANGER."""
    total = np.where(weighed.crossed, np.log(CROSSED), 0.0)
    for place, name in enumerate(fields):
        total += model.logs[name][weighed.levels[:, place], hypothesis]
    return np.asarray(total)


def bits_of(
    model: Model,
    fields: tuple[str, ...],
    weighed: Weighed,
    population: int,
    *,
    families: bool,
    expected: float = EXPECTED_SAME,
) -> Floats:
    """Return log2 odds of one person against everything else, one a pair; -inf where too little is known to tell: it agrees
    in nothing but names and places, or in too little while nothing speaks against it.

    `families`: whether people who live together must be reckoned with; `expected`: how many records of its own
    person a record has.
    """
    size = max(population, SMALLEST_POPULATION)
    relatives = np.where(families | weighed.heirs, 1.0, NO_FAMILIES) / size
    same = likelihoods(model, fields, weighed, SAME) + np.log(expected / size)
    household = likelihoods(model, fields, weighed, HOUSEHOLD) + np.log(EXPECTED_HOUSEHOLD * relatives)
    stranger = weighed.stranger + weighed.neighbours + np.log(DOUBT) if families else weighed.stranger
    rivals = np.logaddexp(stranger, household + weighed.household)
    rivals = np.logaddexp(rivals, likelihoods(model, fields, weighed, TWIN) + np.log(EXPECTED_TWINS * relatives))
    bits = (same - rivals) / np.log(2)
    enough = weighed.enough if families else weighed.barely
    untold = (bits < 0) & ~weighed.contradicted | (bits >= 0) & ~enough
    return np.where(untold, -np.inf, bits)


def adapted(model: Model, fields: tuple[str, ...], parts: Sequence[Weighed], bits: Sequence[Floats]) -> Model:
    """Return the model with its rows of SAME moved towards what this file's own pairs show (one step of expectation
    maximisation).

    Each level counts with the probability that its pair is one person; the shipped row weighs as much as PRIOR_PAIRS
    pairs. Shapes: one array of bits a part.
    """
    logs = {name: table.copy() for name, table in model.logs.items()}
    counts = {name: np.zeros(6) for name in fields}
    for weighed, found in zip(parts, bits, strict=True):
        chance = _chance(found)
        for place, name in enumerate(fields):
            counts[name] += np.bincount(weighed.levels[:, place], weights=chance, minlength=6)
    for name, seen in counts.items():
        shipped = np.exp(shipped_model().logs[name][1:, SAME])
        row = seen[1:] + PRIOR_PAIRS * shipped
        row /= row.sum()
        if name in ("given", "family"):  # whoever shares a mailbox must not teach that one person has any name
            row[0] = min(row[0], MOST_UNLIKE * shipped[0])
        logs[name][1:, SAME] = np.log(row / row.sum())
    return Model(logs)


def _chance(bits: Floats) -> Floats:
    """Return the probability of each pair to be one person, 0 below even odds: what is hardly one, however often, must not teach."""
    return np.where(bits > 0, 1.0 / (1.0 + np.exp2(-np.clip(bits, -60, 60))), 0.0)


def expected_same(bits: Floats, count: int) -> float:
    """Return how many other records of its own person a record has on average, within sane bounds."""
    return float(np.clip(2.0 * _chance(bits).sum() / max(count, 1), 0.05, 10.0))
