"""The loop, the writer and the relay on a real Kafka and a real Postgres."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiokafka
import asyncpg
import pytest

from earshot_shared.errors import FatalError
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline import loop, relay
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.topics import Topic, partition_of
from earshot_shared.topics_admin import apply_topics
from support.echo_stage import TABLE, CountingStage, tell
from support.topics import read_topic

DEADLINE_S = 30.0


@pytest.fixture
async def ground(kafka_bootstrap: str, topic_prefix: str, fresh_database: Any) -> Ground:
    """A migrated schema and topics of its own."""
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    ground = Ground(service="triage", kafka_bootstrap=kafka_bootstrap, postgres_dsn=dsn, topic_prefix=topic_prefix)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": ground.schema})
    await connection.execute(TABLE)
    await connection.close()
    return ground


@contextlib.asynccontextmanager
async def running(
    ground: Ground,
    stage: CountingStage,
    outputs: Sequence[Topic] = (Topic.CASE_CHANGED,),
    *,
    yields: Sequence[Topic] = (),
    looks_ahead: bool = False,
    gathers_s: float = 0.0,
    slice_records: int = loop.SLICE_RECORDS,
) -> AsyncIterator[Runtime]:
    """Run the loop and the relay until the block ends."""
    runtime = await Runtime.open(
        ground,
        stage=lambda _: stage,
        outputs=outputs,
        yields=yields,
        looks_ahead=looks_ahead,
        gathers_s=gathers_s,
        slice_records=slice_records,
    )
    tasks = [asyncio.create_task(run(), name=name) for name, run in runtime.tasks().items()]
    try:
        yield runtime
    finally:
        died = [error for task in tasks if task.done() and (error := task.exception())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runtime.close()
        for error in died:
            raise error


async def produce(ground: Ground, values: list[tuple[str, bytes]], topic: Topic = Topic.FEEDBACK_RECEIVED) -> None:
    """Put records on an input topic."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=ground.kafka_bootstrap)
    await producer.start()
    try:
        name = topic.full_name(ground.topic_prefix)
        for key, value in values:
            await producer.send(name, key=key.encode(), value=value)
        await producer.flush()
    finally:
        await producer.stop()


async def read_all(ground: Ground, topic: Topic) -> list[Any]:
    """Return every record of a topic, partition by partition in order."""
    return await read_topic(ground.kafka_bootstrap, ground.topic_prefix, topic)


