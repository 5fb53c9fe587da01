"""Spikes: a brand is spoken of far more than it is used to.

Owns the rule, over counts of equal windows of event time. A window stands out when it holds at least so many, so many times what a busy
window holds, and lies far above it. *Busy* is the 90th percentile of the windows before, so that nights and weekends, when little is said,
do not make an ordinary morning an alarm. *Far* is in units of the spread: at least that of Poisson's law (the root of the level), more
where the windows before vary more (1.4826 times the median deviation from the median, which a few wild windows do not move).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log2, sqrt
from statistics import median
from typing import Final

BUCKET_S: Final = 300
"""What is counted together, in seconds: windows begin and end on these."""
_NORMAL: Final = 1.4826
_BUSY: Final = 0.9
_MOST_SEVERE: Final = 10
_PER_DOUBLING: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeRule:
    """When a window is a spike. Units: buckets, counts of one window, and spreads for ``distance``."""

    window: int
    baseline: int
    known: int
    complaints_at_least: int
    items_at_least: int
    times: float
    distance: float
    quiet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How one window compares with those before. ``distance``: spreads above ``busy``; ``severity``: 1 to 10 by distance, 0 is no spike."""

    count: int
    usual: float
    busy: float
    distance: float
    severity: int


def weigh(rule: SpikeRule, count: int, before: Sequence[int], *, at_least: int) -> Level:
    """Return how a window of ``count`` compares with those ``before`` (that were listened to; quiet ones are zeros)."""
    usual = median(before) if before else 0.0
    busy = float(sorted(before)[int(_BUSY * (len(before) - 1))]) if before else 0.0
    deviation = median(abs(each - usual) for each in before) if before else 0.0
    distance = (count - busy) / max(1.0, sqrt(busy), _NORMAL * deviation)
    known = len(before) * rule.window >= rule.known
    stands_out = known and count >= at_least and count >= rule.times * busy and distance >= rule.distance
    return Level(count=count, usual=usual, busy=busy, distance=distance, severity=_severity(rule, distance) if stands_out else 0)


def _severity(rule: SpikeRule, distance: float) -> int:
    """Return 1 where spikes begin, three more for each doubling of the distance, 10 from eight times on."""
    return min(_MOST_SEVERE, 1 + int(_PER_DOUBLING * log2(distance / rule.distance)))


@dataclass(frozen=True, slots=True)
class Incident:
    """What is going on with a brand: the first and the latest bucket in which a window that stood out ended."""

    opened: int
    latest: int

    def takes(self, bucket: int, quiet: int) -> bool:
        """Say whether a window that stands out and ends there belongs to it: no longer away from it than it may be quiet."""
        return self.opened - quiet <= bucket <= self.latest + quiet

    def with_bucket(self, bucket: int) -> "Incident":
        """Return it with one more such window."""
        return Incident(min(self.opened, bucket), max(self.latest, bucket))


def bucket_of(moment: datetime) -> int:
    """Return the bucket that a moment lies in."""
    return int(moment.timestamp() // BUCKET_S)


def start_of(bucket: int) -> datetime:
    """Return when a bucket begins, in UTC."""
    return datetime.fromtimestamp(bucket * BUCKET_S, UTC)
