"""Where an item goes and whether it is answered, by an installation's rules.

Owns the rules as values and their application. How they are written in ``config/triage.yaml`` and read is `earshot_triage.config`.
Every decision carries its reasons in words: the rule's name and what in the item met it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from earshot_triage.domain.message import Role, Stance

PRODUCT, SUPPORT, COMMUNITY = "product", "support", "community"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at. ``intents`` are probabilities; ``rating`` is the rating's share of its best, None without one."""

    role: Role
    kind: str
    channel: str
    source: str
    visibility: str
    brand: str | None
    language: str
    intent: str
    intents: dict[str, float]
    conduct: str
    sentiment: float
    severity: int
    rating: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an item must be; what is not given is not asked. Within one field any entry will do; all fields must agree.

    ``intents``: each with the least probability that counts.
    """

    roles: frozenset[Role] | None = None
    kinds: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    brands: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    visibilities: frozenset[str] | None = None
    conducts: frozenset[str] | None = None
    intents: tuple[tuple[str, float], ...] | None = None
    severity_from: int | None = None
    sentiment_to: float | None = None
    rating_to: float | None = None

    def met_by(self, subject: Subject) -> str | None:
        """Return what met the condition in words, None when it is not met."""
        for wanted, found in (
            (self.roles, subject.role),
            (self.kinds, subject.kind),
            (self.channels, subject.channel),
            (self.sources, subject.source),
            (self.brands, subject.brand),
            (self.languages, subject.language),
            (self.visibilities, subject.visibility),
            (self.conducts, subject.conduct),
        ):
            if wanted is not None and found not in wanted:
                return None
        return self._weighed(subject)

    def _weighed(self, subject: Subject) -> str | None:
        words = []
        if self.conducts is not None:
            words.append(subject.conduct)
        if self.kinds is not None:
            words.append(f"kind {subject.kind}")
        if self.intents is not None:
            found = [(name, p) for name, least in self.intents if (p := subject.intents.get(name, 0.0)) >= least]
            if not found:
                return None
            name, p = max(found, key=lambda each: each[1])
            words.append(f"{name} {p:.2f}")
        if self.severity_from is not None:
            if subject.severity < self.severity_from:
                return None
            words.append(f"severity {subject.severity}")
        if self.sentiment_to is not None:
            if subject.sentiment > self.sentiment_to:
                return None
            words.append(f"sentiment {subject.sentiment:.2f}")
        if self.rating_to is not None:
            if subject.rating is None or subject.rating > self.rating_to:
                return None
            words.append(f"rating {subject.rating:.2f}")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRule:
    """How long the first response may take, in seconds, for cases that meet it; the first that is met decides."""

    within_s: int
    priorities: frozenset[int] | None = None
    brands: frozenset[str] | None = None
    teams: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One version of an installation's rules; ``version`` names their content."""

    version: str
    teams: tuple[str, ...]
    routes: tuple[RouteRule, ...]
    stances: tuple[StanceRule, ...]
    targets: tuple[TargetRule, ...]
    first_response_s: int

    def first_response_target_s(self, *, priority: int, brand: str | None, team: str | None) -> int:
        """Return the seconds within which such a case is to be answered first."""
        for rule in self.targets:
            if (
                (rule.priorities is None or priority in rule.priorities)
                and (rule.brands is None or brand in rule.brands)
                and (rule.teams is None or team in rule.teams)
            ):
                return rule.within_s
        return self.first_response_s


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an item goes, how it is treated, and why."""

    routes: tuple[str, ...]
    stance: Stance
    reasons: tuple[str, ...]


def route(subject: Subject, rules: Rules) -> Routing:
    """Return where an item goes: what every met rule says, in the order of the rules, each team once."""
    reasons: list[str] = []
    routes = _routes(subject, rules.routes, reasons)
    stance = Stance.WATCH
    for rule in rules.stances:
        why = rule.when.met_by(subject)
        if why is not None:
            stance = rule.stance
            reasons.append(f"stance {stance.word}: {rule.name} ({why})")
            break
    return Routing(routes, stance, tuple(reasons))


def _routes(subject: Subject, rules: Sequence[RouteRule], reasons: list[str]) -> tuple[str, ...]:
    routes: list[str] = []
    for rule in rules:
        why = rule.when.met_by(subject)
        if why is None:
            continue
        routes.extend(team for team in rule.to if team not in routes)
        reasons.append(f"route {', '.join(rule.to) or 'nowhere'}: {rule.name} ({why})")
        if rule.last:
            break
    return tuple(routes)
