"""Ids of customers: a keyed UUID of an identifier, so that the id is a function of the set and tells nobody the value.

Owns the derivation. The key is the installation's secret; without it ids cannot be guessed from a mail address.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from uuid import UUID

from .model import Customer, Identifier


def identifier_id(identifier: Identifier, key: bytes) -> UUID:
    """Return the id that the identifier would have alone: UUIDv8 over HMAC-SHA256 of its kind and value."""
    digest = hmac.digest(key, f"customer\x1f{identifier.kind}\x1f{identifier.value}".encode(), "sha256")
    return UUID(int=(int.from_bytes(digest[:16], "big") & ~(0xF << 76) & ~(0x3 << 62)) | (0x8 << 76) | (0x2 << 62))


def customer_id(customer: Customer, key: bytes) -> UUID:
    """Return the customer's id: that of its earliest identifier."""
    return identifier_id(customer.anchor, key)


def alias_ids(identifiers: Iterable[Identifier], key: bytes) -> dict[UUID, Identifier]:
    """Return every id that can lead to these identifiers: each resolves, for ever, to what holds its identifier now."""
    return {identifier_id(identifier, key): identifier for identifier in identifiers}
