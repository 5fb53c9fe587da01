"""Ingest with a broker: what is answered with 202 reaches the topic, and our replies come in by the topic of actions."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiokafka
import pytest

from earshot_ingest.stage import OUTPUTS
from earshot_shared import envelope
from earshot_shared.actions import ActionWriter, Actor, new_action
from earshot_shared.item import decode_item
from earshot_shared.migrations import migrate_all
from earshot_shared.replies import RespondArguments
from earshot_shared.topics import Topic
from earshot_shared.topics_admin import apply_topics
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, running_ingest
from support.topics import read_topic

DEADLINE_S = 40.0


async def settled(ingest: IngestUnderTest, **wanted: int) -> dict[str, Any]:
    """Wait until the statistics say nothing waits, and what is wanted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            stats: dict[str, Any] = (await ingest.http.get("/v1/stats")).json()
            if stats["lag"] == stats["unpublished"] == 0 and wanted.items() <= stats.items():
                return stats
            await asyncio.sleep(0.05)


@pytest.mark.capability("L1")
async def test_accepted_items_are_published_and_replies_come_in(
    kafka_bootstrap: str, topic_prefix: str, fresh_database: FreshDatabase
) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    async with running_ingest(dsn, kafka=kafka_bootstrap, prefix=topic_prefix) as ingest:
        answer = await ingest.http.post("/v1/feedback/batch", json={"items": [an_item(str(n)) for n in range(20)]})
        await ingest.http.post("/v1/feedback?backfill=true", json=an_item("old", occurred_at="2019-01-01T00:00:00Z"))
        subject = answer.json()["items"][0]["feedback_id"]
        action = new_action(
            action_id=uuid4(), service="triage", actor=Actor("first"), verb="respond", subject=subject, at=datetime.now(UTC),
            arguments=RespondArguments(text="It is on its way.", channel="forum", brand="acme"),
        )  # fmt: skip
        message = ActionWriter("triage").write(action)
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
        await producer.start()
        for _ in range(2):
            await producer.send_and_wait(Topic.ACTION_TAKEN.full_name(topic_prefix), key=message.key, value=message.value)
        await producer.stop()
        await settled(ingest, accepted=22, duplicates=1)
    received = await read_topic(kafka_bootstrap, topic_prefix, OUTPUTS[0])
    backfilled = await read_topic(kafka_bootstrap, topic_prefix, OUTPUTS[1])
    assert (len(received), len(backfilled)) == (21, 1)
    items = [decode_item(envelope.decode(record.value).data) for record in received]
    reply = next(item for item in items if item.source == "earshot")
    assert (reply.text, reply.parents, reply.author_key) == ("It is on its way.", (subject,), "forum:earshot:acme")
    assert reply.author.on_behalf_of_brand


@pytest.mark.parametrize("path", ["/v1/stats", "/v1/feedback/00000000-0000-5000-8000-000000000000"])
async def test_nobody_reads_without_a_key(path: str, fresh_database: FreshDatabase) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate_all)
    async with running_ingest(dsn) as ingest:
        assert (await ingest.http.get(path, headers={"authorization": ""})).status_code == 401
