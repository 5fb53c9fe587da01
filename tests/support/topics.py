"""Reads whole topics of a test's broker."""

from typing import Any

import aiokafka

from earshot_shared.topics import Topic


async def read_topic(bootstrap: str, prefix: str, topic: Topic) -> list[Any]:
    """Return every record of a topic, partition by partition in order."""
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [aiokafka.TopicPartition(topic.full_name(prefix), n) for n in range(topic.value.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records
    finally:
        await consumer.stop()
