"""Ladders of escalation: who is told, rung by rung, while a late case stays unanswered.

Owns which rungs have come. A rung's time counts from the due time of the first response, in the hours that the due time was reckoned in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder: who is told, ``after_s`` seconds after the breach. ``number`` counts from 1."""

    number: int
    after_s: int
    people: tuple[str, ...]
    roles: tuple[str, ...]
    team: str | None


class Reached(NamedTuple):
    """A rung whose time has come, and that time."""

    rung: Rung
    at: datetime


class Climb(NamedTuple):
    """What a ladder says at some time: the rungs that have come, and when the next one does (None after the last)."""

    reached: tuple[Reached, ...]
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs in their order; their times grow strictly."""

    rungs: tuple[Rung, ...]

    def climb(self, *, told_s: int, now: datetime, at: Callable[[int], datetime]) -> Climb:
        """Return what has come by ``now`` after the rungs up to ``told_s`` seconds were told (-1: none was).

        Shapes: ``at`` gives the moment that lies so many (counted) seconds after the breach.
        """
        reached: list[Reached] = []
        for rung in self.rungs:
            if rung.after_s > told_s:
                moment = at(rung.after_s)
                if moment > now:
                    return Climb(tuple(reached), moment)
                reached.append(Reached(rung, moment))
        return Climb(tuple(reached), None)
