"""Alarms that were raised: the keeping, the telling, the reading, and that somebody took note.

Owns the table of alarms. Which alarms there are to raise is decided elsewhere; here each is told once, whatever restarts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from earshot_shared.envelope import EventWriter, rfc3339
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic
from earshot_triage.alarms import Alert
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES

ALERTS = EventWriter(Topic.ALERT_RAISED, SERVICE)
_encoder = msgspec.json.Encoder()


class Raising(NamedTuple):
    """An alarm to raise. ``subject`` is a UUID of what it is about: a case's id, or one made of a name."""

    alert: Alert
    subject: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Who took note of an alarm, and when; None: nobody yet."""

    acknowledged_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An alarm that was raised. ``body`` is it as HTTP tells it, JSON."""

    alert_id: str
    raised_at: datetime
    brand: str | None
    acknowledged_at: datetime | None
    body: msgspec.Raw


async def raise_alerts(tx: Transaction, raising: Sequence[Raising], now: datetime) -> list[Raising]:
    """Keep and tell those alarms that were never raised, and return them."""
    rows = await tx.conn.fetch(
        QUERIES["insert_alerts"],
        now,
        [each.alert.alert_id for each in raising],
        [each.alert.rule for each in raising],
        [each.subject for each in raising],
        [each.alert.due_at for each in raising],
        [_encoder.encode(each.alert) for each in raising],
        [each.alert.brand for each in raising],
    )
    new = {str(row[0]) for row in rows}
    told = [each for each in raising if each.alert.alert_id in new]
    tx.send(ALERTS.write(each.alert.alert_id, each.alert.alert_id, each.alert, time=rfc3339(now)) for each in told)
    return told


async def list_alerts(
    conn: Any,
    *,
    rule: str | None,
    acknowledged: bool | None,
    brands: Sequence[str] | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Kept]:
    """Return up to ``limit`` alarms, newest first."""
    rows = await conn.fetch(
        QUERIES["list_alerts"],
        acknowledged,
        after[0] if after else None,
        after[1] if after else None,
        limit,
        None if brands is None else list(brands),
        rule,
    )
    return [_kept(row) for row in rows]


async def read_alert(conn: Any, wanted: str) -> Kept | None:
    """Return one alarm."""
    row = await conn.fetchrow(QUERIES["read_alert"], wanted)
    return None if row is None else _kept(row)


async def acknowledge(conn: Any, wanted: str, *, by: str, at: datetime) -> None:
    """Note that somebody has taken note; the first stands. No further rung of the case's ladder is told."""
    await conn.execute(QUERIES["acknowledge_alert"], wanted, at, by)
    await conn.execute(QUERIES["stop_ladder"], wanted)


def _kept(row: Any) -> Kept:
    taken = Taken(acknowledged_at=row["acknowledged_at"], acknowledged_by=row["acknowledged_by"])
    return Kept(
        alert_id=str(row["alert_id"]),
        raised_at=row["raised_at"],
        brand=row["brand"],
        acknowledged_at=taken.acknowledged_at,
        body=msgspec.Raw(b"%b,%b" % (row["body"][:-1], _encoder.encode(taken)[1:])),
    )
