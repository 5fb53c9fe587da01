"""The same items by single posts, in batches, in another order and more than once leave the same items behind."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from earshot_ingest.simulation.command import body_of
from earshot_ingest.simulation.community import Community
from earshot_shared.item import Item
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, migrate, running_ingest

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)


def deliveries() -> list[bytes]:
    """Items of a community; some are delivered twice, the second time in another conversation or as a reply."""
    rng = Random(7)
    community = Community(customers=30, seed=7, rate=10, answer_s=5)
    bodies = [body_of(event, BEGIN) for event in itertools.islice(community.events(), 250)]
    for body in rng.sample(bodies, 60):
        again: dict[str, Any] = msgspec.json.decode(body)
        bodies.append(msgspec.json.encode(again | {"conversation": f"c{rng.randrange(9)}", "in_reply_to": f"s{rng.randrange(1, 250)}"}))
    return bodies


def essence(items: Sequence[Item]) -> list[Item]:
    """What must not depend on the way in: all but times of receipt, counts of revisions, and the one link that is shown as text."""
    return sorted(
        (replace(item, revision=1, received_at=RECEIVED, in_reply_to=None, conversation=None,
                 parents=tuple(sorted(item.parents)), conversations=tuple(sorted(item.conversations)))
         for item in items),
        key=lambda item: item.feedback_id,
    )  # fmt: skip


async def send(ingest: IngestUnderTest, bodies: Sequence[bytes], size: int) -> None:
    headers = {"content-type": "application/x-ndjson"}
    for begin in range(0, len(bodies), size):
        answer = await ingest.http.post("/v1/feedback/batch", content=b"\n".join(bodies[begin : begin + size]), headers=headers)
        assert answer.json()["rejected"] == []


async def test_the_way_in_leaves_no_trace(fresh_database: FreshDatabase) -> None:
    bodies = deliveries()
    distinct = 250
    async with running_ingest(await asyncio.to_thread(fresh_database, migrate)) as ingest:
        await send(ingest, bodies, 1000)
        in_order = essence(list((await ingest.stored()).values()))
        totals = await ingest.totals()
        assert totals == {"accepted": distinct, "duplicates": 60, "rejected": 0}
        await send(ingest, bodies, 1000)
        assert (await ingest.totals())["duplicates"] == 60 + len(bodies)
        assert essence(list((await ingest.stored()).values())) == in_order
    async with running_ingest(await asyncio.to_thread(fresh_database, migrate)) as ingest:
        shuffled = bodies * 2
        Random(8).shuffle(shuffled)
        await send(ingest, shuffled[:300], 37)
        await asyncio.gather(*(ingest.http.post("/v1/feedback", content=body) for body in shuffled[300:]))
        assert essence(list((await ingest.stored()).values())) == in_order
        told: dict[str, Item] = {}
        for item in await ingest.told_items():
            assert item.revision == told.get(item.feedback_id, replace(item, revision=0)).revision + 1
            told[item.feedback_id] = item
        assert told == await ingest.stored()
