"""Sources that fall silent, by what triage hears of them.

Owns when each expected source was heard last, by triage's clock: what it delivers late is heard all the same. Replays and imports are not
hearing. While nobody listened nothing could be heard, so a silence counts from the start of whoever looks at the earliest.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from earshot_shared.pipeline.writer import Transaction
from earshot_triage.alarms import SILENT_SOURCE, SourceSilent, alert_id, subject_of
from earshot_triage.alerts import Raising, raise_alerts
from earshot_triage.domain.routing import Target
from earshot_triage.repository import QUERIES


class Silence(NamedTuple):
    """A source that was to be heard again by ``due_at`` and was not."""

    source: str
    heard_at: datetime
    due_at: datetime


async def hear(conn: Any, sources: Collection[str], now: datetime) -> None:
    """Note that these were heard."""
    await conn.execute(QUERIES["hear_sources"], sorted(sources), now)


async def expect(conn: Any, sources: Collection[str], now: datetime) -> None:
    """Wait for these from now on, unless they were heard or waited for before."""
    await conn.execute(QUERIES["expect_sources"], sorted(sources), now)


async def silences(conn: Any, expected: Mapping[str, Target], *, now: datetime, since: datetime) -> list[Silence]:
    """Return the silences that are over their time and were not told; ``since`` is when whoever looks began to."""
    found = []
    for row in await conn.fetch(QUERIES["load_quiet_sources"], list(expected)):
        due_at = expected[row["source"]].due(max(row["heard_at"], since))
        if due_at <= now:
            found.append(Silence(row["source"], row["heard_at"], due_at))
    return found


async def tell(tx: Transaction, expected: Mapping[str, Target], *, now: datetime, since: datetime) -> int:
    """Tell silences, each once; return how many were told."""
    found = await silences(tx.conn, expected, now=now, since=since)
    told = await raise_alerts(tx, [_raising(each, expected[each.source], now) for each in found], now)
    await tx.conn.execute(QUERIES["mark_silences_told"], [each.source for each in found])
    return len(told)


def _raising(silence: Silence, target: Target, now: datetime) -> Raising:
    source, due_at = silence.source, silence.due_at
    alert = SourceSilent(
        alert_id=alert_id(SILENT_SOURCE, source, due_at),
        brand=None,
        due_at=due_at,
        raised_at=now,
        source=source,
        heard_at=silence.heard_at,
        within_s=target.within_s,
        calendar=None if target.calendar is None else target.calendar.name,
    )
    return Raising(alert, subject_of(SILENT_SOURCE, source))
