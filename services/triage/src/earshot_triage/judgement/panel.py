"""The panel of experts: what the columns of the tables mean and how their voices are weighed.

Owns the layout of the columns and the mixture: sets that were labelled by different people disagree about the same
sentence, so each kind of text has an expert of its own, and a gate that guesses the kind from the text weighs them.
Must not read texts. All arithmetic is row by row, so a text's answer does not depend on its company.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats

REVISION: Final = 7
"""Part of a judge's version: goes up whenever the code makes something else of the same weights."""
MAALEJ: Final = ("maalej mixed", "maalej app_store", "maalej play_store")
"""Maalej's team labelled three collections, each picked in a way of its own: an idea is one review in twelve here, one in three there."""
REVIEWS: Final = (*MAALEJ, "panichella", "googleplay")
KINDS: Final = ("tweet", *REVIEWS, "issue")
"""Kinds of text the gate tells apart: short public messages; app reviews as three teams labelled them; issue reports."""
TEAMS: Final = (("tweet",), MAALEJ, ("panichella",), ("googleplay",), ("issue",))
"""The same kinds, by the people who labelled them."""
NEEDS: Final = ("bug", "idea", "question", "rest")
KNOWN_NEEDS: Final = {
    "tweet": (True, True, True, True),
    **dict.fromkeys(MAALEJ, (True, True, False, True)),
    "panichella": (True, True, True, True),
    "googleplay": (True, True, False, True),
    "issue": (True, True, True, False),
}
TILTS: Final = {
    "tweet": (0.0, 0.0, 0.0, 0.0),
    **dict.fromkeys(MAALEJ, (0.0, 1.0, 0.0, 0.0)),
    "panichella": (0.4, 0.4, 0.0, 0.0),
    "googleplay": (0.2, 0.4, 0.0, 0.0),
    "issue": (0.0, -0.4, 0.0, 0.0),
}
"""Log odds given to each of NEEDS: the argmax of true probabilities is not what F1 rewards where most texts are "rest".
Chosen in steps of 0.2 on folds taken together; single folds go up and down, see docs/judgement.md."""
_HEARD: Final = np.array([0.3] + [1] * (len(KINDS) - 1), dtype=np.float32)
"""Part of its voice with which each expert is heard about needs: the one for tweets learned them from cue phrases only."""
REVIEW_PATIENCE: Final = np.float32(2.0)
"""Log odds taken off abuse in reviews and issue reports: there strong words are mostly meant for the product, not a person."""
ABUSE_PATIENCE: Final = np.float32(0.3)
"""Log odds taken off abuse in any text: where F1 of both sides together is highest."""
FOREIGN_VOICE: Final = np.float32(0.25)
"""Part of its voice that a text keeps in a language nobody taught: “die” is no death threat in German."""
_NEVER: Final = np.float32(-1e9)
_SURE: Final = np.float32(30)


def _layout() -> dict[str, slice]:
    sizes = {"kind": len(KINDS), "address": 1, "complaint": 1, "grief": 1, "sentiment": 3, "abuse": 1, "emotion": 4}
    sizes |= {f"need {kind}": len(NEEDS) for kind in KINDS}
    places: dict[str, slice] = {}
    start = 0
    for name, size in sizes.items():
        places[name] = slice(start, start + size)
        start += size
    return places


