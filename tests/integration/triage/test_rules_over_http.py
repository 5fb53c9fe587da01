"""Rules over HTTP: read, put for the whole fleet, tried on the past; what was put outlives a replay and a restart."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from earshot_shared import envelope, ids
from earshot_shared.actions import decode_action
from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.postgres import Queries
from earshot_shared.settings import default_config_dir
from earshot_shared.topics import Topic
from earshot_triage.asking import rules_in
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import plain_item

OUTAGE = {"name": "outage", "any_of": ["offline"], "intent": "bug", "severity_at_least": 4, "topics": ["outage"], "routes": ["community"]}


@pytest.fixture
async def dsn(fresh_database: Any) -> str:
    found: str = await asyncio.to_thread(fresh_database, migrate)
    return found


@pytest.fixture
async def triage(dsn: str, tmp_path: Path) -> AsyncIterator[TriageUnderTest]:
    async with running_triage(dsn, config_dir=tmp_path) as running:
        yield running


async def put(triage: TriageUnderTest, rules: Any, status: int = 200, headers: Any = None, **more: Any) -> Any:
    answer = await triage.http.put("/v1/rules", json={"rules": rules, **more}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def decision(triage: TriageUnderTest, name: str) -> Any:
    return (await triage.http.get(f"/v1/feedback/{ids.feedback_id('forum', name)}")).json()


@pytest.mark.capability("T33")
async def test_a_monitor_put_over_http_stands_above_the_model(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("before", 0, "praise 1 offline at last"))
    said = await put(triage, {"monitors": [OUTAGE]}, headers={"earshot-actor": "Ann"}, reason="the fire")
    await triage.fold(plain_item("after", 1, "praise 1 Offline!"), plain_item("other", 2, "praise 1 online"))
    before, after, other = [await decision(triage, name) for name in ("before", "after", "other")]
    assert (before["intent"], before["topics"]) == ("praise", [])
    assert (after["intent"], after["severity"], after["topics"]) == ("bug", 4, ["outage"])
    assert after["routes"] == ["community", "support", "product"]
    assert any("rule “outage”" in reason for reason in after["reasons"])
    assert after["rules_version"] == other["rules_version"] == said["version"]
    assert (other["intent"], before["rules_version"]) == ("praise", said["replaced"])
    rules = (await triage.http.get("/v1/rules")).json()
    assert (rules["version"], rules["source"], rules["put"]["by"], rules["put"]["reason"]) == (said["version"], "http", "Ann", "the fire")
    assert rules["rules"]["monitors"][0]["name"] == "outage"
    assert (await put(triage, rules["rules"]))["version"] == said["version"], "the same rules have the same name"
    back = await put(triage, None)
    assert (back["version"], back["source"]) == (said["replaced"], "file")
    await triage.fold(plain_item("last", 3, "praise 1 offline"))
    assert (await decision(triage, "last"))["intent"] == "praise"


async def test_every_replica_uses_what_was_put_and_a_restart_keeps_it(triage: TriageUnderTest, dsn: str, tmp_path: Path) -> None:
    async with running_triage(dsn, config_dir=tmp_path) as other:
        said = await put(triage, {"monitors": [OUTAGE]})
        await other.wiring.book.look_up(other.runtime.pool)  # what `follow` does each second
        await other.fold(plain_item("a", 0, "praise 1 offline"))
        assert (await decision(other, "a"))["rules_version"] == said["version"]
    async with running_triage(dsn, config_dir=tmp_path) as again:
        assert (await again.http.get("/v1/rules")).json()["version"] == said["version"]


async def test_a_put_is_an_action_and_the_newest_word_holds_in_any_order(triage: TriageUnderTest) -> None:
    await put(triage, {"monitors": [OUTAGE]})
    last = await put(triage, {"first_response_s": 60})
    told = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    actions = [decode_action(envelope.decode(message.value or b"").data) for message in told]
    assert [(action.verb, action.subject) for action in actions] == [("put-rules", "rules")] * 2
    pool = triage.runtime.pool
    await pool.execute(Queries.load("earshot_triage")["reset_views"])
    await pool.execute("delete from rules_put")  # a database that was lost
    copies = [StoredRecord("actions", 0, n, message.key, message.value) for n, message in enumerate(told)]
    await triage.fold_records(Topic.ACTION_TAKEN, copies[::-1], replaying=True)
    assert (await triage.http.get("/v1/rules")).json()["version"] == last["version"]


async def test_the_same_rules_have_one_version_however_they_are_spelt(dsn: str, tmp_path: Path) -> None:
    shipped = (default_config_dir() / "triage.yaml").read_bytes()
    (tmp_path / "triage.yaml").write_bytes(shipped)
    (tmp_path / "next.yaml").write_bytes(shipped)
    async with running_triage(dsn, config_dir=tmp_path) as triage:
        rules = rules_in(tmp_path / "next.yaml")
        tried = (await triage.http.post("/v1/rules/rehearse", json={"rules": rules})).json()
        assert tried["after_version"] == tried["before_version"]
        said = await put(triage, rules)
        assert said["version"] == said["replaced"] == tried["before_version"]
        other = (await triage.http.post("/v1/rules/rehearse", json={"rules": rules | {"first_response_s": 61}})).json()
        assert other["after_version"] != other["before_version"]


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        pytest.param({"monitors": [{"name": "x"}]}, "rules.monitors.0", id="no condition"),
        pytest.param({"monitors": [{"name": "x", "pattern": "(?=a)b"}]}, "rules.monitors.0", id="look-around"),
        pytest.param({"monitors": [{"name": "x", "pattern": "("}]}, "rules.monitors.0", id="no pattern"),
        pytest.param({"monitors": [{"name": "x", "any_of": ["a"], "routes": ["nowhere"]}]}, "rules.monitors.0.routes", id="no such team"),
        pytest.param({"monitors": [{"name": "x", "any_of": ["a"]}] * 2}, "rules.monitors.1.name", id="one name twice"),
        pytest.param({"routes": [{"name": "x", "to": ["nowhere"]}]}, "rules.routes.0.to", id="a route to nowhere"),
        pytest.param({"targets": [{"within_s": 60, "calendar": "shop"}]}, "rules.targets.0.calendar", id="no such calendar"),
        pytest.param({"odd": 1}, "rules.odd", id="unknown field"),
        pytest.param({"monitors": 7}, "rules.monitors", id="no list"),
    ],
)
async def test_rules_that_cannot_be_used_are_refused_by_place(triage: TriageUnderTest, rules: Any, place: str) -> None:
    before = (await triage.http.get("/v1/rules")).json()
    refused = await put(triage, rules, status=422)
    assert refused["errors"][0]["field"] == place
    assert (await triage.http.get("/v1/rules")).json() == before
    assert await triage.said() == []


async def test_who_looked_at_older_rules_or_is_bound_to_a_brand_puts_none(triage: TriageUnderTest) -> None:
    first = await put(triage, {"first_response_s": 60})
    assert (await put(triage, {}, status=409, replaces=first["replaced"]))["code"] == "rules-changed"
    await put(triage, {}, replaces=first["version"])
    bound = await triage.key(scopes=("triage:read", "triage:write"), brands=["Acme"])
    assert (await put(triage, {}, status=403, headers=bound))["code"] == "brand-bound"
    assert (await put(triage, {}, status=403, headers=await triage.key()))["code"] == "scope-missing"


@pytest.mark.capability("G11")
@pytest.mark.capability("T33")
async def test_a_rehearsal_shows_what_would_change_and_changes_nothing(triage: TriageUnderTest) -> None:
    await triage.fold(*(plain_item(f"n{n}", n, "praise 1 offline" if n % 2 else "praise 1 fine") for n in range(6)))
    await triage.fold(plain_item("bolt", 7, "praise 1 offline", brand="Bolt"))
    said = len(await triage.said())

    async def rehearse(headers: Any = None, **asked: Any) -> Any:
        answer = await triage.http.post("/v1/rules/rehearse", json={"rules": {"monitors": [OUTAGE]}, **asked}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    found = await rehearse()
    assert (found["tried"], found["changed"], found["complete"]) == (7, 4, True)
    assert found["by_field"] == {"intent": 4, "routes": 4, "severity": 4, "stance": 4, "topics": 4}
    change = next(each for each in found["items"] if each["feedback_id"] == ids.feedback_id("forum", "n1"))
    assert (change["before"]["intent"], change["after"]["intent"]) == ("praise", "bug")
    assert any("rule “outage”" in reason for reason in change["reasons"])
    assert (await rehearse(since="2026-03-01T00:03:00Z"))["changed"] == 3
    assert len((await rehearse(limit=1))["items"]) == 1
    sample = await rehearse(most=3)
    assert (sample["tried"], sample["complete"]) == (3, False)
    assert (await rehearse(headers=await triage.key(brands=["Bolt"])))["tried"] == 1
    assert (await decision(triage, "n1"))["intent"] == "praise"
    assert len(await triage.said()) == said
    assert json.dumps(found["items"]).count("excerpt") == 4
