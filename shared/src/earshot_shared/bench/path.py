"""Measures the way from ingest's door to the customer view: how much a second, how long one takes, and what it costs.

Owns the posting and the watching. The window of a rate ends while posting still goes on, and the poster keeps only a bounded number of
items ahead of the view, so that a door that swallows much says nothing good of itself.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from earshot_shared import ids
from earshot_shared.bench.load import Load
from earshot_shared.bench.system import SERVICES, BenchSystem
from earshot_shared.bench.wire import Wires, wires

BATCH = 1000
MOST_PER_S = 40_000  # more than any machine of ours carries
MOST_AHEAD = 12_000
SMALL_BATCH = 100
SINGLE_CONNECTIONS = 96
_LOOK_S = 0.4
_WATCH_S = 0.02  # a look costs a good part of a millisecond of what is measured
_DOOR = "/v1/feedback/batch?quiet=true"
_ACCEPTED, _OK = 202, 200


@dataclass(slots=True)
class Rate:
    """What was carried in a window: events a second, and the processor time of each process in it."""

    events_per_s: float
    cpu_us_per_event: dict[str, float]


@dataclass(slots=True)
class Latencies:
    """Times in milliseconds."""

    values: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the value below which ``share`` of all lie."""
        if not self.values:
            return float("nan")
        ranked = sorted(self.values)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


class Path:
    """The way through one running system."""

    def __init__(self, system: BenchSystem, load: Load, *, say: Callable[[str], None]) -> None:
        self._system = system
        self._load = load
        self._say = say

    def _wires(self, service: str) -> AbstractAsyncContextManager[Wires]:
        return wires(self._system.state.services[service], self._system.state.api_key)

    async def _visible(self) -> int:
        return int((await self._system.stats("crm-sync"))["feedback"])

    async def sustained(self, *, warm_up_s: float, window_s: float) -> Rate:
        """Return the rate at which items become visible while the door is kept busy."""
        self._say("making items ahead of time")
        made = self._load.batches(int((warm_up_s + window_s + 3) * MOST_PER_S / BATCH), BATCH)
        bodies = (body for body, _ in itertools.chain([next(made)], made))  # the first round is made here, before any clock runs
        async with self._wires("ingest") as door:
            poster = asyncio.create_task(self._pour(door, bodies))
            try:
                self._say(f"warming up for {warm_up_s:.0f} s")
                await asyncio.sleep(warm_up_s)
                began, visible, cpu = time.perf_counter(), await self._visible(), self._system.cpu_s()
                self._say(f"measuring for {window_s:.0f} s")
                await asyncio.sleep(window_s)
                count, spent = await self._visible() - visible, self._system.cpu_s()
                took = time.perf_counter() - began
                if poster.done():
                    self._say("the items ran out before the window ended: the rate is a lower bound")
            finally:
                poster.cancel()
                await asyncio.gather(poster, return_exceptions=True)
        await self.settle()
        costs = {name: round((spent[name] - cpu.get(name, 0.0)) * 1e6 / max(count, 1), 1) for name in spent}
        return Rate(count / took, costs)

    async def _pour(self, door: Wires, bodies: Iterable[bytes]) -> None:
        """Post batch after batch, never more than `MOST_AHEAD` items before the view."""
        base, sent, seen_at, seen = await self._visible(), 0, 0.0, 0
        for body in bodies:
            while sent - seen >= MOST_AHEAD or time.perf_counter() - seen_at > _LOOK_S:
                if time.perf_counter() - seen_at <= _LOOK_S / 2:
                    await asyncio.sleep(_LOOK_S / 10)
                    continue
                seen, seen_at = await self._visible() - base, time.perf_counter()
            await _post(door, _DOOR, body)
            sent += BATCH

    async def settle(self) -> None:
        """Wait until everything posted is applied everywhere."""
        while True:
            told = await asyncio.gather(*(self._system.stats(service) for service in SERVICES if service not in ("ingest", "console")))
            ingest = await self._system.stats("ingest")
            if ingest["unpublished"] == 0 and all(stats["lag"] == 0 and stats["unpublished"] == 0 for stats in told):
                return
            await asyncio.sleep(_LOOK_S)

    async def latencies(self, *, rate_per_s: float, seconds: float) -> Latencies:
        """Return how long items take from the post to the view at a steady rate, in posts of a hundred; one of each post is watched."""
        every_s = SMALL_BATCH / rate_per_s
        bodies = list(self._load.batches(int(seconds / every_s), SMALL_BATCH))
        found = Latencies()
        async with self._wires("ingest") as door, self._wires("crm-sync") as view, asyncio.TaskGroup() as group:
            began = time.perf_counter()
            for number, (body, last) in enumerate(bodies):
                await asyncio.sleep(max(0.0, began + number * every_s - time.perf_counter()))
                group.create_task(_follow(door, view, body, last, found, watch=number % 4 == 0))
        await self.settle()
        return found

    async def singles(self, *, seconds: float) -> tuple[float, Latencies]:
        """Return how many single posts a second are accepted over many connections at once, and how long each takes."""
        bodies = [self._load.single() for _ in range(int(seconds * 6000))]
        found, deadline = Latencies(), time.perf_counter() + seconds
        began = time.perf_counter()
        async with self._wires("ingest") as door, asyncio.TaskGroup() as group:
            for _ in range(SINGLE_CONNECTIONS):
                group.create_task(_post_singly(door, bodies, deadline, found))
        rate = len(found.values) / (time.perf_counter() - began)
        await self.settle()
        return rate, found


async def _post(door: Wires, target: str, body: bytes) -> None:
    """Post to ingest. Raises: ConnectionError unless it is accepted."""
    status = await door.ask("POST", target, body)
    if status != _ACCEPTED:
        raise ConnectionError(f"ingest answered {status}")


async def _follow(door: Wires, view: Wires, body: bytes, last: str, found: Latencies, *, watch: bool) -> None:
    """Post a batch and, when it is watched, wait until its last item is in the view."""
    began = time.perf_counter()
    await _post(door, _DOOR, body)
    if not watch:
        return
    target = f"/v1/feedback/{ids.feedback_id('bench', last)}"
    while await view.ask("GET", target) != _OK:
        await asyncio.sleep(_WATCH_S)
    found.values.append((time.perf_counter() - began) * 1000)


async def _post_singly(door: Wires, bodies: list[bytes], deadline: float, found: Latencies) -> None:
    """Post one item after the other, as one of many clients."""
    while bodies and time.perf_counter() < deadline:
        began = time.perf_counter()
        await _post(door, "/v1/feedback", bodies.pop())
        found.values.append((time.perf_counter() - began) * 1000)
