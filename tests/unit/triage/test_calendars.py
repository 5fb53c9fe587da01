"""Business calendars by tables: ends of weeks, lunch, holidays, and the hours that summer time takes and gives."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from earshot_triage.domain.calendars import Calendar, Hours

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def hours(*spans: tuple[float, float]) -> list[Hours]:
    return [Hours(start * HOUR, end * HOUR) for start, end in spans]


OFFICE = Calendar("office", BERLIN, dict.fromkeys(range(5), hours((9, 17))), {date(2026, 5, 1), date(2026, 12, 25)})
SPLIT = Calendar("split", BERLIN, {0: hours((13, 17.5), (9, 12)), 5: hours((10, 14))})
ALWAYS = Calendar("always", BERLIN, dict.fromkeys(range(7), hours((0, 24))))
NIGHT = Calendar("night", BERLIN, {6: hours((1, 4))})


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.capability("T7")
@pytest.mark.parametrize(
    ("calendar", "start", "within_h", "due"),
    [
        pytest.param(OFFICE, "2026-03-06T16:30", 1, "2026-03-09T09:30", id="Friday 16:30 and an hour is Monday 9:30"),
        pytest.param(OFFICE, "2026-03-06T10:00", 1, "2026-03-06T11:00", id="within the day"),
        pytest.param(OFFICE, "2026-03-06T16:00", 1, "2026-03-06T17:00", id="to the last moment of the day"),
        pytest.param(OFFICE, "2026-03-06T17:00", 1, "2026-03-09T10:00", id="closed from the last moment on"),
        pytest.param(OFFICE, "2026-03-08T03:00", 1, "2026-03-09T10:00", id="Sunday night"),
        pytest.param(OFFICE, "2026-03-09T05:00", 1, "2026-03-09T10:00", id="before work"),
        pytest.param(OFFICE, "2026-03-02T09:00", 40, "2026-03-06T17:00", id="a whole week"),
        pytest.param(OFFICE, "2026-04-30T16:30", 1, "2026-05-04T09:30", id="over a holiday and a weekend"),
        pytest.param(OFFICE, "2026-05-01T12:00", 1, "2026-05-04T10:00", id="on a holiday"),
        pytest.param(OFFICE, "2026-03-27T16:30", 1, "2026-03-30T09:30", id="over the change to summer time"),
        pytest.param(OFFICE, "2026-10-23T16:30", 1, "2026-10-26T09:30", id="over the change to winter time"),
        pytest.param(SPLIT, "2026-03-02T11:30", 1, "2026-03-02T13:30", id="over lunch"),
        pytest.param(SPLIT, "2026-03-02T17:00", 1, "2026-03-07T10:30", id="Monday to Saturday"),
        pytest.param(SPLIT, "2026-03-07T13:00", 2, "2026-03-09T10:00", id="Saturday to Monday"),
        pytest.param(NIGHT, "2026-03-29T01:00", 2, "2026-03-29T04:00", id="the hour that is left out counts nothing"),
        pytest.param(NIGHT, "2026-10-25T01:00", 4, "2026-10-25T04:00", id="the hour that is repeated counts twice"),
        pytest.param(OFFICE, "2026-03-08T03:00", 0, "2026-03-08T03:00", id="nothing is due at once"),
    ],
)
def test_when_it_is_due(calendar: Calendar, start: str, within_h: float, due: str) -> None:
    found = calendar.due(berlin(start), within_h * HOUR)
    assert found == berlin(due)
    assert found.tzinfo is UTC
    assert calendar.counted(berlin(start), found) == within_h * HOUR


@pytest.mark.parametrize("start", ["2026-03-28T13:00", "2026-10-24T13:00", "2026-03-02T00:00"])
def test_a_calendar_that_never_closes_counts_all_time(start: str) -> None:
    for within in (HOUR, 30 * HOUR, timedelta(microseconds=1)):
        assert ALWAYS.due(berlin(start), within) == berlin(start).astimezone(UTC) + within


def test_the_repeated_hour_is_told_apart() -> None:
    assert NIGHT.due(berlin("2026-10-25T02:30", fold=0), HOUR) == berlin("2026-10-25T02:30", fold=1).astimezone(UTC)
    assert NIGHT.counted(berlin("2026-10-25T02:30", fold=0), berlin("2026-10-25T02:30", fold=1)) == HOUR


@pytest.mark.parametrize(
    ("start", "end", "counted_h"),
    [
        pytest.param("2026-03-06T16:30", "2026-03-09T09:30", 1, id="over a weekend"),
        pytest.param("2026-03-07T10:00", "2026-03-08T10:00", 0, id="a weekend"),
        pytest.param("2026-03-09T10:00", "2026-03-09T09:00", 0, id="backwards"),
        pytest.param("2026-12-24T16:00", "2026-12-28T10:00", 2, id="over Christmas"),
    ],
)
def test_what_counts_between(start: str, end: str, counted_h: float) -> None:
    assert OFFICE.counted(berlin(start), berlin(end)) == counted_h * HOUR


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Apia"])
def test_zones_far_from_ours(zone: str) -> None:
    far = ZoneInfo(zone)
    calendar = Calendar("far", far, dict.fromkeys(range(5), hours((9, 17))))
    friday, monday = datetime(2026, 3, 6, 16, 30, tzinfo=far), datetime(2026, 3, 9, 9, 30, tzinfo=far)
    assert calendar.due(friday, HOUR) == monday


def test_a_date_that_a_zone_left_out_counts_nothing() -> None:
    apia = ZoneInfo("Pacific/Apia")  # there was no 30 December 2011 there
    calendar = Calendar("apia", apia, dict.fromkeys(range(7), hours((9, 17))))
    assert calendar.due(datetime(2011, 12, 29, 16, tzinfo=apia), 2 * HOUR) == datetime(2011, 12, 31, 10, tzinfo=apia)


def test_a_calendar_without_hours_is_none() -> None:
    with pytest.raises(ValueError, match="without hours"):
        Calendar("never", BERLIN, {0: []})
