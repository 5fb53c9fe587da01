"""A log that is lost or older than what we know: found, remembered, mended; on a real Kafka and a real Postgres."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import asyncpg
import pytest
from confluent_kafka.admin import AdminClient

from earshot_shared import kafka
from earshot_shared.errors import FatalError
from earshot_shared.messages import Message
from earshot_shared.pipeline import positions
from earshot_shared.pipeline.regrounding import find_losses, reground
from earshot_shared.pipeline.replay import Replay, run_replay
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.topics import Topic
from earshot_shared.topics_admin import apply_topics
from integration.shared.test_pipeline import DEADLINE_S, counts, ground, produce, read_all, running, settled, until
from support.echo_stage import CountingStage

__all__ = ["ground"]  # the fixture of the pipeline's tests


async def lose_the_log(ground: Ground) -> None:
    """Delete every topic and make it anew, empty."""
    admin = AdminClient({"bootstrap.servers": ground.kafka_bootstrap, "log_level": 0})
    names = [topic.full_name(ground.topic_prefix) for topic in Topic]

    def delete() -> None:
        for future in admin.delete_topics(names, operation_timeout=10).values():
            future.result()

    await asyncio.to_thread(delete)

    async def there() -> set[str]:
        return set(names) & set((await asyncio.to_thread(admin.list_topics, timeout=10)).topics)

    async def all_gone() -> bool:
        return not await there()

    async def all_back() -> bool:
        return await there() == set(names)

    await until(all_gone, "topics gone")
    await apply_topics(ground.kafka_bootstrap, ground.topic_prefix)
    await until(all_back, "topics back")


async def stopped_by(ground: Ground) -> FatalError:
    """Start the service and return what it says when it stops."""
    runtime = await Runtime.open(ground, stage=lambda _: CountingStage(), outputs=[Topic.CASE_CHANGED, Topic.ACTION_TAKEN])
    tasks = [asyncio.create_task(run(), name=name) for name, run in runtime.tasks().items()]
    done, left = await asyncio.wait(tasks, timeout=DEADLINE_S, return_when=asyncio.FIRST_EXCEPTION)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await runtime.close()
    assert done, "the service goes on"
    error = done.pop().exception()
    assert isinstance(error, FatalError)
    return error


async def test_a_lost_log_stops_the_service_until_it_begins_anew(ground: Ground) -> None:
    await produce(ground, [(f"k{n % 5}", b"x") for n in range(20)])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
    await lose_the_log(ground)

    assert "republish" in (await stopped_by(ground)).detail
    # Somebody writes to the short log until it is longer than our positions: what was found once stays found.
    await produce(ground, [(f"k{n % 5}", b"y") for n in range(100)])
    assert "republish" in (await stopped_by(ground)).detail
    assert set(await find_losses(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix)) == {"triage"}
    with pytest.raises(FatalError, match="republish"):
        await run_again(ground)

    losses = await reground(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix)
    assert set(losses) == {"triage"}
    assert await find_losses(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix) == {}
    with pytest.raises(FatalError, match="still saying again"):
        await run_again(ground)
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled on the new log")
        assert await counts(runtime) == {f"k{n}": 24 for n in range(5)}
    last = {record.key.decode(): json.loads(record.value) for record in await read_all(ground, Topic.CASE_CHANGED)}
    assert {key: body["n"] for key, body in last.items()} == {f"k{n}": 24 for n in range(5)}
    assert await reground(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix) == {}, "sound ground is left alone"


async def test_facts_that_no_view_holds_are_told_again(ground: Ground) -> None:
    async with speaking(ground) as runtime:
        async with runtime.writer.transaction() as tx:
            tx.tell_facts([Message(Topic.ACTION_TAKEN, b"a1", b"one"), Message(Topic.ACTION_TAKEN, b"a2", b"two")])
        async with runtime.writer.transaction() as tx:
            tx.tell_facts([Message(Topic.ACTION_TAKEN, b"a2", None)])
        await until(lambda: settled(runtime), "said")
    assert [record.value for record in await read_all(ground, Topic.ACTION_TAKEN) if record.key == b"a2"] == [b"two", None]
    await lose_the_log(ground)
    assert await reground(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix)
    async with speaking(ground) as runtime:
        await until(lambda: settled(runtime), "said again")
    assert [(record.key, record.value) for record in await read_all(ground, Topic.ACTION_TAKEN)] == [(b"a1", b"one")]


async def test_letters_of_a_lost_log_are_kept_and_tried_again(ground: Ground) -> None:
    await produce(ground, [("bad", b"poison"), ("odd", b"crash")])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
    await lose_the_log(ground)
    await produce(ground, [("new", b"poison")])  # takes a place that a letter had
    assert await reground(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix)
    async with running(ground, CountingStage()) as runtime:

        async def letters() -> bool:
            rows = await runtime.pool.fetch("select value, retry_requested_at from dead_letters order by key")
            return [tuple(row) for row in rows] == [(b"poison", None), (b"poison", None), (b"crash", None)]

        await until(letters, "all three, tried again")


def speaking(ground: Ground) -> Any:
    """Run a service that tells actions too."""
    return running(ground, CountingStage(), outputs=[Topic.CASE_CHANGED, Topic.ACTION_TAKEN])


async def run_again(ground: Ground) -> None:
    wanted = Replay(service="triage", package="earshot_triage")
    await run_replay(
        wanted, dsn=ground.postgres_dsn, bootstrap=ground.kafka_bootstrap, prefix=ground.topic_prefix, progress=lambda _done, _total: None
    )


async def test_a_replay_that_would_lose_items_is_refused(ground: Ground) -> None:
    await produce(ground, [("k", b"x")])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
    conn = await asyncpg.connect(ground.postgres_dsn, server_settings={"search_path": ground.schema})
    await conn.execute("insert into feedback select gen_random_uuid(), null, 1, false, 1, '', '', '' from generate_series(1, 3)")
    await conn.close()
    with pytest.raises(FatalError, match="would lose the others"):
        await run_again(ground)


async def test_a_system_that_goes_on_meanwhile_has_lost_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    look = kafka.survey

    async def look_and_hear_more(consumer: Any, topics: Iterable[str]) -> positions.Ground:
        monkeypatch.setattr(kafka, "survey", look)  # the service's own looks are as ever
        seen = await look(consumer, topics)
        await produce(ground, [(f"k{n}", b"x") for n in range(20)])
        await until(lambda: settled(runtime), "positions beyond what was seen")
        return seen

    await produce(ground, [(f"k{n}", b"x") for n in range(20)])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
        monkeypatch.setattr(kafka, "survey", look_and_hear_more)
        assert await find_losses(ground.postgres_dsn, ground.kafka_bootstrap, ground.topic_prefix) == {}
        monkeypatch.setattr(kafka, "survey", look_and_hear_more)
        await run_again(ground)
        await until(lambda: settled(runtime), "settled again")
        rows = await runtime.pool.fetch("select next_offset, replay_until from positions")
        assert all(row["replay_until"] == row["next_offset"] for row in rows), "what was applied while we looked is nothing new either"
        assert await counts(runtime) == {f"k{n}": 6 for n in range(20)}, "all three, and each once more"
