"""Which words open which question, so that most texts are asked only what concerns them.

Owns the cue words of severity, urgency and spam, and the bits that say of a word what it may be a cue for. Must not decide:
a bit only says that a closer look is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.text import NUMBER, is_wordy

WORDY, GRAVE, URGENT, SELLING = 1, 2, 4, 8
"""Bits: holds something to judge; a cue of `severity.py` or `lexicon.spammy`."""

GRAVE_WORDS: Final = frozenset(
    (
        "fire smoke smoking explode exploded shock injured injury injuries hospital choking poisoned poisoning poison allergic "
        "suicide suicidal kill unsafe monoxide breach leak hacked stolen compromised theft fraud fraudulent phishing "
        "unauthorised unauthorized security else's lawyer solicitor sue suing legal lawsuit claims ombudsman standards attorney "
        "gdpr regulator press lost deleted twice double overcharged missing gone stole scam scammed took loss down outage log "
        "login access locked broken unusable cancel cancelling canceling cancelled canceled switching again buying flying "
        "business"
    ).split()
)
URGENT_WORDS: Final = frozenset(
    (
        "urgent urgently asap immediately now emergency today tonight hour stranded deadline airport gate waiting hours days "
        "weeks help hold"
    ).split()
)
SELLING_WORDS: Final = frozenset(
    "click follow earn work free casino viagra crypto dm buy cheap promo 100 whatsapp followers giveaway".split()
)
"""Every cue holds one of these words: a text without any is not searched."""

_BITS: Final = (
    (GRAVE, GRAVE_WORDS),
    (URGENT, URGENT_WORDS),
    (SELLING, SELLING_WORDS | {NUMBER}),  # "100" is read as a number
)
_CUES: Final = frozenset().union(*(words for _, words in _BITS))


def cues_of(words: Sequence[str]) -> NDArray[np.uint8]:
    """Return the bits of each word, given in its common form."""
    return np.array([_bits_of(word) for word in words], dtype=np.uint8)


def _bits_of(word: str) -> int:
    bits = WORDY if is_wordy(word) else 0
    if word in _CUES:
        for bit, words in _BITS:
            if word in words:
                bits |= bit
    return bits
