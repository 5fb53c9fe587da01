"""Where an item goes and whether it is answered, by an installation's rules.

Owns the rules as values and their application. How they are written in ``config/triage.yaml`` and read is `earshot_triage.config`.
Every decision carries its reasons in words: the rule's name and what in the item met it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from earshot_triage.domain.calendars import Calendar
from earshot_triage.domain.escalation import Ladder
from earshot_triage.domain.message import ROLE_WORDS, STANCE_WORDS, Role, Stance
from earshot_triage.domain.spikes import SpikeRule

_MOST_REMEMBERED = 4096
NO_LABELS: Final[Mapping[str, tuple[str, float]]] = MappingProxyType({})


class Subject(NamedTuple):
    """What rules look at. ``intents`` are probabilities; ``rating`` is the rating's share of its best, None without one.

    ``labels`` are an installation's own: the likeliest of each set with its probability.
    """

    role: Role
    kind: str
    channel: str
    source: str
    visibility: str
    brand: str | None
    language: str
    conduct: str
    severity: int
    sentiment: float
    rating: float | None
    intents: dict[str, float]
    labels: Mapping[str, tuple[str, float]] = NO_LABELS


@dataclass(frozen=True, slots=True)
class Condition:
    """What an item must be; what is not given is not asked.

    ``among``: (field of `Subject`, what it may be); ``intents``: any of these, each with the least probability that counts; ``at_least``
    and ``at_most``: (field, bound); ``labels``: (set, any of these (label, least probability)). All must agree.
    """

    among: tuple[tuple[str, frozenset[object]], ...] = ()
    intents: tuple[tuple[str, float], ...] = ()
    at_least: tuple[tuple[str, float], ...] = ()
    at_most: tuple[tuple[str, float], ...] = ()
    labels: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()

    def met_by(self, subject: Subject) -> str | None:
        """Return what met the condition in words, None when it is not met."""
        if any(getattr(subject, name) not in wanted for name, wanted in self.among):
            return None
        words = [f"{name} {ROLE_WORDS[subject.role] if name == 'role' else getattr(subject, name)}" for name, _ in self.among]
        if self.intents:
            found = [f"{name} at least {least:g}" for name, least in self.intents if subject.intents.get(name, 0.0) >= least]
            if not found:
                return None
            words += found
        for bounds, word, sign in ((self.at_least, "least", 1), (self.at_most, "most", -1)):
            for name, bound in bounds:
                value = getattr(subject, name)
                if value is None or value * sign < bound * sign:
                    return None
                words.append(f"{name} at {word} {bound:g}")
        for name, wanted in self.labels:
            label, probability = subject.labels.get(name, (None, 0.0))
            if not any(label == each and probability >= least for each, least in wanted):
                return None
            words.append(f"{name} “{label}”")
        return ", ".join(words) or "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """Sends what meets it to ``to``; with ``last`` no later rule is asked."""

    name: str
    when: Condition
    to: tuple[str, ...]
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceRule:
    """Says how what meets it is treated; the first that is met decides."""

    name: str
    when: Condition
    stance: Stance


@dataclass(frozen=True, slots=True)
class Target:
    """Within how many seconds the first response is wanted: those of the calendar's hours, all seconds without a calendar."""

    within_s: int
    calendar: Calendar | None = None

    def due(self, opened_at: datetime) -> datetime:
        """Return when the first response to what was opened then is due."""
        return self.later(opened_at, self.within_s)

    def later(self, moment: datetime, seconds: int) -> datetime:
        """Return when so many of the seconds that count have passed since a moment."""
        span = timedelta(seconds=seconds)
        return moment + span if self.calendar is None else self.calendar.due(moment, span)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCondition:
    """What a case must be; what is None is not asked. All that is given must agree."""

    priorities: frozenset[int] | None = None
    brands: frozenset[str] | None = None
    teams: frozenset[str] | None = None

    def met_by(self, *, priority: int, brand: str | None, team: str | None) -> bool:
        """Say whether such a case meets it."""
        return (
            (self.priorities is None or priority in self.priorities)
            and (self.brands is None or brand in self.brands)
            and (self.teams is None or team in self.teams)
        )


