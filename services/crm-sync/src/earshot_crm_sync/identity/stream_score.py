"""How much two groups that share a value speak for being one person: the offline model, one pair at a time.

Owns the scalar comparison of two `Person`s and the reasons it gives. The weights are those of `offline.tables`; a test
holds both equal.
Must not know thresholds: bands are the rules'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA, Indel, JaroWinkler

from .offline import sounds, spelling
from .offline.tables import (
    COMMONNESS,
    CROSSED,
    EXPECTED_HOUSEHOLD,
    EXPECTED_SAME,
    EXPECTED_TWINS,
    GENERATION_YEARS,
    HOUSEHOLD,
    SAME,
    SHORT_NAME,
    SMALLEST_POPULATION,
    STRANGER,
    TABLES,
    TWIN,
    Level,
)
from .people import Person

_HYPOTHESES = (SAME, STRANGER, HOUSEHOLD, TWIN)
_EXPECTED = {SAME: EXPECTED_SAME, HOUSEHOLD: EXPECTED_HOUSEHOLD, TWIN: EXPECTED_TWINS}


@dataclass(frozen=True, slots=True)
class Score:
    """Evidence that two people are one. Units: bits (log2 odds against strangers and relatives).

    Negative speaks against.
    """

    bits: float
    reasons: tuple[str, ...] = ()


Rows = Mapping[str, Sequence[float]]
_SHIPPED: Rows = {}


def score_people(left: Person, right: Person, learned: Rows = _SHIPPED) -> Score:
    """Return what all the fields say together; what either side lacks says nothing. Symmetric.

    `learned`: rows of one person that take the place of the shipped ones, as `earshot crm-sync learn` writes them.
    """
    levels = _levels(left, right, learned)
    totals = [math.log2(_EXPECTED[one] / SMALLEST_POPULATION) if one != STRANGER else 0.0 for one in _HYPOTHESES]
    reasons = []
    for name, level in levels:
        bits = [math.log2(_chance(name, level, one, learned)) for one in _HYPOTHESES]
        totals = [total + found for total, found in zip(totals, bits, strict=True)]
        gain = bits[SAME] - bits[STRANGER]
        reasons.append(f"{name} {level.name.lower()} {gain:+.1f}")
    rivals = math.log2(sum(2.0 ** totals[one] for one in _HYPOTHESES if one != SAME))
    return Score(totals[SAME] - rivals, tuple(reasons))


def _chance(name: str, level: Level, hypothesis: int, learned: Rows) -> float:
    if name == "names crossed":
        return 1.0 if hypothesis == STRANGER else CROSSED
    if hypothesis == STRANGER and level is Level.EXACT and name in COMMONNESS:
        return COMMONNESS[name][0]
    if hypothesis == SAME and name in learned:
        return learned[name][level - 1]
    return TABLES[name][hypothesis][level - 1]


def _levels(left: Person, right: Person, learned: Rows) -> list[tuple[str, Level]]:
    found = [*_name_levels(left.names, right.names, learned)]
    fields: tuple[tuple[str, tuple[str, ...], tuple[str, ...], Callable[[str, str], Level]], ...] = (
        ("birth", left.births, right.births, _birth_level),
        ("email", left.emails, right.emails, _equal_or_different),
        ("phone", left.phones, right.phones, _equal_or_different),
        ("street", left.streets, right.streets, _place_level),
        ("postcode", left.postcodes, right.postcodes, _equal_or_different),
        ("city", left.cities, right.cities, _place_level),
        ("country", left.countries, right.countries, _equal_or_different),
    )
    for name, ours, theirs, compare in fields:
        level = _best(ours, theirs, compare)
        if level is not Level.MISSING:
            found.append((name, level))
    if not set(left.handles).isdisjoint(right.handles):
        found.append(("handle", Level.EXACT))
    return found


def _best(ours: Iterable[str], theirs: tuple[str, ...], compare: Callable[[str, str], Level]) -> Level:
    """Return the best level of any two spellings: people have several mails, and one that agrees is enough."""
    return max((compare(one, other) for one in ours for other in theirs), default=Level.MISSING)


def _name_levels(ours: tuple[str, ...], theirs: tuple[str, ...], learned: Rows) -> list[tuple[str, Level]]:
    best: tuple[float, list[tuple[str, Level]]] = (-math.inf, [])
    for one in ours:
        for other in theirs:
            for found in _arrangements(_parts(one), _parts(other)):
                gain = sum(math.log2(_chance(*pair, SAME, learned) / _chance(*pair, STRANGER, learned)) for pair in found)
                if gain > best[0]:
                    best = (gain, found)
    return best[1]


def _arrangements(one: tuple[str, str, str], other: tuple[str, str, str]) -> Iterable[list[tuple[str, Level]]]:
    generation = [("generation", _equal_or_different(one[2], other[2]))] if one[2] and other[2] else []
    straight = (("given", one[0], other[0]), ("family", one[1], other[1]))
    yield [(name, name_level(x, y)) for name, x, y in straight if x and y] + generation
    if one[0] and one[1] and other[0] and other[1]:
        across = (("given", one[0], other[1]), ("family", one[1], other[0]))
        yield [(name, name_level(x, y)) for name, x, y in across] + [("names crossed", Level.EXACT)] + generation


@lru_cache(maxsize=8_000)
def _parts(name: str) -> tuple[str, str, str]:
    return spelling.name_parts(name, "", "")


@lru_cache(maxsize=16_000)
def name_level(a: str, b: str) -> Level:
    """Return how alike two folded names are: the scalar twin of `offline.levels.name_levels`."""
    if a == b:
        return Level.EXACT
    groups, languages, common = spelling.nicknames(), spelling.translations(), spelling.common_names()
    known = all(name in common or name in groups or name in languages for name in (a, b))
    shortest = min(len(a), len(b))
    if spelling.share_a_group(groups, a, b) or a.replace(" ", "") == b.replace(" ", ""):
        return Level.CLOSE
    if spelling.share_a_group(languages, a, b):
        return Level.ALIAS
    if (sounds.lacks_vowels(a) or sounds.lacks_vowels(b)) and (agreed := sounds.bones_in_common(a, b)):
        return Level.CLOSE if agreed > 1 else Level.ALIAS
    if spelling.is_form_of(a, b):
        return Level.CLOSE if spelling.share_an_end(a, b) else Level.ALIAS
    slips = OSA.normalized_similarity(a, b)
    opening = JaroWinkler.normalized_similarity(a, b)
    letters = Indel.normalized_similarity("".join(sorted(a)), "".join(sorted(b)))
    close = slips >= 0.74 or (slips >= 0.66 and shortest >= 2) or (opening >= 0.92 and slips >= 0.6) or (letters >= 0.999 and slips >= 0.5)
    if close and not known:
        return Level.CLOSE
    if shortest >= 3 and sounds.firm_sound(a) == sounds.firm_sound(b):
        return Level.ALIAS if known else Level.CLOSE
    if shortest >= 3 and not known and sounds.sound(a) == sounds.sound(b):
        return Level.ALIAS
    rough = slips >= (0.6 if shortest < SHORT_NAME else 0.5) or (letters >= 0.8 and shortest >= 3) or opening >= 0.85
    return Level.ROUGH if rough and not known else Level.DIFFERENT


def _equal_or_different(a: str, b: str) -> Level:
    return Level.EXACT if a == b else Level.DIFFERENT


def _birth_level(a: str, b: str) -> Level:
    a, b = spelling.birth_date(a), spelling.birth_date(b)
    if not a or not b:
        return Level.MISSING
    if a == b:
        return Level.EXACT
    same_year = a[:4] == b[:4]
    slips = OSA.normalized_similarity(a, b)
    if slips >= 0.9 or (same_year and a[5:7] == b[8:] and a[8:] == b[5:7]):
        return Level.CLOSE
    if same_year and (a[5:7] == b[5:7] or a[8:] == b[8:]):
        return Level.ALIAS
    near = abs(int(a[:4]) - int(b[:4])) < GENERATION_YEARS
    return Level.ROUGH if same_year or (slips >= 0.8 and near) else Level.DIFFERENT


def _place_level(a: str, b: str) -> Level:
    a, b = spelling.address(a), spelling.address(b)
    if a == b:
        return Level.EXACT
    return Level.CLOSE if OSA.normalized_similarity(a.replace(" ", ""), b.replace(" ", "")) >= 0.85 else Level.DIFFERENT
