"""An ingest in the test's own process: real Postgres, its real routes, no server in between.

Owns the opening and closing. With a broker's address the loop and the relay run too; without one what was said stays in the outbox.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from pydantic import SecretStr

from earshot_ingest.erasing import Forgotten
from earshot_ingest.group import GroupCommit
from earshot_ingest.settings import IngestSettings
from earshot_ingest.wiring import Wiring
from earshot_shared import envelope
from earshot_shared.access import PostgresKeys, new_key, open_access_pool, read_secret
from earshot_shared.health import Health
from earshot_shared.http.auth import Keyring
from earshot_shared.http.paging import Cursors
from earshot_shared.item import Item, decode_item
from earshot_shared.messages import Message, unpack
from earshot_shared.metrics import Metrics
from earshot_shared.migrations import migrate_all
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import Parts
from earshot_shared.topics import Topic

FIRST_KEY = "a-first-key-for-tests"
NO_KAFKA = "127.0.0.1:1"


async def migrate(dsn: str) -> None:
    """Bring a database to the shipped state; a function of its own, so that its result is kept as a template."""
    await migrate_all(dsn)


@dataclass(slots=True, kw_only=True)
class IngestUnderTest:
    """One running ingest: ``http`` carries the first key, which may assert everything."""

    parts: Parts
    http: httpx.AsyncClient
    app: Any
    group: GroupCommit
    keys: PostgresKeys
    forgotten: Forgotten

    @property
    def runtime(self) -> Runtime:
        return self.parts.runtime

    async def key(self, *, scopes: Collection[str] = ("ingest:write",), sources: Collection[str] | None = None) -> dict[str, str]:
        """Make a key and return the headers that carry it."""
        token, stored = new_key(name="test", scopes=scopes, sources=sources)
        await self.keys.add(stored)
        return {"authorization": f"Bearer {token}"}

    async def said(self) -> list[Message]:
        """Return every message that waits in the outbox, in order."""
        rows = await self.runtime.pool.fetch("select messages from outbox order by id")
        return [message for row in rows for message in unpack(row["messages"])]

    async def told_items(self, topic: Topic | None = None) -> list[Item]:
        """Return the items of these messages, in order."""
        return [
            decode_item(envelope.decode(message.value).data)
            for message in await self.said()
            if message.value is not None and message.topic in ((topic,) if topic else (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_BACKFILLED))
        ]

    async def stored(self) -> dict[str, Item]:
        """Return every item as it is stored."""
        rows = await self.runtime.pool.fetch("select feedback_id, body from items")
        return {str(row["feedback_id"]): decode_item(row["body"]) for row in rows}

    async def totals(self) -> dict[str, int]:
        """Return what the counters say."""
        await self.group.settle()
        row = await self.runtime.pool.fetchrow(
            "select coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(duplicates), 0)::bigint as duplicates,"
            " coalesce(sum(rejected), 0)::bigint as rejected from source_counts"
        )
        return dict(row or {})


@contextlib.asynccontextmanager
async def running_ingest(
    dsn: str, *, kafka: str | None = None, prefix: str = "earshot", config_dir: Path | None = None
) -> AsyncIterator[IngestUnderTest]:
    """Run ingest on a migrated database until the block ends."""
    values: dict[str, Any] = {"config_dir": config_dir} if config_dir else {}
    settings = IngestSettings(
        kafka_bootstrap=kafka or NO_KAFKA, postgres_dsn=SecretStr(dsn), topic_prefix=prefix, api_key=SecretStr(FIRST_KEY), **values
    )
    ground = Ground(service="ingest", kafka_bootstrap=settings.kafka_bootstrap, postgres_dsn=dsn, topic_prefix=prefix)
    async with contextlib.AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_access_pool(dsn, prefix, application="test"))
        secret = await read_secret(access)
        wiring = Wiring(settings)
        runtime = await wiring.open_runtime(ground, secret)
        stack.push_async_callback(runtime.close)
        keys = PostgresKeys(access)
        parts = Parts(
            settings=settings, runtime=runtime, secret=secret, keyring=Keyring(keys, first_key=FIRST_KEY), cursors=Cursors(secret),
            health=Health(), metrics=Metrics("ingest"),
        )  # fmt: skip
        tasks: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {**wiring.more_tasks(parts)}
        if kafka is not None:
            tasks |= runtime.tasks()
        app: Any = wiring.build_app(parts)
        await stack.enter_async_context(_running(tasks))
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {FIRST_KEY}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers, timeout=30)
        )
        yield IngestUnderTest(parts=parts, http=client, app=app, group=wiring.group(runtime), keys=keys, forgotten=wiring.forgotten())


@contextlib.asynccontextmanager
async def served(ingest: IngestUnderTest) -> AsyncIterator[str]:
    """Serve it on a free port of this machine until the block ends; yields the address."""
    config = uvicorn.Config(ingest.app, port=0, log_config=None, lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # signals are pytest's
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # the server has no event to wait for
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def _running(tasks: dict[str, Callable[[], Coroutine[Any, Any, Any]]]) -> AsyncIterator[None]:
    running = [asyncio.create_task(run(), name=name) for name, run in tasks.items()]
    try:
        yield
    finally:
        died = [error for task in running if task.done() and (error := task.exception())]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for error in died:
            raise error


def an_item(external_id: str = "1", **changes: Any) -> dict[str, Any]:
    """Return an item as HTTP takes it, with what differs."""
    item = {
        "source": "forum",
        "external_id": external_id,
        "channel": "forum",
        "author": {"id": "u1", "handle": "@Ada"},
        "text": "The parcel never came.",
        "occurred_at": "2026-05-01T12:00:00Z",
    }
    return item | changes


def lines(items: Sequence[dict[str, Any]]) -> bytes:
    """Return items as NDJSON."""
    return b"\n".join(msgspec.json.encode(item) for item in items)
