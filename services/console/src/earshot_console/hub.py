"""The newest events of every topic, kept in a bounded ring that all streams read from.

Owns one consumer for all clients (no group: every console sees everything), which reads only the topics that somebody follows, and the
ring. A client that falls behind the ring, or comes
back after a long time, reads what it missed straight from Kafka until the ring holds the rest: no gap, no repeat, and a slow client costs
nothing but its own connection.
"""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, NamedTuple

import aiokafka

from earshot_console.positions import Partition
from earshot_shared import kafka
from earshot_shared.errors import RetryableError
from earshot_shared.topics import Topic

_log = logging.getLogger(__name__)

RING_BYTES = 24 * 1024 * 1024
READ_EVENTS = 200
# There may be hundreds of clients that catch up, each with a consumer of its own, and all of them slow.
CATCH_UP_PARTITION_BYTES = 64 * 1024
_POLL_MS = 250
_EVENT_OVERHEAD_BYTES = 400


class Event(NamedTuple):
    """One record as streams tell it; ``value`` None is a tombstone."""

    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Hub:
    """Tails all topics; `follow` gives a client its events."""

    def __init__(self, *, bootstrap: str, prefix: str, client_id: str, ring_bytes: int = RING_BYTES) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._names = {topic: topic.full_name(prefix) for topic in Topic}
        self._topics = {name: topic for topic, name in self._names.items()}
        self._ring: deque[Event] = deque()
        self._first_sequence = 0
        self._ring_bytes = 0
        self._most_bytes = ring_bytes
        self._evicted: dict[Partition, int] = {}
        self._news = asyncio.Event()
        self._followers: Counter[Topic] = Counter()
        self._tailed: frozenset[Topic] = frozenset()
        self._turned = asyncio.Event()
        self._wish = asyncio.Event()
        self.ends: dict[Partition, int] = {}
        self.counts: dict[Topic, int] = {}
        self.ready = False
        self._ending = False

    async def end_streams_at(self, stop: asyncio.Event) -> None:
        """End every stream once ``stop`` is set: who follows goes on elsewhere with his last event's id, and none keeps this process."""
        await stop.wait()
        self._ending = True
        self._wake_followers()

    async def run(self) -> None:
        """Tail until cancelled; reconnects, going on where it was."""
        delay_s = 0.2
        while True:
            try:
                await self._tail()
            except RetryableError as error:
                self.ready = False
                _log.warning("stream waits for kafka", extra={"action": "stream_retry", "code": error.code})
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 5.0)

    async def _tail(self) -> None:
        consumer = kafka.make_consumer(self._bootstrap, client_id=self._client_id)
        await kafka.start(consumer)
        try:
            counts = await kafka.partition_counts(consumer, self._names.values())
            self.counts = {self._topics[name]: count for name, count in counts.items()}
            self.ready = True
            target: frozenset[Topic] = frozenset()
            while True:
                wanted = frozenset(topic for topic, followers in self._followers.items() if followers)
                if wanted != target:
                    await self._retarget(consumer, wanted)
                    target = wanted
                if not target:
                    self._wish.clear()
                    await self._wish.wait()
                    continue
                with kafka.translated():
                    fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=2000)
                self._take(fetched)
        finally:
            self._tailed = frozenset()
            await kafka.stop(consumer)

    async def _retarget(self, consumer: Any, wanted: frozenset[Topic]) -> None:
        """Read these topics from now on: those that were read go on where they are, the others begin at their present ends."""
        partitions = {(topic, n): aiokafka.TopicPartition(self._names[topic], n) for topic in wanted for n in range(self.counts[topic])}
        fresh = {at: partition for at, partition in partitions.items() if at[0] not in self._tailed or at not in self.ends}
        with kafka.translated():
            ends = await consumer.end_offsets(list(fresh.values())) if fresh else {}
        for at, partition in fresh.items():
            self.ends[at] = self._evicted[at] = ends[partition]
        consumer.assign(list(partitions.values()))
        for at, partition in partitions.items():
            consumer.seek(partition, self.ends[at])
        self._tailed = wanted
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def attend(self, topics: Iterable[Topic]) -> None:
        """Ask that these topics are read, and wait until they are; each call wants its `leave`."""
        wanted = set(topics)
        self._followers.update(wanted)
        self._wish.set()
        while not wanted <= self._tailed:
            await self._turned.wait()

    def leave(self, topics: Iterable[Topic]) -> None:
        """Take one `attend` back."""
        self._followers.subtract(set(topics))

    def _take(self, fetched: Mapping[Any, Any]) -> None:
        for partition, records in fetched.items():
            topic = self._topics[partition.topic]
            for record in records:
                self._keep(Event(topic, partition.partition, record.offset, record.key, record.value))
        if fetched:
            self._wake_followers()

    def _wake_followers(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _keep(self, event: Event) -> None:
        self._ring.append(event)
        self._ring_bytes += _size_of(event)
        self.ends[event.topic, event.partition] = event.offset + 1
        while self._ring_bytes > self._most_bytes:
            gone = self._ring.popleft()
            self._first_sequence += 1
            self._ring_bytes -= _size_of(gone)
            self._evicted[gone.topic, gone.partition] = gone.offset + 1

    async def follow(
        self, topics: Iterable[Topic], start: Mapping[Partition, int], *, patience_s: float
    ) -> AsyncGenerator[list[Event], None]:
        """Yield events of ``topics`` from ``start`` on, until streams end; an empty list when nothing came for ``patience_s``.

        Within a partition in order, across partitions as they came. ``start`` names each partition of the topics.
        """
        wanted = set(topics)
        positions = {at: offset for at, offset in start.items() if at[0] in wanted}
        sequence = -1  # before the ring: what it does not hold any more, or never did (we were cut off), is read from Kafka first
        while not self._ending:
            if any(positions[at] < self._evicted[at] for at in positions):
                async with contextlib.aclosing(self._catch_up(positions)) as missed:
                    async for events in missed:
                        yield events
            news = self._news
            events, sequence = self._read(sequence, wanted, positions)
            if events:
                yield events
            elif sequence == self._first_sequence + len(self._ring):
                try:
                    async with asyncio.timeout(patience_s):
                        await news.wait()
                except TimeoutError:
                    yield []

    def _read(self, sequence: int, wanted: set[Topic], positions: dict[Partition, int]) -> tuple[list[Event], int]:
        """Return the next events in the ring that this client has not had, and the sequence to go on from."""
        events: list[Event] = []
        index = max(sequence - self._first_sequence, 0)
        while index < len(self._ring) and len(events) < READ_EVENTS:
            event = self._ring[index]
            index += 1
            at = (event.topic, event.partition)
            if event.topic in wanted and event.offset >= positions[at]:
                positions[at] = event.offset + 1
                events.append(event)
        return events, self._first_sequence + index

    async def _catch_up(self, positions: dict[Partition, int]) -> AsyncGenerator[list[Event], None]:
        """Yield from Kafka what the ring no longer holds, moving ``positions`` on, until the ring holds the rest."""
        consumer = kafka.make_consumer(self._bootstrap, client_id=f"{self._client_id}-catch-up", partition_bytes=CATCH_UP_PARTITION_BYTES)
        await kafka.start(consumer)
        try:
            partitions = {at: aiokafka.TopicPartition(self._names[at[0]], at[1]) for at in positions}
            consumer.assign(list(partitions.values()))
            with kafka.translated():
                first = await consumer.beginning_offsets(list(partitions.values()))
            for at, partition in partitions.items():
                positions[at] = max(positions[at], first[partition])
                consumer.seek(partition, positions[at])
            while not self._ending and any(positions[at] < self._evicted[at] for at in positions):
                with kafka.translated():
                    fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=READ_EVENTS)
                for partition, records in fetched.items():
                    topic = self._topics[partition.topic]
                    positions[topic, partition.partition] = records[-1].offset + 1
                    yield [Event(topic, partition.partition, record.offset, record.key, record.value) for record in records]
                for at, partition in partitions.items():  # past the gaps that compaction leaves at the end
                    positions[at] = max(positions[at], await consumer.position(partition))
        finally:
            await kafka.stop(consumer)


def _size_of(event: Event) -> int:
    return len(event.value or b"") + len(event.key or b"") + _EVENT_OVERHEAD_BYTES
