"""Triage on a real Kafka and a real Postgres: items in, decisions, feeds and cases out, each once."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiokafka
import asyncpg
import pytest

from earshot_shared import ids
from earshot_shared.item import Item
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.replay import Replay, run_replay
from earshot_shared.topics import Topic, partition_of
from earshot_shared.topics_admin import apply_topics
from support.topics import read_topic
from support.triage import running_triage
from support.triage_world import ITEMS, plain_item, rows_of

DEADLINE_S = 40.0


async def produce(bootstrap: str, prefix: str, items: list[Item]) -> None:
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        name = Topic.FEEDBACK_RECEIVED.full_name(prefix)
        for each in items:
            message = ITEMS.write(each.feedback_id, f"{each.feedback_id}.{each.revision}", each, time="2026-03-01T00:00:00Z")
            await producer.send(name, key=message.key, value=message.value, partition=partition_of(message.key, 6))
        await producer.flush()
    finally:
        await producer.stop()


async def read_all(bootstrap: str, prefix: str, topic: Topic) -> list[tuple[str, Any]]:
    """Return (key, body) of every record of a topic, None for a tombstone."""
    records = await read_topic(bootstrap, prefix, topic)
    return [(each.key.decode(), None if each.value is None else json.loads(each.value)["data"]) for each in records]


async def eventually(check: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until a condition holds, or fail in words."""
    deadline = time.monotonic() + DEADLINE_S
    while not await check():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        await asyncio.sleep(0.05)


