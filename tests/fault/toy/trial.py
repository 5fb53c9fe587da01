"""One trial: a load, processes that die and freeze under it, a calm, zombies that wake into the calm, and the judgement.

Owns: the course of a trial and its verdict. Must not: know how the relay works; it looks at the tables and the log from outside.
This process forks, so it keeps no thread and no event loop between its steps.
"""

import asyncio
import ctypes
import json
import logging
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from fault.toy.chaos import Flag, Flags
from fault.toy.relay import partition_of
from fault.toy.replica import Trial, serve
from fault.toy.store import SCHEMA

REPLICAS = 3
FACTS = 400
SETTLE_S = 60.0  # some seconds are enough on a quiet machine
PR_SET_PDEATHSIG = 1
T = TypeVar("T")


@dataclass(slots=True)
class Verdict:
    """faults is empty when the design held. The counts say whether the trial was hard enough to mean anything."""

    faults: list[str] = field(default_factory=list)
    kills: int = 0
    freezes: int = 0
    takeovers: int = 0
    repairs: int = 0
    foreign_records: int = 0
    late_zombies: int = 0
    stale_before_repair: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        return (
            f"kills {self.kills:3} freezes {self.freezes:3} takeovers {self.takeovers:3} repairs {self.repairs:3} "
            f"foreign {self.foreign_records:4} late zombies {self.late_zombies} stale {self.stale_before_repair:2} {self.seconds:5.1f} s"
        )


@dataclass(slots=True)
class Child:
    name: str
    pid: int
    frozen_until: float | None = None  # monotonic; infinity: until the calm


class Course:
    """The processes of one trial."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.flags, self.verdict = trial, Flags(), Verdict()
        self._random = random.Random(f"{trial.seed}/course")
        self._children: list[Child] = []
        self._born = 0

    def run(self, load_s: float) -> Verdict:
        began = time.monotonic()
        asyncio.run(_prepare(self.trial))
        try:
            self._play(load_s)
            asyncio.run(_judge(self.trial, self.verdict))
        finally:
            for child in self._children:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
            asyncio.run(_clear(self.trial))
        self.verdict.seconds = time.monotonic() - began
        return self.verdict

    def _play(self, load_s: float) -> None:
        self.flags.set(Flag.LOAD, True)
        self.flags.set(Flag.CHAOS, True)
        for _ in range(REPLICAS):
            self._fork()
        self._watch(load_s, until=lambda: False)
        self.flags.set(Flag.LOAD, False)
        self.flags.set(Flag.CHAOS, False)
        self._watch(0.1, until=lambda: False)  # sees those who froze at the last moment
        late = [child for child in self._children if child.frozen_until is not None]
        self.verdict.late_zombies = len(late)
        for child in late:
            child.frozen_until = float("inf")
        self._settle("the calm before the zombies")
        # Zombies wake with the dice in their hand: they may send what is long out of date, and die before they can notice.
        self.flags.set(Flag.CHAOS, True)
        for child in late:
            self._wake(child)
        self._watch(1.0, until=lambda: False)
        self.flags.set(Flag.CHAOS, False)
        for child in self._children:
            if child.frozen_until is not None:
                self._wake(child)
        self._settle("the end")

    def _settle(self, what: str) -> None:
        def settled() -> bool:
            return asyncio.run(_settled(self.trial))

        if not self._watch(SETTLE_S, until=settled):
            self.verdict.faults.append(f"not settled within {SETTLE_S} s: {what}")

    def _watch(self, seconds: float, until: Callable[[], bool]) -> bool:
        """See to the processes until the condition holds or the time is over; says whether it held."""
        deadline, look_at = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < deadline:
            for child in list(self._children):
                self._see_to(child, now)
            if now > look_at:
                if until():
                    return True
                look_at = time.monotonic() + 0.25
            time.sleep(0.01)
        return False

    def _see_to(self, child: Child, now: float) -> None:
        pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
        if pid and os.WIFSTOPPED(status):
            self.verdict.freezes += 1
            long = self._random.random() < 0.4
            child.frozen_until = float("inf") if long else now + self._random.uniform(0.05, 2.0)
        elif pid:
            self._children.remove(child)
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
                self.verdict.faults.append(f"{child.name} ended by itself with status {status}")
            self.verdict.kills += 1
            self._fork()
        elif child.frozen_until is not None and child.frozen_until <= now:
            self._wake(child)
        if all(other.frozen_until == float("inf") for other in self._children):
            self._fork()

    def _wake(self, child: Child) -> None:
        child.frozen_until = None
        os.kill(child.pid, signal.SIGCONT)

    def _fork(self) -> None:
        self._born += 1
        name = f"replica {self._born}"
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _be_replica(self.trial, name, self.flags)
        self._children.append(Child(name, pid))


def _be_replica(trial: Trial, name: str, flags: Flags) -> None:
    """Never returns."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        logging.disable(logging.CRITICAL)  # broken connections by the hundred are what this is about
        asyncio.run(serve(trial, name, flags))
    except BaseException:  # noqa: BLE001 - the last line of a forked child: say what happened, and never run the parent's code
        traceback.print_exc()
    os._exit(1)


