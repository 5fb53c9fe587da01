"""Identity rules and survivorship from parsed YAML (config/crm-sync.yaml).

Owns the shape of the sections `identity` and `survivorship`. Must not read files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from .golden import Criterion, SurvivorshipRules
from .lists import words
from .offline.model import is_row
from .rules import IdentityRules, Limit


class _Limit(msgspec.Struct, forbid_unknown_fields=True):
    accounts: int
    window_days: float | None = None


class _Bands(msgspec.Struct, forbid_unknown_fields=True):
    merge: float = 10.0
    suggest: float = 3.0


class _Caps(msgspec.Struct, forbid_unknown_fields=True):
    identifiers: int = 1000
    accounts: int = 100
    edges: int = 5000


class _Identity(msgspec.Struct, forbid_unknown_fields=True):
    limits: dict[str, _Limit] = {}
    bands: _Bands = msgspec.field(default_factory=_Bands)
    caps: _Caps = msgspec.field(default_factory=_Caps)
    learned: dict[str, list[float]] = {}
    blocked: list[str] = []
    role_mailboxes: list[str] = []
    disposable_domains: list[str] = []


class _Survivorship(msgspec.Struct, forbid_unknown_fields=True):
    source_rank: list[str] = []
    default: list[Criterion] = msgspec.field(default_factory=lambda: list(SurvivorshipRules().default))
    fields: dict[str, list[Criterion]] = {}


def rules_from(section: Mapping[str, object]) -> IdentityRules:
    """Return the rules of a parsed `identity` section; what it leaves out is as shipped.

    Raises: msgspec.ValidationError with the path of the fault; ValueError for an unknown limit or bands in the wrong
    order, or weights that are no probabilities.
    """
    told = msgspec.convert(section, _Identity)
    shipped = IdentityRules()
    unknown = set(told.limits) - set(shipped.limits)
    if unknown:
        raise ValueError(f"identity.limits: unknown kind {', '.join(sorted(unknown))}")
    if told.bands.suggest > told.bands.merge:
        raise ValueError("identity.bands: suggest must not lie above merge")
    for name, row in told.learned.items():
        if not is_row(name, row):
            raise ValueError(
                f"identity.learned.{name}: give five positive probabilities of a field that is compared, as `learn` writes them"
            )
    limits = {
        kind: Limit(one.accounts, None if one.window_days is None else timedelta(days=one.window_days)) for kind, one in told.limits.items()
    }
    return IdentityRules(
        limits={**shipped.limits, **limits},
        merge_at=told.bands.merge,
        suggest_at=told.bands.suggest,
        learned={name: tuple(row) for name, row in told.learned.items()},
        max_identifiers=told.caps.identifiers,
        max_accounts=told.caps.accounts,
        max_edges=told.caps.edges,
        role_mailboxes=words("role_mailboxes") | frozenset(told.role_mailboxes),
        disposable_domains=words("disposable_domains") | frozenset(told.disposable_domains),
        blocked=frozenset(told.blocked),
    )


def survivorship_from(section: Mapping[str, object]) -> SurvivorshipRules:
    """Return the rules of a parsed `survivorship` section. Raises: msgspec.ValidationError."""
    told = msgspec.convert(section, _Survivorship)
    criteria = {name: tuple(order) for name, order in told.fields.items()}
    return SurvivorshipRules(criteria=criteria, source_rank=tuple(told.source_rank), default=tuple(told.default))
