"""What an erasure leaves and stops: keyed hashes, and no evidence older than it.

Owns the hash and the cut. Must not know where evidence is stored.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

from .model import EvidenceSet, Identifier


def erasure_hash(identifier: Identifier, key: bytes) -> bytes:
    """Return 16 bytes that recognise the identifier and do not tell it without the key."""
    return hmac.digest(key, f"erased\x1f{identifier.kind}\x1f{identifier.value}".encode(), "sha256")[:16]


def latest_erasures(erasures: Iterable[tuple[bytes, datetime]]) -> dict[bytes, datetime]:
    """Return the latest erasure of each hash."""
    found: dict[bytes, datetime] = {}
    for hashed, at in erasures:
        found[hashed] = max(at, found.get(hashed, at))
    return found


def admitted(evidence: EvidenceSet, erased: Mapping[bytes, datetime], key: bytes) -> EvidenceSet:
    """Return what of one item's evidence may be known: only what is newer than the erasure of those it names.

    Apply it to each item before folding: what comes later than the erasure is a new relationship and starts a new
    customer.
    """
    if not erased:
        return evidence

    def gone(identifier: Identifier, at: datetime) -> bool:
        until = erased.get(erasure_hash(identifier, key))
        return until is not None and at <= until

    return EvidenceSet(
        tuple(seen for seen in evidence.sightings if not gone(seen.identifier, seen.first_at)),
        tuple(e for e in evidence.edges if not gone(e.a, e.first_at) and not gone(e.b, e.first_at)),
        tuple(trait for trait in evidence.traits if not gone(trait.owner, trait.first_at)),
        evidence.decisions,
        evidence.hubs,
    )
