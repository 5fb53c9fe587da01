"""Applies migrations: each in a transaction of its own, under one advisory lock an installation, with a lock time-out.

Owns the table ``migrations`` in every schema. Two runs at once are safe: the second waits, then finds nothing to do.
A run that dies leaves what it had committed; the next goes on from there.
"""

import contextlib
import re
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from earshot_shared.errors import RetryableError, translate_asyncpg
from earshot_shared.migrations.files import ACCESS, Migration, MigrationError, Phase, plan_of, services_with_schema
from earshot_shared.topics import DEFAULT_PREFIX, schema_name

_CONNECT_TIMEOUT_S = 10
_WAIT_FOR_OTHER_RUN_S = 300
# A migration that waits for a lock makes everybody behind it wait too, so it gives up soon and tries again.
_LOCK_TIMEOUT_MS = 4000
_LOCK_ATTEMPTS = 5
_SCHEMA_NAME = re.compile(r"[a-z0-9_]{1,63}")

_MIGRATIONS_TABLE = """
create table if not exists migrations (
    origin text not null,
    number int not null,
    title text not null,
    sha256 bytea not null,
    applied_at timestamptz not null default now(),
    primary key (origin, number)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One migration that this run applied."""

    schema: str
    title: str


async def migrate_all(
    dsn: str, prefix: str = DEFAULT_PREFIX, *, phase: Phase | None = None, services: Collection[str] | None = None
) -> list[Applied]:
    """Bring the shared schema and every service's schema to the shipped state; return what was applied, nothing when
    all was there.

    ``phase`` limits the run to "pre" (before new code starts) or "post" (once old code is gone); None applies all, by
    number. ``services`` limits it to some; the shared schema is always brought up.
    Raises: MigrationError when the database and the files disagree; RetryableError when Postgres or a lock was not to
    be had.
    """
    chosen = sorted(services_with_schema() if services is None else services)
    plans = {schema_name(service, prefix): plan_of(service) for service in [ACCESS, *chosen]}
    applied: list[Applied] = []
    async with _only_run(dsn, lock_name=schema_name(ACCESS, prefix)) as connection:
        for schema, plan in plans.items():
            wanted = [migration for migration in plan if phase in (None, migration.phase)]
            await _enter(connection, schema)
            done = await _done(connection)
            _refuse_drift(schema, plan, done)
            for migration in wanted:
                if (migration.origin, migration.number) not in done:
                    await _apply(connection, migration)
                    applied.append(Applied(schema=schema, title=migration.title))
    return applied


async def missing_migrations(connection: "asyncpg.Connection | PoolConnectionProxy[asyncpg.Record]", service: str) -> list[str]:
    """Return the titles of the pre-migrations that the schema on this connection's search path lacks: what readiness
    asks.

    Post-migrations may be missing: code must run before them. A schema newer than the code is fine for the same reason.
    """
    try:
        done = await _done(connection)
    except asyncpg.UndefinedTableError:
        done = {}
    return [m.title for m in plan_of(service) if m.phase == "pre" and (m.origin, m.number) not in done]


@contextlib.asynccontextmanager
async def _only_run(dsn: str, *, lock_name: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_TIMEOUT_S)
        try:
            await connection.execute(f"set lock_timeout = '{_WAIT_FOR_OTHER_RUN_S}s'")
            await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", f"earshot migrate {lock_name}")
            await connection.execute(f"set lock_timeout = '{_LOCK_TIMEOUT_MS}ms'")
            yield connection
        finally:
            await connection.close()  # which frees the lock
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise translate_asyncpg(error) from error


async def _enter(connection: asyncpg.Connection, schema: str) -> None:
    if not _SCHEMA_NAME.fullmatch(schema):
        raise MigrationError(f"{schema!r} cannot be a schema: choose another EARSHOT_TOPIC_PREFIX.")
    if not await connection.fetchval("select exists (select from pg_namespace where nspname = $1)", schema):
        await connection.execute(f"create schema {schema}")  # only when absent: then no right to create is needed later
    await connection.execute(f"set search_path = {schema}")
    await connection.execute(_MIGRATIONS_TABLE)


async def _done(connection: "asyncpg.Connection | PoolConnectionProxy[asyncpg.Record]") -> dict[tuple[str, int], bytes]:
    rows = await connection.fetch("select origin, number, sha256 from migrations")
    return {(row["origin"], row["number"]): row["sha256"] for row in rows}


def _refuse_drift(schema: str, plan: Sequence[Migration], done: dict[tuple[str, int], bytes]) -> None:
    for migration in plan:
        seen = done.get((migration.origin, migration.number))
        if seen is not None and seen != migration.sha256:
            raise MigrationError(
                f"The migration {migration.title} was changed after it was applied to {schema}: restore the file as released, "
                "and put the change into a new one."
            )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "insert into migrations (origin, number, title, sha256) values ($1, $2, $3, $4)",
                    migration.origin, migration.number, migration.title, migration.sha256,
                )  # fmt: skip
                return
        except asyncpg.LockNotAvailableError as error:
            if attempt == _LOCK_ATTEMPTS:
                raise RetryableError(
                    f"The migration {migration.title} could not lock its tables: run it again when long transactions have ended."
                ) from error
        except asyncpg.PostgresError as error:
            raise MigrationError(f"The migration {migration.title} failed: {error}") from error
