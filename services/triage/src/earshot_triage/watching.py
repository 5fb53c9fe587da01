"""What is looked for every few seconds: late cases, the ladders they climb, spikes, sources that fell silent.

Owns the looking and what follows from it, each once. Cases of imports are never watched, a replay raises nothing, and while one is under
way nobody looks: what it has not folded yet may be the answer.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from earshot_shared.errors import RetryableError
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import translated
from earshot_triage import listening, spiking
from earshot_triage.alarms import ESCALATION, OVERDUE, Escalated, Overdue, RungTold, alert_id
from earshot_triage.alerts import Raising, raise_alerts
from earshot_triage.domain.escalation import Ladder, Reached
from earshot_triage.domain.message import Stance
from earshot_triage.domain.routing import Rules
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES, Thread, thread_of

EVERY_S = 2.0
MOST_AT_ONCE = 500
SPIKES_EVERY = timedelta(seconds=10)
BRANDS_AT_ONCE = 20
_log = logging.getLogger(__name__)


class Watchman:
    """Looks for late cases every few seconds."""

    def __init__(self, writer: Writer, clock: Callable[[], datetime], rules: Callable[[], Rules]) -> None:
        self._writer = writer
        self._clock = clock
        self._rules = rules
        self._counting: bool | None = None
        self._since: datetime | None = None
        self._expected: frozenset[str] = frozenset()
        self._spikes_at = datetime.min.replace(tzinfo=UTC)

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
        """Raise every alarm whose time has come; return how many were raised."""
        raised = 0
        for query, step in (("any_late", self._raise_late), ("any_climbing", self._climb)):
            while await self._any(query):
                async with self._writer.transaction() as tx:
                    raised += await step(tx, self._clock())
        return raised + await self._look_for_spikes() + await self._look_for_silence()

    async def _look_for_spikes(self) -> int:
        """Look for spikes, not at every round: the past of every busy brand is summed up for it."""
        rule, now = self._rules().spikes, self._clock()
        if self._counting is not (rule is not None):
            with translated():
                await spiking.listen(self._writer.pool, rule, now)
            self._counting = rule is not None
        if rule is None or now < self._spikes_at + SPIKES_EVERY:
            return 0
        self._spikes_at = now
        with translated():
            brands = await spiking.touched_brands(self._writer.pool)
        told = 0
        for start in range(0, len(brands), BRANDS_AT_ONCE):  # between them others may have the pen
            async with self._writer.transaction() as tx:
                told += await spiking.look(tx, rule, brands[start : start + BRANDS_AT_ONCE], now)
        return told

    async def _look_for_silence(self) -> int:
        expected, now, pool = self._rules().silence, self._clock(), self._writer.pool
        if not expected:
            return 0
        if self._since is None or self._expected != expected.keys():
            self._since, self._expected = self._since or now, frozenset(expected)
            with translated():
                await listening.expect(pool, expected, now)
        with translated():
            found = await listening.silences(pool, expected, now=now, since=self._since)
        if not found:
            return 0
        async with self._writer.transaction() as tx:
            return await listening.tell(tx, expected, now=now, since=self._since)

    async def _any(self, query: str) -> bool:
        with translated():
            return bool(await self._writer.pool.fetchval(QUERIES[query], self._clock()))

    async def _raise_late(self, tx: Transaction, now: datetime) -> int:
        """Tell breaches, and set those cases that have one upon their ladder."""
        rules = self._rules()
        late = [thread_of(row) for row in await tx.conn.fetch(QUERIES["load_late"], now, MOST_AT_ONCE)]
        told = await raise_alerts(tx, [_overdue(thread, now) for thread in late], now)
        await tx.conn.execute(QUERIES["mark_told"], [thread.state.label for thread in late])
        fresh = {each.subject for each in told}
        climbing = [thread for thread in late if thread.state.label in fresh and _ladder(rules, thread) is not None]
        if climbing:
            due = [thread.due_at for thread in climbing]
            await tx.conn.execute(QUERIES["set_on_ladder"], [thread.state.label for thread in climbing], due)
        return len(told)

    async def _climb(self, tx: Transaction, now: datetime) -> int:
        """Tell the rungs that have come, and find when the next ones do."""
        rules = self._rules()
        rows = await tx.conn.fetch(QUERIES["load_climbing"], now, MOST_AT_ONCE)
        climbs = [_climb(row, rules, now) for row in rows]
        told = await raise_alerts(tx, [raising for each in climbs for raising in each.raising], now)
        await tx.conn.execute(
            QUERIES["move_on_ladder"],
            [each.case_id for each in climbs],
            [each.rung for each in climbs],
            [each.told_s for each in climbs],
            [each.next_at for each in climbs],
        )
        return len(told)


@dataclass(slots=True)
class _Climbed:
    """Where a case stands on its ladder now; ``next_at`` is None when it is climbed no further."""

    case_id: str
    rung: int
    told_s: int
    next_at: datetime | None
    raising: Sequence[Raising] = ()


def _climb(row: Any, rules: Rules, now: datetime) -> _Climbed:
    climbed = _Climbed(str(row["on_ladder"]), row["rung"], row["told_s"], None)
    thread = thread_of(row) if row["thread"] is not None else None
    if thread is None or thread.due_at != row["breached_at"] or not _waits(thread):
        return climbed
    ladder, state = _ladder(rules, thread), thread.state
    if ladder is None:
        return climbed
    target = rules.target_of(priority=state.priority, brand=state.brand, team=state.owner)
    climb = ladder.climb(told_s=climbed.told_s, now=now, at=partial(target.later, thread.due_at))
    climbed.next_at = climb.next_at
    climbed.raising = [_escalated(thread, each, len(ladder.rungs), now) for each in climb.reached]
    if climb.reached:
        climbed.rung, climbed.told_s = climb.reached[-1].rung.number, climb.reached[-1].rung.after_s
    return climbed


def _waits(thread: Thread) -> bool:
    """Say whether somebody still waits for an answer to a case that wants one."""
    state = thread.state
    return state.has_case and state.first_response is None and state.resolved_at is None and state.stance == Stance.RESPOND


def _ladder(rules: Rules, thread: Thread) -> Ladder | None:
    state = thread.state
    return rules.ladder_of(priority=state.priority, brand=state.brand, team=state.owner)


def _overdue(thread: Thread, now: datetime) -> Raising:
    state, due_at = thread.state, thread.due_at
    alert = Overdue(
        alert_id=alert_id(OVERDUE, state.label, due_at),
        case_id=state.label,
        team=state.owner,
        priority=state.priority,
        brand=state.brand,
        channel=state.channel,
        due_at=due_at,
        raised_at=now,
    )
    return Raising(alert, state.label)


def _escalated(thread: Thread, reached: Reached, of: int, now: datetime) -> Raising:
    state, rung = thread.state, reached.rung
    alert = Escalated(
        alert_id=alert_id(ESCALATION, state.label, reached.at),
        case_id=state.label,
        team=state.owner,
        priority=state.priority,
        brand=state.brand,
        channel=state.channel,
        due_at=reached.at,
        raised_at=now,
        rung=RungTold(number=rung.number, of=of, after_s=rung.after_s, people=rung.people, roles=rung.roles, team=rung.team),
    )
    return Raising(alert, state.label)
