"""Standing: what points, tiers and badges say about a member, and what the next step is.

Owns tiers and badges by rule. Standing follows from the ledger alone: what somebody says can never move it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A tier is reached with at least ``points`` (helpful and active together) and at least ``helped`` people helped."""

    name: str
    points: int
    helped: int = 0
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A badge by rule: so many people helped, or so many items. One without thresholds is given by people."""

    name: str
    helped: int = 0
    items: int = 0

    @property
    def by_hand(self) -> bool:
        """Whether people give it."""
        return not (self.helped or self.items)


class Totals(NamedTuple):
    """The sums of one account, from its ledger. A tuple: standing is a function of it, and is kept by it."""

    helpful: int = 0
    active: int = 0
    helped: int = 0
    items: int = 0
    followers: int = 0

    @property
    def reach(self) -> int:
        """Ten points for each factor of ten of followers: 0 for none, 20 for a hundred, 60 for a million."""
        return round(10 * math.log10(self.followers)) if self.followers > 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a member is told: the tier, the badges, why, and what comes next."""

    tier: str
    badges: tuple[str, ...]
    reasons: tuple[str, ...]
    next_step: str | None
    abilities: tuple[str, ...] = ()


def decide_standing(totals: Totals, tiers: Sequence[Tier], badges: Sequence[Badge], *, excluded: bool) -> Standing:
    """Return the standing of an account. ``tiers`` rise; the first is everybody's. Staff and brands stand apart (``excluded``)."""
    if excluded:
        return Standing(
            tier="staff", badges=(), reasons=("Staff and brand accounts are kept out of the community's standing.",), next_step=None
        )
    points = totals.helpful + totals.active
    reached = [tier for tier in tiers if points >= tier.points and totals.helped >= tier.helped]
    tier = reached[-1] if reached else tiers[0]
    following = [each for each in tiers if each.points > tier.points]
    earned = tuple(badge.name for badge in badges if not badge.by_hand and totals.helped >= badge.helped and totals.items >= badge.items)
    reasons = (
        f"{_counted(totals.active, 'point')} for {_counted(totals.items, 'item')}",
        f"{_counted(totals.helpful, 'point')} for {_counted(totals.helped, 'answer')} that helped somebody",
        f"tier {tier.name} from {_counted(tier.points, 'point')}" + (f" and {_counted(tier.helped, 'answer')}" if tier.helped else ""),
    )
    return Standing(
        tier=tier.name, badges=earned, reasons=reasons, next_step=_next_step(points, totals, following), abilities=tier.abilities
    )


def _next_step(points: int, totals: Totals, following: Sequence[Tier]) -> str | None:
    if not following:
        return None
    tier = following[0]
    wants = []
    if points < tier.points:
        wants.append(_counted(tier.points - points, "more point"))
    if (wanted := tier.helped - totals.helped) > 0:
        wants.append(f"{_counted(wanted, 'more answer')} that {'helps' if wanted == 1 else 'help'} somebody")
    return f"{' and '.join(wants)} to {tier.name}" if wants else None


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
