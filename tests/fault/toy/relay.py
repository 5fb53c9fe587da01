"""The relay: one holder of a lease publishes outbox rows in id order and watches the log for records that are not its own.

Owns: publishing, marking, detecting and repairing. Must not: know what the messages mean, beyond their keys.

Crash points of one round: (1) rows read, nothing sent: sent by the next holder, perhaps late by us as well, which is then foreign.
(2) sent, not marked: sent again in order; the next holder sees the first copies as foreign. (3) marked: done.
(4) within a repair: its transaction is gone, the expectation stands, the range is found again.
"""

import asyncio
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from fault.toy.chaos import Dice, Point
from fault.toy.store import DATABASE_TROUBLE, Lease, LeaseLostError, Message, OutboxRow, Sabotage, Store, unpack

LEASE_S = 1.0
RENEW_S = 0.25
LOOK_S = 0.2  # how often the holder compares the end of the log with its expectation
POLL_S = 0.02
ROWS_A_ROUND = 40
BATCH_BYTES = 900_000


class LogShrankError(Exception):
    """The log ends before what was acknowledged: the broker lost data. A service stops here."""


def partition_of(key: str, count: int) -> int:
    return zlib.crc32(key.encode()) % count


@dataclass(slots=True)
class Relay:
    store: Store
    dice: Dice
    bootstrap: str
    topic: str
    partitions: int
    holder: str
    memory: dict[int, bytes] = field(default_factory=dict)
    _lease: Lease | None = None
    _looked_at: float = 0.0
    _keeper: "asyncio.Task[None] | None" = None

    def remember(self, row: OutboxRow) -> None:
        """Keep the bytes of a row that this process has just committed."""
        if self._lease is not None and row.packed is not None:
            self.memory[row.id] = row.packed

    async def run(self) -> None:
        """Serve for ever. Whatever fails, everything is dropped and begun anew: nothing here is needed for correctness."""
        while True:
            try:
                await self._serve()
            except (LeaseLostError, *DATABASE_TROUBLE, OSError, TimeoutError):
                self._lease = None
                self.memory.clear()
                await asyncio.sleep(POLL_S)

    async def _serve(self) -> None:
        conn = await self.store.connect()
        # Idempotent, so one producer's batches neither swap nor double. It says nothing about two producers: hence the watch.
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="none")
        try:
            await producer.start()
            await consumer.start()
            while True:
                if self._lease is None:
                    await self._try_to_take(conn)
                else:
                    await self._round(conn, self._lease, producer, consumer)
        finally:
            self._lease = None
            conn.terminate()
            closing = [producer.stop(), consumer.stop()]
            if self._keeper is not None:
                self._keeper.cancel()
                closing.append(self._keeper)
            await asyncio.gather(*closing, return_exceptions=True)

    async def _try_to_take(self, conn: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._lease = await self.store.take_lease(conn, self.holder, LEASE_S)
        self._looked_at = 0.0
        if self._lease is None:
            await asyncio.sleep(RENEW_S)
        else:
            self._keeper = asyncio.create_task(self._keep(self._lease.epoch), name="keep the lease")

    async def _keep(self, epoch: int) -> None:
        """Renew beside the rounds, not between them: on a slow machine a round may last longer than the lease, and relays that take
        it from each other in turn never mark anything. A frozen process freezes this too. A lost lease shows at the next mark.
        """
        conn = await self.store.connect()
        try:
            while True:
                await asyncio.sleep(RENEW_S)
                await self.store.renew_lease(conn, self.holder, epoch, LEASE_S)
        finally:
            conn.terminate()

    async def _round(self, conn: "asyncpg.Connection[asyncpg.Record]", lease: Lease, producer: Any, consumer: Any) -> None:
        if self._keeper is not None and self._keeper.done():
            raise LeaseLostError
        if time.monotonic() - self._looked_at > LOOK_S:
            await self._look(conn, lease, consumer)
        rows = await self.store.waiting_rows(conn, list(self.memory), ROWS_A_ROUND)
        if not rows:
            self.memory.clear()
            await asyncio.sleep(POLL_S)
            return
        messages = [message for row in rows for message in unpack(row.packed or self.memory[row.id])]
        own = await self._send(producer, messages)
        expected, gap = _move_on(lease.expected, own)
        self.dice.pass_by(Point.BEFORE_MARK)
        await self.store.mark(conn, self.holder, lease.epoch, [row.id for row in rows], expected)
        lease.expected[:] = expected
        for row in rows:
            self.memory.pop(row.id, None)
        if gap:
            await self._look(conn, lease, consumer)

    async def _send(self, producer: Any, messages: Iterable[Message]) -> dict[int, tuple[int, int]]:
        """Send one batch a partition; return partition -> (base offset, count). -1 as base means: acknowledged, place unknown."""
        by_partition: dict[int, list[Message]] = {}
        for message in messages:
            by_partition.setdefault(partition_of(message[0], self.partitions), []).append(message)
        self.dice.pass_by(Point.BEFORE_SEND)
        sent = {}
        for partition, batch in by_partition.items():
            builder = producer.create_batch()
            for key, value in batch:
                assert builder.append(key=key.encode(), value=value, timestamp=None) is not None
            sent[partition] = await producer.send_batch(builder, self.topic, partition=partition)
        self.dice.pass_by(Point.AFTER_SEND)
        await asyncio.gather(*sent.values())
        return {partition: (future.result().offset, len(by_partition[partition])) for partition, future in sent.items()}

    async def _look(self, conn: "asyncpg.Connection[asyncpg.Record]", lease: Lease, consumer: Any) -> None:
        """Compare the end of the log with what we expect, and repair what foreign records may have put out of order."""
        topic_partitions = [TopicPartition(self.topic, partition) for partition in range(self.partitions)]
        ends: dict[int, int] = {tp.partition: end for tp, end in (await consumer.end_offsets(topic_partitions)).items()}
        self._looked_at = time.monotonic()
        if any(end < lease.expected[partition] for partition, end in ends.items()):
            raise LogShrankError
        past = {partition: end for partition, end in ends.items() if end > lease.expected[partition]}
        if not past:
            return
        keys: set[str] = set()
        if self.store.sabotage is not Sabotage.NO_REPAIR:
            keys = await self._keys_in(consumer, {partition: (lease.expected[partition], end) for partition, end in past.items()})
        foreign = sum(end - lease.expected[partition] for partition, end in past.items())
        row = await self.store.repair(conn, self.holder, lease.epoch, keys, past, foreign)
        for partition, end in past.items():
            lease.expected[partition] = end
        self.remember(row)

    async def _keys_in(self, consumer: Any, ranges: Mapping[int, tuple[int, int]]) -> set[str]:
        """The keys of all records in these ranges of offsets."""
        wanted = {TopicPartition(self.topic, partition): span for partition, span in ranges.items()}
        consumer.assign(list(wanted))
        for tp, (start, _) in wanted.items():
            consumer.seek(tp, start)
        keys: set[str] = set()
        while any([await consumer.position(tp) < end for tp, (_, end) in wanted.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                keys.update(record.key.decode() for record in records if record.offset < wanted[tp][1])
        return keys


def _move_on(expected: list[int], own: Mapping[int, tuple[int, int]]) -> tuple[list[int], bool]:
    """Move the expectation over our own batches, as far as they follow on; a gap leaves it where the foreign records begin."""
    moved, gap = list(expected), False
    for partition, (base, count) in own.items():
        if base == moved[partition]:
            moved[partition] += count
        else:
            gap = True
    return moved, gap