@pytest.mark.capability("T4")
async def test_items_become_decisions_feeds_and_cases(kafka_bootstrap: str, topic_prefix: str, fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    question = plain_item("q", 0, "question 2")
    answer = plain_item("a", 5, "Like this.", brand_speaks=True, to="q")
    bug = plain_item("b", 1, "bug 3")
    async with running_triage(dsn, kafka=kafka_bootstrap, prefix=topic_prefix) as triage:
        await produce(kafka_bootstrap, topic_prefix, [answer, bug, question, bug])

        async def settled() -> bool:
            stats = (await triage.http.get("/v1/stats")).json()
            return bool(stats["feedback"] == 3 and stats["lag"] == 0 and stats["unpublished"] == 0)

        await eventually(settled, "three items applied and told")
        stats = (await triage.http.get("/v1/stats")).json()
        assert stats["cases"] == 2
        assert sum(stats["position"].values()) == 4
        case_id = ids.case_id(question.feedback_id)
        case = (await triage.http.get(f"/v1/cases/{case_id}")).json()
        assert case["status"] == "waiting"
        assert [message["feedback_id"] for message in case["messages"]] == [question.feedback_id, answer.feedback_id]
        alias = ids.case_id(answer.feedback_id)
        assert (await triage.http.get(f"/v1/cases/{alias}")).json()["case_id"] == case_id
    triaged = await read_all(kafka_bootstrap, topic_prefix, Topic.FEEDBACK_TRIAGED)
    newest = dict(sorted(triaged, key=lambda each: each[1]["version"]))
    assert newest.keys() == {question.feedback_id, answer.feedback_id, bug.feedback_id}
    assert newest[answer.feedback_id]["case_id"] == case_id
    told = dict(sorted(await read_all(kafka_bootstrap, topic_prefix, Topic.CASE_CHANGED), key=lambda each: each[1]["version"]))
    assert told[case_id]["first_response_at"] == "2026-03-01T00:05:00Z"
    support = await read_all(kafka_bootstrap, topic_prefix, Topic.FEEDBACK_SUPPORT)
    assert {key for key, _ in support} == {question.feedback_id, bug.feedback_id}


async def test_a_replay_is_tried_again_when_a_reader_was_in_its_way(kafka_bootstrap: str, topic_prefix: str, fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    async with running_triage(dsn, kafka=kafka_bootstrap, prefix=topic_prefix) as triage:
        await produce(kafka_bootstrap, topic_prefix, [plain_item(f"n{n}", n, "question 2") for n in range(5)])

        async def settled() -> bool:
            stats = (await triage.http.get("/v1/stats")).json()
            return bool(stats["feedback"] == 5 and stats["lag"] == 0 and stats["unpublished"] == 0)

        async def waits() -> bool:
            query = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%truncate%')"
            return bool(await triage.runtime.pool.fetchval(query))

        await eventually(settled, "five items applied and told")
        wanted = Replay(service="triage", package="earshot_triage")
        async with triage.runtime.pool.acquire() as reader, reader.transaction():
            await reader.execute("lock table threads in access share mode")
            replay = asyncio.create_task(
                run_replay(wanted, dsn=dsn, bootstrap=kafka_bootstrap, prefix=topic_prefix, progress=lambda done, of: None)
            )
            await eventually(waits, "the replay waits for the reader")
            with contextlib.suppress(asyncpg.DeadlockDetectedError):  # on a slow machine it is the reader that Postgres ends
                await reader.execute("lock table feedback in access share mode")
        assert await replay == 5
        await eventually(settled, "all folded anew")


@pytest.mark.capability("C5")
async def test_a_replay_gives_the_same_rows_ids_and_acts(kafka_bootstrap: str, topic_prefix: str, fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    items = [plain_item(f"n{n}", n, "question 2", talk=f"t{n % 7}", brand_speaks=n % 3 == 2) for n in range(60)]
    gone = [plain_item(f"n{n}", n, revision=2, withdrawn=True) for n in range(0, 60, 9)]
    async with running_triage(dsn, kafka=kafka_bootstrap, prefix=topic_prefix) as triage:
        await produce(kafka_bootstrap, topic_prefix, items + gone)

        async def settled() -> bool:
            stats = (await triage.http.get("/v1/stats")).json()
            return bool(stats["feedback"] >= 60 and stats["lag"] == 0 and stats["unpublished"] == 0)

        async def replay(round_: int) -> None:
            wanted = Replay(service="triage", package="earshot_triage")
            events = await run_replay(wanted, dsn=dsn, bootstrap=kafka_bootstrap, prefix=topic_prefix, progress=lambda done, of: None)
            assert events == len(items) + len(gone) + 3 + len(wide), round_

        await eventually(settled, "sixty items applied and told")
        cases = (await triage.http.get("/v1/cases")).json()["items"]
        for case, (verb, body) in zip(cases, [("respond", {"text": "Here."}), ("resolve", {}), ("note", {"text": "x"})], strict=False):
            assert (await triage.http.post(f"/v1/cases/{case['case_id']}/{verb}", json=body)).status_code == 200
        wide = [
            ("POST", f"/v1/cases/{cases[3]['case_id']}/merge", {"other": cases[4]["case_id"]}),
            ("POST", f"/v1/feedback/{items[10].feedback_id}/correct", {"intent": "idea"}),
            ("PUT", "/v1/rules", {"rules": {"monitors": [{"name": "any", "any_of": ["question"], "topics": ["asked"]}]}}),
            ("POST", f"/v1/feedback/{items[13].feedback_id}/correct", {"conduct": "spam"}),
        ]
        for method, path, sent in wide:
            assert (await triage.http.request(method, path, json=sent)).status_code == 200, path
        await eventually(settled, "acts told and read back")
        await replay(1)  # by the rules that were put: what was decided before is decided anew
        await eventually(settled, "all decided by the rules that were put")
        before = await rows_of(triage.runtime.pool)
        versions = {case["case_id"]: case["version"] for case in (await triage.http.get("/v1/cases")).json()["items"]}
        await replay(2)
        await eventually(settled, "all told again")
        assert await rows_of(triage.runtime.pool) == before
        again = {case["case_id"]: case["version"] for case in (await triage.http.get("/v1/cases")).json()["items"]}
        assert again.keys() == versions.keys()
        assert all(again[case_id] > version for case_id, version in versions.items())
