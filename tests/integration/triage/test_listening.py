"""A source that falls silent is told once, by what triage hears of it and by its own clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from earshot_triage.watching import Watchman
from support.triage import StandingClock, TriageUnderTest, migrate, running_triage, watchman_of
from support.triage_world import DAY, plain_item

CONFIG = """
stances: [{name: nobody is late here, stance: watch}]
calendars: [{name: office, zone: UTC, week: {monday: [09:00-17:00]}}]
silence:
  - {source: forum, within_s: 3600}
  - {source: hotline, within_s: 3600, calendar: office}
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(DAY)  # a Sunday


@pytest.fixture
async def triage(fresh_database: Any, tmp_path: Path, clock: StandingClock) -> AsyncIterator[TriageUnderTest]:
    (tmp_path / "triage.yaml").write_text(CONFIG, encoding="utf-8")
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path, clock=clock) as running:
        yield running


@pytest.fixture
def watchman(triage: TriageUnderTest, clock: StandingClock) -> Watchman:
    return watchman_of(triage, clock)


async def silences(triage: TriageUnderTest) -> list[tuple[str, datetime]]:
    listed = (await triage.http.get("/v1/alerts", params={"rule": "silent-source"})).json()["items"]
    return [(alarm["source"], datetime.fromisoformat(alarm["due_at"])) for alarm in listed]


@pytest.mark.capability("L9")
async def test_a_silent_source_is_told_once_a_silence(triage: TriageUnderTest, watchman: Watchman, clock: StandingClock) -> None:
    assert await watchman.look() == 0
    clock.now = DAY + 50 * MINUTE
    await triage.fold(plain_item("a", -3 * 24 * 60))  # what it says is old, but it speaks
    clock.now = DAY + 109 * MINUTE
    assert await watchman.look() == 0
    clock.now = DAY + 110 * MINUTE
    assert await watchman.look() == 1
    assert await watchman.look() == 0
    assert await watchman_of(triage, clock).look() == 0
    assert await silences(triage) == [("forum", DAY + 110 * MINUTE)]
    await triage.fold(plain_item("b", 110))
    clock.now = DAY + 169 * MINUTE
    assert await watchman.look() == 0
    clock.now = DAY + 171 * MINUTE
    assert await watchman.look() == 1
    alarm = (await triage.http.get("/v1/alerts")).json()["items"][0]
    assert (alarm["rule"], alarm["source"], alarm["within_s"], alarm["calendar"], alarm["brand"]) == (
        "silent-source",
        "forum",
        3600,
        None,
        None,
    )
    assert datetime.fromisoformat(alarm["heard_at"]) == DAY + 110 * MINUTE
    seen = await triage.http.post(f"/v1/alerts/{alarm['alert_id']}/acknowledge", headers={"earshot-actor": "Ann"})
    assert seen.json()["acknowledged_by"] == "Ann"


@pytest.mark.capability("L9")
async def test_silence_out_of_hours_is_none(triage: TriageUnderTest, watchman: Watchman, clock: StandingClock) -> None:
    assert await watchman.look() == 0
    clock.now = DAY + 33 * 60 * MINUTE + 59 * MINUTE  # Monday 9:59
    await watchman.look()
    assert "hotline" not in dict(await silences(triage))
    clock.now += MINUTE
    assert await watchman.look() == 1
    assert dict(await silences(triage))["hotline"] == DAY + 34 * 60 * MINUTE


async def test_replays_and_imports_are_not_hearing(triage: TriageUnderTest, watchman: Watchman, clock: StandingClock) -> None:
    await watchman.look()
    clock.now = DAY + 50 * MINUTE
    await triage.fold(plain_item("a", 0), replaying=True)
    await triage.fold(plain_item("b", 0, backfill=True), topic=Topic.FEEDBACK_BACKFILLED)
    clock.now = DAY + 61 * MINUTE
    assert await watchman.look() == 1
    assert await silences(triage) == [("forum", DAY + 60 * MINUTE)]


async def test_while_nobody_listened_nobody_was_silent(triage: TriageUnderTest, watchman: Watchman, clock: StandingClock) -> None:
    await watchman.look()
    clock.now = DAY + 300 * MINUTE
    started = watchman_of(triage, clock)
    assert await started.look() == 0
    clock.now = DAY + 359 * MINUTE
    assert await started.look() == 0
    clock.now = DAY + 360 * MINUTE
    assert await started.look() == 1


async def test_a_replay_under_way_tells_no_silence_and_forgets_none(
    triage: TriageUnderTest, watchman: Watchman, clock: StandingClock
) -> None:
    await watchman.look()
    pool = triage.runtime.pool
    await pool.execute(
        "insert into positions (topic, partition, next_offset, replay_until, cluster_id, topic_id) values ('t', 0, 1, 2, '', '')"
    )
    await pool.execute(Queries.load("earshot_triage")["reset_views"])
    clock.now = DAY + 61 * MINUTE
    assert await watchman.look() == 0
    await pool.execute("update positions set next_offset = 2")
    assert await watchman.look() == 1


async def test_nothing_is_expected_unless_said(fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, clock=lambda: DAY) as triage:
        await triage.fold(plain_item("a", 0, "praise 1"))
        assert await watchman_of(triage, lambda: DAY + 9999 * MINUTE).look() == 0
        assert await triage.runtime.pool.fetchval("select count(*) from sources_heard") == 0
