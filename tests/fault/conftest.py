"""The ground of fault tests that need no whole system: real processes of single services."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from earshot_shared.migrations import migrate_all
from earshot_shared.topics_admin import apply_topics
from support import replicas
from support.ground import FreshDatabase
from support.replicas import Plain


@pytest.fixture
async def plain(kafka_bootstrap: str, topic_prefix: str, fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Plain]:
    """Migrated schemas and topics of the test's own."""
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    with replicas.on(Plain(kafka_bootstrap, dsn, topic_prefix, tmp_path)) as ground:
        yield ground
