"""The identity engine: who is who across channels, as pure functions of the set of evidence. See docs/identity.md."""

from .evidence import Claim, ListedAccount, anchor_of, evidence_of, fold_edges, fold_sightings
from .ids import alias_ids, customer_id, identifier_id
from .limits import is_over
from .model import (
    Customer,
    Decision,
    Edge,
    EvidenceSet,
    Identifier,
    Join,
    Refusal,
    Refused,
    Resolution,
    Rule,
    Sighting,
    Suggestion,
    Trait,
    Verb,
)
from .resolve import resolve
from .rules import IdentityRules, Limit
from .why import paths, why

__all__ = [
    "Claim",
    "Customer",
    "Decision",
    "Edge",
    "EvidenceSet",
    "Identifier",
    "IdentityRules",
    "Join",
    "Limit",
    "ListedAccount",
    "Refusal",
    "Refused",
    "Resolution",
    "Rule",
    "Sighting",
    "Suggestion",
    "Trait",
    "Verb",
    "alias_ids",
    "anchor_of",
    "customer_id",
    "evidence_of",
    "fold_edges",
    "fold_sightings",
    "identifier_id",
    "is_over",
    "paths",
    "resolve",
    "why",
]
