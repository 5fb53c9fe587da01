"""A recognition on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.recognition import RecognitionUnderTest, migrate, running_recognition


@pytest.fixture
async def recognition(fresh_database: Any, tmp_path: Path) -> AsyncIterator[RecognitionUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_recognition(dsn, tmp_path) as running:
        yield running
