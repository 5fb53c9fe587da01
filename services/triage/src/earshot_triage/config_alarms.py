"""What of ``config/triage.yaml`` says who is told of what: ladders of escalation.

Owns the form of these parts and their translation to the domain. The file as a whole is `earshot_triage.config`.
"""

from typing import Annotated

from pydantic import Field, model_validator

from earshot_triage.config_timing import LONGEST_S, Faults, Name, OfCases, Part, Team
from earshot_triage.domain.escalation import Ladder, Rung
from earshot_triage.domain.routing import LadderRule


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
        faults = Faults()
        if not self.rungs:
            faults.add("a ladder has at least one rung", "rungs")
        for place in range(1, len(self.rungs)):
            if self.rungs[place].after_s <= self.rungs[place - 1].after_s:
                faults.add("a rung comes later than the one before it", "rungs", place, "after_s")
        faults.refuse()
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

    def check(self, teams: tuple[str, ...], faults: Faults) -> None:
        """Note what disagrees with the rest of the file."""
        for place, ladder in enumerate(self.ladders):
            for team in sorted((ladder.team or frozenset()) - set(teams)):
                faults.add(f"{team!r} is not among the teams", "escalation", "ladders", place, "team")
            for step, rung in enumerate(ladder.rungs):
                if rung.team is not None and rung.team not in teams:
                    faults.add(f"{rung.team!r} is not among the teams", "escalation", "ladders", place, "rungs", step, "team")
        for team in sorted(self.required):
            if not any(ladder.holds_for_all_of(team) for ladder in self.ladders):
                faults.add(f"no ladder holds for every case of the team {team!r}", "escalation", "required")
