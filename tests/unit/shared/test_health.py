"""Liveness: a part that hangs ends the process, one that was merely frozen does not."""

import asyncio

import pytest

from earshot_shared.errors import FatalError
from earshot_shared.health import Health


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_part_that_hangs_ends_the_process() -> None:
    clock = Clock()
    health = Health(patience_s=60, clock=clock)
    health.watch("loop", lambda: 100.0)
    clock.now += 61
    with pytest.raises(FatalError, match="loop has not turned for 61 s") as raised:
        await asyncio.wait_for(health.stand_guard(look_s=0.001), 10)
    assert raised.value.code == "stalled"


async def test_what_hangs_is_told_by_its_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def waits_for_ever(secret: str) -> None:
        await asyncio.Event().wait()
        raise AssertionError(secret)

    hanging = asyncio.create_task(waits_for_ever("hunter2"), name="loop")
    health = Health(patience_s=0.5, clock=Clock())
    health.watch("loop", lambda: 1.0)
    with pytest.raises(FatalError):
        await asyncio.wait_for(health.stand_guard(look_s=0.001), 10)
    hanging.cancel()
    [told] = [vars(record)["tasks"]["loop"] for record in caplog.records if vars(record).get("action") == "stalled"]
    assert "waits_for_ever" in told[0]
    assert "Event.wait" in told[-1]
    assert "hunter2" not in str(told)


async def test_a_process_that_was_frozen_goes_on() -> None:
    clock = Clock()
    turned = [100.0]
    health = Health(patience_s=60, clock=clock)
    health.watch("loop", lambda: turned[0])
    guard = asyncio.create_task(health.stand_guard(look_s=0.001))
    for _ in range(20):
        clock.now += 300  # it slept, and turns again soon after it woke
        await asyncio.sleep(0.002)
        turned[0] = clock.now
        await asyncio.sleep(0.002)
    assert not guard.done()
    guard.cancel()
