"""One process of the toy: it folds slices, answers HTTP-like writes and stands by as the relay, all at once.

Owns: the loops. Must not: decide when to die (chaos.py does).
"""

import asyncio
import random
import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from fault.toy.chaos import Dice, Flag, Flags
from fault.toy.relay import Relay
from fault.toy.store import DATABASE_TROUBLE, Change, FencedError, Locks, Sabotage, Store

SLICE_RECORDS = 12
WRITERS = 2
BACKOFF_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What all processes of one trial know."""

    seed: int
    dsn: str
    bootstrap: str
    schema: str
    facts_topic: str
    state_topic: str
    partitions: int
    keys: tuple[str, ...]
    locks: Locks
    sabotage: Sabotage
    kill: float
    freeze: float


async def serve(trial: Trial, name: str, flags: Flags) -> None:
    """Run until killed."""
    dice = Dice(f"{trial.seed}/{name}", flags, kill=trial.kill, freeze=trial.freeze)
    store = Store(trial.dsn, trial.schema, trial.locks, trial.sabotage, dice)
    relay = Relay(store, dice, trial.bootstrap, trial.state_topic, trial.partitions, holder=name)
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(), name="relay")
        group.create_task(_again(lambda: _fold(trial, store, relay)), name="fold")
        for number in range(WRITERS):
            draw = random.Random(f"{trial.seed}/{name}/{number}")
            group.create_task(_again(lambda draw=draw: _write(trial, store, relay, flags, draw)), name=f"writer {number}")


async def _again(attempt: Any) -> None:
    """Begin anew after every failure of Postgres, with a new connection; anything else is a fault of the toy and ends it."""
    while True:
        try:
            await attempt()
        except (*DATABASE_TROUBLE, OSError, TimeoutError):
            await asyncio.sleep(BACKOFF_S)


async def _fold(trial: Trial, store: Store, relay: Relay) -> None:
    """All replicas try all partitions: the position's compare-and-set alone keeps them apart."""
    conn = await store.connect()
    consumer = AIOKafkaConsumer(bootstrap_servers=trial.bootstrap, enable_auto_commit=False, auto_offset_reset="none")
    partitions = [TopicPartition(trial.facts_topic, partition) for partition in range(trial.partitions)]
    try:
        await consumer.start()
        consumer.assign(partitions)
        while True:
            positions = {row["partition"]: row["next_offset"] for row in await conn.fetch("table positions")}
            for tp in partitions:
                consumer.seek(tp, positions[tp.partition])
            try:
                await _fold_on(consumer, conn, positions, store, relay)
            except FencedError:
                await asyncio.sleep(BACKOFF_S)
    finally:
        conn.terminate()
        await consumer.stop()


async def _fold_on(
    consumer: Any, conn: "asyncpg.Connection[asyncpg.Record]", positions: dict[int, int], store: Store, relay: Relay
) -> None:
    while True:
        for tp, records in (await consumer.getmany(timeout_ms=200, max_records=SLICE_RECORDS)).items():
            changes: dict[str, Change] = {}
            for record in records:
                key = record.key.decode()
                changes[key] = Change(folded=changes.get(key, Change()).folded + 1)
            end = records[-1].offset + 1
            relay.remember(await store.apply_slice(conn, tp.partition, positions[tp.partition], end, changes))
            positions[tp.partition] = end


async def _write(trial: Trial, store: Store, relay: Relay, flags: Flags, draw: random.Random) -> None:
    conn = await store.connect()
    try:
        while True:
            await asyncio.sleep(draw.uniform(0.0, 0.06))
            if flags[Flag.LOAD]:
                key, flip = draw.choice(trial.keys), draw.random() < 0.2
                relay.remember(await store.write(conn, str(uuid.uuid4()), key, flip=flip))
    finally:
        conn.terminate()
