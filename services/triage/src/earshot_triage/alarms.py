"""What alarms say, on their topic and over HTTP.

Owns the bodies and the ids. An alarm holds no personal data of customers; people named on a rung are the installation's own, as its
configuration has them. The id is a function of rule, subject and due time: the same cause, the same alarm.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from earshot_shared import ids
from earshot_shared.envelope import rfc3339

OVERDUE: Final = "first-response-overdue"
ESCALATION: Final = "escalation"
SPIKE: Final = "spike"
SILENT_SOURCE: Final = "silent-source"
RuleName = Literal["first-response-overdue", "escalation", "spike", "silent-source"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What every alarm says. ``due_at`` is the time it is about; ``raised_at`` when it was told."""

    alert_id: str
    rule: RuleName
    brand: str | None
    due_at: datetime
    raised_at: datetime


class CaseAlert(Alert, frozen=True, kw_only=True):
    """An alarm about a case."""

    case_id: str
    team: str | None
    priority: int
    channel: str


class Overdue(CaseAlert, frozen=True, kw_only=True):
    """A case that was to be answered and was not: the breach of its target."""

    rule: Literal["first-response-overdue"] = OVERDUE


class RungTold(msgspec.Struct, frozen=True, kw_only=True):
    """Who is called: the ``number``th rung of a ladder ``of`` so many, ``after_s`` seconds after the breach."""

    number: int
    of: int
    after_s: int
    people: tuple[str, ...]
    roles: tuple[str, ...]
    team: str | None


class Escalated(CaseAlert, frozen=True, kw_only=True):
    """A late case that is still unanswered when the next rung of its ladder has come."""

    rule: Literal["escalation"] = ESCALATION
    rung: RungTold


class Spiking(Alert, frozen=True, kw_only=True):
    """A brand is spoken of far more than it is used to: an incident begins.

    ``measure`` is what stands out most, ``count`` how many of it one window holds, ``usual`` the median and ``busy`` the 90th percentile of
    the windows before, ``distance`` how far above busy, in spreads; ``severity`` is 1 to 10 by distance. ``due_at`` is when the last bucket
    of the window began.
    """

    rule: Literal["spike"] = SPIKE
    measure: Literal["complaints", "items"]
    severity: int
    count: int
    usual: float
    busy: float
    distance: float
    window_from: datetime
    window_to: datetime


class SourceSilent(Alert, frozen=True, kw_only=True):
    """A source of which nothing was heard for ``within_s`` seconds (of the ``calendar``'s hours when it has one) after ``heard_at``."""

    rule: Literal["silent-source"] = SILENT_SOURCE
    source: str
    heard_at: datetime
    within_s: int
    calendar: str | None


KINDS: Final[tuple[type[Alert], ...]] = (Overdue, Escalated, Spiking, SourceSilent)


def alert_id(rule: str, subject: str, due_at: datetime) -> str:
    """Return the id of an alarm."""
    name = ids.UNIT_SEPARATOR.join((rule, subject, rfc3339(due_at)))
    return ids.uuid5_text(ids.NAMESPACE.bytes, name)


def subject_of(rule: str, name: str) -> str:
    """Return the UUID under which alarms about something that has a name, and no id, are kept."""
    return ids.uuid5_text(ids.NAMESPACE.bytes, ids.UNIT_SEPARATOR.join((rule, name)))
