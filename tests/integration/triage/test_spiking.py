"""A firestorm on real tables: one alarm an incident, by the time things occurred, whatever slices they come in; none of the past."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from earshot_shared.item import Item
from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from support.triage import StandingClock, TriageUnderTest, migrate, running_triage, watchman_of
from support.triage_world import DAY, plain_item

CONFIG = """
spikes: {baseline_s: 86400, known_s: 21600, complaints_at_least: 10, items_at_least: 50}
stances: [{name: nobody is late here, stance: watch}]
"""
QUARTER = 15
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(DAY - 24 * 60 * MINUTE)


@pytest.fixture
async def triage(fresh_database: Any, tmp_path: Path, clock: StandingClock) -> AsyncIterator[TriageUnderTest]:
    """A triage that has counted since a day before `DAY`."""
    (tmp_path / "triage.yaml").write_text(CONFIG, encoding="utf-8")
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path, clock=clock) as running:
        await watchman_of(running, clock).look()
        clock.now = DAY + QUARTER * MINUTE
        yield running


def usual(brand: str = "Acme", a_quarter: int = 2) -> list[Item]:
    """A quiet day before `DAY`."""
    return [
        plain_item(f"{brand}-usual-{n}-{k}", -n * QUARTER + k, brand=brand) for n in range(1, 4 * 24 + 1) for k in range(1, a_quarter + 1)
    ]


def burst(count: int, minute: float = 5, brand: str = "Acme", name: str = "burst", text: str = "complaint 2") -> list[Item]:
    return [plain_item(f"{brand}-{name}-{n}", minute + n / 1000, text, brand=brand) for n in range(count)]


async def spikes(triage: TriageUnderTest) -> list[Any]:
    said = [json.loads(message.value or b"")["data"] for message in await triage.said() if message.topic is Topic.ALERT_RAISED]
    return [alarm for alarm in said if alarm["rule"] == "spike"]


async def rates(triage: TriageUnderTest) -> list[tuple[Any, ...]]:
    rows = await triage.runtime.pool.fetch("select brand, bucket, items, complaints from rates where items <> 0 order by brand, bucket")
    return [tuple(row) for row in rows]


def slices(items: list[Item], size: int) -> Iterable[list[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


@pytest.mark.capability("T10")
@pytest.mark.capability("L6")
@pytest.mark.parametrize("size", [7, 1000])
async def test_a_firestorm_is_one_incident(triage: TriageUnderTest, clock: StandingClock, size: int) -> None:
    watchman = watchman_of(triage, clock)
    for items in slices(usual() + usual("Bolt"), 500):
        await triage.fold(*items)
    assert await watchman.look() == 0
    for items in slices(burst(30), size):
        await triage.fold(*items)
        clock.now += 11 * timedelta(seconds=1)
        await watchman.look()
    (alarm,) = await spikes(triage)
    assert (alarm["brand"], alarm["measure"]) == ("Acme", "complaints")
    assert 10 <= alarm["count"] <= 30
    assert (alarm["usual"], alarm["busy"]) == (2, 2)
    assert 1 <= alarm["severity"] <= 10
    assert datetime.fromisoformat(alarm["window_from"]) == DAY - 5 * MINUTE
    assert datetime.fromisoformat(alarm["window_to"]) == DAY + 10 * MINUTE
    assert not {"case_id", "author_key", "text"} & alarm.keys()
    for minute in (20, 40, 60, 115):  # it goes on, with less than an hour of quiet between
        clock.now = DAY + (minute + 5) * MINUTE
        await triage.fold(*burst(30, minute, name=f"more-{minute}"))
        assert await watchman.look() == 0
    clock.now = DAY + 300 * MINUTE
    await triage.fold(*burst(60, 290, name="again"))
    assert await watchman.look() == 1
    listed = (await triage.http.get("/v1/alerts", params={"rule": "spike"})).json()["items"]
    assert [each["alert_id"] for each in listed] == [each["alert_id"] for each in reversed(await spikes(triage))]
    seen = await triage.http.post(f"/v1/alerts/{alarm['alert_id']}/acknowledge", headers={"earshot-actor": "Ann"})
    assert seen.json()["acknowledged_by"] == "Ann"
    mine = await triage.key(brands=["Bolt"])
    assert (await triage.http.get("/v1/alerts", headers=mine)).json()["items"] == []


async def test_other_words_count_when_there_are_many(triage: TriageUnderTest, clock: StandingClock) -> None:
    await triage.fold(*usual())
    await triage.fold(*burst(49, text="praise 1"))
    assert await watchman_of(triage, clock).look() == 0
    await triage.fold(*burst(10, text="praise 1", name="more"))
    assert await watchman_of(triage, clock).look() == 1
    assert [(alarm["measure"], alarm["count"]) for alarm in await spikes(triage)] == [("items", 59)]


async def test_neither_imports_nor_replays_nor_the_past_nor_our_own_words(triage: TriageUnderTest, clock: StandingClock) -> None:
    await triage.fold(*usual())
    await triage.fold(*[plain_item(f"i{n}", 5, backfill=True) for n in range(60)], topic=Topic.FEEDBACK_BACKFILLED)
    await triage.fold(*[plain_item(f"o{n}", 5, brand_speaks=True) for n in range(60)])
    await triage.fold(*burst(60, minute=-26 * 60, name="heard late"))
    assert await watchman_of(triage, clock).look() == 0
    before = await rates(triage)
    await triage.fold(*burst(60, name="replayed"), replaying=True)
    assert await watchman_of(triage, clock).look() == 0
    assert await rates(triage) != before


async def test_a_replay_counts_the_same_and_tells_nothing_again(triage: TriageUnderTest, clock: StandingClock) -> None:
    items = [*usual(), *burst(30)]
    await triage.fold(*items)
    assert await watchman_of(triage, clock).look() == 1
    before = await rates(triage)
    await triage.runtime.pool.execute(Queries.load("earshot_triage")["reset_views"])
    await triage.fold(*items, replaying=True)
    assert await rates(triage) == before
    await triage.fold(*burst(5, minute=6, name="live"))
    assert await watchman_of(triage, clock).look() == 0


async def test_counts_follow_revisions(triage: TriageUnderTest) -> None:
    await triage.fold(*burst(3))
    ((brand, bucket, items, complaints),) = await rates(triage)
    assert (brand, items, complaints) == ("Acme", 3, 3)
    await triage.fold(plain_item("Acme-burst-0", 5, "praise 1", revision=2))
    assert await rates(triage) == [("Acme", bucket, 3, 2)]
    await triage.fold(
        plain_item("Acme-burst-1", 5.001, revision=2, withdrawn=True), plain_item("Acme-burst-2", 5.002, brand="Bolt", revision=2)
    )
    assert await rates(triage) == [("Acme", bucket, 1, 0), ("Bolt", bucket, 1, 1)]


async def test_what_was_never_listened_to_is_not_quiet(triage: TriageUnderTest, clock: StandingClock) -> None:
    rules = triage.wiring.book.current.model
    triage.wiring.book.decider.use(rules.model_copy(update={"spikes": None}).rules("off"))
    await watchman_of(triage, clock).look()
    assert await triage.runtime.pool.fetchval("select count(*) from rates_since") == 0
    triage.wiring.book.decider.use(rules.rules("on"))
    await triage.fold(*burst(60))
    assert await watchman_of(triage, clock).look() == 0
    assert await spikes(triage) == []


async def test_without_the_setting_nothing_is_counted(fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, clock=lambda: DAY) as triage:
        await triage.fold(*burst(60, minute=-5))
        assert await watchman_of(triage, lambda: DAY).look() == 0
        assert await rates(triage) == []
