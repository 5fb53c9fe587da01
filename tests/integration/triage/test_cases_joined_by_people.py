"""People make one case of two and take it back; a case goes on in private; lists tell how a case began."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import pytest

from earshot_shared import ids
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


async def act(triage: TriageUnderTest, name: str, verb: str, status: int = 200, headers: Any = None, **body: Any) -> Any:
    answer = await triage.http.post(f"/v1/cases/{case_of(name)}/{verb}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def get_case(triage: TriageUnderTest, name: str) -> Any:
    answer = await triage.http.get(f"/v1/cases/{case_of(name)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(case: Any) -> list[str]:
    return [message["text"] for message in case["messages"]]


async def newest(triage: TriageUnderTest, topic: Topic) -> dict[str, Any]:
    return {each.key.decode(): json.loads(each.value or b"null") for each in await triage.said() if each.topic is topic}


@pytest.mark.capability("T13")
@pytest.mark.capability("T35")
async def test_two_cases_become_one_and_part_again(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 5, "complaint 2 by mail", channel="mail"), plain_item("b", 1, "bug 3 in the forum"))
    merged = await act(triage, "a", "merge", other=case_of("b"), reason="one customer", headers={"earshot-actor": "Ann"})
    assert merged["case_id"] == case_of("b")
    one = await get_case(triage, "a")
    assert (texts(one), one["priority"]) == (["bug 3 in the forum", "complaint 2 by mail"], 3)
    assert [(each["verb"], each["actor"]) for each in one["history"]] == [("merge", "Ann")]
    told = (await newest(triage, Topic.CASE_CHANGED))[case_of("a")]["data"]
    assert (told["id"], told["merged_into"]) == (case_of("a"), case_of("b"))
    assert (await newest(triage, Topic.FEEDBACK_TRIAGED))[ids.feedback_id("forum", "a")]["data"]["case_id"] == case_of("b")
    assert (await act(triage, "b", "merge", status=409, other=case_of("a")))["code"] == "already-one"

    await triage.fold(plain_item("c", 9, "complaint 1 again", to="a"))
    assert texts(await get_case(triage, "b"))[-1] == "complaint 1 again"
    await act(triage, "b", "unmerge", merge=merged["action_id"])
    assert texts(await get_case(triage, "b")) == ["bug 3 in the forum"]
    assert texts(await get_case(triage, "a")) == ["complaint 2 by mail", "complaint 1 again"]
    assert (await act(triage, "b", "unmerge", status=404))["code"] == "not-found"
    assert (await act(triage, "a", "unmerge", status=404, merge=merged["action_id"]))["code"] == "not-found"


async def test_what_cannot_be_merged_is_refused(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 1, brand="Bolt"), plain_item("gone", 2))
    await triage.fold(plain_item("gone", 2, revision=2, withdrawn=True))
    said = len(await triage.said())
    await act(triage, "a", "merge", status=404, other=case_of("nobody"))
    await act(triage, "a", "merge", status=410, other=case_of("gone"))
    await act(triage, "a", "merge", status=409, other=case_of("a"))
    await act(triage, "a", "merge", status=422, other="b")
    bound = await triage.key(scopes=("triage:write",), brands=["Acme"])
    await act(triage, "a", "merge", status=404, other=case_of("b"), headers=bound)
    assert len(await triage.said()) == said


@pytest.mark.capability("C5")
async def test_items_merges_and_partings_in_any_order_give_the_same_rows(triage: TriageUnderTest) -> None:
    items = [plain_item("a", 5), plain_item("b", 1, "bug 3"), plain_item("c", 9, to="a"), plain_item("d", 0, "idea 1")]
    await triage.fold(*items)
    first = await act(triage, "a", "merge", other=case_of("b"))
    await act(triage, "d", "merge", other=case_of("c"))
    await act(triage, "a", "unmerge", merge=first["action_id"])
    pool, stage = triage.runtime.pool, triage.wiring.stage
    expected = await rows_of(pool)
    acts = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    facts = [(Topic.FEEDBACK_RECEIVED, ITEMS.write(i.feedback_id, "e", i, time="2026-01-01T00:00:00Z")) for i in items]
    facts += [(Topic.ACTION_TAKEN, message) for message in acts]
    batches = [Batch(topic, 0, [StoredRecord("t", 0, 0, each.key, each.value)]) for topic, each in facts]
    for number, order in enumerate(permutations(range(len(batches)))):
        if number % 336:
            continue  # fifteen of the 5,040 orders, spread evenly
        await pool.execute(Queries.load("earshot_triage")["reset_views"])
        for at in order:
            prepared = await stage.prepare([batches[at]])
            async with triage.runtime.writer.transaction() as tx:
                await stage.fold(tx, prepared)
        assert await rows_of(pool) == expected, order
    await pool.execute(Queries.load("earshot_triage")["reset_views"])
    prepared = await stage.prepare(batches)
    async with triage.runtime.writer.transaction() as tx:
        await stage.fold(tx, prepared)
    assert await rows_of(pool) == expected


@pytest.mark.capability("T12")
async def test_a_case_goes_on_in_private(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    moved = await act(triage, "a", "move-private", text="We have written to you.")
    assert moved["private"] is True
    await act(triage, "a", "respond", text="Your order number is 7.")
    case = await get_case(triage, "a")
    assert texts(case) == ["complaint 2", "We have written to you.", "Your order number is 7."]
    assert sorted(each["verb"] for each in case["history"]) == ["move-private", "respond", "respond"]
    rows = await triage.runtime.pool.fetch("select item from feedback where key <> $1", case_of("a"))
    replies = {item["text"]: item for item in (json.loads(row["item"]) for row in rows)}
    assert replies["We have written to you."].get("visibility", "public") == "public"
    private = replies["Your order number is 7."]
    assert (private["visibility"], private["parents"]) == ("private", [ids.feedback_id("forum", "a")]), "both halves hang together"
    told = (await newest(triage, Topic.CASE_CHANGED))[case_of("a")]["data"]
    assert told["private"] is True


async def test_lists_tell_how_a_case_began(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, "question 1 " + "long " * 80), plain_item("first", -1, "praise 1 ours", brand_speaks=True))
    await triage.fold(*(plain_item(f"r{n}", 1 + n, "bug 1", to="a") for n in range(25)), plain_item("b", 50, "bug 2 short"))
    listed = (await triage.http.get("/v1/cases")).json()["items"]
    assert listed[0]["excerpt"] == "bug 2 short"
    assert listed[1]["excerpt"].startswith("question 1 long long")
    assert len(listed[1]["excerpt"]) <= 200
    assert (await triage.http.get("/v1/questions")).json()["items"][0]["excerpt"] == listed[1]["excerpt"]
