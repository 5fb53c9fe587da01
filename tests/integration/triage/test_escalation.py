"""A late case climbs its ladder, rung by rung and once each, until somebody answers, resolves or takes note."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from support.triage import TriageUnderTest, migrate, running_triage, watchman_of
from support.triage_world import DAY, case_of, plain_item

CONFIG = """
escalation:
  required: [support]
  ladders:
    - team: [support]
      rungs:
        - {after_s: 0, people: [Ann Lee], roles: [duty desk]}
        - {after_s: 1800, roles: [head of support], team: product}
        - {after_s: 7200, people: [The Wolf]}
"""
DUE = DAY + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def triage(fresh_database: Any, tmp_path: Path) -> AsyncIterator[TriageUnderTest]:
    (tmp_path / "triage.yaml").write_text(CONFIG, encoding="utf-8")
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path, clock=lambda: DAY + 5 * MINUTE) as running:
        yield running


async def look(triage: TriageUnderTest, minutes: float) -> int:
    """Look so many minutes after the breach."""
    return await watchman_of(triage, lambda: DUE + minutes * MINUTE).look()


async def told(triage: TriageUnderTest) -> list[Any]:
    """Every rung that was told, in order."""
    said = [json.loads(message.value or b"")["data"] for message in await triage.said() if message.topic is Topic.ALERT_RAISED]
    return [alarm for alarm in said if alarm["rule"] == "escalation"]


async def clocks(triage: TriageUnderTest, name: str = "a") -> Any:
    return (await triage.http.get(f"/v1/cases/{case_of(name)}")).json()["clocks"]


@pytest.mark.capability("T9")
async def test_a_late_case_climbs_its_ladder(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    assert (await clocks(triage))["rung"] == 0
    assert await look(triage, -1) == 0
    assert await look(triage, 0) == 2  # the breach and the first rung
    assert await look(triage, 29) == 0
    assert await look(triage, 30) == 1
    assert await look(triage, 119) == 0
    assert await look(triage, 121) == 1
    assert await look(triage, 9999) == 0
    rungs = await told(triage)
    assert [alarm["rung"]["number"] for alarm in rungs] == [1, 2, 3]
    assert [datetime.fromisoformat(alarm["due_at"]) for alarm in rungs] == [DUE, DUE + 30 * MINUTE, DUE + 120 * MINUTE]
    assert rungs[0]["rung"] == {"number": 1, "of": 3, "after_s": 0, "people": ["Ann Lee"], "roles": ["duty desk"], "team": None}
    assert rungs[1]["rung"]["team"] == "product"
    assert {alarm["case_id"] for alarm in rungs} == {case_of("a")}
    assert not any("author_key" in alarm or "text" in alarm for alarm in rungs)
    listed = (await triage.http.get("/v1/alerts", params={"rule": "escalation"})).json()["items"]
    assert [alarm["alert_id"] for alarm in listed] == [alarm["alert_id"] for alarm in reversed(rungs)]
    assert len((await triage.http.get("/v1/alerts")).json()["items"]) == 4
    assert (await triage.http.get("/v1/alerts", params={"rule": "rage"})).status_code == 422


async def test_a_stop_of_ours_leaves_no_rung_out(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    assert await look(triage, 60) == 3
    assert [alarm["rung"]["number"] for alarm in await told(triage)] == [1, 2]


@pytest.mark.capability("T9")
@pytest.mark.parametrize("ending", ["answer", "resolve", "acknowledge the breach", "acknowledge the rung", "withdraw", "praise"])
async def test_what_ends_the_climb(triage: TriageUnderTest, ending: str) -> None:
    await triage.fold(plain_item("a", 0))
    assert await look(triage, 1) == 2
    match ending:
        case "answer":
            await triage.fold(plain_item("reply", 65, brand_speaks=True, to="a"))
        case "resolve":
            await triage.http.post(f"/v1/cases/{case_of('a')}/resolve", json={})
        case "withdraw":
            await triage.fold(plain_item("a", 0, revision=2, withdrawn=True))
        case "praise":
            await triage.fold(plain_item("a", 0, "praise 1", revision=2))
        case _:
            rule = "escalation" if "rung" in ending else "first-response-overdue"
            alarm = (await triage.http.get("/v1/alerts", params={"rule": rule})).json()["items"][0]
            answer = await triage.http.post(f"/v1/alerts/{alarm['alert_id']}/acknowledge", headers={"earshot-actor": "Ann"})
            assert answer.json()["acknowledged_by"] == "Ann"
            assert (await clocks(triage))["next_rung_at"] is None
    assert await look(triage, 9999) == 0
    assert len(await told(triage)) == 1


async def test_clocks_show_the_rung(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    await look(triage, 31)
    shown = await clocks(triage)
    assert shown["rung"] == 2
    assert datetime.fromisoformat(shown["next_rung_at"]) == DUE + 120 * MINUTE
    await triage.fold(plain_item("reply", 65, brand_speaks=True, to="a"))
    assert ((await clocks(triage))["rung"], (await clocks(triage))["next_rung_at"]) == (2, None)


async def test_another_due_time_calls_nobody_twice(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    assert await look(triage, 1) == 2
    triage.wiring.book.decider.use(with_target(triage, 1200))
    await triage.fold(plain_item("a2", 3, to="a"))
    assert await look(triage, 1) == 2  # the breach of the new due time, and the second rung, which has come by it
    assert [alarm["rung"]["number"] for alarm in await told(triage)] == [1, 2]


@pytest.mark.capability("T9")
async def test_a_replay_calls_nobody_and_forgets_nobody(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 0))
    assert await look(triage, 1) == 4
    pool = triage.runtime.pool
    await pool.execute(Queries.load("earshot_triage")["reset_views"])
    await pool.execute(
        "insert into positions (topic, partition, next_offset, replay_until, cluster_id, topic_id) values ('t', 0, 1, 2, '', '')"
    )
    await triage.fold(plain_item("a", 0), plain_item("b", 0), replaying=True)
    assert await look(triage, 60) == 0
    await triage.fold(plain_item("reply", 30, brand_speaks=True, to="b"), replaying=True)
    await pool.execute("update positions set next_offset = 2")
    assert await look(triage, 60) == 1  # the second rung of the one that still waits
    assert [(alarm["case_id"], alarm["rung"]["number"]) for alarm in await told(triage)][2:] == [(case_of("a"), 2)]


async def test_imports_and_what_was_heard_too_late_call_nobody(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("import", 0, backfill=True), topic=Topic.FEEDBACK_BACKFILLED)
    await triage.fold(plain_item("late", -26 * 60))
    assert await look(triage, 9999) == 0


def with_target(triage: TriageUnderTest, seconds: int) -> Any:
    model = triage.wiring.book.current.model
    return model.model_copy(update={"first_response_s": seconds}).rules("other")
