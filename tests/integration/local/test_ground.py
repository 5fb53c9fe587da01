"""The servers that every integration test stands on."""

import time

import asyncpg
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from support.ground import FreshDatabase


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("create table migrated (step int)")
    await connection.close()


async def test_a_fresh_database_is_migrated_and_alone(fresh_database: FreshDatabase) -> None:
    first, second, empty = fresh_database(_migrate), fresh_database(_migrate), fresh_database()
    assert first != second

    connection = await asyncpg.connect(first)
    await connection.execute("insert into migrated values (1)")
    await connection.close()
    connection = await asyncpg.connect(second)
    assert await connection.fetchval("select count(*) from migrated") == 0
    await connection.close()
    connection = await asyncpg.connect(empty)
    assert await connection.fetchval("select to_regclass('migrated')") is None
    await connection.close()


def test_topics_are_made_on_the_broker(kafka_bootstrap: str, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    for future in admin.create_topics([NewTopic(f"{topic_prefix}.one", 2, 1)]).values():
        future.result(30)
    deadline = time.monotonic() + 30  # the broker answers before its own view of the new topic is complete
    while len(admin.list_topics(topic=f"{topic_prefix}.one", timeout=10).topics[f"{topic_prefix}.one"].partitions) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
