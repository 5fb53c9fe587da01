"""Drives a stage: fetch, prepare, one transaction, next. What fails is tried again, halved, and at the end set aside.

Owns the consumer and the positions of its partitions. The stage owns the meaning; the writer owns the transaction.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiokafka
import aiokafka.errors as kafka_errors

from earshot_shared import kafka
from earshot_shared.errors import EarshotError, FatalError, FencedError, PoisonError, RetryableError
from earshot_shared.pipeline import dead_letters, positions
from earshot_shared.pipeline.positions import Partition, Position
from earshot_shared.pipeline.records import Batch, Poison, Stage
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import translated
from earshot_shared.topics import Topic
from earshot_shared.tracing import trace_of, working_in

_log = logging.getLogger(__name__)

SLICE_RECORDS = 2_000  # one transaction of this many costs a third less a record than one of 500; larger gains nothing more
POLL_MS = 200
COURTESY_S = 5.0
RETRY_LIMIT_S = 5.0
LAG_EVERY_S = 1.0
LETTERS_EVERY_S = 1.0
# One record of ours failing is a bug to look at; this many in a row on a partition means that the next would fail too: stop digging.
UNEXPECTED_IN_A_ROW = 20


@dataclass(slots=True)
class LoopState:
    """What health and statistics ask of the loop."""

    turned_at: float = 0.0
    ready: bool = False
    applied: int = 0
    poison: int = 0
    slices: int = 0
    duplicates: int = 0
    redelivered: int = 0
    retries: int = 0
    fenced: int = 0
    reason: str = "not started"
    lag: int = 0
    paused: int = 0


@dataclass(slots=True)
class _Slice:
    """What was fetched, by partition, and what the stage made of it (None: nothing yet)."""

    batches: list[Batch]
    prepared: Any = None


class Loop:
    """The loop of one replica of a service."""

    def __init__(
        self,
        stage: Stage,
        writer: Writer,
        *,
        bootstrap: str,
        prefix: str,
        group: str,
        yields: Sequence[Topic] = (),
        looks_ahead: bool = False,
        gathers_s: float = 0.0,
        slice_records: int = SLICE_RECORDS,
    ) -> None:
        """``yields``: inputs that are not fetched while any other input lags (backfill behind live).

        ``looks_ahead``: while Postgres is at work on a full slice, the next is prepared; a second slice is held in memory then.
        ``gathers_s``: a slice that was not full is followed by the next no sooner than after so many seconds, where nobody waits for what a
        stage does: a record of a small slice costs twice what one of a large one does.
        ``slice_records``: so many make a full one; fewer where each holds much memory.
        """
        self._stage = stage
        self._writer = writer
        self._bootstrap = bootstrap
        self._group = group
        self._names = {topic.full_name(prefix): topic for topic in stage.inputs}
        self._yielding = {topic.full_name(prefix) for topic in yields}
        self._looks_ahead = looks_ahead
        self._gathers_s = gathers_s
        self._full = slice_records
        self._take_from = 0.0
        self._ahead: asyncio.Task[_Slice] | None = None
        self._consumer: Any = None
        self._known: dict[Partition, Position] = {}
        self._changed = True
        self._ends: dict[Partition, int] = {}
        self._lag_at = 0.0
        self._letters_at = 0.0
        self._committed_at = 0.0
        self._unexpected: dict[Partition, int] = {}
        self._stuck: set[Partition] = set()
        self.state = LoopState()

    async def run(self) -> None:
        """Turn until cancelled. Raises FatalError when the ground, the schema or our code is wrong."""
        delay_s = 0.1
        try:
            while True:
                try:
                    await self._connect()
                    while True:
                        await self._turn()
                        delay_s = 0.1
                except FencedError as error:
                    self._fenced(error)
                except RetryableError as error:
                    await self._wait(error, delay_s)
                    delay_s = min(delay_s * 2, RETRY_LIMIT_S)
        finally:
            await self._disconnect()

    def _fenced(self, error: FencedError) -> None:
        """Another owner, or a replay, moved us: forget everything and load the positions again."""
        self.state.fenced += 1
        self._changed = True
        self._known.clear()
        self._stage.forget()
        _log.warning("slice fenced", extra={"action": "fenced", "service": self._stage.name, "code": error.code})

    async def _wait(self, error: RetryableError, delay_s: float) -> None:
        self.state.retries += 1
        self.state.ready = False
        self.state.reason = error.detail
        self._stage.forget()
        self._changed = True
        self._known.clear()
        self.state.turned_at = time.monotonic()
        _log.warning("waiting to try again", extra={"action": "retry", "service": self._stage.name, "code": error.code})
        if error.code.startswith("kafka"):
            await self._disconnect()
        await asyncio.sleep(error.retry_after_s or delay_s)

    async def _connect(self) -> None:
        if self._consumer is not None:
            return
        consumer = kafka.make_consumer(self._bootstrap, client_id=f"{self._group}-loop", group=self._group)
        consumer.subscribe(list(self._names), listener=kafka.AssignmentListener(self._note_assignment))
        await kafka.start(consumer)
        self._consumer, self._changed = consumer, True

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._known.clear()
        await self._drop_ahead()
        if consumer is not None:
            await kafka.stop(consumer)

    def _note_assignment(self) -> None:
        """What we own may have changed; the next turn looks."""
        self._changed = True

    async def _turn(self) -> None:
        self.state.turned_at = time.monotonic()
        if self._changed:
            await self._settle_in()
        await self._retry_letters()
        await asyncio.sleep(max(0.0, self._take_from - time.monotonic()))
        slice_ = await self._take()
        if slice_.batches:
            count = sum(len(batch.records) for batch in slice_.batches)
            self._take_from = time.monotonic() + self._gathers_s if count < self._full else 0.0
            if self._looks_ahead and count >= self._full:
                self._ahead = asyncio.create_task(self._next(0), name="loop looks ahead")
            await self._apply(slice_.batches, slice_.prepared)
        await self._look_around()

    async def _settle_in(self) -> None:
        """Load the positions of what we own now and seek there; records fetched before that are dropped by `_batches`."""
        self._changed = False
        self._stage.forget()
        await self._drop_ahead()
        with kafka.translated():
            owned = {(each.topic, each.partition) for each in self._consumer.assignment()}
            ground = await kafka.survey(self._consumer, self._names)
        with translated():
            async with self._writer.pool.acquire() as conn:
                known = await positions.load(conn, owned, ground) if owned else {}
        self._known = known
        for (name, number), position in known.items():
            try:
                self._consumer.seek(aiokafka.TopicPartition(name, number), position.next_offset)
            except kafka_errors.IllegalStateError:  # taken from us meanwhile
                self._changed = True
                return
        self._stuck &= set(known)
        self._ends = {each: ground.bounds[each][1] for each in known}
        self.state.ready = not self._stuck
        self.state.reason = "ready" if owned else "no partitions of ours: another replica owns them"

    async def _take(self) -> _Slice:
        """Return the next slice: the one that was looked at ahead, or what comes in."""
        ahead, self._ahead = self._ahead, None
        try:
            if ahead is not None and (found := await ahead).batches:
                # What was fetched ahead of a partition that was stopped meanwhile waits with the rest of it.
                return found if not self._stuck else _Slice([each for each in found.batches if _partition_of(each) not in self._stuck])
            return await self._next(POLL_MS)
        except FatalError as error:
            if isinstance(error.__cause__, kafka_errors.OffsetOutOfRangeError):
                await self._settle_in()  # says what is wrong with the ground, unless the first offsets merely moved on
                return _Slice([])
            raise
        except RetryableError as error:
            if isinstance(error.__cause__, kafka_errors.NoOffsetForPartitionError):  # fetched before we could seek
                self._changed = True
                return _Slice([])
            raise

    async def _next(self, timeout_ms: int) -> _Slice:
        """Fetch what is there within a time, and prepare it."""
        with kafka.translated():
            fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=self._full)
        slice_ = _Slice(self._batches(fetched))
        if slice_.batches and self._looks_ahead:
            with contextlib.suppress(Exception):  # what fails is prepared again by `_commit`, where failures are isolated
                slice_.prepared = await self._stage.prepare(slice_.batches)
        return slice_

    async def _drop_ahead(self) -> None:
        """Forget what was fetched ahead: it is fetched again from where we stand."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    def _batches(self, fetched: Any) -> list[Batch]:
        """Return what is ours and new, by partition."""
        if self._changed:  # assigned anew while we fetched: these may have been read from anywhere
            return []
        batches = []
        for partition, records in fetched.items():
            position = self._known.get((partition.topic, partition.partition))
            if position is None or (partition.topic, partition.partition) in self._stuck:
                continue
            fresh = records if records[0].offset >= position.next_offset else [r for r in records if r.offset >= position.next_offset]
            self.state.redelivered += len(records) - len(fresh)
            if fresh:
                replaying = fresh[0].offset < position.replay_until
                batches.append(Batch(self._names[partition.topic], partition.partition, fresh, replaying))
        return batches

    async def _apply(self, batches: Sequence[Batch], prepared: Any = None) -> None:
        """Apply the batches in one transaction; when that fails, in smaller ones, down to the one record that is to blame."""
        try:
            await self._commit(batches, prepared)
        except (RetryableError, FencedError, FatalError):
            raise
        except Exception as error:  # noqa: BLE001  # the supervisor of the stage: whatever fails in it is isolated below
            self._stage.forget()
            await self._isolate(batches, error)

    async def _commit(self, batches: Sequence[Batch], prepared: Any) -> None:
        self.state.turned_at = time.monotonic()  # isolating a slice takes many transactions
        if prepared is None:
            prepared = await self._stage.prepare(batches)
        with working_in(trace_of(record.value for batch in batches for record in batch.records)):
            async with self._writer.transaction() as tx:
                await positions.advance(tx.conn, batches, self._known)
                await self._stage.fold(tx, prepared)
        for batch in batches:
            at = _partition_of(batch)
            self._known[at] = Position(batch.end, self._known[at].replay_until)
            self._unexpected.pop(at, None)
        self.state.applied += sum(len(batch.records) for batch in batches)
        self.state.poison += len(tx.poison)
        self.state.duplicates += tx.duplicates
        self.state.slices += 1

    async def _isolate(self, batches: Sequence[Batch], error: Exception) -> None:
        if len(batches) > 1:
            for batch in batches:
                await self._apply([batch])
        elif len(batches[0].records) > 1:
            batch = batches[0]
            half = len(batch.records) // 2
            await self._apply([replace(batch, records=batch.records[:half])])
            if _partition_of(batch) not in self._stuck:
                await self._apply([replace(batch, records=batch.records[half:])])
        else:
            await self._set_aside(batches[0], error)

    async def _set_aside(self, batch: Batch, error: Exception) -> None:
        """Bury the one record that fails, unless too many did in a row: then the fault is ours and the partition waits."""
        at = _partition_of(batch)
        known = isinstance(error, PoisonError)
        code = error.code if isinstance(error, EarshotError) else "unexpected-failure"
        if not known:
            self._unexpected[at] = self._unexpected.get(at, 0) + 1
            if self._unexpected[at] > UNEXPECTED_IN_A_ROW:
                self._stop_partition(at)
                return
        detail = error.detail if isinstance(error, EarshotError) else f"{self._stage.name} failed on it ({type(error).__name__})."
        async with self._writer.transaction() as tx:
            await positions.advance(tx.conn, [batch], self._known)
            tx.bury([Poison(batch.records[0], code, detail)])
        self._known[at] = Position(batch.end, self._known[at].replay_until)
        self.state.poison += 1
        _log.error(
            "record set aside",
            exc_info=None if known else error,
            extra={"action": "dead_letter", "service": self._stage.name, "topic": at[0], "partition": at[1], "code": code},
        )

    def _stop_partition(self, at: Partition) -> None:
        self._stuck.add(at)
        self.state.paused = len(self._stuck)
        self.state.ready = False
        self.state.reason = (
            f"{UNEXPECTED_IN_A_ROW} records in a row failed on {at[0]}-{at[1]}; it is paused. See the dead letters, then restart."
        )
        with contextlib.suppress(kafka_errors.IllegalStateError):
            self._consumer.pause(aiokafka.TopicPartition(*at))
        _log.error("partition paused", extra={"action": "paused", "service": self._stage.name, "topic": at[0], "partition": at[1]})

    async def _retry_letters(self) -> None:
        """Try dead letters again that somebody wants tried; they are buried anew, with the new reason, when they fail again."""
        if time.monotonic() - self._letters_at < LETTERS_EVERY_S:
            return
        self._letters_at = time.monotonic()
        with translated():
            wanted = await dead_letters.wanted(self._writer.pool)
        for letter, record in wanted:
            topic = self._names.get(record.topic)
            if topic is None:
                continue
            batch = Batch(topic, record.partition, [record])
            try:
                prepared = await self._stage.prepare([batch])
                async with self._writer.transaction() as tx:
                    await dead_letters.forget(tx.conn, [letter])
                    await self._stage.fold(tx, prepared)
            except (RetryableError, FencedError, FatalError):
                raise
            except Exception as error:  # noqa: BLE001  # as in `_apply`
                self._stage.forget()
                code = error.code if isinstance(error, EarshotError) else "unexpected-failure"
                async with self._writer.transaction() as tx:
                    tx.bury([Poison(record, code, f"Tried again and failed again ({type(error).__name__}).")])

    async def _look_around(self) -> None:
        """Every second: how far behind we are, who has to wait for whom; now and then the courtesy commit."""
        now = time.monotonic()
        if now - self._lag_at < LAG_EVERY_S:
            return
        self._lag_at = now
        if not self._known:
            return
        await self._check_positions()
        self._ends = await kafka.end_offsets(self._consumer, self._known)
        lags = {at: max(0, end - self._known[at].next_offset) for at, end in self._ends.items() if at in self._known}
        self.state.lag = sum(lags.values())
        live_lag = sum(lag for (name, _), lag in lags.items() if name not in self._yielding)
        for at in lags:
            if at[0] in self._yielding and at not in self._stuck:
                with contextlib.suppress(kafka_errors.IllegalStateError):
                    (self._consumer.pause if live_lag > self._full else self._consumer.resume)(aiokafka.TopicPartition(*at))
        if now - self._committed_at > COURTESY_S:
            self._committed_at = now
            await self._courtesy()

    async def _check_positions(self) -> None:
        """See whether a replay moved us while nothing came in that would have run into its fence.

        Raises: FencedError when it did.
        """
        with translated():
            stored = await positions.stored(self._writer.pool, self._names)
        if any(stored.get(at) != position.next_offset for at, position in self._known.items()):
            raise FencedError("A position was moved by another owner or by a replay.")

    async def _courtesy(self) -> None:
        """Tell Kafka's own tools where we are; the truth is ours, so failing here is nothing."""
        with contextlib.suppress(kafka_errors.KafkaError):
            await self._consumer.commit({aiokafka.TopicPartition(*at): position.next_offset for at, position in self._known.items()})


def _partition_of(batch: Batch) -> Partition:
    return (batch.records[0].topic, batch.partition)
