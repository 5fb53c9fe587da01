"""How many distinct accounts use a value: the question that tells a person's own from a shared one.

Owns the counting, as a pure function of first and last sightings. Must not know why it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from .rules import Limit


def peak(spans: Iterable[tuple[datetime, datetime]], window: timedelta | None) -> int:
    """Return the largest number of spans that touch any one window of this length.

    Shapes: a (first, last) pair per distinct account. A span touches the window that ends at `t` when first <= t and
    last >= t - window,
    so it is alive from `first` to `last + window`, both included.
    """
    if window is None:
        return sum(1 for _ in spans)
    turns = []
    for first, last in spans:
        turns.append((first, 0, 1))
        turns.append((last + window, 1, -1))
    turns.sort()
    most = now = 0
    for _, _, step in turns:
        now += step
        most = max(most, now)
    return most


def is_over(spans: Iterable[tuple[datetime, datetime]], limit: Limit | None) -> bool:
    """Whether a value with these spans, one per distinct account, is shared and so links nothing."""
    if limit is None:
        return False
    known = list(spans)
    return len(known) > limit.accounts and peak(known, limit.window) > limit.accounts
