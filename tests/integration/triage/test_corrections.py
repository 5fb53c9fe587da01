"""What people say of an item stands above the judge and the rules, is told at once, survives edits, replays and any order of arrival."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import pytest

from earshot_shared import envelope, ids
from earshot_shared.actions import decode_action
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import ITEMS, case_of, plain_item, rows_of


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn) as running:
        yield running


async def correct(triage: TriageUnderTest, name: str, status: int = 200, headers: Any = None, **said: Any) -> Any:
    answer = await triage.http.post(f"/v1/feedback/{ids.feedback_id('forum', name)}/correct", json=said, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def last_told(triage: TriageUnderTest, topic: Topic, key: str) -> Any:
    told = [message.value for message in await triage.said() if message.topic is topic and message.key.decode() == key]
    return None if told[-1] is None else json.loads(told[-1])["data"]


@pytest.mark.capability("T1")
@pytest.mark.capability("T33")
async def test_a_correction_is_shown_told_and_routed(triage: TriageUnderTest) -> None:
    item = plain_item("a", 0, "praise 1 thanks a lot for nothing")
    await triage.fold(item)
    after = await correct(triage, "a", intent="complaint", headers={"earshot-actor": "Ann"})
    assert (after["intent"], after["intents"]["complaint"], after["routes"], after["stance"]) == ("complaint", 1.0, ["support"], "respond")
    said = after["corrections"]["intent"]
    assert (said["value"], said["was"], said["by"]) == ("complaint", "praise", "Ann")
    assert "intent complaint: Ann said so (it was praise)" in after["reasons"]
    assert (await triage.http.get(f"/v1/feedback/{item.feedback_id}")).json() == after
    told = await last_told(triage, Topic.FEEDBACK_TRIAGED, item.feedback_id)
    assert (told["intent"], told["corrections"]["intent"]["by"]) == ("complaint", "Ann")
    assert (await last_told(triage, Topic.FEEDBACK_SUPPORT, item.feedback_id))["intent"] == "complaint"
    case = (await triage.http.get(f"/v1/cases/{case_of('a')}")).json()
    assert (case["intent"], case["team"], case["stance"]) == ("complaint", "support", "respond")
    (entry,) = case["history"]
    assert (entry["verb"], entry["actor"], entry["intent"], entry["feedback_id"]) == ("correct", "Ann", "complaint", item.feedback_id)
    stats = await triage.runtime.pool.fetch("select name, n from counts where n <> 0 order by name")
    assert [tuple(row) for row in stats] == [("cases", 1), ("feedback", 1), ("route support", 1)]


async def test_each_field_keeps_its_last_word_and_an_edit_keeps_them_all(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, "bug 3"))
    await correct(triage, "a", intent="idea")
    await correct(triage, "a", conduct="abusive")
    await correct(triage, "a", intent="question", routes=["product"])
    await triage.fold(plain_item("a", 0, "praise 1 edited", revision=2))
    found = (await triage.http.get(f"/v1/feedback/{ids.feedback_id('forum', 'a')}")).json()
    assert (found["intent"], found["conduct"], found["routes"], found["severity"]) == ("question", "abusive", ["product"], 1)
    assert {name: each["was"] for name, each in found["corrections"].items()} == {
        "intent": "praise",
        "conduct": "ok",
        "routes": ["community"],
    }
    gone = plain_item("a", 0, revision=3, withdrawn=True)
    await triage.fold(gone)
    assert (await correct(triage, "a", status=409, intent="bug"))["code"] == "item-gone"


async def test_a_correction_makes_no_case_of_a_brands_thread(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("ours", 0, "praise 1", brand_speaks=True))
    await correct(triage, "ours", intent="other")
    assert (await triage.http.get(f"/v1/cases/{case_of('ours')}")).status_code == 404


@pytest.mark.capability("C5")
async def test_items_and_corrections_in_any_order_give_the_same_rows(triage: TriageUnderTest) -> None:
    items = [plain_item("a", 0, "praise 1"), plain_item("b", 1, "bug 3", to="a"), plain_item("a", 0, "praise 1 more", talk="x", revision=2)]
    await triage.fold(*items[:2])
    await correct(triage, "a", intent="complaint")
    await correct(triage, "b", routes=[])
    await correct(triage, "a", intent="bug", conduct="spam")
    await triage.fold(items[2])
    acts = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    expected = await rows_of(triage.runtime.pool)
    batches = [
        Batch(Topic.FEEDBACK_RECEIVED, 0, [_record(n, ITEMS.write(i.feedback_id, f"{n}", i, time="2026-01-01T00:00:00Z"))])
        for n, i in enumerate(items)
    ] + [Batch(Topic.ACTION_TAKEN, 0, [_record(n, act)]) for n, act in enumerate(acts)]
    stage, pool = triage.wiring.stage, triage.runtime.pool
    for number, order in enumerate(permutations(range(len(batches)))):
        if number % 48:
            continue  # fifteen of the 720 orders, spread evenly
        await pool.execute(Queries.load("earshot_triage")["reset_views"])
        for at in order:
            prepared = await stage.prepare([batches[at]])
            async with triage.runtime.writer.transaction() as tx:
                await stage.fold(tx, prepared)
        assert await rows_of(pool) == expected, order


def _record(offset: int, message: Any) -> StoredRecord:
    return StoredRecord("t", 0, offset, message.key, message.value)


async def test_a_correction_is_an_action_and_counts_once(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, "praise 1"))
    one = await correct(triage, "a", intent="bug", headers={"idempotency-key": "k"})
    assert await correct(triage, "a", intent="bug", headers={"idempotency-key": "k"}) == one
    told = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    (action,) = [decode_action(envelope.decode(message.value or b"").data) for message in told]
    assert (action.verb, action.subject, json.loads(bytes(action.arguments))) == (
        "correct",
        ids.feedback_id("forum", "a"),
        {"intent": "bug"},
    )
    said = len(await triage.said())
    await triage.fold_records(Topic.ACTION_TAKEN, [_record(0, told[0])])
    assert len(await triage.said()) == said


async def test_corrections_are_listed_with_their_words_by_pages(triage: TriageUnderTest) -> None:
    await triage.fold(*(plain_item(f"n{n}", n, f"praise 1 word{n}") for n in range(5)), plain_item("bolt", 9, "bug 2", brand="Bolt"))
    for n in range(5):
        await correct(triage, f"n{n}", intent="complaint", reason='so says "verb":"correct"')
    await correct(triage, "bolt", routes=["product"])
    await triage.fold(plain_item("n0", 0, revision=2, withdrawn=True))
    found, cursor = [], None
    for _ in range(9):
        page = (await triage.http.get("/v1/corrections", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(each["text"] for each in found) == ["bug 2", *(f"praise 1 word{n}" for n in range(1, 5))]
    bound = (await triage.http.get("/v1/corrections", headers=await triage.key(brands=["Bolt"]))).json()["items"]
    assert [(each["routes"], each["intent"]) for each in bound] == [(["product"], None)]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        pytest.param({}, 422, "invalid", id="nothing"),
        pytest.param({"intent": "rage"}, 422, "invalid", id="no intent"),
        pytest.param({"conduct": "rude"}, 422, "invalid", id="no conduct"),
        pytest.param({"routes": ["nowhere"]}, 422, "team-unknown", id="no team"),
        pytest.param({"intent": "bug", "odd": 1}, 422, "unknown-field", id="unknown field"),
    ],
)
async def test_wrong_corrections_are_refused(triage: TriageUnderTest, said: Any, status: int, code: str) -> None:
    await triage.fold(plain_item("a", 0))
    before = len(await triage.said())
    assert (await correct(triage, "a", status=status, **said))["code"] == code
    assert (await correct(triage, "nobody", status=404, intent="bug"))["code"] == "not-found"
    bound = await triage.key(scopes=("triage:write",), brands=["Bolt"])
    assert (await correct(triage, "a", status=404, headers=bound, intent="bug"))["code"] == "not-found"
    assert len(await triage.said()) == before
