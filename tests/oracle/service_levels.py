"""Service levels: how soon cases were answered (contract §10, README 28). Must not: know calendars; time is calendar time.

Exact: seconds are fractions of whole microseconds until the caller turns them into floats.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from oracle.cases import Case

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """One row. The medians are None when nothing was answered."""

    key: str
    cases: int
    answered: int
    median_first_response_s: Fraction | None
    p90_first_response_s: Fraction | None
    within_target: Fraction


def percentile(values: Sequence[Fraction], p: Fraction) -> Fraction:
    """Shapes: sorted values, at least one; p in 0..1; rank p·(n−1), linear between neighbours."""
    rank = p * (len(values) - 1)
    below = rank.numerator // rank.denominator
    above = min(below + 1, len(values) - 1)
    return values[below] + (rank - below) * (values[above] - values[below])


def fold_service_levels(
    cases: Iterable[Case], *, by: str, target_s: Fraction, since: datetime | None = None, until: datetime | None = None
) -> list[ServiceLevel]:
    """Rows by key, for by in brand, channel, team; opened_at in [since, until)."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        timely = (since is None or case.opened_at >= since) and (until is None or case.opened_at < until)
        if case.opened_by_customer and timely:
            groups.setdefault(str(getattr(case, by) or ""), []).append(case)
    return [_row(key, group, target_s) for key, group in sorted(groups.items())]


def _row(key: str, cases: Sequence[Case], target_s: Fraction) -> ServiceLevel:
    waits = sorted(
        Fraction((case.first_response_at - case.opened_at) // MICROSECOND, 1_000_000)
        for case in cases
        if case.first_response_at is not None
    )
    return ServiceLevel(
        key=key,
        cases=len(cases),
        answered=len(waits),
        median_first_response_s=percentile(waits, Fraction(1, 2)) if waits else None,
        p90_first_response_s=percentile(waits, Fraction(9, 10)) if waits else None,
        within_target=Fraction(sum(wait <= target_s for wait in waits), len(cases)),
    )
