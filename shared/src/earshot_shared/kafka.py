"""The way to Kafka: consumers and producers with our settings, and what identifies a log.

Owns client settings. Everything untyped of the client libraries stops here and in ``pipeline``.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import aiokafka
import aiokafka.errors as kafka_errors

from earshot_shared.errors import FatalError, translate_kafka
from earshot_shared.kafka_ids import identify
from earshot_shared.pipeline.positions import Ground, Partition
from earshot_shared.topics import MAX_MESSAGE_BYTES

SESSION_TIMEOUT_MS = 10_000
HEARTBEAT_MS = 2_500
FETCH_PARTITION_BYTES = 1024 * 1024
# aiokafka has one fetch under way per broker. While it waits for topics where nothing happens, what piles up on a partition just drained
# waits too: with Kafka's usual 500 ms every stage stood still that long, again and again, at half of full load.
FETCH_WAIT_MS = 100
PRODUCER_BATCH_BYTES = 1024 * 1024
CONNECT_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)
_stopping: set[asyncio.Task[None]] = set()  # the event loop itself holds tasks only weakly


@contextmanager
def translated() -> Iterator[None]:
    """Raise as ours whatever aiokafka or its transport raises inside the block."""
    try:
        yield
    except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
        raise translate_kafka(error) from error


def make_consumer(bootstrap: str, *, client_id: str, group: str | None = None, partition_bytes: int = FETCH_PARTITION_BYTES) -> Any:
    """Return an aiokafka consumer (not started) that never commits by itself and never jumps.

    ``auto_offset_reset="none"``: where to read is our position's business; a jump to the end would lose records.
    ``partition_bytes``: what it fetches of each partition at once, and so about what it holds.
    """
    return aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        max_poll_interval_ms=300_000,
        max_partition_fetch_bytes=partition_bytes,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        check_crcs=False,  # TCP and the broker check already; a second sum costs a microsecond a record
        metadata_max_age_ms=60_000,
    )


def make_producer(bootstrap: str, *, client_id: str) -> Any:
    """Return an idempotent aiokafka producer (not started); batches are built and sent whole by the relay."""
    return aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        linger_ms=0,
        max_batch_size=PRODUCER_BATCH_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=30_000,
        metadata_max_age_ms=60_000,
    )


class AssignmentListener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]  # the library ships no types
    """Says that the partitions a consumer owns changed. What a listener raises is swallowed by the library, so it does nothing else."""

    def __init__(self, note: Callable[[], None]) -> None:
        self._note = note

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002  # the library's signature
        """Partitions were taken from us."""
        self._note()

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002  # the library's signature
        """We own these from now on."""
        self._note()


async def start(client: Any) -> None:
    """Start a consumer or producer.

    Raises: RetryableError when the broker does not answer; the client is closed again then.
    """
    try:
        with translated():
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await client.start()
    except BaseException:
        await stop(client)
        raise


async def stop(client: Any) -> None:
    """Stop a client, whatever state it is in.

    A broker that is gone must not keep us: what takes longer than `STOP_TIMEOUT_S` ends behind us. And the client's tasks, which it ends by
    cancelling them, must not end ours: awaited directly, its ``stop`` may raise their CancelledError into whoever waits for it.
    """
    stopping = asyncio.create_task(client.stop(), name="kafka client stops")
    _stopping.add(stopping)
    stopping.add_done_callback(_note_stopped)
    await asyncio.wait({stopping}, timeout=STOP_TIMEOUT_S)


def _note_stopped(stopping: asyncio.Task[None]) -> None:
    _stopping.discard(stopping)
    if not stopping.cancelled() and (error := stopping.exception()) is not None:
        _log.warning("a client of Kafka did not stop cleanly", extra={"action": "kafka_stop"}, exc_info=error)


async def survey(consumer: Any, topics: Iterable[str]) -> Ground:
    """Return what identifies the log of some topics and where it begins and ends.

    Raises: FatalError when a topic is missing; RetryableError when the broker does not answer.
    """
    with translated():
        found = await identify(_client_of(consumer), sorted(topics))
        partitions = [aiokafka.TopicPartition(name, number) for name, count in found.partitions.items() for number in range(count)]
        first, end = await asyncio.gather(consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
    bounds: dict[Partition, tuple[int, int]] = {(each.topic, each.partition): (first[each], end[each]) for each in partitions}
    return Ground(cluster_id=found.cluster_id, topic_ids=found.ids, bounds=bounds)


def _client_of(client: Any) -> Any:
    return client.client if hasattr(client, "client") else client._client  # aiokafka's consumer has no public way


async def partition_counts(client: Any, topics: Iterable[str]) -> dict[str, int]:
    """Return how many partitions each topic has, asking the broker.

    Raises: RetryableError, FatalError when a topic is unknown to the broker.
    """
    with translated():
        return (await identify(_client_of(client), list(topics))).partitions


async def end_offsets(consumer: Any, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the end of the log of each partition."""
    wanted = [aiokafka.TopicPartition(topic, number) for topic, number in partitions]
    with translated():
        found = await consumer.end_offsets(wanted)
    return {(each.topic, each.partition): offset for each, offset in found.items()}


async def start_admin(admin: Any) -> None:
    """Start an admin client.

    Raises: RetryableError when the broker does not answer.
    """
    with translated():
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await admin.start()
        except BaseException:
            await admin.close()
            raise


def refused(detail: str) -> FatalError:
    """Return the error for a request that the broker will not grant whatever we do."""
    return FatalError(detail, code="kafka-refused")
