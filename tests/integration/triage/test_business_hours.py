"""Cases whose target is reckoned in business hours: due times, clocks, figures and alarms; and those beside them that are not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.triage import TriageUnderTest, migrate, running_triage, watchman_of
from support.triage_world import DAY, case_of, plain_item

# DAY is Sunday, 1 March 2026, 00:00 UTC: two days and 16:30 before it, in Berlin (UTC+1), is Friday 16:30 less an hour.
FRIDAY_1630 = -(32 * 60 + 30)
MONDAY_0900 = 32 * 60
CONFIG = """
calendars:
  - name: office
    zone: Europe/Berlin
    week: {monday: [09:00-17:00], tuesday: [09:00-17:00], wednesday: [09:00-17:00], thursday: [09:00-17:00], friday: [09:00-17:00]}
targets:
  - {within_s: 3600, brand: [Acme], calendar: office}
"""


@pytest.fixture
async def triage(fresh_database: Any, tmp_path: Path) -> AsyncIterator[TriageUnderTest]:
    (tmp_path / "triage.yaml").write_text(CONFIG, encoding="utf-8")
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path, clock=lambda: DAY - timedelta(days=1)) as running:
        yield running


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour - 1, minute, tzinfo=UTC)


async def clocks(triage: TriageUnderTest, name: str) -> Any:
    return (await triage.http.get(f"/v1/cases/{case_of(name)}")).json()["clocks"]


@pytest.mark.capability("T7")
@pytest.mark.capability("D2")
async def test_friday_afternoon_is_due_on_monday_morning(triage: TriageUnderTest) -> None:
    await triage.fold(
        plain_item("in-time", FRIDAY_1630),
        plain_item("in-time-reply", MONDAY_0900 + 15, brand_speaks=True, to="in-time"),
        plain_item("late", FRIDAY_1630),
        plain_item("late-reply", MONDAY_0900 + 45, brand_speaks=True, to="late"),
        plain_item("weekend", 0),
        plain_item("weekend-reply", 60, brand_speaks=True, to="weekend"),
        plain_item("other", FRIDAY_1630, brand="Bolt"),
        plain_item("other-reply", FRIDAY_1630 + 90, brand="Bolt", brand_speaks=True, to="other"),
    )
    due = (await clocks(triage, "in-time"))["first_response_due_at"]
    assert datetime.fromisoformat(due) == berlin(2, 9, 30)
    assert (await clocks(triage, "in-time"))["calendar"] == "office"
    assert (await clocks(triage, "other"))["calendar"] is None
    rows = {row["key"]: row for row in (await triage.http.get("/v1/metrics/service-levels")).json()["items"]}
    acme, bolt = rows["Acme"], rows["Bolt"]
    assert (acme["cases"], acme["answered"], acme["target_s"]) == (3, 3, 3600)
    assert acme["median_first_response_s"] == 45 * 60  # of 0, 45 and 75 minutes in the office's hours
    assert acme["within_target"] == pytest.approx(2 / 3)
    assert (bolt["median_first_response_s"], bolt["within_target"], bolt["target_s"]) == (90 * 60, 0.0, 3600)


async def test_a_breach_is_told_when_the_office_had_its_hour(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", FRIDAY_1630))
    assert await watchman_of(triage, lambda: berlin(2, 9, 29)).look() == 0
    assert await watchman_of(triage, lambda: berlin(2, 9, 30)).look() == 1
    alarm = (await triage.http.get("/v1/alerts")).json()["items"][0]
    assert (alarm["case_id"], datetime.fromisoformat(alarm["due_at"])) == (case_of("a"), berlin(2, 9, 30))


async def test_a_later_message_keeps_the_clock_and_an_answer_stops_it(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", FRIDAY_1630))
    await triage.fold(plain_item("a2", FRIDAY_1630 + 10, to="a"))
    assert datetime.fromisoformat((await clocks(triage, "a"))["first_response_due_at"]) == berlin(2, 9, 30)
    await triage.fold(plain_item("reply", FRIDAY_1630 + 20, brand_speaks=True, to="a"))
    row = (await triage.http.get("/v1/metrics/service-levels")).json()["items"][0]
    assert (row["median_first_response_s"], row["within_target"]) == (20 * 60, 1.0)
    assert await watchman_of(triage, lambda: berlin(2, 12)).look() == 0
