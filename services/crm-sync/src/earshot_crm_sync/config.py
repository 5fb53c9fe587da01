"""``config/crm-sync.yaml``: what operators tune of identity, survivorship and outreach.

Owns the shape of the file and its translation to the engine's values. A change holds for what is judged from then on; `earshot replay`
judges everything by it.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from earshot_crm_sync.desk import Rules
from earshot_crm_sync.domain.outreach import OutreachRules, Unasked
from earshot_crm_sync.identity import Criterion, IdentityRules, Limit, SurvivorshipRules
from earshot_crm_sync.identity.offline.tables import is_row
from earshot_shared.config import ConfigFile, Loaded, fault_at

Kind = Literal["handle", "email", "phone", "crm_id", "listed"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitRule(_Model):
    """How many accounts may show a value within any window before it ties nobody; no window: ever."""

    accounts: Annotated[int, Field(ge=1)]
    window_days: Annotated[float, Field(gt=0)] | None = None


class Bands(_Model):
    """From how many bits a guess merges, and from how many a person is asked."""

    merge: float = IdentityRules().merge_at
    suggest: float = IdentityRules().suggest_at

    @model_validator(mode="after")
    def _check_order(self) -> "Bands":
        if self.suggest > self.merge:
            raise fault_at("suggest must not lie above merge", "suggest")
        return self


class Caps(_Model):
    """What one customer may grow to, and a component before only account links are believed."""

    identifiers: Annotated[int, Field(ge=1)] = 1000
    accounts: Annotated[int, Field(ge=1)] = 100
    edges: Annotated[int, Field(ge=1)] = 5000


class IdentityConfig(_Model):
    """Who is who."""

    limits: dict[Kind, LimitRule] = Field(default_factory=dict)
    bands: Bands = Bands()
    learned: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    caps: Caps = Caps()
    blocked: tuple[str, ...] = ()
    role_mailboxes: tuple[str, ...] = ()
    disposable_domains: tuple[str, ...] = ()

    @field_validator("learned")
    @classmethod
    def _check_rows(cls, rows: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for name, row in rows.items():
            if not is_row(name, row):
                raise fault_at("give five positive probabilities of a field that is compared, as `learn` writes them", name)
        return rows


class SurvivorshipConfig(_Model):
    """Which value of a field survives."""

    source_rank: tuple[str, ...] = ()
    default: tuple[Criterion, ...] = SurvivorshipRules().default
    fields: dict[str, tuple[Criterion, ...]] = Field(default_factory=dict)


class OutreachConfig(_Model):
    """Who may be written to where he said nothing himself, by purpose; and how long after it was wished."""

    default: Unasked = OutreachRules().default
    purposes: dict[str, Unasked] = Field(default_factory=dict)
    valid_hours: Annotated[float, Field(gt=0, le=24 * 30)] = OutreachRules().valid_for.total_seconds() / 3600


class CrmSyncConfig(_Model):
    """The whole file."""

    identity: IdentityConfig = IdentityConfig()
    survivorship: SurvivorshipConfig = SurvivorshipConfig()
    outreach: OutreachConfig = OutreachConfig()


def rules_of(config: CrmSyncConfig) -> Rules:
    """Return the rules that a file states; what it leaves out is as shipped."""
    identity, shipped = config.identity, IdentityRules()
    limits: dict[str, Limit] = {
        kind: Limit(rule.accounts, None if rule.window_days is None else timedelta(days=rule.window_days))
        for kind, rule in identity.limits.items()
    }
    return Rules(
        IdentityRules(
            limits={**shipped.limits, **limits},
            merge_at=identity.bands.merge,
            suggest_at=identity.bands.suggest,
            learned=identity.learned,
            max_identifiers=identity.caps.identifiers,
            max_accounts=identity.caps.accounts,
            max_edges=identity.caps.edges,
            role_mailboxes=shipped.role_mailboxes | frozenset(identity.role_mailboxes),
            disposable_domains=shipped.disposable_domains | frozenset(identity.disposable_domains),
            blocked=frozenset(identity.blocked),
        ),
        SurvivorshipRules(
            criteria=dict(config.survivorship.fields),
            source_rank=config.survivorship.source_rank,
            default=config.survivorship.default,
        ),
        OutreachRules(
            default=config.outreach.default,
            purposes=dict(config.outreach.purposes),
            valid_for=timedelta(hours=config.outreach.valid_hours),
        ),
    )


class CurrentRules:
    """The rules of the file's newest good version: call it to get them."""

    def __init__(self, file: ConfigFile[CrmSyncConfig]) -> None:
        self._rules = rules_of(file.current.model)
        file.follow(self._take)

    def _take(self, loaded: Loaded[CrmSyncConfig]) -> None:
        self._rules = rules_of(loaded.model)

    def __call__(self) -> Rules:
        """Return the rules in use."""
        return self._rules
