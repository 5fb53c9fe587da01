"""The ring that all streams read from, without a broker."""

import asyncio
from collections.abc import AsyncGenerator

from earshot_console.hub import Event, Hub
from earshot_console.positions import Partition
from earshot_shared.topics import Topic


async def test_streams_end_when_the_process_stops() -> None:
    hub = Hub(bootstrap="nowhere:1", prefix="earshot", client_id="test")
    stop = asyncio.Event()
    told: list[Event] = []
    heartbeats = 0

    async def follow() -> None:
        nonlocal heartbeats
        async for events in hub.follow([Topic.CASE_CHANGED], {}, patience_s=0.01):
            told.extend(events)
            heartbeats += 1

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(hub.end_streams_at(stop))
        patient = group.create_task(follow())
        while heartbeats < 2:
            await asyncio.sleep(0.01)
        assert not patient.done(), "it waits for ever"
        stop.set()
    assert told == []
    assert [events async for events in hub.follow([Topic.CASE_CHANGED], {}, patience_s=60)] == [], "nobody begins anew"


class CutOffHub(Hub):
    """A hub whose broker was away: what came meanwhile is in the log alone."""

    log: list[Event]

    def go_on_at(self, end: int) -> None:
        """Connect anew at an end of the log, as `_retarget` does."""
        self.ends[CASES] = self._evicted[CASES] = end
        self._wake_followers()

    async def _catch_up(self, positions: dict[Partition, int]) -> AsyncGenerator[list[Event], None]:
        missed = [event for event in self.log if positions[CASES] <= event.offset < self._evicted[CASES]]
        positions[CASES] = self._evicted[CASES]
        yield missed


CASES = (Topic.CASE_CHANGED, 0)


def event(offset: int) -> Event:
    return Event(Topic.CASE_CHANGED, 0, offset, b"k", b"{}")


async def test_who_followed_while_the_broker_was_away_misses_nothing() -> None:
    hub = CutOffHub(bootstrap="nowhere:1", prefix="earshot", client_id="test")
    hub.log = [event(offset) for offset in range(6)]
    hub.go_on_at(0)
    hub._keep(event(0))
    told: list[int] = []
    async with asyncio.timeout(10):
        async for events in hub.follow([Topic.CASE_CHANGED], {CASES: 0}, patience_s=0.01):
            told += [each.offset for each in events]
            if told == [0]:
                hub.go_on_at(5)
                hub._keep(event(5))
            if told[-1] == 5:
                break
    assert told == [0, 1, 2, 3, 4, 5]
