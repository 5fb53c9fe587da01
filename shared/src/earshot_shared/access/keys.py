"""API keys: their form, what a key may do, and how a secret is compared. Pure but for the drawing of new secrets.

A key is ``esk_<id>_<secret>``. Only a hash of the secret is kept; it is 32 random bytes, so a plain SHA-256 cannot be guessed back.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from earshot_shared.errors import EarshotError

ALL_SCOPES: Final = (
    "ingest:write",
    "triage:read",
    "triage:write",
    "recognition:read",
    "recognition:write",
    "crm-sync:read",
    "crm-sync:write",
    "console:read",
    "admin",
)
"""Every scope there is; ``admin`` holds all the others."""

_TOKEN = re.compile(r"esk_([a-z0-9]{12})_([0-9a-f]{64})")
_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that people mistake for another
_LONGEST_NAME = 200


class KeyRequestError(EarshotError):
    """The wanted key makes no sense; the sentence says what to give."""

    code = "key-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sent a request. ``sources`` and ``brands`` are what the key is bound to, None when it is bound to none."""

    key_id: str
    scopes: frozenset[str]
    sources: frozenset[str] | None = None
    brands: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Return whether the key has ``scope``; ``admin`` has them all."""
        return scope in self.scopes or "admin" in self.scopes

    def may_source(self, source: str) -> bool:
        """Return whether the key may speak for ``source``."""
        return self.sources is None or source in self.sources

    def may_brand(self, brand: str) -> bool:
        """Return whether the key may see and touch what belongs to ``brand``."""
        return self.brands is None or brand in self.brands


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as it is kept: everything but the secret."""

    key_id: str
    secret_sha256: bytes
    name: str
    scopes: frozenset[str]
    sources: frozenset[str] | None
    brands: frozenset[str] | None
    created_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_on: date | None = None

    def opens_with(self, secret: str) -> bool:
        """Return whether ``secret`` is this key's, in constant time, and the key is live."""
        same = hmac.compare_digest(self.secret_sha256, hashlib.sha256(secret.encode()).digest())
        return same and self.revoked_at is None

    def principal(self) -> Principal:
        """Return whom the key stands for."""
        return Principal(key_id=self.key_id, scopes=self.scopes, sources=self.sources, brands=self.brands)


def new_key(
    *, name: str, scopes: Collection[str], sources: Collection[str] | None = None, brands: Collection[str] | None = None
) -> tuple[str, StoredKey]:
    """Return a fresh token, to be shown once, and the key to keep.

    Raises: KeyRequestError as `make_key`.
    """
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    secret = secrets.token_hex(32)
    digest = hashlib.sha256(secret.encode()).digest()
    return f"esk_{key_id}_{secret}", make_key(key_id, digest, name=name, scopes=scopes, sources=sources, brands=brands)


def make_key(
    key_id: str,
    secret_sha256: bytes,
    *,
    name: str,
    scopes: Collection[str],
    sources: Collection[str] | None = None,
    brands: Collection[str] | None = None,
) -> StoredKey:
    """Return the key to keep for a secret that somebody else drew.

    Raises: KeyRequestError for an unknown scope, no scope, or a name that is empty or too long.
    """
    unknown = sorted(set(scopes) - set(ALL_SCOPES))
    if unknown or not scopes:
        said = f"There is no scope {unknown[0]}" if unknown else "A key needs a scope"
        raise KeyRequestError(f"{said}: choose from {', '.join(ALL_SCOPES)}.")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise KeyRequestError(f"Give the key a name of up to {_LONGEST_NAME} characters that says who uses it.")
    return StoredKey(
        key_id=key_id,
        secret_sha256=secret_sha256,
        name=name.strip(),
        scopes=frozenset(scopes),
        sources=None if sources is None else frozenset(sources),
        brands=None if brands is None else frozenset(brands),
    )


def parse_token(token: str) -> tuple[str, str] | None:
    """Return id and secret of a token of our form, None for anything else."""
    match = _TOKEN.fullmatch(token)
    return (match[1], match[2]) if match else None
