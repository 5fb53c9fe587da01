"""The ring that all streams read from, without a broker."""

import asyncio

from earshot_console.hub import Event, Hub
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
