"""``config/recognition.yaml``: what operators tune of recognition.

Owns the shape of the file and its translation to the domain's values.
"""

from functools import cached_property
from typing import Annotated, Final

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from earshot_recognition.domain import ledger, standing, thanks
from earshot_shared.config import ConfigFile, Loaded, fault_at

_KNOWN_STANDINGS: Final = 20_000  # some 600 bytes each
_encoder = msgspec.json.Encoder()


class _Told(msgspec.Struct, omit_defaults=True):
    """The part of ``recognition.changed`` that follows from sums and rules alone."""

    points: dict[str, int]
    tier: str
    badges: tuple[str, ...]
    reasons: tuple[str, ...]
    next_step: str | None
    excluded: bool = False
    thank_you_due: bool = False


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PointRules(_Model):
    """Points by kind of item, for any other kind, and for each person helped."""

    item: dict[str, Annotated[int, Field(ge=0, le=1000)]] = Field(default_factory=dict)
    item_default: Annotated[int, Field(ge=0, le=1000)] = 1
    help: Annotated[int, Field(ge=0, le=1000)] = 10


class TierRule(_Model):
    """A tier, its thresholds and the abilities that come with it."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    points: Annotated[int, Field(ge=0)]
    helped: Annotated[int, Field(ge=0)] = 0
    abilities: tuple[str, ...] = ()


class BadgeRule(_Model):
    """A badge: granted by rule when it has thresholds, by people when it has none."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    helped: Annotated[int, Field(ge=0)] = 0
    items: Annotated[int, Field(ge=0)] = 0


class ThankYouRule(_Model):
    """A cause to thank a member for. ``template`` names what the member is written with, consent given; none leaves it to people."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    helped: Annotated[int, Field(ge=0)] = 0
    items: Annotated[int, Field(ge=0)] = 0
    template: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _check_threshold(self) -> "ThankYouRule":
        if not self.helped and not self.items:
            raise ValueError("a cause has a threshold: helped or items")
        return self


class RecognitionConfig(_Model):
    """The whole file."""

    points: PointRules = PointRules()
    tiers: Annotated[tuple[TierRule, ...], Field(min_length=1)] = (TierRule(name="member", points=0),)
    badges: tuple[BadgeRule, ...] = ()
    thank_yous: tuple[ThankYouRule, ...] = ()
    invitation_template: Annotated[str, Field(min_length=1, max_length=64)] = "advocate-invitation"

    @model_validator(mode="after")
    def _check_tiers(self) -> "RecognitionConfig":
        for index, tier in enumerate(self.tiers):
            if (tier.points != 0) if index == 0 else (tier.points <= self.tiers[index - 1].points):
                raise fault_at("tiers begin at 0 points and rise", "tiers", index, "points")
        return self


class RecognitionRules:
    """One version of the file as the domain wants it."""

    def __init__(self, config: RecognitionConfig, version: str) -> None:
        self._config = config
        self.version = version
        self._told: dict[tuple[standing.Totals, bool], bytes] = {}

    @cached_property
    def ledger_points(self) -> ledger.Points:
        """What items and help are worth."""
        points = self._config.points
        return ledger.Points(item=points.item, item_default=points.item_default, help=points.help)

    @cached_property
    def tiers(self) -> tuple[standing.Tier, ...]:
        """The tiers, rising."""
        return tuple(standing.Tier(**tier.model_dump()) for tier in self._config.tiers)

    @cached_property
    def badges(self) -> tuple[standing.Badge, ...]:
        """The badges by rule."""
        return tuple(standing.Badge(**badge.model_dump()) for badge in self._config.badges)

    @cached_property
    def thank_yous(self) -> tuple[thanks.ThankRule, ...]:
        """The causes to thank members for."""
        return tuple(thanks.ThankRule(**rule.model_dump()) for rule in self._config.thank_yous)

    @property
    def invitation_template(self) -> str:
        """What somebody is written with who is invited to be an advocate."""
        return self._config.invitation_template

    def causes(self, totals: standing.Totals) -> tuple[str, ...]:
        """Return the causes to thank for that these sums reach."""
        return thanks.causes_reached(self.thank_yous, helped=totals.helped, items=totals.items)

    def told_standing(self, totals: standing.Totals, *, excluded: bool) -> bytes:
        """Return what ``recognition.changed`` says of these sums, as JSON; most accounts have sums that others have too."""
        told = self._told.get((totals, excluded))
        if told is None:
            if len(self._told) >= _KNOWN_STANDINGS:
                self._told.clear()
            told = self._told[totals, excluded] = self._tell(totals, excluded)
        return told

    def _tell(self, totals: standing.Totals, excluded: bool) -> bytes:
        decided = standing.decide_standing(totals, self.tiers, self.badges, excluded=excluded)
        points = {"helpful": totals.helpful, "active": totals.active, "reach": totals.reach}
        return _encoder.encode(
            _Told(points, decided.tier, decided.badges, decided.reasons, decided.next_step, excluded, bool(self.causes(totals)))
        )


class CurrentRules:
    """The rules of the file as it stands now; called, it returns them."""

    def __init__(self, file: ConfigFile[RecognitionConfig]) -> None:
        self._take(file.current)
        file.follow(self._take)

    def _take(self, loaded: Loaded[RecognitionConfig]) -> None:
        self._rules = RecognitionRules(loaded.model, loaded.version)

    def __call__(self) -> RecognitionRules:
        """Return the newest good version."""
        return self._rules
