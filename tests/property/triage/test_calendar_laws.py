"""Laws of business calendars, whatever their hours, zone and holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from earshot_triage.domain.calendars import Calendar, Hours

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo")
moments = st.integers(0, 19 * 365 * 86_400_000).map(lambda ms: datetime(2009, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
waits = st.timedeltas(timedelta(), timedelta(days=20))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = {}
    for weekday in range(7):
        edges = sorted(draw(st.sets(st.integers(0, 24 * 60), min_size=0, max_size=6)))
        week[weekday] = [
            Hours(timedelta(minutes=start), timedelta(minutes=end)) for start, end in zip(edges[::2], edges[1::2], strict=False)
        ]
    if not any(week.values()):
        week[draw(st.integers(0, 6))] = [Hours(timedelta(hours=9), timedelta(hours=17))]
    holidays = draw(st.sets(st.dates(date(2009, 1, 1), date(2027, 12, 31)), max_size=5))
    return Calendar("any", ZoneInfo(draw(st.sampled_from(ZONES))), week, holidays)


@given(calendars(), moments, waits)
def test_the_time_counted_until_due_is_the_wait(calendar: Calendar, start: datetime, wait: timedelta) -> None:
    due = calendar.due(start, wait)
    assert due >= start
    assert calendar.counted(start, due) == wait


@given(calendars(), moments, waits, waits)
def test_waits_add_up(calendar: Calendar, start: datetime, one: timedelta, other: timedelta) -> None:
    assert calendar.due(start, one + other) == calendar.due(calendar.due(start, one), other)


@given(calendars(), moments, moments, waits, waits)
def test_later_or_longer_is_never_due_earlier(calendar: Calendar, a: datetime, b: datetime, one: timedelta, other: timedelta) -> None:
    assert calendar.due(min(a, b), one) <= calendar.due(max(a, b), one)
    assert calendar.due(a, min(one, other)) <= calendar.due(a, max(one, other))


@given(calendars(), moments, waits, waits)
def test_counted_time_adds_up_and_is_no_longer_than_time(calendar: Calendar, start: datetime, one: timedelta, other: timedelta) -> None:
    middle, end = start + one, start + one + other
    assert calendar.counted(start, middle) + calendar.counted(middle, end) == calendar.counted(start, end)
    assert timedelta() <= calendar.counted(start, end) <= end - start


@given(calendars(), moments)
def test_a_moment_counts_when_the_wall_clock_says_so(calendar: Calendar, start: datetime) -> None:
    """The definition itself, against the reckoning: a microsecond from ``start`` on counts, or does not."""
    wall = start.astimezone(calendar.zone)
    since_midnight = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    open_now = wall.date() not in calendar.holidays and any(
        each.start <= since_midnight < each.end for each in calendar.week.get(wall.weekday(), ())
    )
    assert (calendar.counted(start, start + timedelta(microseconds=1)) > timedelta()) == open_now
