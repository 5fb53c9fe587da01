"""The ground of fault tests that need no whole system: real processes of single services."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from earshot_shared.migrations import migrate_all
from earshot_shared.topics_admin import apply_topics
from support.ground import FreshDatabase
from support.replicas import Plain

MakePlain = Callable[[str], Awaitable[Plain]]


@pytest.fixture
async def make_plain(kafka_bootstrap: str, topic_prefix: str, fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[MakePlain]:
    """Makes grounds with migrated schemas and topics of their own, under the test's prefix and a name."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(name: str) -> Plain:
            prefix = f"{topic_prefix}.{name}"
            dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, prefix))
            await apply_topics(kafka_bootstrap, prefix)
            ground = Plain(kafka_bootstrap, dsn, prefix, tmp_path)
            stack.push_async_callback(ground.end_all)
            return ground

        yield make


@pytest.fixture
async def plain(make_plain: MakePlain) -> Plain:
    """One such ground."""
    return await make_plain("a")
