"""Ids of customers: a keyed UUID of an identifier, so that the id is a function of the set and tells nobody the value.

Owns the derivation. The key is the installation's secret; without it ids cannot be guessed from a mail address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from .model import Customer, Identifier


def identifier_id(identifier: Identifier, key: bytes) -> UUID:
    """Return the id that the identifier would have alone: UUIDv8 over a keyed BLAKE2b of its kind and value; see docs/ids.md."""
    digest = bytearray(hashlib.blake2b(f"{identifier.kind}\x1f{identifier.value}".encode(), key=key, digest_size=16).digest())
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def customer_id(customer: Customer, key: bytes) -> UUID:
    """Return the customer's id: that of its earliest identifier."""
    return identifier_id(customer.anchor, key)


def alias_ids(identifiers: Iterable[Identifier], key: bytes) -> dict[UUID, Identifier]:
    """Return every id that can lead to these identifiers: each resolves, for ever, to what holds its identifier now."""
    return {identifier_id(identifier, key): identifier for identifier in identifiers}
