"""crm-sync on a real Kafka and a real Postgres: items, contacts and words in, customers out; the last record of each key is its state."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiokafka
import pytest

from earshot_shared.messages import Message
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.replay import Replay, run_replay
from earshot_shared.topics import Topic, partition_of
from earshot_shared.topics_admin import apply_topics
from support.crm_ground import Bench, contact, item, record_of, running, snapshot, standing, triaged
from support.topics import read_topic

DEADLINE_S = 60.0


async def produce(bootstrap: str, prefix: str, messages: list[Message]) -> None:
    """Publish messages where a service would."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for topic, key, value in messages:
            await producer.send(topic.full_name(prefix), key=key, value=value, partition=partition_of(key, topic.value.partitions))
        await producer.flush()
    finally:
        await producer.stop()


async def last_of_each_key(bootstrap: str, prefix: str, topic: Topic) -> dict[str, Any]:
    """Return the last body of every key; None for a tombstone."""
    records = await read_topic(bootstrap, prefix, topic)
    return {each.key.decode(): None if each.value is None else json.loads(each.value)["data"] for each in records}


async def eventually(check: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until a condition holds, or fail in words."""
    deadline = time.monotonic() + DEADLINE_S
    while not await check():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        await asyncio.sleep(0.05)


@pytest.mark.capability("C1")
@pytest.mark.capability("C5")
async def test_customers_are_told_and_a_replay_rebuilds_them(kafka_bootstrap: str, topic_prefix: str, fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    mail = "anna@example.org"
    told = [
        item("a", id="1", name="Anna", mail=mail),
        item("b", at=1, id="2", channel="shop", mail=mail),
        item("c", at=2, id="3", channel="x", name="Carl"),
    ]
    messages = [Message(Topic.FEEDBACK_TRIAGED, each.key or b"", each.value) for each in map(triaged, [*told, told[0]])]
    messages.append(standing("forum:1", tier="helper"))
    async with running(dsn, kafka_bootstrap, topic_prefix) as service:
        await produce(kafka_bootstrap, topic_prefix, messages)

        async def settled() -> bool:
            stats = await service.get("/v1/stats")
            return bool(stats["feedback"] == 3 and stats["lag"] == 0 and stats["unpublished"] == 0)

        await eventually(settled, "three items applied and told")
        record = {"connector": "crm", "record_id": "0031", "updated_at": "2024-05-01T12:30:00Z", "name": "Anna Schmidt", "email": mail}
        await service.send("POST", "/v1/contacts", record)
        one, other = [(await service.get(f"/v1/feedback/{each.feedback_id}"))["customer_id"] for each in (told[0], told[2])]
        await service.send("POST", f"/v1/customers/{one}/merge", {"other": other}, earshot_actor="Pat")
        await eventually(settled, "a contact and a merge told")
        before = await snapshot(service.ground)
        await _agrees(kafka_bootstrap, topic_prefix, service.ground, before)
        stats = await service.get("/v1/stats")
        assert (stats["customers"], stats["contacts"]) == (1, 1)
        assert before["views"][one]["recognition"] == [{"author_key": "forum:1", "tier": "helper", "badges": [], "advocate_stage": None}]
        wanted = Replay(service="crm-sync", package="earshot_crm_sync")
        await run_replay(wanted, dsn=dsn, bootstrap=kafka_bootstrap, prefix=topic_prefix, progress=lambda done, total: None)
        await eventually(settled, "everything folded anew")
        assert await snapshot(service.ground) == before
        await _agrees(kafka_bootstrap, topic_prefix, service.ground, before)


async def _agrees(bootstrap: str, prefix: str, ground: Bench, found: dict[str, Any]) -> None:
    """The topic's last record of every key is what the store says."""
    last = await last_of_each_key(bootstrap, prefix, Topic.CUSTOMER_CHANGED)
    living = {key: {**body, "version": 0} for key, body in last.items() if body is not None and "merged_into" not in body}
    assert living == found["views"]
    for key, body in last.items():
        if body is not None and "merged_into" in body:
            assert found["holders"][key] in living
    contacts = await last_of_each_key(bootstrap, prefix, Topic.CONTACT_RECEIVED)
    assert [body["revision"] for body in contacts.values()] == [1]


async def test_standings_are_shown_when_they_change_and_are_silent_else(ground: Bench) -> None:
    await ground.tell(item("a", id="1"), item("b", id="2"))
    assert len((await ground.fold(record_of(standing("forum:1", tier="helper", version=3)))).messages) == 1
    assert (await ground.fold(record_of(standing("forum:1", tier="helper", version=4)))).messages == []
    assert (await ground.fold(record_of(standing("forum:1", tier="member", version=2)))).messages == []
    ground.stage.forget()
    assert (await ground.fold(record_of(standing("forum:1", tier="helper", version=5)))).messages == []
    (told,) = (await ground.fold(record_of(standing("forum:1", tier="expert", version=6)))).messages
    assert told.value is not None
    assert json.loads(told.value)["data"]["recognition"][0]["tier"] == "expert"


async def test_a_standing_that_comes_before_the_first_item_is_shown_with_it(ground: Bench) -> None:
    await ground.fold(contact("0031", name="Anna"))
    await ground.fold(record_of(standing("forum:1", tier="helper")))
    await ground.tell(item("a", id="1"))
    view = next(each for each in ground.customers() if each["feedback_count"])
    assert view["recognition"][0]["tier"] == "helper"