PLACES: Final = _layout()
COLUMN_COUNT: Final = max(place.stop for place in PLACES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Probabilities for N texts. Shapes: `kinds` N x KINDS, `needs` N x 4, `sentiments` N x 3, `emotions` N x 4, else N."""

    kinds: Floats
    needs: Floats
    complaint: Floats
    addressed: Floats
    sentiments: Floats
    abuse: Floats
    emotions: Floats


_SHARED_OUT: Final = ("kind", "sentiment", "emotion", *(f"need {kind}" for kind in KINDS))
"""The places whose columns share one probability: softmax within each."""
_COLUMNS: Final = np.concatenate([np.arange(PLACES[name].start, PLACES[name].stop) for name in _SHARED_OUT])
_SIZES: Final = [PLACES[name].stop - PLACES[name].start for name in _SHARED_OUT]
_STARTS: Final = np.cumsum([0, *_SIZES[:-1]])
_PARTS: Final = (*(slice(*ends) for ends in pairwise(_STARTS[:4])), slice(_STARTS[3], None))
"""Of probabilities side by side: kinds, sentiments, emotions, and the needs that each kind's expert sees."""
_GROUPS: Final = np.repeat(np.arange(len(_SIZES)), _SIZES)
_CLOSED: Final = np.concatenate([np.zeros(sum(_SIZES[:3]))] + [np.where(KNOWN_NEEDS[kind], TILTS[kind], _NEVER) for kind in KINDS]).astype(
    np.float32
)
_ALONE: Final = np.array([PLACES[name].start for name in ("complaint", "grief", "address", "abuse")])
_TWEET, _ISSUE = KINDS.index("tweet"), KINDS.index("issue")
_REVIEW: Final = slice(KINDS.index(REVIEWS[0]), KINDS.index(REVIEWS[-1]) + 1)
_FELT_IN_ISSUES: Final = np.float32(0.3)
"""How much complaint, as people's marks on tweets have it, counts in issue reports: they speak of what fails as a matter of course."""


def consult(scores: Floats) -> Opinion:
    """Return the panel's opinion on rows of scores (N x COLUMN_COUNT, as `tables.Scorer.weigh` gives them)."""
    shares = _shares(scores)
    kinds, sentiments, emotions, needs_of_kinds = (shares[:, part] for part in _PARTS)
    trust = kinds * _HEARD
    trust /= np.add.reduce(trust, axis=1, keepdims=True)
    needs = np.add.reduce(trust[:, :, None] * needs_of_kinds.reshape(-1, len(KINDS), len(NEEDS)), axis=1)
    tweets = kinds[:, _TWEET]
    alone = scores[:, _ALONE]
    alone[:, 3] += REVIEW_PATIENCE * tweets - (ABUSE_PATIENCE + REVIEW_PATIENCE)
    chances = np.maximum(np.minimum(alone, _SURE), -_SURE)
    np.negative(chances, out=chances)
    np.exp(chances, out=chances)
    chances += 1
    np.reciprocal(chances, out=chances)
    return Opinion(
        kinds=kinds,
        needs=needs,
        complaint=(tweets + _FELT_IN_ISSUES * kinds[:, _ISSUE]) * chances[:, 0] + np.add.reduce(kinds[:, _REVIEW], axis=1) * chances[:, 1],
        addressed=1 - tweets * (1 - chances[:, 2]),
        sentiments=sentiments,
        abuse=chances[:, 3],
        emotions=emotions,
    )


def hear_less(opinion: Opinion, foreign: NDArray[np.bool_]) -> Opinion:
    """Return the opinion with tone, complaint and abuse of `foreign` texts (N) mostly taken back.

    Needs stay: what asks with a “?” asks in any language.
    """
    if not foreign.any():
        return opinion
    voice = np.where(foreign, FOREIGN_VOICE, np.float32(1))
    sentiments = opinion.sentiments * voice[:, None]
    sentiments[:, 1] += 1 - voice
    return replace(
        opinion,
        complaint=opinion.complaint * voice,
        sentiments=sentiments,
        abuse=opinion.abuse * voice,
        emotions=opinion.emotions * voice[:, None],
    )


def _shares(scores: Floats) -> Floats:
    """Return the probabilities of all places in _SHARED_OUT side by side; row by row, so the same for any number of rows."""
    shifted = scores[:, _COLUMNS] + _CLOSED
    powers = np.exp(shifted - np.maximum.reduceat(shifted, _STARTS, axis=1)[:, _GROUPS])
    shares: Floats = powers / np.add.reduceat(powers, _STARTS, axis=1)[:, _GROUPS]
    return shares
