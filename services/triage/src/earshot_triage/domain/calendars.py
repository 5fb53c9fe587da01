"""Business calendars: which moments count, and when so much counted time has passed.

Owns the reckoning. A moment counts when the wall clock of the calendar's zone then shows a time within that weekday's hours, on a date that
is no holiday: the hour that a change to summer time leaves out counts nothing, the hour that is repeated counts twice. Must not know cases.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

DAY: Final = timedelta(days=1)
_NOTHING: Final = timedelta()
_MOST_REMEMBERED: Final = 4096
# No zone is further than a day from UTC, so that this is before and after all of a date anywhere.
_BEFORE, _AFTER = -DAY, 2 * DAY


class Hours(NamedTuple):
    """Part of a weekday, as times since midnight on the wall clock; ``end`` does not count any more, and is at most a day."""

    start: timedelta
    end: timedelta


class Calendar:
    """The hours of an installation's people. Remembers the days it was asked about, since every case asks about few."""

    def __init__(self, name: str, zone: tzinfo, week: Mapping[int, Sequence[Hours]], holidays: Collection[date] = ()) -> None:
        """Shapes: ``week`` gives the hours of weekdays (0 is Monday), apart from each other; at least one weekday has some."""
        if not any(week.values()):
            raise ValueError("a calendar without hours never comes to an end")
        self.name = name
        self.zone = zone
        self.week = {weekday: sorted(hours) for weekday, hours in week.items()}
        self.holidays = frozenset(holidays)
        self._days: dict[date, list[tuple[datetime, datetime]]] = {}

    def due(self, start: datetime, within: timedelta) -> datetime:
        """Return the first moment at or after ``start`` until which ``within`` has been counted.

        Shapes: aware ``start``, ``within`` not negative. The answer is in UTC.
        """
        start = start.astimezone(UTC)
        if within <= _NOTHING:
            return start
        left = within
        for opens, closes in self._open_from(start):
            counted = closes - opens
            if counted >= left:
                return opens + left
            left -= counted
        raise AssertionError("a calendar has no last day")

    def counted(self, start: datetime, end: datetime) -> timedelta:
        """Return the time that counts between two moments; nothing when ``end`` is not after ``start``."""
        total = _NOTHING
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        for opens, closes in self._open_from(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total

    def _open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield what is open at ``start`` or later, in order, parts before ``start`` cut off."""
        day = start.astimezone(self.zone).date()
        while True:
            for opens, closes in self._on(day):
                if closes > start:
                    yield max(opens, start), closes
            day += DAY

    def _on(self, day: date) -> list[tuple[datetime, datetime]]:
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _MOST_REMEMBERED:
                self._days.clear()
            known = self._days[day] = [] if day in self.holidays else self._reckon(day)
        return known

    def _reckon(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return the moments of one date that count, in UTC and in order."""
        hours = self.week.get(day.weekday(), ())
        midnight = datetime.combine(day, time(), UTC)
        found = []
        for since, until, offset in self._offsets(midnight + _BEFORE, midnight + _AFTER):
            for start, end in hours:
                opens, closes = max(midnight + start - offset, since), min(midnight + end - offset, until)
                if opens < closes:
                    found.append((opens, closes))
        return sorted(found)

    def _offsets(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime, timedelta]]:
        """Return how far the wall clock is from UTC, and from when until when. No zone changes twice within three days."""
        before, after = self._offset(since), self._offset(until)
        if before == after:
            return [(since, until, before)]
        low, high = since, until
        while high - low > timedelta(seconds=1):  # zones change on whole seconds
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        return [(since, high, before), (high, until, after)]

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or _NOTHING
