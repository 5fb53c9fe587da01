"""`republish` says again what stands, with the event ids of the first time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from earshot_ingest import republish as module
from earshot_ingest.republish import republish
from earshot_shared import envelope
from support.ground import FreshDatabase
from support.ingest import an_item, lines, migrate, running_ingest


async def test_everything_since_a_moment_is_said_again(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_ITEMS", 7)
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as ingest:
        await ingest.http.post("/v1/feedback/batch", content=lines([an_item(str(n)) for n in range(20)]))
        await ingest.http.post("/v1/feedback?backfill=true", json=an_item("old"))
        await ingest.runtime.pool.execute("update items set updated_at = now() - interval '2 days' where revision = 1")
        await ingest.http.post("/v1/feedback", json=an_item("3", conversation="c"))
        before = {envelope.decode(each.value).id: each for each in await ingest.said() if each.value is not None}
        await ingest.runtime.pool.execute("delete from outbox")

        now = datetime.now(UTC)
        assert await republish(ingest.runtime.writer, now - timedelta(hours=1)) == 1
        assert [item.revision for item in await ingest.told_items()] == [2]
        assert await republish(ingest.runtime.writer, now - timedelta(days=3)) == 21
        after = [envelope.decode(each.value).id for each in (await ingest.said())[1:] if each.value is not None]
        assert len(after) == len(set(after)) == 21
        assert set(after) <= before.keys()
        assert {item.feedback_id: item for item in await ingest.told_items()} == await ingest.stored()
