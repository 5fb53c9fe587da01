"""Brings Kafka's topics to the wanted state: creates what is missing, sets what may be set, never changes a partition count.

Owns topic configuration. Idempotent; safe to run from two places at once.
"""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from earshot_shared import kafka
from earshot_shared.topics import DEFAULT_PREFIX, MAX_MESSAGE_BYTES, Topic, TopicSpec

_MAX_COMPACTION_LAG_MS = 7 * 24 * 3600 * 1000
_SEGMENT_MS = 24 * 3600 * 1000


def topic_config(spec: TopicSpec) -> dict[str, str]:
    """Return the topic's settings as Kafka names them."""
    config = {"max.message.bytes": str(MAX_MESSAGE_BYTES), "compression.type": "producer"}
    if spec.compacted:
        config |= {
            "cleanup.policy": "compact",
            "max.compaction.lag.ms": str(_MAX_COMPACTION_LAG_MS),
            "segment.ms": str(_SEGMENT_MS),
            "min.cleanable.dirty.ratio": "0.5",
            "delete.retention.ms": str(_MAX_COMPACTION_LAG_MS),
        }
    else:
        config |= {"cleanup.policy": "delete", "retention.ms": str(spec.retention_ms)}
    return config


async def apply_topics(bootstrap: str, prefix: str = DEFAULT_PREFIX, *, replication: int = 1) -> list[str]:
    """Bring every topic to its wanted state; return the names of those that were created.

    Raises: RetryableError when Kafka does not answer, FatalError when it refuses.
    """
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="earshot-topics", request_timeout_ms=20_000)
    await kafka.start_admin(admin)
    try:
        with kafka.translated():
            existing = set(await admin.list_topics())
            missing = [topic for topic in Topic if topic.full_name(prefix) not in existing]
            created = await _create(admin, missing, prefix, replication)
            await admin.alter_configs(
                [
                    ConfigResource(ConfigResourceType.TOPIC, topic.full_name(prefix), configs=topic_config(topic.value))
                    for topic in Topic
                    if topic not in missing
                ]
            )
        return created
    finally:
        await admin.close()


async def _create(admin: Any, missing: list[Topic], prefix: str, replication: int) -> list[str]:
    if not missing:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(topic.full_name(prefix), topic.value.partitions, replication, topic_configs=topic_config(topic.value))
            for topic in missing
        ]
    )
    already = 36  # Kafka's TOPIC_ALREADY_EXISTS: somebody else was quicker
    created = []
    for name, code, *rest in answer.topic_errors:
        if code == 0:
            created.append(name)
        elif code != already:
            raise kafka.refused(f"Kafka would not create {name} (code {code}{': ' + rest[0] if rest and rest[0] else ''}).")
    return created
