"""The working parts of one service process, put together: pool, writer, loop, relay, and what they tell about themselves.

Owns nothing but the wiring; each service's ``cli.py`` builds one and hands it to its routes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from earshot_shared import kafka
from earshot_shared.errors import EarshotError, FatalError
from earshot_shared.pipeline import lost_ground
from earshot_shared.pipeline.expectation import unpack
from earshot_shared.pipeline.loop import SLICE_RECORDS, Loop
from earshot_shared.pipeline.records import Stage
from earshot_shared.pipeline.regrounding import survey
from earshot_shared.pipeline.relay import Relay
from earshot_shared.pipeline.restating import Restates
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import Pool, Queries, close_pool, open_pool, translated
from earshot_shared.topics import Topic, schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a service stands: its name, its servers and the installation's prefix."""

    service: str
    kafka_bootstrap: str
    postgres_dsn: str
    topic_prefix: str

    @property
    def schema(self) -> str:
        """The service's Postgres schema."""
        return schema_name(self.service, self.topic_prefix)


class Runtime:
    """The working parts of one service process. ``loop`` is None for a service that reads no topic."""

    def __init__(self, ground: Ground, pool: Pool, writer: Writer, relay: Relay, loop: Loop | None, inputs: Sequence[Topic]) -> None:
        self.ground = ground
        self.pool = pool
        self.writer = writer
        self.relay = relay
        self.loop = loop
        self._inputs = [topic.full_name(ground.topic_prefix) for topic in inputs]
        self._watcher: Any = None
        self._watching = asyncio.Lock()
        self._counts: dict[str, int] = {}

    @classmethod
    async def open(
        cls,
        ground: Ground,
        *,
        stage: Callable[[Pool], Stage] | None = None,
        speaker: Callable[[Pool], Restates] | None = None,
        outputs: Iterable[Topic],
        yields: Sequence[Topic] = (),
        looks_ahead: bool = False,
        gathers_s: float = 0.0,
        slice_records: int = SLICE_RECORDS,
        pool_size: int = 6,
    ) -> "Runtime":
        """Return the parts, connected to Postgres, with nothing running yet.

        A service with inputs brings a ``stage``; one without (ingest) brings a ``speaker``, which only restates.
        Raises: RetryableError when Postgres does not answer.
        """
        with translated():
            pool = await open_pool(ground.postgres_dsn, schema=ground.schema, application=ground.schema, max_size=pool_size)
        writer = Writer(pool, service=ground.service, schema=ground.schema)
        staged = stage(pool) if stage is not None else None
        voice: Restates
        if staged is not None:
            voice = staged
        elif speaker is not None:
            voice = speaker(pool)
        else:
            raise ValueError("a service brings a stage or a speaker")
        relay = Relay(writer, voice, bootstrap=ground.kafka_bootstrap, prefix=ground.topic_prefix, topics=outputs)
        loop = None
        if staged is not None:
            loop = Loop(
                staged,
                writer,
                bootstrap=ground.kafka_bootstrap,
                prefix=ground.topic_prefix,
                group=f"{ground.topic_prefix.rstrip('.')}.{ground.service}",
                yields=yields,
                looks_ahead=looks_ahead,
                gathers_s=gathers_s,
                slice_records=slice_records,
            )
        return cls(ground, pool, writer, relay, loop, staged.inputs if staged is not None else ())

    def tasks(self) -> dict[str, Callable[[], Any]]:
        """Return the coroutines that must run as long as the process does, by name."""
        tasks: dict[str, Callable[[], Any]] = {"relay": lambda: self._on_firm_ground(self.relay.run)}
        if (loop := self.loop) is not None:
            tasks["loop"] = lambda: self._on_firm_ground(loop.run)
        return tasks

    async def _on_firm_ground(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run a task; that the log was lost, if it finds so, is remembered before the process ends of it."""
        try:
            await run()
        except FatalError as error:
            with contextlib.suppress(EarshotError), translated():  # what matters is the error at hand
                look = partial(survey, self.ground.kafka_bootstrap, self.ground.topic_prefix)
                await lost_ground.remember(self.pool, self.ground.schema, error, look)
            raise

    async def close(self) -> None:
        """Close what `open` and the statistics opened; the tasks have ended by then."""
        if self._watcher is not None:
            await kafka.stop(self._watcher)
        await close_pool(self.pool)

    async def stats(self) -> dict[str, Any]:
        """Return ``position`` ({topic-partition: offset}), ``lag`` (records of all partitions not yet applied) and ``unpublished``.

        Raises: RetryableError when Kafka or Postgres does not answer.
        """
        with translated():
            outbox = await self.pool.fetchrow(_QUERIES["count_outbox"])
            rows = await self.pool.fetch(_QUERIES["load_positions"], self._inputs)
        assert outbox is not None  # a select without a table has one row
        stood = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        expected = unpack(outbox["expected"]).ends()
        ends = await self._ends({*self._inputs, *(name for name, _ in expected)})
        lag = sum(max(0, end - stood.get(at, 0)) for at, end in ends.items() if at[0] in self._inputs)
        # Between two looks of the relay a record of a frozen predecessor is not seen yet: so the ends of the log are asked for here.
        foreign = sum(ends.get(at, offset) != offset for at, offset in expected.items())
        return {
            "position": {f"{topic}-{partition}": offset for (topic, partition), offset in sorted(stood.items())},
            "lag": lag,
            "unpublished": outbox["waiting"] + foreign,
        }

    async def _ends(self, topics: Set[str]) -> dict[tuple[str, int], int]:
        async with self._watching:
            if self._watcher is None:
                watcher = kafka.make_consumer(self.ground.kafka_bootstrap, client_id=f"{self.ground.schema}-stats")
                await kafka.start(watcher)
                self._watcher = watcher
            if not topics <= self._counts.keys():
                self._counts |= await kafka.partition_counts(self._watcher, topics)
            return await kafka.end_offsets(self._watcher, [(name, n) for name in topics for n in range(self._counts[name])])
