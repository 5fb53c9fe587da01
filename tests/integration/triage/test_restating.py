"""What the relay asks to be said again is what was said last; what cannot be read is set aside with its reason."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from earshot_shared import ids
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.topics import Topic
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import ITEMS, case_of, plain_item

STATES = (Topic.FEEDBACK_TRIAGED, Topic.FEEDBACK_PRODUCT, Topic.FEEDBACK_SUPPORT, Topic.CASE_CHANGED)


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn) as running:
        yield running


async def test_present_state_is_what_was_told_last(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, "bug 3"), plain_item("b", 1, "idea 1"), plain_item("gone", 2))
    await triage.fold(plain_item("a", 0, "complaint 2", revision=2), plain_item("b", 1, "idea 1", talk="x", revision=2))
    await triage.fold(plain_item("a", 0, "complaint 2", talk="x", revision=3), plain_item("gone", 2, revision=2, withdrawn=True))
    await triage.http.post(f"/v1/cases/{case_of('a')}/respond", json={"text": "Sorry."})
    last: dict[tuple[Topic, bytes], bytes | None] = {(each.topic, each.key): each.value for each in await triage.said()}
    for topic in STATES:
        keys = {key.decode() for of, key in last if of is topic}
        async with triage.runtime.writer.transaction() as tx:
            said = await triage.wiring.stage.restate(tx, topic, keys)
        assert {message.key.decode() for message in said} == keys
        for message in said:
            assert _state(message.value) == _state(last[topic, message.key]), topic


async def test_keys_we_never_held_are_passed_over(triage: TriageUnderTest) -> None:
    unknown = [ids.feedback_id("forum", "never")]
    async with triage.runtime.writer.transaction() as tx:
        for topic in (*STATES, Topic.ALERT_RAISED):
            assert await triage.wiring.stage.restate(tx, topic, unknown) == []


def _state(value: bytes | None) -> Any:
    """A body without what differs each time it is said."""
    if value is None:
        return None
    body = json.loads(value)["data"]
    return {name: part for name, part in body.items() if name != "version"}


GOOD = ITEMS.write(plain_item("a", 0).feedback_id, "e", plain_item("a", 0), time="2026-01-01T00:00:00Z").value or b""


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not json", id="no json"),
        pytest.param(b"{}", id="no envelope"),
        pytest.param(GOOD.replace(b'"feedback_id":"', b'"feedback_id":"z'), id="no uuid"),
        pytest.param(GOOD.replace(b'00:00Z","received', b'00:00","received'), id="no zone"),
        pytest.param(GOOD.replace(b'"kind"', b'"kind":7,"kind"').replace(b'"revision":1', b'"revision":"x"'), id="wrong type"),
        pytest.param(GOOD.replace(b'"revision":1', b'"revision":3000000000'), id="a revision that no table holds"),
        pytest.param(GOOD.replace(b'"author_key":"', b'"author_key":"\\u0000'), id="a NUL"),
        pytest.param(GOOD.replace(b'"author_key":"', b'"author_key":"' + b"x" * 600), id="longer than an index takes"),
        pytest.param(re.sub(rb'"occurred_at":"[^"]*"', b'"occurred_at":"0001-01-01T00:00:00+14:00"', GOOD), id="before all time"),
        pytest.param(re.sub(rb'"occurred_at":"[^"]*"', b'"occurred_at":"9999-12-31T23:59:59Z"', GOOD), id="after all time"),
        pytest.param(b'{"a":' + b"[" * 100_000, id="deep"),
        pytest.param(GOOD[:-1] + b"\xff", id="no utf-8"),
    ],
)
async def test_a_poisonous_record_is_set_aside_and_its_neighbours_go_on(triage: TriageUnderTest, value: bytes) -> None:
    good = plain_item("b", 0)
    records = [
        StoredRecord("items", 0, 0, b"k", value),
        StoredRecord("items", 0, 1, b"k", ITEMS.write(good.feedback_id, "e", good, time="2026-01-01T00:00:00Z").value),
        StoredRecord("items", 0, 2, b"k", None),
    ]
    stage = triage.wiring.stage
    prepared = await stage.prepare([Batch(Topic.FEEDBACK_RECEIVED, 0, records)])
    assert [poison.code for poison in prepared.poison] == ["undecodable"]
    async with triage.runtime.writer.transaction() as tx:
        await stage.fold(tx, prepared)
    letters = await triage.runtime.pool.fetch("select value, code from dead_letters")
    assert [(row["value"], row["code"]) for row in letters] == [(value, "undecodable")]
    assert (await triage.http.get(f"/v1/cases/{case_of('b')}")).status_code == 200


async def test_an_action_that_makes_no_sense_is_set_aside_and_strange_ones_pass(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    await triage.http.post(f"/v1/cases/{case_of('a')}/resolve", json={})
    value = next(each.value for each in await triage.said() if each.topic is Topic.ACTION_TAKEN) or b""
    bad = value.replace(b'"subject":"' + plain_item("a", 0).feedback_id.encode(), b'"subject":"x')
    records = [
        StoredRecord("actions", 0, 0, b"k", bad),
        StoredRecord("actions", 0, 1, b"k", value.replace(b'"verb":"resolve"', b'"verb":"dance"')),
        StoredRecord("actions", 0, 2, b"k", value.replace(b'"service":"triage"', b'"service":"crm-sync"')),
        StoredRecord("actions", 0, 3, b"k", value),
    ]
    prepared = await triage.wiring.stage.prepare([Batch(Topic.ACTION_TAKEN, 0, records)])
    assert [poison.record.offset for poison in prepared.poison] == [0]
    assert len(prepared.doings) == 1
