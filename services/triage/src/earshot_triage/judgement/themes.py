"""Themes: like items gather by themselves, and people may join and part them.

Owns the likeness of texts, the gathering (each item in order of time joins the theme it is most like, or founds one) and
people's merges and splits. Must not read a clock or a store. A book of themes is a function of the set of items and
decisions: items that come late are folded in at their own time, whatever the order of arrival. A theme's id is that of
its earliest item, so it stays when later items join.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from earshot_triage.judgement.features import read
from earshot_triage.judgement.text import canonical

LIKE: Final = 0.3
"""Cosine from which an item joins a theme; found on public intent sets, see docs/judgement.md."""
LEAST: Final = 2
"""So many items make a theme that is shown."""
COMMON: Final = 0.12
"""A stem in more than this share of the texts says nothing about the theme."""
FEW: Final = 20
"""What occurs in so few texts is never common."""
LONGEST_CENTRE: Final = 40
"""A theme is compared by so many of its heaviest stems."""

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


def stems_of(text: str) -> Counter[str]:
    """Return the stems of the words of a text that carry meaning, with their counts."""
    words = (canonical(token) for token in read(text).written)
    return Counter(stem(word) for word in words if word[0].isalnum() and word not in _EMPTY_WORDS)


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

    def vector(self, text: str) -> dict[str, float]:
        """Return the text as weights of its stems, of length 1; empty when no stem tells anything."""
        found = {word: (1 + math.log(count)) * self.weights.get(word, self.unseen) for word, count in stems_of(text).items()}
        length = math.sqrt(sum(weight * weight for weight in found.values()))
        return {word: weight / length for word, weight in found.items() if weight} if length else {}


def relevance(query: str, text: str, rarity: Rarity, *, mean_length: float = 20.0) -> float:
    """Return how much a text is about a query (0 and up). Source: Robertson and Zaragoza 2009, BM25."""
    counts = stems_of(text)
    length = sum(counts.values())
    slow = 1.2 * (0.25 + 0.75 * length / mean_length)
    return sum(
        rarity.weights.get(word, rarity.unseen) * counts[word] * 2.2 / (counts[word] + slow) for word in stems_of(query) if word in counts
    )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ThemeItem:
    """One item, ordered as the contract orders items. `occurred_at` is any sortable text or RFC 3339 UTC time."""

    occurred_at: str
    item_id: str
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A gathered theme: the id of its earliest item, its items in order, and the stems that name it."""

    theme_id: str
    item_ids: tuple[str, ...]
    words: tuple[str, ...]


class _Gathering:
    """Themes in the making, as centres (sums of vectors) with an index from stems to the themes that hold them."""

    def __init__(self, like: float) -> None:
        self._like = like
        self._centres: dict[str, dict[str, float]] = {}
        self._lengths: dict[str, float] = {}
        self._holders: dict[str, set[str]] = {}
        self.theme_of: dict[str, str] = {}

    def join(self, item_id: str, vector: Mapping[str, float], *, forced: str | None = None) -> None:
        """Put one item into the theme it is most like, into `forced`, or into a new one of its own id."""
        theme = forced if forced is not None else self._nearest(vector)
        theme = theme if theme is not None else item_id
        centre = self._centres.setdefault(theme, {})
        for word, weight in vector.items():
            centre[word] = centre.get(word, 0.0) + weight
        if len(centre) > 2 * LONGEST_CENTRE:
            self._shorten(theme, centre)
        for word in vector:
            if word in centre:
                self._holders.setdefault(word, set()).add(theme)
        self._lengths[theme] = math.sqrt(sum(weight * weight for weight in centre.values())) or 1.0
        self.theme_of[item_id] = theme

    def _nearest(self, vector: Mapping[str, float]) -> str | None:
        sums: dict[str, float] = {}
        for word, weight in vector.items():
            for theme in self._holders.get(word, ()):
                sums[theme] = sums.get(theme, 0.0) + weight * self._centres[theme][word]
        best, most = None, self._like
        for theme, total in sums.items():
            likeness = total / self._lengths[theme]
            if likeness > most or (likeness == most and best is not None and theme < best):
                best, most = theme, likeness
        return best

    def _shorten(self, theme: str, centre: dict[str, float]) -> None:
        for word in sorted(centre, key=lambda word: (-centre[word], word))[LONGEST_CENTRE:]:
            del centre[word]
            self._holders.get(word, set()).discard(theme)


