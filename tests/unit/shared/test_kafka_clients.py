"""Clients of Kafka that end badly do not take us with them."""

import asyncio

import pytest

from earshot_shared import kafka


class EndedByCancelling:
    """Stops as aiokafka's consumer does when its coordination is cut short: by the CancelledError of a task of its own."""

    async def stop(self) -> None:
        own = asyncio.create_task(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(own.cancel)
        await own


class Slow:
    """Stops when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.stopped = False

    async def stop(self) -> None:
        await self.let.wait()
        self.stopped = True


class Failing:
    """Fails to stop."""

    async def stop(self) -> None:
        raise ValueError("hunter2")


async def test_a_client_that_ends_by_cancelling_does_not_cancel_who_stops_it() -> None:
    await asyncio.wait_for(kafka.stop(EndedByCancelling()), 10)


async def test_a_slow_client_ends_behind_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "STOP_TIMEOUT_S", 0.01)
    slow = Slow()
    await asyncio.wait_for(kafka.stop(slow), 10)
    assert not slow.stopped
    slow.let.set()
    async with asyncio.timeout(10):
        while not slow.stopped:
            await asyncio.sleep(0)


async def test_a_client_that_fails_to_stop_is_told_by_type(caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.wait_for(kafka.stop(Failing()), 10)
    await asyncio.sleep(0)
    assert [vars(record)["action"] for record in caplog.records] == ["kafka_stop"]
