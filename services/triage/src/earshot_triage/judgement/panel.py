"""The panel of experts: what the columns of the tables mean and how their voices are weighed.

Owns the layout of the columns and the mixture: sets that were labelled by different people disagree about the same
sentence, so each kind of text has an expert of its own, and a gate that guesses the kind from the text weighs them.
Must not read texts. All arithmetic is row by row, so a text's answer does not depend on its company.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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


def consult(scores: Floats) -> Opinion:
    """Return the panel's opinion on rows of scores (N x COLUMN_COUNT, as `tables.Scorer.scores` gives them)."""
    kinds = _softmax(scores[:, PLACES["kind"]])
    needs: Floats = np.zeros((len(scores), len(NEEDS)), dtype=np.float32)
    for index, kind in enumerate(KINDS):
        closed = np.where(KNOWN_NEEDS[kind], np.float32(0), _NEVER).astype(np.float32)
        needs += kinds[:, index : index + 1] * _softmax(scores[:, PLACES[f"need {kind}"]] + closed)
    complaint = _logistic(scores[:, PLACES["complaint"].start])
    grief = _logistic(scores[:, PLACES["grief"].start])
    reviews = kinds[:, 1] + kinds[:, 2] + kinds[:, 3]
    return Opinion(
        kinds=kinds,
        needs=needs,
        complaint=kinds[:, 0] * complaint + reviews * grief + kinds[:, 4] * (np.float32(0.3) * complaint),
        addressed=1 - kinds[:, 0] * (1 - _logistic(scores[:, PLACES["address"].start])),
        sentiments=_softmax(scores[:, PLACES["sentiment"]]),
        abuse=_logistic(scores[:, PLACES["abuse"].start] - REVIEW_PATIENCE * (1 - kinds[:, 0])),
        emotions=_softmax(scores[:, PLACES["emotion"]]),
    )


def _softmax(scores: NDArray[np.float32]) -> Floats:
    """Return probabilities along the short second axis, added up column by column: the same for any number of rows."""
    top = scores[:, 0].copy()
    for column in range(1, scores.shape[1]):
        np.maximum(top, scores[:, column], out=top)
    powers = np.exp(np.ascontiguousarray(scores - top[:, None]))
    total = powers[:, 0].copy()
    for column in range(1, scores.shape[1]):
        total += powers[:, column]
    return (powers / total[:, None]).astype(np.float32)


def _logistic(scores: NDArray[np.float32]) -> Floats:
    return (1 / (1 + np.exp(-np.clip(np.ascontiguousarray(scores), -30, 30)))).astype(np.float32)
