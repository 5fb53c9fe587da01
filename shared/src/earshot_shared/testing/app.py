"""A service's HTTP side without a network: requests go straight into the door."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from earshot_shared.http.door import Door

Client = httpx.AsyncClient
TEST_KEY = "a-key-for-tests-only"


@contextlib.asynccontextmanager
async def open_app(door: Door, *, key: str | None = TEST_KEY) -> AsyncIterator[Client]:
    """Give a client of an app; ``key`` is what it sends, None for none."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    application: Any = door  # httpx's ASGI types are narrower than ASGI's
    async with Client(transport=httpx.ASGITransport(application), base_url="http://test", headers=headers) as client:
        yield client
