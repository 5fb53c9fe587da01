"""What is denied says something else than what is said: “not bad”, “never crashes”, “no problems at all”.

Owns which words deny, what may stand between, and which words can be denied; such a word becomes a word of its own (`not_bad`), whatever
denied it. Must not know weights. Source: Pang, Lee and Vaithyanathan 2002, with bounds: only words that tell of well and ill, and only
a few light words between, since commas and full stops are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

DENIED: Final = "not_"
"""Before a denied word."""
FURTHEST: Final = 4
"""A word so far behind the one that denies is the last to be denied."""


class Part(IntEnum):
    """What a word may do in a denial."""

    NONE = 0
    DENIES = 1
    DENIES_NEXT = 2  # what stands apart from it is not meant: “no” answers, too
    LIGHT = 3  # passed over
    STRESS = 4  # passed over, after any word that denies


_DENIES: Final = (
    "not never without cannot can't don't doesn't didn't isn't wasn't aren't weren't won't wouldn't couldn't shouldn't hasn't haven't"
    " hadn't ain't dont doesnt didnt isnt wasnt cant wont nothing nobody neither nor"
)
_LIGHT: Final = (
    "a an the any that this it it's is was be been being have has had having so very really too all at ever even quite exactly totally"
    " particularly overly get gets got getting feel seem look find found think believe my me once longer much as to of one more"
)
_STRESS: Final = "single more real major big serious such"
BAD: Final = tuple(
    (
        "bad worst terrible awful horrible poor slow slower difficult hard expensive rude disappointing disappointed disappoint "
        "disappoints disappointment annoying annoyed boring broken wrong ugly confusing confused complicated unhappy useless "
        "late scam problem problems issue issues bug bugs buggy glitch glitches error errors crash crashes crashed crashing "
        "freeze freezes freezing lag lags laggy fail fails failed failure complain complaint complaints complaining unfair "
        "unreliable waste wasted stupid dirty painful trouble troubles hassle delay delays delayed fault faults flaw flaws "
        "regret regrets regretted hate hated sad angry upset mad frustrated frustrating unacceptable ridiculous pathetic "
        "rubbish garbage crap trash sucks suck disgusting nightmare mess joke shame fake fraud"
    ).split()
)
GOOD: Final = tuple(
    (
        "good great happy satisfied helpful nice useful impressed acceptable fair friendly clear easy fast quick reliable worth "
        "enough pleased fun amazing cool clean safe fixed ready perfect excellent awesome wonderful fantastic best like liked "
        "love loved enjoy enjoyed recommend recommended work works worked working help helps helped glad beautiful lovely "
        "smooth smart professional polite interested interesting comfortable fresh funny"
    ).split()
)
DENIABLE: Final = frozenset((*BAD, *GOOD, "thanks", "thank"))
_PARTS: Final = {
    **dict.fromkeys(_LIGHT.split(), Part.LIGHT),
    **dict.fromkeys(_STRESS.split(), Part.STRESS),
    **dict.fromkeys(_DENIES.split(), Part.DENIES),
    **dict.fromkeys(("no", "zero"), Part.DENIES_NEXT),
}


def part_of(word: str) -> Part:
    """Return what a word may do in a denial."""
    return _PARTS.get(word, Part.NONE)


def denied(words: Sequence[str]) -> list[str]:
    """Return the words of one text, those that are denied as words of their own. `Denials` does the same to numbers of words."""
    told = list(words)
    for place, word in enumerate(words):
        part = part_of(word)
        if part not in (Part.DENIES, Part.DENIES_NEXT):
            continue
        passed = (Part.LIGHT, Part.STRESS) if part is Part.DENIES else (Part.STRESS,)
        for other in range(place + 1, min(place + 1 + FURTHEST, len(words))):
            if words[other] in DENIABLE:
                told[other] = DENIED + words[other]
                break
            if part_of(words[other]) not in passed:
                break
    return told


class Denials:
    """Finds denied words among numbers of words, as `denied` does among words."""

    def __init__(self, words: Sequence[str]) -> None:
        rows = {word: row for row, word in enumerate(words)}
        self._parts = np.zeros(len(words) + 1, dtype=np.int8)  # the last stands for all strange words
        self._parts[:-1] = [part_of(word) for word in words]
        self._parts[0] = Part.NONE
        self._others = np.full(len(words) + 1, -1, dtype=np.int64)
        for word in DENIABLE & rows.keys():
            self._others[rows[word]] = rows.get(DENIED + word, -1)

    def apply(self, rows: NDArray[np.int64]) -> None:
        """Put denied words into the place of what they deny."""
        known = np.minimum(rows, len(self._parts) - 1)
        parts, others = self._parts[known], self._others[known]
        at = np.flatnonzero((parts == Part.DENIES) | (parts == Part.DENIES_NEXT))
        wide = parts[at] == Part.DENIES
        for _ in range(FURTHEST):
            at += 1
            inside = at < len(rows)
            at, wide = at[inside], wide[inside]
            if not len(at):
                return
            met = others[at]
            hit = met >= 0
            rows[at[hit]] = met[hit]
            passed = ~hit & ((parts[at] == Part.STRESS) | (wide & (parts[at] == Part.LIGHT)))
            at, wide = at[passed], wide[passed]
