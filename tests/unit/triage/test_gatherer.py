"""The gatherer outlives what it cannot take in: judging, routing and cases do not hang on themes."""

import asyncio
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from earshot_shared.errors import PoisonError, RetryableError
from earshot_triage import gatherer
from earshot_triage.gatherer import Gatherer


@pytest.mark.parametrize("error", [PoisonError("Postgres cannot hold a value of this record."), RetryableError("Postgres is away.")])
async def test_it_tries_again_after_what_it_cannot_take_in(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0
    done = asyncio.Event()

    class Failing(Gatherer):
        async def gather(self) -> int:
            nonlocal rounds
            rounds += 1
            if rounds < 3:
                raise error
            done.set()
            return 0

    at_once: Callable[..., float] = lambda *_, **__: 0.0  # noqa: E731
    monkeypatch.setattr(gatherer, "rest_s", at_once)
    running = asyncio.create_task(Failing(Mock(), Mock()).run())
    try:
        await asyncio.wait_for(done.wait(), 5)
    finally:
        running.cancel()
    assert rounds >= 3
