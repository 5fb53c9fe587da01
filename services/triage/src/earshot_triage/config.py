"""The file ``config/triage.yaml``: how an installation routes, treats and times its cases.

Owns the file's form and its translation to the domain's rules. Reading, line numbers and reloading are shared.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from earshot_shared.config import fault_at
from earshot_triage.config_alarms import Escalation, Silence, Spikes
from earshot_triage.config_timing import BusinessCalendar, Name, Part, Priority, Target, Team
from earshot_triage.domain import routing
from earshot_triage.domain.message import Role, Stance
from earshot_triage.domain.routing import Condition, RouteRule, Rules, StanceRule
from earshot_triage.judgement.rules import Rule, RuleError, RuleSet

Share = Annotated[float, Field(ge=0, le=1)]
Phrase = Annotated[str, Field(min_length=1, max_length=200)]
IntentName = Literal["complaint", "bug", "question", "idea", "praise", "other"]
_DEFAULT_LEAST = 0.5


class When(Part):
    """What an item must be; what is not given is not asked. Of a list any entry will do; all that is given must agree."""

    role: frozenset[Literal["customer", "brand", "staff"]] | None = None
    kind: frozenset[str] | None = None
    channel: frozenset[str] | None = None
    source: frozenset[str] | None = None
    brand: frozenset[str] | None = None
    language: frozenset[str] | None = None
    visibility: frozenset[Literal["public", "members", "private"]] | None = None
    conduct: frozenset[Literal["ok", "abusive", "spam", "off_topic"]] | None = None
    intent: dict[IntentName, Share] | None = None
    """Any of these with at least this probability; a plain list means 0.5."""
    severity_from: Priority | None = None
    sentiment_to: Annotated[float, Field(ge=-1, le=1)] | None = None
    rating_to: Share | None = None
    """A rating of at most this share of its best: 0.4 is two stars of five."""
    labels: dict[Name, dict[Name, Share]] | None = None
    """Of the installation's own labels, by the name of their set: any of these with at least this probability; a list means 0.5."""

    @field_validator("intent", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return dict.fromkeys(value, _DEFAULT_LEAST) if isinstance(value, list) else value

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_from_lists(cls, value: object) -> object:
        return {name: cls._from_list(wanted) for name, wanted in value.items()} if isinstance(value, dict) else value

    def condition(self) -> Condition:
        """Return it as the domain knows it."""
        asked: dict[str, frozenset[str] | None] = {
            "conduct": self.conduct,
            "kind": self.kind,
            "channel": self.channel,
            "source": self.source,
            "brand": self.brand,
            "language": self.language,
            "visibility": self.visibility,
        }
        among: list[tuple[str, frozenset[object]]] = [(name, frozenset(wanted)) for name, wanted in asked.items() if wanted is not None]
        if self.role is not None:
            among.insert(0, ("role", frozenset(Role[name.upper()] for name in self.role)))
        return Condition(
            among=tuple(among),
            intents=tuple(self.intent.items()) if self.intent is not None else (),
            at_least=(("severity", self.severity_from),) if self.severity_from is not None else (),
            at_most=tuple(
                (name, bound) for name, bound in (("sentiment", self.sentiment_to), ("rating", self.rating_to)) if bound is not None
            ),
            labels=tuple((name, tuple(sorted(wanted.items()))) for name, wanted in sorted((self.labels or {}).items())),
        )


class Monitor(Part):
    """A rule about words, above the model: when it holds, and what it then decides. All conditions that are given must hold.

    ``any_of``, ``all_of`` and ``none_of`` are words or phrases, compared as whole words without regard to case; ``pattern`` is a regular
    expression that cannot run away (no back-references, no look-around).
    """

    name: Name
    any_of: tuple[Phrase, ...] = ()
    all_of: tuple[Phrase, ...] = ()
    none_of: tuple[Phrase, ...] = ()
    pattern: str | None = None
    languages: tuple[str, ...] = ()
    intent: IntentName | None = None
    conduct: Literal["ok", "abusive", "spam", "off_topic"] | None = None
    severity_at_least: Priority | None = None
    topics: tuple[Name, ...] = ()
    routes: tuple[Team, ...] = ()
    needs_person: bool = False

    @model_validator(mode="after")
    def _can_be_used(self) -> "Monitor":
        try:
            RuleSet.of([self.rule()])
        except RuleError as error:
            raise ValueError(str(error)) from None
        return self

    def rule(self) -> Rule:
        """Return it as the judgement's rules know it."""
        return Rule(**{name: getattr(self, name) for name in type(self).model_fields})


class Route(Part):
    """Sends what meets it to teams; with ``last`` no later rule is asked."""

    name: Name
    when: When = When()
    to: tuple[Team, ...]
    last: bool = False


class Treatment(Part):
    """Whether what meets it is answered, watched or left alone; the first that is met decides."""

    name: Name
    when: When = When()
    stance: Literal["respond", "watch", "leave"]


def _default_routes() -> tuple[Route, ...]:
    return (
        Route(name="our own words go nowhere", when=When(role=frozenset({"brand"})), to=(), last=True),
        Route(name="spam and idle talk go nowhere", when=When(conduct=frozenset({"spam", "off_topic"})), to=(), last=True),
        Route(name="abuse goes to the moderators", when=When(conduct=frozenset({"abusive"})), to=("community",), last=True),
        Route(name="bugs concern both", when=When(intent={"bug": 0.5}), to=("support", "product")),
        Route(name="complaints and questions want an answer", when=When(intent={"complaint": 0.5, "question": 0.5}), to=("support",)),
        Route(name="ideas and votes are for product", when=When(kind=frozenset({"idea", "vote"})), to=("product",)),
        Route(name="ideas are for product", when=When(intent={"idea": 0.5}), to=("product",)),
        Route(name="low ratings concern both", when=When(rating_to=0.4), to=("support", "product")),
    )


def _default_stances() -> tuple[Treatment, ...]:
    asks = {"complaint": 0.5, "bug": 0.5, "question": 0.5, "idea": 0.5}
    return (
        Treatment(name="our own words", when=When(role=frozenset({"brand"})), stance="watch"),
        Treatment(name="spam and idle talk", when=When(conduct=frozenset({"spam", "off_topic"})), stance="leave"),
        Treatment(name="abuse without a cause", when=When(conduct=frozenset({"abusive"})), stance="watch"),
        Treatment(name="who asks or complains is answered", when=When(intent=asks), stance="respond"),
        Treatment(name="ideas and questions are answered", when=When(kind=frozenset({"idea", "question"})), stance="respond"),
        Treatment(name="low ratings are answered", when=When(rating_to=0.4), stance="respond"),
        Treatment(name="the rest is watched", stance="watch"),
    )


class TriageConfig(Part):
    """All of ``config/triage.yaml``. Without the file these defaults hold."""

    teams: tuple[Team, ...] = ("product", "support", "community")
    monitors: tuple[Monitor, ...] = ()
    """Rules about words, above the model; a later one overrules an earlier one. Their routes come before those of ``routes``."""
    routes: tuple[Route, ...] = Field(default_factory=_default_routes)
    stances: tuple[Treatment, ...] = Field(default_factory=_default_stances)
    first_response_s: Annotated[int, Field(gt=0)] = 3600
    """A public complaint is answered within the hour; ``targets`` make exceptions."""
    targets: tuple[Target, ...] = ()

    calendars: tuple[BusinessCalendar, ...] = ()
    """In whose hours targets may be reckoned."""
    escalation: Escalation = Escalation()
    spikes: Spikes | None = None
    """Nothing is counted unless given; ``{}`` takes the defaults."""
    silence: tuple[Silence, ...] = ()
    """Sources that are expected to be heard."""

    @model_validator(mode="after")
    def _parts_agree(self) -> "TriageConfig":
        for fault in (*self._strange_teams(), *self._names_given_twice(), *self._strange_calendars(), *self.escalation.gaps(self.teams)):
            raise fault
        return self

    def _strange_teams(self) -> Iterator[PydanticCustomError]:
        named = [
            *(
                (team, f"route {route.name!r} sends to", ("routes", index, "to"))
                for index, route in enumerate(self.routes)
                for team in route.to
            ),
            *(
                (team, f"monitor {monitor.name!r} sends to", ("monitors", index, "routes"))
                for index, monitor in enumerate(self.monitors)
                for team in monitor.routes
            ),
            *(
                (team, "this target is for", ("targets", index, "team"))
                for index, target in enumerate(self.targets)
                for team in sorted(target.team or ())
            ),
        ]
        for team, what, place in named:
            if team not in self.teams:
                yield fault_at(f"{what} {team!r}, which is not among the teams", *place)

    def _names_given_twice(self) -> Iterator[PydanticCustomError]:
        """Names that others use must differ: decisions name monitors, targets name calendars."""
        for part, field, names in (
            ("monitors", "name", [each.name for each in self.monitors]),
            ("calendars", "name", [each.name for each in self.calendars]),
            ("silence", "source", [each.source for each in self.silence]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield fault_at(f"{name!r} stands twice: names must differ", part, index, field)

    def _strange_calendars(self) -> Iterator[PydanticCustomError]:
        known = {calendar.name for calendar in self.calendars}
        users: dict[str, tuple[Target | Silence, ...]] = {"targets": self.targets, "silence": self.silence}
        for part, each in users.items():
            for index, user in enumerate(each):
                if user.calendar is not None and user.calendar not in known:
                    yield fault_at(f"there is no calendar {user.calendar!r}", part, index, "calendar")

    def words(self) -> RuleSet:
        """Return the rules about words."""
        return RuleSet.of(monitor.rule() for monitor in self.monitors)

    def rules(self, version: str) -> Rules:
        """Return the rules of this version."""
        calendars = {each.name: each.calendar() for each in self.calendars}
        return Rules(
            version=version,
            teams=self.teams,
            routes=tuple(RouteRule(name=each.name, when=each.when.condition(), to=each.to, last=each.last) for each in self.routes),
            stances=tuple(
                StanceRule(name=each.name, when=each.when.condition(), stance=Stance[each.stance.upper()]) for each in self.stances
            ),
            targets=tuple(each.rule(calendars) for each in self.targets),
            first_response=routing.Target(self.first_response_s),
            ladders=tuple(each.rule() for each in self.escalation.ladders),
            spikes=None if self.spikes is None else self.spikes.rule(),
            silence={
                each.source: routing.Target(each.within_s, None if each.calendar is None else calendars[each.calendar])
                for each in self.silence
            },
        )
