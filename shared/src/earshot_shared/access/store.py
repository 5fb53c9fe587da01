"""The tables of ``earshot_access``: API keys, one-time tokens that were spent, and the installation's secret.

Owns every query of that schema. Services reach it through a small pool of its own, whose search path is that schema alone.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol

import asyncpg

from earshot_shared.access.keys import StoredKey
from earshot_shared.access.secret import Secret
from earshot_shared.errors import FatalError
from earshot_shared.migrations.files import ACCESS
from earshot_shared.postgres import Queries, close_pool, open_pool, translated
from earshot_shared.topics import schema_name

_QUERIES: Final = Queries.load("earshot_shared.access")


class KeyStore(Protocol):
    """Where keys are kept; `PostgresKeys` in earnest, `earshot_shared.testing.MemoryKeys` in unit tests."""

    async def find(self, key_id: str) -> StoredKey | None:
        """Return one key, revoked or not."""

    async def touch(self, key_id: str) -> None:
        """Remember that the key was used today."""

    async def add(self, key: StoredKey) -> None:
        """Keep a new key."""

    async def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first."""

    async def revoke(self, key_id: str) -> bool:
        """End a key; return whether there is one of that id."""


class PostgresKeys:
    """Keys in Postgres. Raises RetryableError and FatalError as `translate_asyncpg` has it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def find(self, key_id: str) -> StoredKey | None:
        """Return one key, revoked or not."""
        with translated():
            row = await self._pool.fetchrow(_QUERIES["find_key"], key_id)
        return None if row is None else _stored(row)

    async def touch(self, key_id: str) -> None:
        """Remember that the key was used today."""
        with translated():
            await self._pool.execute(_QUERIES["touch_key"], key_id)

    async def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        with translated():
            await self._pool.execute(
                _QUERIES["add_key"],
                key.key_id,
                key.secret_sha256,
                key.name,
                sorted(key.scopes),
                None if key.sources is None else sorted(key.sources),
                None if key.brands is None else sorted(key.brands),
            )

    async def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first."""
        with translated():
            return [_stored(row) for row in await self._pool.fetch(_QUERIES["list_keys"])]

    async def revoke(self, key_id: str) -> bool:
        """End a key; return whether there is one of that id."""
        with translated():
            return await self._pool.fetchval(_QUERIES["revoke_key"], key_id) is not None


@contextlib.asynccontextmanager
async def open_access_pool(dsn: str, prefix: str, *, application: str) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    """Give a pool on the shared schema for as long as the context lasts; two connections serve a whole service."""
    with translated():
        pool = await open_pool(dsn, schema=schema_name(ACCESS, prefix), application=application, max_size=2)
    try:
        yield pool
    finally:
        await close_pool(pool)


async def read_secret(pool: "asyncpg.Pool[asyncpg.Record]") -> Secret:
    """Return the installation's secret.

    Raises: FatalError when the migrations have not made it; RetryableError when Postgres is not to be had.
    """
    with translated():
        try:
            secret = await pool.fetchval(_QUERIES["read_secret"])
        except asyncpg.UndefinedTableError:
            secret = None
    if not isinstance(secret, bytes):
        raise FatalError("This database has no installation's secret: run `earshot migrate` first.", code="schema-missing")
    return Secret(secret)


async def spend_token(pool: "asyncpg.Pool[asyncpg.Record]", token_sha256: bytes) -> bool:
    """Remember that a one-time token was used; return whether it is the first time, whichever process asks."""
    with translated():
        return await pool.fetchval(_QUERIES["spend_token"], token_sha256) is not None


def _stored(row: asyncpg.Record) -> StoredKey:
    return StoredKey(
        key_id=row["id"],
        secret_sha256=row["secret_sha256"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        sources=None if row["sources"] is None else frozenset(row["sources"]),
        brands=None if row["brands"] is None else frozenset(row["brands"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        last_used_on=row["last_used_on"],
    )
