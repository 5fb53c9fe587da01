"""Alarms for cases that nobody answered in time: once each, for live cases alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from support.triage import TriageUnderTest, migrate, running_triage, watchman_of
from support.triage_world import DAY, case_of, plain_item

LATER = DAY + timedelta(hours=2)


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, clock=lambda: DAY + timedelta(minutes=5)) as running:
        yield running


async def alarms(triage: TriageUnderTest) -> list[Any]:
    """What was told on the topic of alarms."""
    return [json.loads(message.value or b"")["data"] for message in await triage.said() if message.topic is Topic.ALERT_RAISED]


@pytest.mark.capability("T7")
async def test_a_late_case_is_told_once(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 110))
    await triage.fold(plain_item("done", 0), plain_item("reply", 5, brand_speaks=True, to="done"))
    watchman = watchman_of(triage, lambda: LATER)
    assert await watchman.look() == 1
    assert await watchman.look() == 0
    told = await alarms(triage)
    assert [alarm["case_id"] for alarm in told] == [case_of("a")]
    assert "author_key" not in told[0]
    await triage.fold(plain_item("a2", 3, to="a"))
    assert await watchman.look() == 0
    listed = (await triage.http.get("/v1/alerts")).json()["items"]
    assert [alarm["alert_id"] for alarm in listed] == [told[0]["alert_id"]]
    url = f"/v1/alerts/{told[0]['alert_id']}/acknowledge"
    seen = await triage.http.post(url, headers={"earshot-actor": "Ann"})
    assert seen.json()["acknowledged_by"] == "Ann"
    again = await triage.http.post(url, headers={"earshot-actor": "Bob"})
    assert again.json()["acknowledged_by"] == "Ann"
    assert (await triage.http.get("/v1/alerts", params={"acknowledged": "false"})).json()["items"] == []


async def test_imports_replays_and_what_is_only_watched_page_nobody(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("import", 0, backfill=True), topic=Topic.FEEDBACK_BACKFILLED)
    await triage.fold(plain_item("replayed", -120), replaying=True)
    await triage.fold(plain_item("heard a day too late", -25 * 60))
    await triage.fold(plain_item("praise", 0, "praise 1"))
    assert await watchman_of(triage, lambda: LATER).look() == 0
    assert await alarms(triage) == []


async def test_a_replay_does_not_raise_what_was_raised(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    watchman = watchman_of(triage, lambda: LATER)
    assert await watchman.look() == 1
    await triage.runtime.pool.execute(Queries.load("earshot_triage")["reset_views"])
    await triage.fold(plain_item("a", 0))
    assert await watchman.look() == 0
    assert len(await alarms(triage)) == 1


async def test_an_answer_in_time_ends_the_watch(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    await triage.fold(plain_item("reply", 30, brand_speaks=True, to="a"))
    assert await watchman_of(triage, lambda: LATER).look() == 0
