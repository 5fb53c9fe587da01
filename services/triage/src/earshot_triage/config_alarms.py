"""What of ``config/triage.yaml`` says who is told of what: ladders of escalation, spikes, silent sources.

Owns the form of these parts and their translation to the domain. The file as a whole is `earshot_triage.config`.
"""

from collections.abc import Collection, Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from earshot_shared.config import fault_at
from earshot_triage.config_timing import LONGEST_S, Name, OfCases, Part, Team
from earshot_triage.domain.escalation import Ladder, Rung
from earshot_triage.domain.routing import LadderRule
from earshot_triage.domain.spikes import BUCKET_S, SpikeRule


class RungPart(Part):
    """One step: who is told when a late case is still unanswered ``after_s`` seconds after the breach, in the hours of its due time."""

    after_s: Annotated[int, Field(ge=0, le=LONGEST_S)]
    people: tuple[Name, ...] = ()
    roles: tuple[Name, ...] = ()
    team: Team | None = None
    """The team that takes over, for whoever reads the alarm."""

    @model_validator(mode="after")
    def _names_somebody(self) -> "RungPart":
        if not self.people and not self.roles:
            raise ValueError("a rung names people or roles: nobody would come")
        return self


class LadderPart(OfCases):
    """Who is told of such cases, rung by rung; the first ladder that is met decides."""

    rungs: tuple[RungPart, ...]

    @model_validator(mode="after")
    def _is_complete(self) -> "LadderPart":
        if not self.rungs:
            raise fault_at("a ladder has at least one rung", "rungs")
        for place in range(1, len(self.rungs)):
            if self.rungs[place].after_s <= self.rungs[place - 1].after_s:
                raise fault_at("a rung comes later than the one before it", "rungs", place, "after_s")
        return self

    def holds_for_all_of(self, team: str) -> bool:
        """Say whether every case of a team meets it."""
        return self.brand is None and self.priority is None and (self.team is None or team in self.team)

    def rule(self) -> LadderRule:
        """Return it as the domain knows it."""
        rungs = (
            Rung(number=number, after_s=each.after_s, people=each.people, roles=each.roles, team=each.team)
            for number, each in enumerate(self.rungs, 1)
        )
        return LadderRule(self.condition(), Ladder(tuple(rungs)))


class Escalation(Part):
    """Who is told when cases stay unanswered; nobody more than whoever reads the alarm of the breach, unless given."""

    required: frozenset[Team] = frozenset()
    """Teams of which every case must have a ladder."""
    ladders: tuple[LadderPart, ...] = ()

    def gaps(self, teams: Collection[str]) -> Iterator[PydanticCustomError]:
        """Yield what disagrees with the rest of the file: strange teams, and teams whose ladders leave cases out."""
        for place, ladder in enumerate(self.ladders):
            for team in sorted((ladder.team or frozenset()) - set(teams)):
                yield fault_at(f"{team!r} is not among the teams", "escalation", "ladders", place, "team")
            for step, rung in enumerate(ladder.rungs):
                if rung.team is not None and rung.team not in teams:
                    yield fault_at(f"{rung.team!r} is not among the teams", "escalation", "ladders", place, "rungs", step, "team")
        for team in sorted(self.required):
            if not any(ladder.holds_for_all_of(team) for ladder in self.ladders):
                yield fault_at(f"no ladder holds for every case of the team {team!r}", "escalation", "required")


_Span = Annotated[int, Field(ge=BUCKET_S, le=31 * 86_400, multiple_of=BUCKET_S)]
_LEAST_WINDOWS = 8


class Spikes(Part):
    """When a brand is spoken of far more than it is used to: an alarm, once an incident. Spans are seconds, whole multiples of 300."""

    window_s: _Span = 900
    """What is compared with its like."""
    baseline_s: _Span = 7 * 86_400
    """How far back the windows go that it is compared with."""
    known_s: _Span = 86_400
    """No alarm before so long was listened."""
    complaints_at_least: Annotated[int, Field(ge=1)] = 20
    items_at_least: Annotated[int, Field(ge=1)] = 100
    """No alarm about fewer in one window."""
    times: Annotated[float, Field(ge=1)] = 2.0
    """So many times what a busy window (the 90th percentile of those before) holds."""
    distance: Annotated[float, Field(gt=0)] = 5.0
    """And so many spreads above it."""
    quiet_s: _Span = 3600
    """An incident is over after so long without a window that stands out."""

    @model_validator(mode="after")
    def _can_be_compared(self) -> "Spikes":
        if min(self.baseline_s, self.known_s) < _LEAST_WINDOWS * self.window_s or self.known_s > self.baseline_s:
            raise ValueError(f"known_s is at least {_LEAST_WINDOWS} windows, and at most baseline_s")
        return self

    def rule(self) -> SpikeRule:
        """Return it as the domain knows it."""
        return SpikeRule(
            window=self.window_s // BUCKET_S,
            baseline=self.baseline_s // BUCKET_S,
            known=self.known_s // BUCKET_S,
            complaints_at_least=self.complaints_at_least,
            items_at_least=self.items_at_least,
            times=self.times,
            distance=self.distance,
            quiet=self.quiet_s // BUCKET_S,
        )


class Silence(Part):
    """A source that is expected to be heard again within a time; an alarm when it is not."""

    source: Name
    within_s: Annotated[int, Field(ge=60, le=LONGEST_S)]
    calendar: Name | None = None
    """In whose hours something is to be heard; at all times without one."""