class ThemeBook:
    """A growing set of items, gathered. An item that is the latest costs one look; a late one a new fold when asked."""

    def __init__(self, rarity: Rarity, *, like: float = LIKE, least: int = LEAST) -> None:
        self._rarity, self._like, self._least = rarity, like, least
        self._items: dict[str, ThemeItem] = {}
        self._vectors: dict[str, dict[str, float]] = {}
        self._latest: ThemeItem | None = None
        self._gathering: _Gathering | None = _Gathering(like)
        self._joined: set[tuple[str, str]] = set()
        self._parted: dict[str, frozenset[str]] = {}

    def add(self, item: ThemeItem) -> None:
        """Take in one item; the same item twice is one."""
        if item.item_id in self._items:
            return
        vector = self._rarity.vector(item.text)
        self._items[item.item_id] = item
        self._vectors[item.item_id] = vector
        if self._latest is not None and item < self._latest:
            self._gathering = None
            return
        self._latest = item
        if self._gathering is not None:
            self._place(self._gathering, item)

    def remove(self, item_id: str) -> None:
        """Take one item out, as if it had never come."""
        if self._items.pop(item_id, None) is not None:
            del self._vectors[item_id]
            self._gathering = None

    def merge(self, one: str, other: str) -> None:
        """A person says that the themes of two items are one."""
        self._joined.add((min(one, other), max(one, other)))

    def split(self, item_ids: Iterable[str]) -> None:
        """A person says that these items are a theme of their own; the last word about an item counts."""
        part = frozenset(item_ids)
        for item_id in part:
            self._parted[item_id] = part
        self._gathering = None

    def themes(self) -> list[Theme]:
        """Return all themes that have enough items, by their ids."""
        groups: dict[str, list[ThemeItem]] = {}
        for item_id, theme in self._joined_themes().items():
            groups.setdefault(theme, []).append(self._items[item_id])
        found = [self._theme(members) for members in groups.values() if len(members) >= self._least]
        return sorted(found, key=lambda theme: theme.theme_id)

    def _place(self, gathering: _Gathering, item: ThemeItem) -> None:
        vector = self._vectors[item.item_id]
        part = self._parted.get(item.item_id)
        if part is None:
            if vector:
                gathering.join(item.item_id, vector)
            return
        first = min(self._items[other] for other in part if other in self._items)
        gathering.join(item.item_id, vector, forced=first.item_id)

    def _gathered(self) -> _Gathering:
        if self._gathering is None:
            self._gathering = _Gathering(self._like)
            for item in sorted(self._items.values()):
                self._place(self._gathering, item)
            self._latest = max(self._items.values(), default=None)
        return self._gathering

    def _joined_themes(self) -> dict[str, str]:
        theme_of = dict(self._gathered().theme_of)
        for one, other in sorted(self._joined):
            if one in theme_of and other in theme_of:
                kept, gone = sorted((theme_of[one], theme_of[other]))
                theme_of = {item_id: kept if theme == gone else theme for item_id, theme in theme_of.items()}
        return theme_of

    def _theme(self, members: list[ThemeItem]) -> Theme:
        ordered = sorted(members)
        weights: Counter[str] = Counter()
        for item in ordered:
            weights.update(self._vectors[item.item_id])
        words = sorted(weights, key=lambda word: (-weights[word], word))[:5]
        return Theme(theme_id=ordered[0].item_id, item_ids=tuple(item.item_id for item in ordered), words=tuple(words))
