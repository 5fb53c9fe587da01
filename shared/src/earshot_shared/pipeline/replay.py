"""Rebuilds a service's view: empties it and moves its positions back, in one transaction; the running service folds everything anew.

Owns the moving back and the waiting. Ids are functions of the facts and versions go on growing, so readers notice only the end state.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiokafka
import asyncpg

from earshot_shared import kafka
from earshot_shared.errors import FatalError, RetryableError
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.lost_ground import Standing, load_standing
from earshot_shared.pipeline.positions import Ground, Partition
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import Topic, schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")
_POLL_S = 0.2
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is replayed: a service by name, its package (for ``sql/reset.sql``), and since when (None: from the beginning)."""

    service: str
    package: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A replay under way: how many events the service folds again, and the ends that its positions must reach."""

    events: int
    ends: dict[Partition, int]


async def run_replay(wanted: Replay, *, dsn: str, bootstrap: str, prefix: str, progress: Callable[[int, int], None]) -> int:
    """Replay and wait until the running service has folded everything that stood on its topics when it began; return how many events.

    Raises: as `begin_replay`.
    """
    begun = await begin_replay(wanted, dsn=dsn, bootstrap=bootstrap, prefix=prefix)
    conn = await _connect(wanted, dsn, prefix)
    try:
        await _wait(conn, begun, progress)
    finally:
        await conn.close()
    return begun.events


async def begin_replay(wanted: Replay, *, dsn: str, bootstrap: str, prefix: str) -> Begun:
    """Empty the view (unless only a part is replayed), move the positions back, and return what the running service now folds again.

    Raises: FatalError when the service has no positions (it never ran), or the log cannot give back what the view holds; RetryableError
    when Kafka or Postgres does not answer.
    """
    schema = schema_name(wanted.service, prefix)
    conn = await _connect(wanted, dsn, prefix)
    consumer = kafka.make_consumer(bootstrap, client_id=f"{schema}-replay")
    try:
        await kafka.start(consumer)
        with translated():
            await _await_whole_log(conn, wanted, prefix)
            standing = await load_standing(conn)
            held = await conn.fetchval(Queries.load(wanted.package)["count_facts"])
        known = {(row["topic"], row["partition"]) for row in standing.positions}
        if not known:
            raise FatalError(f"{wanted.service} has read nothing yet: there is nothing to replay.", code="replay-empty")
        ground = await kafka.survey(consumer, {topic for topic, _ in known})
        starts = await _starts(consumer, ground, wanted.since)
        if wanted.since is None:
            _refuse_lost_log(standing, held, wanted, ground, prefix)
        await _move_back_patiently(conn, schema, wanted, ground, starts)
        return Begun(
            events=sum(ground.bounds[at][1] - starts[at] for at in known),
            ends={at: ground.bounds[at][1] for at in known},
        )
    finally:
        await kafka.stop(consumer)
        await conn.close()


async def _connect(wanted: Replay, dsn: str, prefix: str) -> Any:
    with translated():
        return await asyncpg.connect(dsn, server_settings={"search_path": schema_name(wanted.service, prefix)})


async def _await_whole_log(conn: Any, wanted: Replay, prefix: str) -> None:
    """Refuse a replay while a service still says again what a lost log held: the log is not whole yet.

    Raises: FatalError with what to do.
    """
    for service in sorted(services_with_schema()):
        await conn.execute("select set_config('search_path', $1, false)", schema_name(service, prefix))
        if await conn.fetchrow(_QUERIES["load_restating"]) is not None:
            raise FatalError(
                f"{service} is still saying again what the lost log held: wait until its `unpublished` in /v1/stats is 0.",
                code="log-incomplete",
            )
    await conn.execute("select set_config('search_path', $1, false)", schema_name(wanted.service, prefix))


def _refuse_lost_log(standing: Standing, held: int, wanted: Replay, ground: Ground, prefix: str) -> None:
    """Refuse to empty a view, of ``held`` items, that the log cannot fill again.

    Raises: FatalError with what to do.
    """
    if (loss := standing.loss_on(ground)) is not None:
        raise loss
    items = {topic.full_name(prefix) for topic in Topic if topic.value.noun.startswith("feedback.")}
    there = sum(end - first for (topic, _), (first, end) in ground.bounds.items() if topic in items)
    if there < held:
        raise FatalError(
            f"The log holds at most {there} items, {wanted.service} knows {held}: a replay from the beginning would lose the others. "
            "Fold what there is on top of the view with --since, or let the log be filled first: `earshot ingest republish --since TIME`.",
            code="log-incomplete",
        )


async def _starts(consumer: Any, ground: Ground, since: datetime | None) -> dict[Partition, int]:
    if since is None:
        return {at: first for at, (first, _) in ground.bounds.items()}
    wanted = {aiokafka.TopicPartition(*at): int(since.timestamp() * 1000) for at in ground.bounds}
    with kafka.translated():
        found = await consumer.offsets_for_times(wanted)
    return {
        (each.topic, each.partition): ground.bounds[each.topic, each.partition][1] if at is None else at.offset
        for each, at in found.items()
    }


async def _move_back_patiently(conn: Any, schema: str, wanted: Replay, ground: Ground, starts: dict[Partition, int]) -> None:
    """Move back; again when a reader was in the way: it may hold one table and wait for another, and Postgres ends one of the two."""
    for left in reversed(range(_TRIES)):
        try:
            with translated():
                await _move_back(conn, schema, wanted, ground, starts)
        except RetryableError:
            if not left:
                raise
            await asyncio.sleep(_POLL_S)
        else:
            return


async def _move_back(conn: Any, schema: str, wanted: Replay, ground: Ground, starts: dict[Partition, int]) -> None:
    """Under the pen: empty the views (only when all is replayed) and move every position back. The owners' next slice is fenced."""
    ordered = sorted(starts)
    async with conn.transaction():
        await conn.fetchval(_QUERIES["take_pen"], schema)
        if wanted.since is None:
            await conn.execute(Queries.load(wanted.package)["reset_views"])
        await conn.execute(
            _QUERIES["move_back"],
            [topic for topic, _ in ordered],
            [number for _, number in ordered],
            [starts[at] for at in ordered],
            [ground.bounds[at][1] for at in ordered],
        )


async def _wait(conn: Any, begun: Begun, progress: Callable[[int, int], None]) -> None:
    while True:
        with translated():
            rows = await conn.fetch(_QUERIES["list_positions"])
        stood = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        behind = sum(max(0, end - stood.get(at, end)) for at, end in begun.ends.items())
        progress(begun.events - behind, begun.events)
        if behind == 0:
            return
        await asyncio.sleep(_POLL_S)
