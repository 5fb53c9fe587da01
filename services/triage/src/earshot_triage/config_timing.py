"""What of ``config/triage.yaml`` says by when cases are answered: business calendars and targets.

Owns the form of these parts and their translation to the domain. The file as a whole is `earshot_triage.config`.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from earshot_triage.domain import routing
from earshot_triage.domain.calendars import Calendar, Hours
from earshot_triage.domain.routing import CaseCondition, TargetRule

Priority = Annotated[int, Field(ge=1, le=4)]
Team = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final[Mapping[str, int]] = {
    name: place for place, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
}
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY = timedelta(days=1)
LONGEST_S: Final = 10 * 366 * 86_400  # ten years: nobody promises to answer later than that, and reckoning goes day by day


class Part(BaseModel):
    """A part of the file: an unknown name in it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _hours(text: str) -> Hours:
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError("hours are written as 09:00-17:30")
    start_h, start_m, end_h, end_m = map(int, found.groups())
    start, end = timedelta(hours=start_h, minutes=start_m), timedelta(hours=end_h, minutes=end_m)
    if start >= end or end > _DAY:
        raise ValueError("hours begin before they end, and end at 24:00 at the latest")
    return Hours(start, end)


def _is_hours(text: str) -> str:
    _hours(text)
    return text


def _are_apart(texts: tuple[str, ...]) -> tuple[str, ...]:
    hours = sorted(map(_hours, texts))
    if any(one.end > other.start for one, other in pairwise(hours)):
        raise ValueError("hours of one day must not overlap")
    return texts


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder, or no name of a file
        raise ValueError(f"there is no time zone {name!r}: it is an IANA name such as Europe/Berlin") from None
    return name


DaysHours = Annotated[tuple[Annotated[str, AfterValidator(_is_hours)], ...], AfterValidator(_are_apart)]


class BusinessCalendar(Part):
    """The hours in which people answer, on the wall clock of a zone. What is not named is closed."""

    name: Name
    zone: Annotated[str, Field(max_length=100), AfterValidator(_is_zone)]
    week: dict[Weekday, DaysHours]
    """Several hours a day, as ``monday: [09:00-12:00, 13:00-17:30]``."""
    holidays: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _opens(self) -> "BusinessCalendar":
        if not any(self.week.values()):
            raise ValueError("a calendar has hours on at least one weekday")
        return self

    def calendar(self) -> Calendar:
        """Return it as the domain knows it."""
        week = {WEEKDAYS[name]: [_hours(text) for text in texts] for name, texts in self.week.items()}
        return Calendar(self.name, ZoneInfo(self.zone), week, self.holidays)


class OfCases(Part):
    """What a case must be; what is not given is not asked."""

    priority: frozenset[Priority] | None = None
    brand: frozenset[str] | None = None
    team: frozenset[Team] | None = None

    def condition(self) -> CaseCondition:
        """Return it as the domain knows it."""
        return CaseCondition(priorities=self.priority, brands=self.brand, teams=self.team)


class Target(OfCases):
    """By when some cases are to be answered first; the first that is met decides. Tone is none of the conditions: angry and friendly
    customers wait the same.
    """

    within_s: Annotated[int, Field(gt=0, le=LONGEST_S)]
    calendar: Name | None = None
    """Whose hours count; all time without one."""

    def rule(self, calendars: Mapping[str, Calendar]) -> TargetRule:
        """Return it as the domain knows it."""
        return TargetRule(self.condition(), routing.Target(self.within_s, None if self.calendar is None else calendars[self.calendar]))
