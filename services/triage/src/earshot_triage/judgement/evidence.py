"""Which columns speak for which intent, so that the words behind a judgement can be named.

Owns one direction in column space for each intent and kind of text. Must not read texts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats
from earshot_triage.judgement.panel import COLUMN_COUNT, KINDS, NEEDS, PLACES
from earshot_triage.judgement.verdict import INTENTS


def _base() -> Floats:
    base = np.zeros((len(INTENTS), len(KINDS), COLUMN_COUNT), dtype=np.float32)
    for number, intent in enumerate(INTENTS):
        for index, kind in enumerate(KINDS):
            way = base[number, index]
            if intent == "complaint":
                way[PLACES["grief" if 1 <= index <= 3 else "complaint"].start] = 1
            elif intent in NEEDS:
                place = PLACES[f"need {kind}"]
                way[place] = -1 / len(NEEDS)
                way[place.start + NEEDS.index(intent)] += 1
            elif intent == "praise":
                way[PLACES["sentiment"].start + 2] = 1
                way[PLACES["sentiment"].start] = -1
    return base


_BASE: Final = _base()


def directions(kinds: Floats, leads: NDArray[np.intp]) -> Floats:
    """Return one direction a text (N x K) for its leading intent, mixed by the guessed kinds (N x 5)."""
    chosen = _BASE[leads]
    mixed: Floats = kinds[:, 0, None] * chosen[:, 0]
    for index in range(1, len(KINDS)):
        mixed += kinds[:, index, None] * chosen[:, index]
    return mixed
