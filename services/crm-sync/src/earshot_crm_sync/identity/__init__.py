"""The identity engine: who is who across channels, as pure functions of the set of evidence. See docs/identity.md."""

from .changes import Preview, lock, merge, preview, reject, unmerge
from .consents import EVERY, Consent, ConsentStatus, opt_out_of_all, standing_consents, strictest
from .erasure import admitted, erasure_hash, latest_erasures
from .evidence import Claim, ListedAccount, anchor_of, evidence_of, fold_edges, fold_sightings, fold_traits
from .golden import Criterion, Edit, GoldenField, SurvivorshipRules, golden_record, standing_edits
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
    "EVERY",
    "Claim",
    "Consent",
    "ConsentStatus",
    "Criterion",
    "Customer",
    "Decision",
    "Edge",
    "Edit",
    "EvidenceSet",
    "GoldenField",
    "Identifier",
    "IdentityRules",
    "Join",
    "Limit",
    "ListedAccount",
    "Preview",
    "Refusal",
    "Refused",
    "Resolution",
    "Rule",
    "Sighting",
    "Suggestion",
    "SurvivorshipRules",
    "Trait",
    "Verb",
    "admitted",
    "alias_ids",
    "anchor_of",
    "customer_id",
    "erasure_hash",
    "evidence_of",
    "fold_edges",
    "fold_sightings",
    "fold_traits",
    "golden_record",
    "identifier_id",
    "is_over",
    "latest_erasures",
    "lock",
    "merge",
    "opt_out_of_all",
    "paths",
    "preview",
    "reject",
    "resolve",
    "standing_consents",
    "standing_edits",
    "strictest",
    "unmerge",
    "why",
]
