"""The panel of experts: what the columns of the tables mean and how their voices are weighed.

Owns the layout of the columns and the mixture: sets that were labelled by different people disagree about the same
sentence, so each kind of text has an expert of its own, and a gate that guesses the kind from the text weighs them.
Must not read texts. All arithmetic is row by row, so a text's answer does not depend on its company.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from earshot_triage.judgement.features import Floats

KINDS: Final = ("tweet", "maalej", "panichella", "googleplay", "issue")
"""Kinds of text the gate tells apart: short public messages; app reviews as three teams labelled them; issue"
" reports."""
NEEDS: Final = ("bug", "idea", "question", "rest")
KNOWN_NEEDS: Final = {
    "tweet": (True, True, True, True),
    "maalej": (True, True, False, True),
    "panichella": (True, True, True, True),
    "googleplay": (True, True, False, True),
    "issue": (True, True, True, False),
}
REVIEW_PATIENCE: Final = np.float32(2.0)
"""Log odds taken off abuse in reviews and issue reports: there strong words are mostly meant for the product, not a person."""
_NEVER: Final = np.float32(-1e9)


def _layout() -> dict[str, slice]:
    sizes = {"kind": 5, "address": 1, "complaint": 1, "grief": 1, "sentiment": 3, "abuse": 1, "emotion": 4}
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
    """Probabilities for N texts. Shapes: `kinds` N x 5, `needs` N x 4, `sentiments` N x 3, `emotions` N x 4, else N."""

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
_GROUPS: Final = np.repeat(np.arange(len(_SIZES)), _SIZES)
_CLOSED: Final = np.concatenate([np.zeros(sum(_SIZES[:3]))] + [np.where(KNOWN_NEEDS[kind], 0, _NEVER) for kind in KINDS]).astype(np.float32)
_ALONE: Final = [PLACES[name].start for name in ("complaint", "grief", "address", "abuse")]


def consult(scores: Floats) -> Opinion:
    """Return the panel's opinion on rows of scores (N x COLUMN_COUNT, as `tables.Scorer.weigh` gives them)."""
    shares = _shares(scores)
    kinds, sentiments, emotions = shares[:, :5], shares[:, 5:8], shares[:, 8:12]
    trust = kinds * kinds  # the likeliest expert is heard the louder: it knows how its people label
    trust /= trust.sum(axis=1, keepdims=True)
    needs = trust[:, :1] * shares[:, 12:16]
    for index in range(1, len(KINDS)):
        place = 12 + len(NEEDS) * index
        needs += trust[:, index : index + 1] * shares[:, place : place + len(NEEDS)]
    alone = scores[:, _ALONE]
    alone[:, 3] -= REVIEW_PATIENCE * (1 - kinds[:, 0])
    chances = (1 / (1 + np.exp(-np.clip(alone, -30, 30)))).astype(np.float32)
    complaint, grief, address, abuse = chances.T
    reviews = kinds[:, 1] + kinds[:, 2] + kinds[:, 3]
    return Opinion(
        kinds=kinds,
        needs=needs,
        complaint=kinds[:, 0] * complaint + reviews * grief + kinds[:, 4] * (np.float32(0.3) * complaint),
        addressed=1 - kinds[:, 0] * (1 - address),
        sentiments=sentiments,
        abuse=abuse,
        emotions=emotions,
    )


def _shares(scores: Floats) -> Floats:
    """Return the probabilities of all places in _SHARED_OUT side by side; row by row, so the same for any number of rows."""
    shifted = scores[:, _COLUMNS] + _CLOSED
    powers = np.exp(shifted - np.maximum.reduceat(shifted, _STARTS, axis=1)[:, _GROUPS])
    shares: Floats = powers / np.add.reduceat(powers, _STARTS, axis=1)[:, _GROUPS]
    return shares
