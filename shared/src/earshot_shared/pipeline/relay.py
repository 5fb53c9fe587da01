"""Publishes what transactions said, in the order of their commits, and repairs what a frozen predecessor may say late.

Owns the lease, the expected offsets and the sending. The law it keeps: once settled, the last record of every key on a topic of state is
its highest version, whatever died or froze between commit and publish. How and why: ``docs/design.md``.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import aiokafka

from earshot_shared import kafka
from earshot_shared.envelope import HEADERS
from earshot_shared.errors import FatalError, FencedError, RetryableError
from earshot_shared.messages import Message, unpack
from earshot_shared.pipeline import lost_ground
from earshot_shared.pipeline.expectation import Expectation, check_expectation, expectation_on, too_short
from earshot_shared.pipeline.expectation import unpack as unpack_expectation
from earshot_shared.pipeline.memory import Memory
from earshot_shared.pipeline.positions import HELP, Partition, raise_if_lost
from earshot_shared.pipeline.restating import Restates, Restating
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import Topic, partition_of

_QUERIES = Queries.load("earshot_shared.pipeline")
_log = logging.getLogger(__name__)

LEASE_S = 5.0
RENEW_S = 1.5
POLL_S = 0.05  # rows of other replicas are seen within this while they write,
IDLE_POLL_S = 0.4  # and within this when they begin to; our own wake us
FINISH_S = 3.0
ACK_S = 60.0
WATCH_S = 1.0  # the ends of the log are compared with what we expect this often
ROUND_ROWS = 64
# Packed; unpacked they take some ten times as much. What a round or the memory does not hold waits in the table.
ROUND_BYTES = 4 * 1024 * 1024
MEMORY_BYTES = 4 * 1024 * 1024


class Relay:
    """The relay of one service process; at any time at most one replica holds the lease and publishes."""

    def __init__(self, writer: Writer, stage: Restates, *, bootstrap: str, prefix: str, topics: Iterable[Topic]) -> None:
        self._writer = writer
        self._stage = stage
        self._bootstrap = bootstrap
        self._topics = {topic: topic.full_name(prefix) for topic in topics}
        self._names = {name: topic for topic, name in self._topics.items()}
        self._holder: UUID = uuid4()
        self._epoch: int | None = None
        self._held_at = 0.0  # when the lease was last seen to be ours
        self._published: int | None = None  # no row up to this id waits any more
        self._watched_at = 0.0
        self._poll_s = POLL_S
        self.outbox_age_s = 0.0
        self.dead_letters = 0
        self._memory = Memory(MEMORY_BYTES)
        self._wake = asyncio.Event()
        self._counts: dict[str, int] = {}
        self._expectation = Expectation()
        self._restating = Restating(stage, self._topics)
        self._producer: Any = None
        self._consumer: Any = None
        writer.tell(self._offer)

    def _offer(self, row: int, messages: list[Message], size_bytes: int) -> None:
        if self._published is None or row > self._published:  # else it was listed, and read, before its writer came to tell us
            self._memory.keep(row, messages, size_bytes)
        self._wake.set()

    @property
    def holds_lease(self) -> bool:
        """Whether this replica publishes now."""
        return self._epoch is not None

    async def run(self) -> None:
        """Publish until cancelled. Retries what may pass; raises FatalError when the ground is wrong."""
        delay_s = 0.1
        try:
            while True:
                try:
                    await self._connect()
                    await self._serve()
                except (RetryableError, FencedError) as error:
                    _log.warning("relay waits", extra={"action": "relay_retry", "service": self._writer.service, "code": error.code})
                    await self._disconnect()
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, 2.0)
                except FatalError:
                    self._epoch = None  # on wrong ground nothing more is sent
                    raise
                else:
                    delay_s = 0.1
        finally:
            await self._finish()
            await self._disconnect()

    async def _finish(self) -> None:
        """Publish what still waits, then let another replica take over at once. What is left is safe in the table."""
        with contextlib.suppress(RetryableError, FencedError, FatalError, TimeoutError):
            async with asyncio.timeout(FINISH_S):
                while self.holds_lease and await self._round():
                    pass
                await self._release()

    async def _connect(self) -> None:
        if self._producer is not None:
            return
        producer = kafka.make_producer(self._bootstrap, client_id=f"{self._writer.schema}-relay")
        await kafka.start(producer)
        consumer = kafka.make_consumer(self._bootstrap, client_id=f"{self._writer.schema}-relay-watch")
        try:
            await kafka.start(consumer)
            self._counts = await kafka.partition_counts(consumer, self._topics.values())
        except BaseException:
            await kafka.stop(producer)
            await kafka.stop(consumer)
            raise
        self._producer, self._consumer = producer, consumer

    async def _disconnect(self) -> None:
        producer, consumer, self._producer, self._consumer = self._producer, self._consumer, None, None
        self._epoch = None
        self._memory.clear()
        for client in (producer, consumer):
            if client is not None:
                await kafka.stop(client)

    async def _serve(self) -> None:
        """Hold or await the lease, and publish while holding it."""
        renewing = asyncio.create_task(self._renew(), name="relay lease")
        try:
            while True:
                if self._epoch is None and not await self._take_lease():
                    self._memory.clear()
                    await asyncio.sleep(RENEW_S)
                    continue
                self._wake.clear()
                goes_on = await self._round()
                if self._restating.is_due(idle=not goes_on):
                    goes_on |= await self._restating.step(self._writer)
                if time.monotonic() - self._watched_at > WATCH_S:
                    await self._watch()
                if not goes_on:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._poll_s):
                            await self._wake.wait()
                    self._poll_s = min(self._poll_s * 1.5, IDLE_POLL_S)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self) -> None:
        """Keep the lease beside the rounds: on a starved machine a round outlasts it, and relays that rob each other never mark."""
        while True:
            await asyncio.sleep(RENEW_S)
            epoch = self._epoch
            if epoch is None:
                continue
            with contextlib.suppress(RetryableError):  # the rounds will meet it too
                row = await self._ask_for_lease()
                if row is None or row["epoch"] != epoch:
                    self._epoch = None  # the next mark is refused, and all begins anew

    async def _take_lease(self) -> bool:
        """Take the lease when it is to be had; return whether it is ours now."""
        row = await self._ask_for_lease()
        if row is None:
            return False
        self._epoch = row["epoch"]
        await self._begin(row["expected"])
        return True

    async def _ask_for_lease(self) -> Any:
        """Take or keep the lease; return its epoch and marks, None when another has it."""
        asked_at = time.monotonic()
        with translated():
            row = await self._writer.pool.fetchrow(_QUERIES["take_lease"], self._holder, LEASE_S)
        if row is not None:
            self._held_at = asked_at
        return row

    async def _release(self) -> None:
        if self._epoch is not None:
            with translated():
                await self._writer.pool.execute(_QUERIES["release_lease"], self._holder)

    async def _begin(self, stored: bytes | None) -> None:
        """Take over: know what to expect before anything is sent, and look at what was said since."""
        self._published = None
        known = unpack_expectation(stored)
        with translated():
            await raise_if_lost(self._writer.pool)
        ground = await kafka.survey(self._consumer, self._names)
        check_expectation(known, ground)
        stateful = {name: topic.value.stateful for name, topic in self._names.items()}
        self._expectation = expectation_on(ground, self._counts, stateful=stateful, known=known)
        await self._store_expected()
        await self._restating.look(self._writer)
        _log.info("relay took the lease", extra={"action": "relay_lease", "service": self._writer.service, "epoch": self._epoch})
        self._watched_at = 0.0
        await self._watch()

    def _state_partitions(self) -> list[Partition]:
        return [(name, n) for name, count in self._counts.items() if self._names[name].value.stateful for n in range(count)]

    async def _round(self) -> bool:
        """Publish rows that wait, oldest first; return whether more are known to wait.

        Steps, and what a crash after each leaves: (1) rows known: nothing; (2) sent: rows in place, sent again in order by whoever
        comes next; (3) marked: done.
        """
        rows = self._next_of_ours() or await self._list()
        if not rows:
            return False
        foreign = await self._send(await self._collect(rows))
        if foreign:  # before the mark, which stores an expectation beyond the foreign records
            await self._repair(foreign)
        return await self._mark(rows)

    def _next_of_ours(self) -> list[int]:
        """Return the rows that are next for certain: the memory has them, and no number lies between them and what was published.

        Nothing when the lease was not seen to be ours lately: whoever slept asks the table what still waits.
        """
        if self._published is None or time.monotonic() - self._held_at > LEASE_S / 2:
            return []
        return self._memory.following(self._published, most=ROUND_ROWS, most_bytes=ROUND_BYTES)

    async def _list(self) -> list[int]:
        with translated():
            return [row["id"] for row in await self._writer.pool.fetch(_QUERIES["list_outbox"], ROUND_ROWS, ROUND_BYTES)]

    async def _collect(self, rows: Sequence[int]) -> list[Message]:
        """Return the messages of the rows in order, from memory, else from the table."""
        held = {row: self._memory.take(row) for row in rows}
        missing = [row for row, messages in held.items() if messages is None]
        if missing:
            self._poll_s = POLL_S
            with translated():
                for stored in await self._writer.pool.fetch(_QUERIES["read_outbox"], missing):
                    held[stored["id"]] = unpack(stored["messages"])
        collected: list[Message] = []
        for row in rows:
            collected += held[row] or ()
        return collected

    async def _send(self, messages: list[Message]) -> dict[Partition, tuple[int, int]]:
        """Send all and wait for the acks; return the ranges of foreign records met (first, end) by partition.

        The list is emptied: those of a slice are megabytes, and each is let go once it lies in a batch.
        """
        by_partition: dict[Partition, list[Message]] = defaultdict(list)
        for message in messages:
            name = self._topics[message.topic]
            by_partition[name, partition_of(message.key, self._counts[name])].append(message)
        messages.clear()
        foreign: dict[Partition, tuple[int, int]] = {}
        sent = []
        with kafka.translated():
            while by_partition:
                partition, group = by_partition.popitem()
                for batch in self._batches(group):
                    future = await self._producer.send_batch(self._build(batch), partition[0], partition=partition[1])
                    sent.append((partition, len(batch), future))
            for partition, count, future in sent:
                async with asyncio.timeout(ACK_S):
                    base = (await future).offset
                self._expect(partition, base, count, foreign)
        return foreign

    def _batches(self, group: list[Message]) -> Iterable[list[Message]]:
        """Split into runs that fit one batch of the producer."""
        run: list[Message] = []
        size = 0
        for message in group:
            cost = len(message.key) + len(message.value or b"") + 96
            if run and size + cost > kafka.PRODUCER_BATCH_BYTES:
                yield run
                run, size = [], 0
            run.append(message)
            size += cost
        yield run

    def _build(self, batch: Iterable[Message]) -> Any:
        builder = self._producer.create_batch()
        timestamp_ms = int(time.time() * 1000)
        for _, key, value in batch:
            if builder.append(key=key, value=value, timestamp=timestamp_ms, headers=HEADERS) is None:
                raise FatalError("A batch was fuller than its builder allows; this is a fault of ours.", code="batch-overfull")
        builder.close()
        return builder

    def _expect(self, partition: Partition, base: int, count: int, foreign: dict[Partition, tuple[int, int]]) -> None:
        """Compare where our batch landed with where it should have; remember what lies between."""
        name, number = partition
        if base < 0:  # a retry whose first try had arrived: the broker does not say where; the next watch will see the range
            return
        of_state = self._expectation.offsets.get(name)
        offsets = self._expectation.floors[name] if of_state is None else of_state
        wanted = offsets[number]
        if base < wanted:
            raise FatalError(
                f"The log of {name}-{number} had lost what was written to it, and was written to again. {HELP}",
                code=lost_ground.OVERWRITTEN,
            )
        if base > wanted and of_state is not None:
            first, _ = foreign.get(partition, (wanted, base))
            foreign[partition] = (first, base)
        offsets[number] = base + count

    async def _mark(self, rows: Sequence[int]) -> bool:
        """Forget rows that were sent; return whether later ones wait."""
        asked_at = time.monotonic()
        with translated():
            marked = await self._writer.pool.fetchrow(
                _QUERIES["mark_published"], self._holder, self._epoch, self._expectation.pack(), LEASE_S, rows, rows[-1]
            )
        if marked is None:
            self._epoch = None
            raise FencedError("Another replica took over the relay.", code="relay-fenced")
        self._held_at, self._published = asked_at, rows[-1]
        return bool(marked["more"])

    async def _store_expected(self) -> None:
        with translated():
            epoch = await self._writer.pool.fetchval(_QUERIES["store_expected"], self._holder, self._epoch, self._expectation.pack())
        if epoch is None:
            self._epoch = None
            raise FencedError("Another replica took over the relay.", code="relay-fenced")

    async def _watch(self) -> None:
        """Compare the ends of the log with what we expect; repair when somebody else wrote."""
        ends = await kafka.end_offsets(self._consumer, self._state_partitions())
        foreign = {}
        for (name, number), end in ends.items():
            wanted = self._expectation.offsets[name][number]
            if end < wanted:
                raise too_short(name, number)
            if end > wanted:
                foreign[name, number] = (wanted, end)
                self._expectation.offsets[name][number] = end
        if foreign:
            await self._repair(foreign)
        with translated():
            figures = await self._writer.pool.fetchrow(_QUERIES["figures"])
        assert figures is not None, "a select without a table has one row"
        self.outbox_age_s, self.dead_letters = figures
        self._watched_at = time.monotonic()

    async def _repair(self, foreign: Mapping[Partition, tuple[int, int]]) -> None:
        """Say again the present state of every key in the foreign ranges, and only then move the expectation past them."""
        keys = await self._keys_in(foreign)
        async with self._writer.transaction() as tx:
            for name, found in sorted(keys.items()):
                tx.send(await self._stage.restate(tx, self._names[name], found))
            epoch = await tx.conn.fetchval(_QUERIES["store_expected"], self._holder, self._epoch, self._expectation.pack())
            if epoch is None:
                raise FencedError("Another replica took over the relay.", code="relay-fenced")
        _log.warning(
            "foreign records repaired",
            extra={"action": "relay_repair", "service": self._writer.service, "keys": sum(len(found) for found in keys.values())},
        )

    async def _keys_in(self, ranges: Mapping[Partition, tuple[int, int]]) -> dict[str, set[str]]:
        """Return the keys of all records in the ranges, by topic."""
        keys: dict[str, set[str]] = defaultdict(set)
        with kafka.translated():
            for (name, number), (first, end) in ranges.items():
                partition = aiokafka.TopicPartition(name, number)
                self._consumer.assign([partition])
                begin = (await self._consumer.beginning_offsets([partition]))[partition]
                at = max(first, begin)
                self._consumer.seek(partition, at)
                while at < end:
                    batches = await self._consumer.getmany(partition, timeout_ms=1000)
                    for record in batches.get(partition, ()):
                        key = _key_as_text(record.key) if record.offset < end else None
                        if key is not None:
                            keys[name].add(key)
                    at = await self._consumer.position(partition)
        return keys


def _key_as_text(key: bytes | None) -> str | None:
    """Return the key of a foreign record; None for one that no state of ours can have: none, no UTF-8, or with a NUL."""
    try:
        text = None if key is None else key.decode()
    except UnicodeDecodeError:
        return None
    return None if text is None or "\x00" in text else text
