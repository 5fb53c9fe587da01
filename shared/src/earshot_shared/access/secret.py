"""Keyed hashes with the installation's secret: the same everywhere in one installation, meaningless outside it.

Owns the derivation. Each purpose has a key of its own, so that a hash made for one can never be looked up as another.
"""

import hashlib
from typing import Final

_LENGTH: Final = 32


class Secret:
    """The installation's secret; never shown, never logged."""

    __slots__ = ("_bytes", "_keys")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _LENGTH:
            raise ValueError(f"an installation's secret has {_LENGTH} bytes")
        self._bytes = secret
        self._keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "Secret(…)"

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key of one purpose, such as "mail" or "cursors"."""
        found = self._keys.get(purpose)
        if found is None:
            found = hashlib.blake2b(purpose.encode(), key=self._bytes, digest_size=32, person=b"earshot-purpose").digest()
            self._keys[purpose] = found
        return found

    def hash(self, purpose: str, value: str) -> bytes:
        """Return the 16-byte keyed hash (BLAKE2b) of ``value`` under a purpose; the caller normalises the value first."""
        return hashlib.blake2b(value.encode(), key=self.key(purpose), digest_size=16).digest()

    def hash_text(self, purpose: str, value: str) -> str:
        """Return the keyed hash as 32 hex digits."""
        return self.hash(purpose, value).hex()