async def until(check: Callable[[], Any], what: str) -> None:
    """Wait until a check (plain or awaitable) holds."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        answer = check()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"not within {DEADLINE_S:.0f} s: {what}")
        await asyncio.sleep(0.05)


async def settled(runtime: Runtime) -> bool:
    """Whether nothing waits to be applied or published."""
    stats = await runtime.stats()
    return bool(stats["lag"] == 0 and stats["unpublished"] == 0)


async def counts(runtime: Runtime) -> dict[str, int]:
    """Return the table of the stage."""
    return {row["key"]: row["n"] for row in await runtime.pool.fetch("select key, n from echo_counts")}


async def test_records_are_applied_once_and_the_last_word_is_the_newest(ground: Ground) -> None:
    values = [(f"k{n % 50}", b"x") for n in range(1000)]
    await produce(ground, values)
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
        assert await counts(runtime) == {f"k{n}": 20 for n in range(50)}
    async with running(ground, CountingStage()) as runtime:  # a restart applies nothing twice
        await produce(ground, values)
        await until(lambda: settled(runtime), "settled again")
        assert await counts(runtime) == {f"k{n}": 40 for n in range(50)}
    last = {record.key.decode(): json.loads(record.value) for record in await read_all(ground, Topic.CASE_CHANGED)}
    assert {key: body["n"] for key, body in last.items()} == {f"k{n}": 40 for n in range(50)}


async def test_poison_is_set_aside_and_its_neighbours_go_on(ground: Ground) -> None:
    await produce(ground, [("a", b"x"), ("b", b"poison"), ("c", b"crash"), ("a", b"x"), ("c", b"x")])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
        assert await counts(runtime) == {"a": 2, "c": 1}
        letters = await runtime.pool.fetch("select key, value, code from dead_letters order by key")
        assert [tuple(row) for row in letters] == [(b"b", b"poison", "test-poison"), (b"c", b"crash", "unexpected-failure")]
        assert runtime.loop is not None
        assert runtime.loop.state.ready


class _DyingStage(CountingStage):
    """Loses its connection once in the middle of a slice, and with it the slice that was prepared beside."""

    died = False

    async def fold(self, tx: Transaction, prepared: Any) -> None:
        await super().fold(tx, prepared)
        if self.folds > 3 and not self.died:
            self.died = True
            await tx.conn.execute("select pg_terminate_backend(pg_backend_pid())")


async def test_what_is_prepared_ahead_is_applied_once_whatever_comes_between(ground: Ground) -> None:
    odd = {n: b"poison" if n % 2 else b"crash" for n in range(50, 600, 130)}
    values = [(f"odd{n}" if n in odd else f"k{n % 50}", odd.get(n, b"x")) for n in range(600)]
    await produce(ground, values)
    stage = _DyingStage()
    async with running(ground, stage, looks_ahead=True, slice_records=20) as first:  # full ones, so that others are prepared beside them
        assert first.loop is not None
        state = first.loop.state
        await until(lambda: stage.died and state.retries > 0, "dead once")
        async with running(ground, CountingStage(), looks_ahead=True, slice_records=20):
            await produce(ground, values)
            await until(lambda: settled(first), "settled by two")
        await produce(ground, values)
        await until(lambda: settled(first), "settled by the one that stayed")
        assert await counts(first) == {f"k{n}": 3 * sum(key == f"k{n}" for key, _ in values) for n in range(50)}
        assert await first.pool.fetchval("select count(*) from dead_letters") == 3 * len(odd)
    assert sum(stage.sizes) > state.applied, "what was prepared beside a slice that failed is prepared again"


async def test_a_stage_for_which_nobody_waits_lets_records_gather(ground: Ground) -> None:
    async with running(ground, CountingStage(), gathers_s=1.0) as runtime:
        assert runtime.loop is not None
        await produce(ground, [("k", b"x")])
        await until(lambda: settled(runtime), "settled in")
        before = runtime.loop.state.slices
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=ground.kafka_bootstrap)
        await producer.start()
        try:
            for _ in range(30):  # taken as they come they would be about as many slices
                await producer.send_and_wait(Topic.FEEDBACK_RECEIVED.full_name(ground.topic_prefix), key=b"k", value=b"x")
                await asyncio.sleep(0.05)
        finally:
            await producer.stop()
        await until(lambda: settled(runtime), "settled")
        assert runtime.loop.state.slices - before < 10
        assert await counts(runtime) == {"k": 31}


async def test_many_failures_in_a_row_pause_the_partition_and_say_so(ground: Ground) -> None:
    await produce(ground, [("same", b"crash")] * 40 + [("same", b"x")])
    async with running(ground, CountingStage()) as runtime:
        assert runtime.loop is not None
        state = runtime.loop.state
        await until(lambda: "paused" in state.reason, "paused")
        assert not state.ready
        assert await counts(runtime) == {}
        assert (await runtime.stats())["lag"] > 0


async def test_two_owners_share_and_a_leaver_is_replaced(ground: Ground) -> None:
    async with running(ground, CountingStage()) as first:
        async with running(ground, CountingStage()):
            await produce(ground, [(f"k{n}", b"x") for n in range(500)])
            await until(lambda: settled(first), "settled by two")
        await produce(ground, [(f"k{n}", b"x") for n in range(500)])
        await until(lambda: settled(first), "settled by the one that stayed")
        assert await counts(first) == {f"k{n}": 2 for n in range(500)}


class _SlowStage(CountingStage):
    """Takes its time."""

    inputs = (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_BACKFILLED)

    async def fold(self, tx: Transaction, prepared: Any) -> None:
        await super().fold(tx, prepared)
        await asyncio.sleep(0.05)


@pytest.mark.capability("L22")
async def test_what_is_brought_in_from_the_past_waits_while_live_items_lag(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LAG_EVERY_S", 0.05)
    await produce(ground, [(f"old{n}", b"x") for n in range(200)], Topic.FEEDBACK_BACKFILLED)
    await produce(ground, [(f"live{n}", b"x") for n in range(600)])
    async with running(ground, _SlowStage(), yields=(Topic.FEEDBACK_BACKFILLED,), slice_records=20) as runtime:
        reader, past = runtime.loop, Topic.FEEDBACK_BACKFILLED.full_name(ground.topic_prefix)
        assert reader is not None

        def waiting() -> set[str]:
            return {at.topic for at in reader._consumer.paused()} if reader._consumer else set()

        await until(lambda: waiting() == {past}, "the past waits")
        old = sum(key.startswith("old") for key in await counts(runtime))
        await until(lambda: waiting() == set(), "nobody waits")
        found = await counts(runtime)
        assert sum(key.startswith("live") for key in found) >= 600 - 20 - 40, "live items are through, but for a slice or two"
        assert sum(key.startswith("old") for key in found) <= old + 40, "no more of the past than was fetched before it had to wait"
        await until(lambda: settled(runtime), "settled")
        assert await counts(runtime) == dict.fromkeys([f"old{n}" for n in range(200)] + [f"live{n}" for n in range(600)], 1)


async def test_a_late_record_of_a_frozen_relay_is_repaired(ground: Ground) -> None:
    await produce(ground, [("k", b"x")] * 3)
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
        stranger = aiokafka.AIOKafkaProducer(bootstrap_servers=ground.kafka_bootstrap)
        await stranger.start()
        partition = partition_of(b"k", Topic.CASE_CHANGED.value.partitions)
        await stranger.send_and_wait(
            Topic.CASE_CHANGED.full_name(ground.topic_prefix), key=b"k", value=b'{"n": 1, "version": 0}', partition=partition
        )
        await stranger.stop()

        async def repaired() -> bool:
            last = [json.loads(record.value) for record in await read_all(ground, Topic.CASE_CHANGED)][-1]
            return bool(last["n"] == 3)

        await until(repaired, "the newest state said again")


async def test_what_waited_goes_out_in_order_however_little_fits_a_round(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "ROUND_BYTES", 1)
    monkeypatch.setattr(relay, "MEMORY_BYTES", 1)
    waiting = await Runtime.open(ground, stage=lambda _: CountingStage(), outputs=(Topic.CASE_CHANGED,))
    for n in range(7):  # nothing publishes yet
        async with waiting.writer.transaction() as tx:
            tx.send([tell("a", n, tx.version), tell("b", n, tx.version)])
    await waiting.close()
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: emptied(runtime), "the outbox is empty")
    told = [(record.key, json.loads(record.value)["n"]) for record in await read_all(ground, Topic.CASE_CHANGED)]
    assert [n for key, n in told if key == b"a"] == [n for key, n in told if key == b"b"] == list(range(7))


async def test_what_two_replicas_say_in_turn_goes_out_in_the_order_of_their_commits(ground: Ground) -> None:
    other = await Runtime.open(ground, stage=lambda _: CountingStage(), outputs=(Topic.CASE_CHANGED,))  # it writes, and never publishes
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: runtime.relay.holds_lease, "the lease")
        writers = [runtime.writer, runtime.writer, other.writer, runtime.writer, other.writer, other.writer]
        for n in range(60):
            async with writers[n % len(writers)].transaction() as tx:
                if n % 7:  # a transaction that says nothing leaves a gap among the rows
                    tx.send([tell("k", n, tx.version)])
            if n % 10 == 9:
                await until(lambda: emptied(runtime), "the outbox is empty")
    await other.close()
    told = [json.loads(record.value)["n"] for record in await read_all(ground, Topic.CASE_CHANGED)]
    assert told == [n for n in range(60) if n % 7]


async def test_a_relay_that_is_woken_and_told_to_stop_at_once_stops(ground: Ground) -> None:
    """`asyncio.wait_for` of Python 3.11 forgets to stop when what it waits for comes at that moment."""
    async with asyncio.timeout(DEADLINE_S):
        async with running(ground, CountingStage()) as runtime:
            await until(lambda: runtime.relay.holds_lease, "the lease")
            await asyncio.sleep(0.5)  # now it waits to be woken
            runtime.relay._wake.set()


async def emptied(runtime: Runtime) -> bool:
    return not await runtime.pool.fetchval("select count(*) from outbox")


async def test_another_cluster_is_refused_in_words(ground: Ground) -> None:
    await produce(ground, [("k", b"x")])
    async with running(ground, CountingStage()) as runtime:
        await until(lambda: settled(runtime), "settled")
        await runtime.pool.execute("update positions set cluster_id = 'another'")
    runtime = await Runtime.open(ground, stage=lambda _: CountingStage(), outputs=[Topic.CASE_CHANGED])
    assert runtime.loop is not None
    with pytest.raises(FatalError, match="republish"):
        await asyncio.wait_for(runtime.loop.run(), DEADLINE_S)
    await runtime.close()
