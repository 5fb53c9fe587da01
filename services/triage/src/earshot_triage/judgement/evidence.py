"""Which words speak loudest for an intent, so that the words behind a judgement can be named.

Owns one direction in column space for each intent and kind of text, and the phrase made of the loudest words. Must not
weigh words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.denial import DENIED
from earshot_triage.judgement.features import Floats, Pages
from earshot_triage.judgement.panel import COLUMN_COUNT, KINDS, NEEDS, PLACES, REVIEWS
from earshot_triage.judgement.tables import Weighed
from earshot_triage.judgement.text import canonical
from earshot_triage.judgement.verdict import INTENTS


def _base() -> Floats:
    base = np.zeros((len(INTENTS), len(KINDS), COLUMN_COUNT), dtype=np.float32)
    for number, intent in enumerate(INTENTS):
        for index, kind in enumerate(KINDS):
            way = base[number, index]
            if intent == "complaint":
                way[PLACES["grief" if kind in REVIEWS else "complaint"].start] = 1
            elif intent in NEEDS:
                place = PLACES[f"need {kind}"]
                way[place] = -1 / len(NEEDS)
                way[place.start + NEEDS.index(intent)] += 1
            elif intent == "praise":
                way[PLACES["sentiment"].start + 2] = 1
                way[PLACES["sentiment"].start] = -1
    return base


WAYS: Final[Floats] = np.ascontiguousarray(_base().reshape(-1, COLUMN_COUNT).T)
"""One column for each intent and kind: COLUMN_COUNT x (6 * KINDS)."""


def loudest(pages: Pages, weighed: Weighed, voices: Floats, kinds: Floats, leads: NDArray[np.intp], known: Sequence[str]) -> list[str]:
    """Return a phrase a text that names the two words that speak loudest for its leading intent, or "".

    `voices` are those of `weighed.words` in the directions of WAYS; the guessed kinds (N x KINDS) weigh them. `known` are the words
    that rows stand for, as far as anybody was taught them.
    """
    owners = np.repeat(np.arange(len(leads)), np.diff(weighed.offsets))
    ways = voices.reshape(len(voices), len(INTENTS), len(KINDS))[np.arange(len(owners)), leads[owners]]
    loudness = ways[:, 0] * kinds[owners, 0]
    for index in range(1, len(KINDS)):
        loudness += ways[:, index] * kinds[owners, index]
    told = np.flatnonzero((loudness > 0) & (weighed.words > 0) & (leads[owners] != len(INTENTS) - 1))
    order = told[np.lexsort((weighed.places[told], -loudness[told], owners[told]))]
    phrases = [""] * len(leads)
    rows = zip(owners[order].tolist(), weighed.words[order].tolist(), weighed.places[order].tolist(), strict=True)
    for owner, loud in groupby(rows, key=itemgetter(0)):
        words = [_shown(known[row]) if row < len(known) else canonical(pages.tokens[place]) for _, row, place in islice(loud, 2)]
        phrases[owner] = f" by “{'”, “'.join(word for word in words if word[0] != '‹')}”"
    return phrases


def _shown(word: str) -> str:
    return f"not {word[len(DENIED) :]}" if word.startswith(DENIED) else word
