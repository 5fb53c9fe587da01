"""What operators may tune of identity: limits, blocked values, caps, weights and bands, as plain frozen values.

Owns their meaning and shipped defaults (the same as config/crm-sync.yaml). Must not read files: the service's
`config` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from .lists import words
from .model import Edge, Identifier, Rule


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `accounts` distinct accounts may use a value within any `window`; None is for ever."""

    accounts: int
    window: timedelta | None = None


_LIMITS = {
    "handle": Limit(1),
    "email": Limit(8, timedelta(days=365)),
    "phone": Limit(5, timedelta(days=365)),
    "crm_id": Limit(20),
    "listed": Limit(5),  # an account that others list as theirs
}
_WEIGHTS = {
    Rule.PERSON: 1000.0,
    Rule.ACCOUNT: 900.0,
    Rule.CRM_ID: 800.0,
    Rule.LISTED: 750.0,
    Rule.EMAIL: 700.0,
    Rule.PHONE: 600.0,
}


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """One version of the rules; every decision names it.

    Units: `merge_at` and `suggest_at` are bits (log2 odds) of the scorer; sure evidence weighs 600 and more, so it
    always comes first.
    """

    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(_LIMITS))
    weights: Mapping[Rule, float] = field(default_factory=lambda: dict(_WEIGHTS))
    merge_at: float = 10.0
    suggest_at: float = 3.0
    learned: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # rows of one person that replace the shipped ones
    max_identifiers: int = 1000
    max_accounts: int = 100
    max_edges: int = 5000
    role_mailboxes: frozenset[str] = field(default_factory=lambda: words("role_mailboxes"))
    disposable_domains: frozenset[str] = field(default_factory=lambda: words("disposable_domains"))
    blocked: frozenset[str] = frozenset()  # `kind:value` of the operator's own

    @property
    def version(self) -> str:
        """The first 12 hex digits of the content's hash: equal rules have equal versions everywhere."""
        plain = {
            "limits": {k: [v.accounts, v.window.total_seconds() if v.window else None] for k, v in sorted(self.limits.items())},
            "weights": {str(k): v for k, v in sorted(self.weights.items())},
            "learned": {name: list(row) for name, row in sorted(self.learned.items())},
            "bands": [self.merge_at, self.suggest_at],
            "caps": [self.max_identifiers, self.max_accounts, self.max_edges],
            "blocked": [sorted(self.role_mailboxes), sorted(self.disposable_domains), sorted(self.blocked)],
        }
        return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()[:12]

    def limit_of(self, value: Identifier) -> Limit | None:
        """Return the limit of a value that is not a name of the account it stands beside."""
        return self.limits.get(value.kind if value.kind in ("email", "phone", "crm_id") else "listed")

    def is_blocked(self, identifier: Identifier) -> bool:
        """Whether the value can never tie people together."""
        kind, value = identifier
        if self.blocked and f"{kind}:{value}" in self.blocked:
            return True
        if kind != "email":
            return False
        local, _, domain = value.rpartition("@")
        return local.partition("+")[0] in self.role_mailboxes or domain in self.disposable_domains

    def is_sure(self, edge: Edge) -> bool:
        """Whether the edge joins by itself."""
        return edge.rule in (Rule.ACCOUNT, Rule.PERSON) or edge.verified
