"""What a text is about: its telling stems, and how much it is about a query.

Owns the stems of words and the ranking of texts by a query. Must not read a clock or a store. Which items gather is decided by
`domain.gathering`, over the same stems.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from earshot_triage.judgement.text import canonical, clean, raw_tokens

COMMON: Final = 0.12
"""A stem in more than this share of the texts says nothing about the theme."""
FEW: Final = 20
"""What occurs in so few texts is never common."""

_ENDINGS: Final = ("ings", "ing", "ers", "ies", "er", "ed", "es", "s", "ly")
_EMPTY_WORDS: Final = frozenset(
    "the a an to of in on for and or is it i my this that with you be can not have are was so but me do as at if"
    " just your"
    " all we they he she his her our their its im i'm it's don't can't would could should will what when how why"
    " who which"
    " there here am been has had did does get got make made want need please really very also too more some any"
    " from about"
    " out up down by no yes like when where than then them these those one only even still now".split()
)


def stem(word: str) -> str:
    """Return a word without its common English ending, three letters at least."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=4_096)
def stem_of(token: str) -> str:
    """Return the stem of a token as written, or nothing when it carries no meaning."""
    word = canonical(token)
    return stem(word) if word[0].isalnum() and word not in _EMPTY_WORDS else ""


def stems_of(text: str) -> Counter[str]:
    """Return the stems of the words of a text that carry meaning, with their counts."""
    counts = Counter(map(stem_of, raw_tokens(clean(text))))
    del counts[""]
    return counts


@dataclass(frozen=True, slots=True)
class Rarity:
    """How telling each stem is. Fixed for a book of themes, so that likeness never depends on what else came."""

    weights: Mapping[str, float]
    unseen: float

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Return the rarity of stems in a body of texts (a past month of items, say)."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            counts.update(stems_of(text).keys())
            total += 1
        weights = {word: 0.0 if count > max(FEW, COMMON * total) else math.log((1 + total) / (1 + count)) for word, count in counts.items()}
        return cls(weights, math.log(1 + total) if total else 1.0)


def relevance(query: str, text: str, rarity: Rarity, *, mean_length: float = 20.0) -> float:
    """Return how much a text is about a query (0 and up). Source: Robertson and Zaragoza 2009, BM25."""
    counts = stems_of(text)
    length = sum(counts.values())
    slow = 1.2 * (0.25 + 0.75 * length / mean_length)
    return sum(
        rarity.weights.get(word, rarity.unseen) * counts[word] * 2.2 / (counts[word] + slow) for word in stems_of(query) if word in counts
    )
