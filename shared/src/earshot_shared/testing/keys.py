"""API keys in memory: a fake of `earshot_shared.access.PostgresKeys`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from earshot_shared.access.keys import StoredKey

_BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)


class MemoryKeys:
    """Keeps keys as long as it lives; its days are made up."""

    def __init__(self) -> None:
        self._keys: dict[str, StoredKey] = {}
        self.looked_up = 0

    async def find(self, key_id: str) -> StoredKey | None:
        """Return one key, revoked or not."""
        self.looked_up += 1
        return self._keys.get(key_id)

    async def touch(self, key_id: str) -> None:
        """Remember that the key was used today."""
        if key_id in self._keys:
            self._keys[key_id] = replace(self._keys[key_id], last_used_on=_BEGIN.date())

    async def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        self._keys[key.key_id] = replace(key, created_at=_BEGIN + timedelta(seconds=len(self._keys)))

    async def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first."""
        return list(self._keys.values())

    async def revoke(self, key_id: str) -> bool:
        """End a key; return whether there is one of that id."""
        found = self._keys.get(key_id)
        if found is None:
            return False
        self._keys[key_id] = replace(found, revoked_at=found.revoked_at or _BEGIN)
        return True
