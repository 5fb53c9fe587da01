"""The yardstick: a bare aiokafka loop on the same broker, in the same run.

Fixed for ever, so that figures compare: items of 442 bytes of JSON; ``json.loads``, one field changed, ``json.dumps``, ``send()`` with the
default partitioner, awaited and committed per ``getmany``.
"""

import asyncio
import json
import time
from typing import Any

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from earshot_shared.bench.load import ITEM_BYTES

PARTITIONS = 6
WARM_UP_RECORDS = 20_000


async def measure_hop(bootstrap: str, *, records: int = 120_000) -> float:
    """Return how many records a second the bare loop carries."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    topics = ["bench.yardstick.in", "bench.yardstick.out"]
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in topics])
        await _fill(bootstrap, topics[0], records + WARM_UP_RECORDS)
        return await _hop(bootstrap, *topics, records=records)
    finally:
        await admin.delete_topics(topics)
        await admin.close()


async def _fill(bootstrap: str, topic: str, records: int) -> None:
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=256 * 1024)
    await producer.start()
    try:
        item: dict[str, Any] = {"external_id": "0" * 12, "channel": "twitter", "text": ""}
        item["text"] = "x" * (ITEM_BYTES - len(json.dumps(item)))
        sent = []
        for number in range(records):
            item["external_id"] = f"{number:012d}"
            sent.append(await producer.send(topic, json.dumps(item).encode(), key=item["external_id"].encode()))
            if len(sent) >= 5000:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def _hop(bootstrap: str, source: str, target: str, *, records: int) -> float:
    consumer = aiokafka.AIOKafkaConsumer(
        source, bootstrap_servers=bootstrap, group_id="bench.yardstick", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap)
    await consumer.start()
    await producer.start()
    try:
        warm = await _carry(consumer, producer, target, WARM_UP_RECORDS)
        began = time.perf_counter()
        carried = await _carry(consumer, producer, target, WARM_UP_RECORDS + records - warm)
        return carried / (time.perf_counter() - began)
    finally:
        await producer.stop()
        await consumer.stop()


async def _carry(consumer: Any, producer: Any, target: str, records: int) -> int:
    carried = 0
    while carried < records:
        fetched = await consumer.getmany(timeout_ms=1000)
        sent = []
        for batch in fetched.values():
            for record in batch:
                item = json.loads(record.value)
                item["channel"] = "seen"
                sent.append(await producer.send(target, json.dumps(item).encode(), key=record.key))
        await asyncio.gather(*sent)
        await consumer.commit()
        carried += len(sent)
    return carried
