"""How like items gather: which item leads, which follow, and what their words weigh.

Owns the definition. In the order of (occurred_at, feedback_id) each item follows the earlier leader that it is most like, and leads when
it is like none. Leaders never change their words, so a theme is a function of the set of items, and an item that comes late disturbs only
those that are like it. Must not know tables or the judge. All arithmetic is of whole numbers: sums do not depend on their order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

from earshot_triage.domain.message import Order

UNIT: Final = 1000
"""A vector of words has this length, about."""
LIKE: Final = 300_000
"""Product of two vectors from which their items are alike: a cosine of 0.3, found on public intent sets (docs/judgement.md)."""
TELLING: Final = 8
"""An item is compared by so many of its heaviest stems."""
HEAVY: Final = 4
"""It must share one of so many with a leader: what they only have in common besides says little."""


@dataclass(slots=True)
class Voice:
    """One item as the gathering knows it. ``weights``: its most telling stems, heaviest first. ``leader``: whom it follows, by key.

    ``book``: only voices of one book gather.
    """

    key: str
    order: Order
    weights: Mapping[str, int]
    leader: str | None = None
    book: str = ""

    @property
    def heavy(self) -> tuple[str, ...]:
        """Its heaviest stems."""
        return tuple(self.weights)[:HEAVY]

    @property
    def leads(self) -> bool:
        """Whether it follows nobody."""
        return self.leader == self.key


def weigh(counts: Mapping[str, int], telling: Mapping[str, float]) -> dict[str, int]:
    """Return the most telling stems of a text with their weights, heaviest first; none when nothing in it tells anything.

    ``counts``: how often each stem stands in it; ``telling``: how much each says (0: nothing).
    """
    said = [((1 + log(count)) * telling[stem] if count > 1 else telling[stem], stem) for stem, count in counts.items()]
    best = sorted([(-weight, stem) for weight, stem in said if weight > 0])[:TELLING]
    length = sqrt(sum([weight * weight for weight, _ in best]))
    return {stem: round(-UNIT * weight / length) for weight, stem in best}


def likeness(one: Voice, other: Voice) -> int:
    """Return how alike two items are, in square units."""
    theirs = other.weights
    return sum(weight * theirs.get(stem, 0) for stem, weight in one.weights.items())


def may_follow(voice: Voice, leader: Voice) -> bool:
    """Say whether an item is like a leader before it."""
    return leader.order < voice.order and any(stem in leader.weights for stem in voice.heavy) and likeness(voice, leader) >= LIKE


def nearest(voice: Voice, leaders: Iterable[Voice]) -> Voice | None:
    """Return the leader that an item follows: the one it is most like, of equals the earliest; None when it leads itself."""
    best, most = None, LIKE
    order, weights = voice.order, voice.weights.items()
    for leader in leaders:
        theirs = leader.weights
        found = 0
        for stem, weight in weights:
            if stem in theirs:
                found += weight * theirs[stem]
        # The cheapest question first: most candidates are not like it at all.
        if found < most or leader.order >= order or (found == most and best is not None and leader.order > best.order):
            continue
        if any(stem in theirs for stem in voice.heavy):
            best, most = leader, found
    return best
