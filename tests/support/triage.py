"""A triage in the test's own process: real Postgres, its real routes, no server in between.

Owns the opening and closing. With a broker's address the loop and the relay run too; without one items are folded by `fold`, and what was
said stays in the outbox.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from earshot_shared.access import PostgresKeys, new_key, open_access_pool, read_secret
from earshot_shared.health import Health
from earshot_shared.http.auth import Keyring
from earshot_shared.http.paging import Cursors
from earshot_shared.item import Item
from earshot_shared.messages import Message, unpack
from earshot_shared.metrics import Metrics
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import Parts
from earshot_shared.topics import Topic
from earshot_triage.settings import TriageSettings
from earshot_triage.watching import Watchman
from earshot_triage.wiring import Wiring, now
from support.triage_world import ITEMS, PlainJudge

FIRST_KEY = "a-first-key-for-tests"
NO_KAFKA = "127.0.0.1:1"


async def migrate(dsn: str) -> None:
    """Bring a database to the shipped state; a function of its own, so that its result is kept as a template."""
    await migrate_all(dsn)


@dataclass(slots=True, kw_only=True)
class TriageUnderTest:
    """One running triage: ``http`` carries the first key."""

    parts: Parts
    http: httpx.AsyncClient
    keys: PostgresKeys
    wiring: Wiring

    @property
    def runtime(self) -> Runtime:
        return self.parts.runtime

    async def key(self, *, scopes: Collection[str] = ("triage:read",), brands: Collection[str] | None = None) -> dict[str, str]:
        """Make a key and return the headers that carry it."""
        token, stored = new_key(name="test", scopes=scopes, brands=brands)
        await self.keys.add(stored)
        return {"authorization": f"Bearer {token}"}

    async def fold(self, *items: Item, topic: Topic = Topic.FEEDBACK_RECEIVED, replaying: bool = False) -> None:
        """Fold items as one slice of ``topic``."""
        records = []
        for offset, item in enumerate(items):
            message = ITEMS.write(item.feedback_id, f"{item.feedback_id}.{item.revision}", item, time="2026-01-01T00:00:00Z")
            records.append(StoredRecord("items", 0, offset, message.key, message.value))
        await self.fold_records(topic, records, replaying=replaying)

    async def fold_records(self, topic: Topic, records: list[StoredRecord], *, replaying: bool = False) -> None:
        """Fold records as one slice."""
        stage = self.wiring.stage
        prepared = await stage.prepare([Batch(topic, 0, records, replaying)])
        async with self.runtime.writer.transaction() as tx:
            await stage.fold(tx, prepared)

    async def said(self) -> list[Message]:
        """Return every message that waits in the outbox, in order."""
        rows = await self.runtime.pool.fetch("select messages from outbox order by id")
        return [message for row in rows for message in unpack(row["messages"])]


class StandingClock:
    """A clock that stands until ``now`` is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def watchman_of(triage: TriageUnderTest, clock: Callable[[], datetime]) -> Watchman:
    """Return one who looks by ``clock``, and by the rules that hold."""
    return Watchman(triage.runtime.writer, clock, lambda: triage.wiring.book.decider.rules)


@contextlib.asynccontextmanager
async def running_triage(
    dsn: str,
    *,
    kafka: str | None = None,
    prefix: str = "earshot",
    config_dir: Path | None = None,
    learned: bool = False,
    model_dir: Path | None = None,
    clock: Callable[[], datetime] = now,
) -> AsyncIterator[TriageUnderTest]:
    """Run triage on a migrated database until the block ends; ``learned`` takes the real judge in place of the plain one."""
    values: dict[str, Any] = {"config_dir": config_dir} if config_dir else {}
    if model_dir is not None:
        values["model_dir"] = model_dir
    settings = TriageSettings(
        kafka_bootstrap=kafka or NO_KAFKA, postgres_dsn=SecretStr(dsn), topic_prefix=prefix, api_key=SecretStr(FIRST_KEY), **values
    )
    ground = Ground(service="triage", kafka_bootstrap=settings.kafka_bootstrap, postgres_dsn=dsn, topic_prefix=prefix)
    async with contextlib.AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_access_pool(dsn, prefix, application="test"))
        secret = await read_secret(access)
        wiring = Wiring(settings, judge=None if learned else PlainJudge(), clock=clock)
        runtime = await wiring.open_runtime(ground, secret)
        stack.push_async_callback(runtime.close)
        keys = PostgresKeys(access)
        parts = Parts(
            settings=settings, runtime=runtime, secret=secret, keyring=Keyring(keys, first_key=FIRST_KEY), cursors=Cursors(secret),
            health=Health(), metrics=Metrics("triage"),
        )  # fmt: skip
        if kafka is not None:
            await stack.enter_async_context(_running({**wiring.more_tasks(parts), **runtime.tasks()}))
        app: Any = wiring.build_app(parts)
        headers = {"authorization": f"Bearer {FIRST_KEY}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://triage", headers=headers, timeout=30)
        )
        yield TriageUnderTest(parts=parts, http=client, keys=keys, wiring=wiring)


@contextlib.asynccontextmanager
async def _running(tasks: dict[str, Callable[[], Coroutine[Any, Any, Any]]]) -> AsyncIterator[None]:
    """Run tasks until the block ends; one that died fails the test."""
    started = [asyncio.create_task(run(), name=name) for name, run in tasks.items()]
    try:
        yield
    finally:
        died = [error for task in started if task.done() and not task.cancelled() and (error := task.exception())]
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
        if died:
            raise died[0]
