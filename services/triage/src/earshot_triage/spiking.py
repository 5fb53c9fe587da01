"""Spikes: what customers say is counted by brand in the fold, and looked at every few seconds.

Owns the counts and the incidents. Counts are sums over the set of items, by the time they occurred; imports of the past are not counted,
what a replay folds is, but makes nobody look. One incident is open a brand; only its beginning is told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from earshot_shared.pipeline.writer import Transaction
from earshot_triage.alarms import SPIKE, Spiking, alert_id, subject_of
from earshot_triage.alerts import Raising, raise_alerts
from earshot_triage.decisions import Arrival
from earshot_triage.domain.message import Message, Role
from earshot_triage.domain.spikes import Incident, Level, SpikeRule, bucket_of, start_of, weigh
from earshot_triage.repository import QUERIES, Held

COMPLAINT: Final = "complaint"
_DAY: Final = 288  # buckets: what occurred longer ago is not looked at any more
_Counts = dict[tuple[str, int], tuple[int, int, bool]]


async def count(conn: Any, rule: SpikeRule, accepted: Mapping[str, Arrival], known: Mapping[str, Held], now: datetime) -> None:
    """Count what was accepted; a later revision takes the place of the one we hold."""
    oldest = _oldest(rule, now)
    counts: _Counts = {}
    for key, arrival in accepted.items():
        held = known.get(key)
        if held is not None:
            _add(counts, held.message, -1, oldest, live=False)
        _add(counts, arrival.message, 1, oldest, live=not arrival.replaying)
    if counts:
        keys = sorted(counts)
        await conn.execute(
            QUERIES["add_rates"],
            [brand for brand, _ in keys],
            [bucket for _, bucket in keys],
            *map(list, zip(*(counts[key] for key in keys), strict=True)),
        )


def _add(counts: _Counts, message: Message, by: int, oldest: int, *, live: bool) -> None:
    if message.role != Role.CUSTOMER or message.withdrawn or message.backfill:
        return
    bucket = bucket_of(message.occurred_at)
    if bucket < oldest:
        return
    key = (message.brand or "", bucket)
    items, complaints, touched = counts.get(key, (0, 0, False))
    counts[key] = (items + by, complaints + by * (message.intent == COMPLAINT), touched or live)


async def listen(conn: Any, rule: SpikeRule | None, now: datetime) -> None:
    """Remember since when there is counting; what was not counted is unknown, not quiet."""
    if rule is None:
        await conn.execute(QUERIES["stop_counting"])
    else:
        await conn.execute(QUERIES["begin_counting"], bucket_of(now))


async def touched_brands(conn: Any) -> list[str]:
    """Return the brands of which there is anything new to look at."""
    return [row["brand"] for row in await conn.fetch(QUERIES["touched_brands"])]


async def look(tx: Transaction, rule: SpikeRule, brands: Sequence[str], now: datetime) -> int:
    """Look at every window of some brands that something new lies in; open incidents, and tell them. Return how many were told."""
    this, oldest = bucket_of(now), _oldest(rule, now)
    rows = await tx.conn.fetch(
        QUERIES["load_windows"], rule.window, rule.baseline, this - _DAY, this, rule.complaints_at_least, rule.items_at_least, brands
    )
    since = await tx.conn.fetchval(QUERIES["read_counting"])
    held = await tx.conn.fetch(QUERIES["load_incidents"], brands)
    incidents = {row["brand"]: Incident(row["opened"], row["latest"]) for row in held}
    raising, changed = [], set()
    for row in rows:
        brand, last = row["brand"], row["last"]
        levels = _levels(rule, row, since)
        measure, level = max(levels.items(), key=lambda each: (each[1].severity, each[1].distance))
        if level.severity == 0:
            continue
        incident = incidents.get(brand)
        changed.add(brand)
        if incident is not None and incident.takes(last, rule.quiet):
            incidents[brand] = incident.with_bucket(last)
        elif incident is None or last > incident.latest:
            incidents[brand] = Incident(last, last)
            raising.append(_spiking(rule, row, measure, level, now))
    told = await raise_alerts(tx, raising, now)
    seen = sorted(changed)
    await tx.conn.execute(
        QUERIES["put_incidents"],
        seen,
        [incidents[brand].opened for brand in seen],
        [incidents[brand].latest for brand in seen],
    )
    await tx.conn.execute(QUERIES["drop_rates"], oldest)
    return len(told)


def _levels(rule: SpikeRule, row: Any, since: int | None) -> dict[str, Level]:
    """Return how complaints and all items of one window compare with the windows before, as far as we listened."""
    windows = rule.baseline // rule.window
    heard = 0 if since is None else min(windows, max(0, (row["last"] - rule.window + 1 - since) // rule.window))
    levels = {}
    for measure, at_least in (("complaints", rule.complaints_at_least), ("items", rule.items_at_least)):
        before = [0] * heard
        for place, sum_ in zip(row["places"], row[f"{measure}_before"], strict=True):
            if place <= heard:
                before[place - 1] = max(0, sum_)
        levels[measure] = weigh(rule, max(0, row[measure]), before, at_least=at_least)
    return levels


def _oldest(rule: SpikeRule, now: datetime) -> int:
    """Return the earliest bucket that any window looks at."""
    return bucket_of(now) - rule.baseline - rule.window - _DAY


def _spiking(rule: SpikeRule, row: Any, measure: Any, level: Level, now: datetime) -> Raising:
    brand, last = row["brand"], row["last"]
    due_at = start_of(last)
    alert = Spiking(
        alert_id=alert_id(SPIKE, brand, due_at),
        brand=brand or None,
        due_at=due_at,
        raised_at=now,
        measure=measure,
        severity=level.severity,
        count=level.count,
        usual=level.usual,
        busy=level.busy,
        distance=round(level.distance, 2),
        window_from=start_of(last - rule.window + 1),
        window_to=start_of(last + 1),
    )
    return Raising(alert, subject_of(SPIKE, brand))
