"""Alarms for cases that nobody answered in time.

Owns the looking, the raising (once a case and due time, whatever restarts) and what is shown of it. An alarm holds no personal data. Cases
of imports are never watched, and a replay raises nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from earshot_shared import ids
from earshot_shared.envelope import EventWriter, rfc3339
from earshot_shared.errors import RetryableError
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import translated
from earshot_shared.topics import Topic
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES, Thread, thread_of

RULE = "first-response-overdue"
ALERTS = EventWriter(Topic.ALERT_RAISED, SERVICE)
EVERY_S = 2.0
MOST_AT_ONCE = 500
_encoder = msgspec.json.Encoder()
_log = logging.getLogger(__name__)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as its topic tells it."""

    alert_id: str
    rule: str
    case_id: str
    team: str | None
    priority: int
    brand: str | None
    channel: str
    due_at: datetime
    raised_at: datetime


class AlertView(Alert, frozen=True, kw_only=True):
    """An alarm as HTTP tells it."""

    acknowledged_at: datetime | None
    acknowledged_by: str | None


def alert_id(rule: str, subject: str, due_at: datetime) -> str:
    """Return the id of an alarm: the same cause, the same alarm."""
    name = ids.UNIT_SEPARATOR.join((rule, subject, rfc3339(due_at)))
    return ids.uuid5_text(ids.NAMESPACE.bytes, name)


class Watchman:
    """Looks for late cases every few seconds."""

    def __init__(self, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled; what may pass (a busy database) is tried again at the next round."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look_patiently()

    async def look_patiently(self) -> None:
        """Look once; a database that is not ready is asked again at the next round."""
        try:
            await self.look()
        except RetryableError:
            _log.warning("looking for late cases was put off", extra={"action": "watch_retry", "service": SERVICE})

    async def look(self) -> int:
        """Raise an alarm for every case that is late now; return how many were raised."""
        raised = 0
        while await self._any_late():
            async with self._writer.transaction() as tx:
                raised += await self._raise(tx, self._clock())
        return raised

    async def _any_late(self) -> bool:
        with translated():
            return bool(await self._writer.pool.fetchval(QUERIES["any_late"], self._clock()))

    async def _raise(self, tx: Transaction, now: datetime) -> int:
        rows = await tx.conn.fetch(QUERIES["load_late"], now, MOST_AT_ONCE)
        late = [thread_of(row) for row in rows]
        alerts = [_alert(thread, now) for thread in late]
        fresh = await tx.conn.fetch(
            QUERIES["insert_alerts"],
            RULE,
            now,
            [alert.alert_id for alert in alerts],
            [alert.case_id for alert in alerts],
            [alert.due_at for alert in alerts],
            [_encoder.encode(alert) for alert in alerts],
            [alert.brand for alert in alerts],
        )
        await tx.conn.execute(QUERIES["mark_told"], [thread.state.label for thread in late])
        new = {str(row[0]) for row in fresh}
        told = [alert for alert in alerts if alert.alert_id in new]
        tx.send(ALERTS.write(alert.alert_id, alert.alert_id, alert, time=rfc3339(now)) for alert in told)
        return len(told)


def _alert(thread: Thread, now: datetime) -> Alert:
    state, due_at = thread.state, thread.due_at
    return Alert(
        alert_id=alert_id(RULE, state.label, due_at),
        rule=RULE,
        case_id=state.label,
        team=state.owner,
        priority=state.priority,
        brand=state.brand,
        channel=state.channel,
        due_at=due_at,
        raised_at=now,
    )


async def list_alerts(
    conn: Any, *, acknowledged: bool | None, brands: Sequence[str] | None, after: tuple[datetime, str] | None, limit: int
) -> list[AlertView]:
    """Return up to ``limit`` alarms, newest first."""
    rows = await conn.fetch(
        QUERIES["list_alerts"],
        acknowledged,
        after[0] if after else None,
        after[1] if after else None,
        limit,
        None if brands is None else list(brands),
    )
    return [_view(row) for row in rows]


async def read_alert(conn: Any, wanted: str) -> AlertView | None:
    """Return one alarm."""
    row = await conn.fetchrow(QUERIES["read_alert"], wanted)
    return None if row is None else _view(row)


async def acknowledge(conn: Any, wanted: str, *, by: str, at: datetime) -> None:
    """Note that somebody has taken note; the first stands."""
    await conn.execute(QUERIES["acknowledge_alert"], wanted, at, by)


_decoder = msgspec.json.Decoder(Alert)


def _view(row: Any) -> AlertView:
    alert = _decoder.decode(row["body"])
    fields = {name: getattr(alert, name) for name in Alert.__struct_fields__}
    return AlertView(**fields, acknowledged_at=row["acknowledged_at"], acknowledged_by=row["acknowledged_by"])