@dataclass(frozen=True, slots=True)
class TargetRule:
    """By when cases that meet it are to be answered first; the first that is met decides."""

    when: CaseCondition
    target: Target


@dataclass(frozen=True, slots=True)
class LadderRule:
    """Who is told when cases that meet it stay unanswered; the first that is met decides."""

    when: CaseCondition
    ladder: Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One version of an installation's rules; ``version`` names their content."""

    version: str
    teams: tuple[str, ...]
    routes: tuple[RouteRule, ...]
    stances: tuple[StanceRule, ...]
    targets: tuple[TargetRule, ...]
    first_response: Target
    ladders: tuple[LadderRule, ...] = ()
    spikes: SpikeRule | None = None
    silence: Mapping[str, Target] = field(default_factory=dict)
    """Within how long each of these sources is expected to be heard again."""

    def target_of(self, *, priority: int, brand: str | None, team: str | None) -> Target:
        """Return by when such a case is to be answered first."""
        for rule in self.targets:
            if rule.when.met_by(priority=priority, brand=brand, team=team):
                return rule.target
        return self.first_response

    def ladder_of(self, *, priority: int, brand: str | None, team: str | None) -> Ladder | None:
        """Return who is told when such a case stays unanswered, None when nobody more is."""
        met = (rule.ladder for rule in self.ladders if rule.when.met_by(priority=priority, brand=brand, team=team))
        return next(met, None)


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an item goes, how it is treated, and why."""

    routes: tuple[str, ...]
    stance: Stance
    reasons: tuple[str, ...]


class Router:
    """Applies one version of the rules.

    The answer hangs on few things only: the fields that some rule asks for, and on which side of each bound the numbers lie. Answers are
    remembered by these, since asking every rule of every item would cost more than all else that is decided about it.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        conditions = [rule.when for rule in rules.routes] + [rule.when for rule in rules.stances]
        asked = {name for condition in conditions for name, _ in condition.among}
        self._fields = tuple(place for place, name in enumerate(Subject._fields) if name in asked)
        self._intents = sorted({each for condition in conditions for each in condition.intents})
        self._labels = sorted({(name, *each) for condition in conditions for name, wanted in condition.labels for each in wanted})
        bounds = {each for condition in conditions for each in condition.at_least + condition.at_most}
        self._bounds = [(Subject._fields.index(name), bound) for name, bound in sorted(bounds)]
        self._remembered: dict[tuple[object, ...], Routing] = {}

    def route(self, subject: Subject) -> Routing:
        """Return where an item goes: what every met rule says, in the order of the rules, each team once."""
        intents = subject.intents
        signs = [subject[place] for place in self._fields]
        signs += [intents.get(name, 0.0) >= least for name, least in self._intents]
        for place, bound in self._bounds:
            value = subject[place]
            signs.append(None if value is None else (value > bound) - (value < bound))  # type: ignore[operator]  # bounds are asked of numbers
        for name, label, least in self._labels:
            found, probability = subject.labels.get(name, (None, 0.0))
            signs.append(found == label and probability >= least)
        key = tuple(signs)
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = route(subject, self.rules)
        return known


def route(subject: Subject, rules: Rules) -> Routing:
    """Return what `Router.route` returns, asking every rule."""
    reasons: list[str] = []
    routes: list[str] = []
    for rule in rules.routes:
        why = rule.when.met_by(subject)
        if why is None:
            continue
        routes.extend(team for team in rule.to if team not in routes)
        reasons.append(f"route {', '.join(rule.to) or 'nowhere'}: {rule.name} ({why})")
        if rule.last:
            break
    stance = Stance.WATCH
    for treatment in rules.stances:
        why = treatment.when.met_by(subject)
        if why is not None:
            stance = treatment.stance
            reasons.append(f"stance {STANCE_WORDS[stance]}: {treatment.name} ({why})")
            break
    return Routing(tuple(routes), stance, tuple(reasons))
