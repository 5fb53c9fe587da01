"""Times as HTTP and files spell them: RFC 3339 in, UTC out.

Owns parsing, also of fields in bodies; the one spelling for output is `earshot_shared.envelope.rfc3339`. Reads no clock.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema

_FORM: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII)


def parse_time(text: str) -> datetime:
    """Return an RFC 3339 time in UTC, to the microsecond (finer digits are cut off, as every clock of ours does).

    Raises: ValueError, in words, when the form is another, the zone is missing, the date does not exist, or the second is a leap second.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("is not an RFC 3339 time with a zone, such as 2024-05-01T12:30:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if second == 60:
        raise ValueError("is a leap second, which we cannot keep")
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=_zone(match))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


def _time_of(given: Any) -> datetime:
    if not isinstance(given, str):
        raise ValueError("is a text such as 2024-05-01T12:30:00Z")
    return parse_time(given)


TimeText = Annotated[datetime, BeforeValidator(_time_of), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time in a body: RFC 3339 with a zone and nothing else; pydantic alone would take numbers, dates and leap seconds too."""


def _zone(match: re.Match[str]) -> timezone:
    if match[8]:
        return UTC
    hours, minutes = int(match[10]), int(match[11])
    if hours > 23 or minutes > 59:
        raise ValueError("zone out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[9] == "-" else offset)