async def _prepare(trial: Trial) -> None:
    conn = await asyncpg.connect(trial.dsn)
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=trial.bootstrap)
    await admin.start()
    await producer.start()
    try:
        await conn.execute(f"create schema {trial.schema}")
        await conn.execute(f"set search_path to {trial.schema}; {SCHEMA}")
        await conn.executemany("insert into positions values ($1, 0)", [(p,) for p in range(trial.partitions)])
        await conn.execute("insert into relay values (1, 'nobody', 0, '-infinity', $1)", [0] * trial.partitions)
        await admin.create_topics([NewTopic(t, trial.partitions, 1) for t in (trial.facts_topic, trial.state_topic)])
        draw = random.Random(f"{trial.seed}/facts")
        for _ in range(FACTS):
            key = draw.choice(trial.keys)
            await producer.send(trial.facts_topic, b"1", key=key.encode(), partition=partition_of(key, trial.partitions))
        await producer.flush()
    finally:
        await producer.stop()
        await admin.close()
        await conn.close()


async def _clear(trial: Trial) -> None:
    conn = await asyncpg.connect(trial.dsn)
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    await conn.execute(f"drop schema {trial.schema} cascade")
    await admin.delete_topics([trial.facts_topic, trial.state_topic])
    await admin.close()
    await conn.close()


async def _with_both(trial: Trial, look: Callable[["asyncpg.Connection[asyncpg.Record]", AIOKafkaConsumer], Awaitable[T]]) -> T:
    conn = await asyncpg.connect(trial.dsn, server_settings={"search_path": trial.schema})
    consumer = AIOKafkaConsumer(bootstrap_servers=trial.bootstrap, auto_offset_reset="none", enable_auto_commit=False)
    await consumer.start()
    try:
        return await look(conn, consumer)
    finally:
        await consumer.stop()
        await conn.close()


async def _settled(trial: Trial) -> bool:
    """Everything folded, nothing waiting, and the log ends where the relay expects: what `unpublished` = 0 means."""

    async def look(conn: "asyncpg.Connection[asyncpg.Record]", consumer: AIOKafkaConsumer) -> bool:
        facts = [TopicPartition(trial.facts_topic, p) for p in range(trial.partitions)]
        state = [TopicPartition(trial.state_topic, p) for p in range(trial.partitions)]
        row = await conn.fetchrow(
            """select (select count(*) from outbox) as waiting, expected,
               (select array_agg(next_offset order by partition) from positions) as positions from relay"""
        )
        assert row is not None
        ends = await consumer.end_offsets([*facts, *state])
        return bool(
            row["waiting"] == 0 and row["positions"] == [ends[tp] for tp in facts] and row["expected"] == [ends[tp] for tp in state]
        )

    return await _with_both(trial, look)


async def _judge(trial: Trial, verdict: Verdict) -> None:
    """Compare the last record of every key with the database, and the database with what was sent in."""

    async def look(conn: "asyncpg.Connection[asyncpg.Record]", consumer: AIOKafkaConsumer) -> None:
        log = await _read_all(consumer, trial.state_topic, trial.partitions)
        rows = {row["key"]: dict(row) for row in await conn.fetch("select key, version, folded, written, gone from state")}
        last: dict[str, dict[str, object]] = {}
        content: dict[tuple[str, object], dict[str, object]] = {}
        for key, value in log:
            if content.setdefault((key, value["version"]), value) != value:
                verdict.faults.append(f"two contents of {key} version {value['version']}")
            last[key] = value
        verdict.faults += first_shown_out_of_order(log)
        verdict.faults += [f"{k}: log ends with {last.get(k)}, database has {row}" for k, row in rows.items() if last.get(k) != row]
        verdict.faults += [f"{key}: in the log, not in the database" for key in last.keys() - rows.keys()]
        facts = Counter(key for key, _ in await _read_all(consumer, trial.facts_topic, trial.partitions))
        writes = Counter(row["key"] for row in await conn.fetch("select key from writes"))
        for name, sent in (("folded", facts), ("written", writes)):
            if any(row[name] != sent[key] for key, row in rows.items()) or sent.keys() - rows.keys():
                verdict.faults.append(f"{name}: the database does not have every effect exactly once")
        relay = await conn.fetchrow("select epoch, repairs, foreign_records from relay")
        assert relay is not None
        verdict.takeovers, verdict.repairs, verdict.foreign_records = (
            relay["epoch"],
            relay["repairs"],
            relay["foreign_records"],
        )
        verdict.stale_before_repair = _steps_back(log)

    await _with_both(trial, look)


def _steps_back(log: list[tuple[str, dict[str, object]]]) -> int:
    """How often the log showed a key at a lower version than before."""
    steps, highest = 0, dict[str, int]()
    for key, value in log:
        version = value["version"]
        assert isinstance(version, int)
        steps += version < highest.get(key, 0)
        highest[key] = max(version, highest.get(key, 0))
    return steps


def first_shown_out_of_order(log: list[tuple[str, dict[str, object]]]) -> list[str]:
    """Versions that came to the log for the first time after a higher one: zombies only repeat, so ids were out of order.

    This sees a wrong order of the outbox where a later version has long covered it.
    """
    faults, shown, highest = [], set[tuple[str, object]](), dict[str, int]()
    for key, value in log:
        version = value["version"]
        assert isinstance(version, int)
        if version < highest.get(key, 0) and (key, version) not in shown:
            faults.append(f"{key}: version {version} first came after version {highest[key]}")
        shown.add((key, version))
        highest[key] = max(version, highest.get(key, 0))
    return faults


async def _read_all(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> list[tuple[str, dict[str, object]]]:
    tps = [TopicPartition(topic, partition) for partition in range(partitions)]
    ends = await consumer.end_offsets(tps)
    consumer.assign(tps)
    for tp in tps:
        consumer.seek(tp, 0)
    read = []
    while any([await consumer.position(tp) < end for tp, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            read += [(record.key.decode(), json.loads(record.value)) for record in records]
    return read
