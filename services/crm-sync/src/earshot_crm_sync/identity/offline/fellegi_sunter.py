"""The textbook model of Fellegi and Sunter with term frequencies, as Splink estimates it: a pure scorer of one pair.

Owns three levels a field (equal, at most two slips, different) and their arithmetic, digit for digit what Splink
computes: a test holds both equal.
It is what `learn` estimates; `resolve` takes its probabilities into the richer levels of `model`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz.distance import DamerauLevenshtein

SLIPS = 2
FIELDS = ("given", "family", "birth", "email", "phone", "street", "city", "postcode", "handle")
WITH_FREQUENCIES = ("given", "family", "city")
DIFFERENT, CLOSE, EXACT = range(3)


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """Probabilities of DIFFERENT, CLOSE and EXACT between two records of one person (m) and of two people (u)."""

    m: tuple[float, float, float]
    u: tuple[float, float, float]
    shares: Mapping[str, float] = field(default_factory=dict)  # of each value among the records, where frequencies count


@dataclass(frozen=True, slots=True)
class FellegiSunter:
    """A whole model; `prior` is the probability that two random records are one person."""

    fields: Mapping[str, FieldWeights]
    prior: float

    def bits(self, left: Mapping[str, str], right: Mapping[str, str]) -> float:
        """Return log2 odds that two records, folded texts by field, are one person. What either lacks says nothing."""
        total = math.log2(self.prior / (1 - self.prior))
        for name, weights in self.fields.items():
            one, other = left.get(name, ""), right.get(name, "")
            if one and other:
                total += _field_bits(weights, one, other)
        return total


def level_of(one: str, other: str) -> int:
    """Return the level of two present texts."""
    if one == other:
        return EXACT
    return CLOSE if DamerauLevenshtein.distance(one, other, score_cutoff=SLIPS) <= SLIPS else DIFFERENT


def _field_bits(weights: FieldWeights, one: str, other: str) -> float:
    level = level_of(one, other)
    bits = math.log2(weights.m[level] / weights.u[level])
    if level == EXACT and one in weights.shares:
        bits += math.log2(weights.u[EXACT] / weights.shares[one])  # the value's own share instead of the average one
    return bits
