"""How much the levels of two records speak for one person: probabilities under four hypotheses, combined into bits.

Owns the shipped weights and the arithmetic. Must not read text. The hypotheses are what two records can be to each
other: one person, strangers, members of one household (who share name, address, phone, at times a mailbox), and twins,
who share the birth as well. Weighing relatives as rivals, not strangers alone, is what keeps families apart (Fellegi
and Sunter 1969 know two hypotheses).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .levels import Level

if TYPE_CHECKING:
    from .score import Weighed

Floats = NDArray[np.float64]
# The order of hypotheses in every table.
SAME, STRANGER, HOUSEHOLD, TWIN = range(4)
_M, _D, _R, _C, _A, _E = (int(level) for level in Level)

# Probability of each level (DIFFERENT, ROUGH, CLOSE, ALIAS, EXACT), one row a hypothesis. EXACT of strangers is
# replaced by how common the value is.
TABLES: dict[str, tuple[tuple[float, ...], ...]] = {
    "given": (
        (0.012, 0.035, 0.09, 0.06, 0.80),
        (0.86, 0.10, 0.015, 0.015, 0.01),
        (0.857, 0.09, 0.008, 0.015, 0.03),
        (0.90, 0.085, 0.008, 0.005, 0.002),
    ),
    "family": (
        (0.03, 0.035, 0.09, 0.03, 0.81),
        (0.88, 0.10, 0.012, 0.006, 0.002),
        (0.22, 0.03, 0.05, 0.02, 0.68),
        (0.03, 0.03, 0.07, 0.02, 0.85),
    ),
    "birth": (
        (0.02, 0.03, 0.06, 0.06, 0.83),
        (0.925, 0.035, 0.005, 0.034, 0.0001),
        (0.93, 0.03, 0.005, 0.034, 0.0005),
        (0.005, 0.015, 0.05, 0.03, 0.90),
    ),
    "street": (
        (0.17, 0.05, 0.12, 0.08, 0.58),
        (0.955, 0.04, 0.0005, 0.004, 0.0003),
        (0.17, 0.05, 0.12, 0.08, 0.58),
        (0.17, 0.05, 0.12, 0.08, 0.58),
    ),
    "city": (
        (0.13, 0.04, 0.12, 0.01, 0.70),
        (0.90, 0.08, 0.003, 0.001, 0.02),
        (0.12, 0.04, 0.10, 0.01, 0.73),
        (0.12, 0.04, 0.10, 0.01, 0.73),
    ),
    "postcode": (
        (0.10, 0.05, 0.09, 0.01, 0.75),
        (0.86, 0.12, 0.02, 0.001, 0.003),
        (0.10, 0.05, 0.08, 0.01, 0.76),
        (0.10, 0.05, 0.08, 0.01, 0.76),
    ),
    "email": (
        (0.22, 0.04, 0.08, 0.06, 0.60),
        (0.998, 0.0015, 0.0001, 0.0003, 1e-7),
        (0.90, 0.015, 0.004, 0.001, 0.08),
        (0.965, 0.015, 0.004, 0.001, 0.015),
    ),
    "phone": (
        (0.27, 0.001, 0.03, 0.001, 0.70),
        (0.9989, 0.001, 0.0001, 0.0001, 1e-6),
        (0.60, 0.001, 0.004, 0.001, 0.394),
        (0.55, 0.001, 0.004, 0.001, 0.444),
    ),
    "handle": (
        (0.16, 0.02, 0.08, 0.001, 0.74),
        (0.9974, 0.0015, 0.0005, 0.0001, 1e-6),
        (0.9887, 0.006, 0.004, 0.001, 0.0003),
        (0.9887, 0.006, 0.004, 0.001, 0.0003),
    ),
    "generation": (
        (0.02, 0.02, 0.01, 0.01, 0.94),
        (0.5, 0.02, 0.01, 0.01, 0.46),
        (0.8, 0.02, 0.01, 0.01, 0.16),
        (0.5, 0.02, 0.01, 0.01, 0.46),
    ),
    "region": (
        (0.12, 0.01, 0.01, 0.01, 0.85),
        (0.76, 0.01, 0.01, 0.01, 0.21),
        (0.12, 0.01, 0.01, 0.01, 0.85),
        (0.12, 0.01, 0.01, 0.01, 0.85),
    ),
    "country": (
        (0.05, 0.01, 0.01, 0.01, 0.92),
        (0.48, 0.01, 0.005, 0.005, 0.5),
        (0.03, 0.01, 0.01, 0.01, 0.94),
        (0.03, 0.01, 0.01, 0.01, 0.94),
    ),
}
# How many of each a record has among the others, on average; strangers are all the rest.
EXPECTED_SAME = 0.3
EXPECTED_HOUSEHOLD, EXPECTED_TWINS = 1.0, 0.02  # in a file with families
NO_FAMILIES = 0.003  # the factor on both in a file that shows none
PRIOR_PAIRS = 200.0  # what the shipped rows weigh against a file's own pairs
SMALLEST_POPULATION = 5_000  # a short file is a sample of a larger world, not a village
CROSSED = 0.03  # how often one person's given and family name stand exchanged
# Prior share of an unremarkable value, and how many observations the prior is worth.
COMMONNESS = {
    "given": (0.002, 1000.0),
    "family": (0.0005, 1000.0),
    "birth": (1 / 22_000, 3000.0),
    "city": (0.004, 300.0),
}
COMMONNESS |= {"postcode": (0.0006, 1000.0), "street": (0.00004, 2000.0), "region": (0.1, 50.0)}


@dataclass(frozen=True, slots=True)
class Model:
    """Natural logarithms of the tables, ready for taking by level; row 0 (MISSING) is 0."""

    logs: dict[str, Floats]  # field to (level, hypothesis)


def is_row(name: str, row: Sequence[float]) -> bool:
    """Whether these are probabilities of DIFFERENT, ROUGH, CLOSE, ALIAS, EXACT of a known field."""
    return name in TABLES and len(row) == 5 and min(row) > 0 and 0.99 < sum(row) < 1.01


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
    """Return log2 odds of one person against everything else, one a pair; -inf for what shares but names and places.

    `families`: whether people who live together must be reckoned with; `expected`: how many records of its own
    person a record has.
    """
    size = max(population, SMALLEST_POPULATION)
    relatives = (1.0 if families else NO_FAMILIES) / size
    same = likelihoods(model, fields, weighed, SAME) + np.log(expected / size)
    rivals = np.logaddexp(weighed.stranger, likelihoods(model, fields, weighed, HOUSEHOLD) + np.log(EXPECTED_HOUSEHOLD * relatives))
    rivals = np.logaddexp(rivals, likelihoods(model, fields, weighed, TWIN) + np.log(EXPECTED_TWINS * relatives))
    return np.where(weighed.enough, (same - rivals) / np.log(2), -np.inf)


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
        row = seen[1:] + PRIOR_PAIRS * np.exp(shipped_model().logs[name][1:, SAME])
        logs[name][1:, SAME] = np.log(row / row.sum())
    return Model(logs)


def _chance(bits: Floats) -> Floats:
    """Return the probability of each pair to be one person."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(bits, -60, 60))))


def expected_same(bits: Floats, count: int) -> float:
    """Return how many other records of its own person a record has on average, within sane bounds."""
    return float(np.clip(2.0 * _chance(bits).sum() / max(count, 1), 0.05, 10.0))
