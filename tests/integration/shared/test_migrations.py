"""Migrations on a real Postgres."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from earshot_shared.errors import RetryableError
from earshot_shared.health import Health, database_check
from earshot_shared.migrations import MigrationError, files, migrate_all, missing_migrations, plan_of, runner
from earshot_shared.migrations.files import Migration, read_folder
from earshot_shared.postgres import open_pool
from support.ground import FreshDatabase

SCHEMAS = ["access", "crm_sync", "ingest", "recognition", "triage"]


async def connect(dsn: str, schema: str = "earshot_triage") -> asyncpg.Connection:
    return await asyncpg.connect(dsn, server_settings={"search_path": schema})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> list[Migration]:
    """Migrations of a service "triage" that the test writes, beside those of the loop."""
    written: list[Migration] = []
    loop = tuple(plan_of("ingest"))

    def plan(service: str) -> tuple[Migration, ...]:
        return plan_of(service) if service == "access" else (*loop, *written)

    monkeypatch.setattr(runner, "plan_of", plan)
    return written


def step(number: int, sql: str, phase: files.Phase = "pre") -> Migration:
    return Migration(origin="triage", number=number, phase=phase, name=f"step_{number}", sql=sql)


async def tables(dsn: str) -> dict[str, set[str]]:
    connection = await connect(dsn)
    rows = await connection.fetch("select table_schema, table_name from information_schema.tables where table_schema like 'earshot%'")
    await connection.close()
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["table_schema"], set()).add(row["table_name"])
    return found


async def test_every_schema_gets_its_tables_and_a_second_run_does_nothing(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database()
    applied = await migrate_all(dsn)
    assert await migrate_all(dsn) == []
    found = await tables(dsn)
    assert sorted(found) == [f"earshot_{name}" for name in SCHEMAS]
    assert found["earshot_access"] == {"api_keys", "installation", "migrations", "spent_tokens"}
    loop = {"positions", "outbox", "relay", "dead_letters", "actions_done", "idempotency", "migrations"}
    assert all(loop <= found[f"earshot_{name}"] for name in SCHEMAS[1:])
    assert {migration.schema for migration in applied} == set(found)


async def test_two_runs_at_once_are_safe(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database()
    runs = await asyncio.gather(*(migrate_all(dsn) for _ in range(4)))
    assert sorted(len(run) > 0 for run in runs) == [False, False, False, True]


async def test_installations_share_a_database(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database()
    await migrate_all(dsn)
    await migrate_all(dsn, "acme.eu.")
    assert {"earshot_triage", "acme_eu_triage"} <= set(await _schemas(dsn))


async def _schemas(dsn: str) -> list[str]:
    connection = await connect(dsn)
    rows = await connection.fetch("select nspname from pg_namespace")
    await connection.close()
    return [row["nspname"] for row in rows]


async def test_outbox_messages_are_stored_as_they_are(fresh_database: FreshDatabase) -> None:
    connection = await connect(fresh_database(migrate_all))
    storage = await connection.fetchval("select attstorage from pg_attribute where attrelid = 'outbox'::regclass and attname = 'messages'")
    await connection.close()
    assert storage == b"e"


async def test_phases_are_applied_apart(fresh_database: FreshDatabase, own: list[Migration]) -> None:
    dsn = fresh_database()
    own += [step(1, "create table a (x int)"), step(2, "alter table a drop column x", "post"), step(3, "create table b (x int)")]
    await migrate_all(dsn, phase="pre", services=["triage"])
    connection = await connect(dsn)
    assert await connection.fetchval("select count(*) from migrations where origin = 'triage'") == 2
    await connection.close()
    late = await migrate_all(dsn, phase="post", services=["triage"])
    assert [migration.title for migration in late] == ["triage/0002_post_step_2"]


async def test_a_changed_file_is_refused(fresh_database: FreshDatabase, own: list[Migration]) -> None:
    dsn = fresh_database()
    own.append(step(1, "create table a (x int)"))
    await migrate_all(dsn, services=["triage"])
    own[0] = step(1, "create table a (x bigint)")
    with pytest.raises(MigrationError, match="triage/0001_pre_step_1 was changed after it was applied to earshot_triage"):
        await migrate_all(dsn, services=["triage"])


async def test_a_failing_migration_leaves_nothing_of_itself(fresh_database: FreshDatabase, own: list[Migration]) -> None:
    dsn = fresh_database()
    own += [step(1, "create table a (x int)"), step(2, "create table b (x int); select 1/0")]
    with pytest.raises(MigrationError, match="triage/0002_pre_step_2 failed"):
        await migrate_all(dsn, services=["triage"])
    assert "a" in (await tables(dsn))["earshot_triage"]
    assert "b" not in (await tables(dsn))["earshot_triage"]
    own[1] = step(2, "create table b (x int)")
    assert [migration.title for migration in await migrate_all(dsn, services=["triage"])] == ["triage/0002_pre_step_2"]


async def test_a_lock_that_is_held_is_not_waited_for_long(
    fresh_database: FreshDatabase, own: list[Migration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_LOCK_TIMEOUT_MS", 50)
    dsn = fresh_database()
    own.append(step(1, "create table a (x int)"))
    await migrate_all(dsn, services=["triage"])
    own.append(step(2, "alter table a add column y int"))
    reader = await connect(dsn)
    async with reader.transaction():
        await reader.fetch("select x from a")
        with pytest.raises(RetryableError, match="run it again when long transactions have ended"):
            await migrate_all(dsn, services=["triage"])
    await reader.close()
    assert len(await migrate_all(dsn, services=["triage"])) == 1


async def test_nobody_there() -> None:
    with pytest.raises(RetryableError, match="could not be reached"):
        await migrate_all("postgresql://earshot@127.0.0.1:1/earshot")


async def test_missing_migrations_are_named(fresh_database: FreshDatabase) -> None:
    connection = await connect(fresh_database())
    assert "loop/0001_pre_loop" in await missing_migrations(connection, "triage")
    await connection.close()
    connection = await connect(fresh_database(migrate_all))
    assert await missing_migrations(connection, "triage") == []
    await connection.close()


async def test_readiness_asks_for_the_schema(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database()
    async with await open_pool(dsn, schema="earshot_triage", application="tests", max_size=1) as pool:
        health = Health()
        health.require("postgres", database_check(pool, "triage"))
        assert "earshot migrate" in (await health.ready()).reasons["postgres"]
        await migrate_all(dsn)
        assert (await health.ready()).well


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        pytest.param(["1_pre_a.sql"], "Rename", id="short number"),
        pytest.param(["0001_a.sql"], "Rename", id="no phase"),
        pytest.param(["0001_pre_a.sql", "0003_pre_b.sql"], "0002 is missing", id="gap"),
        pytest.param(["0001_pre_a.sql", "0001_post_b.sql"], "doubled", id="twice"),
        pytest.param(["0000_pre_a.sql"], "0001 is missing", id="from nought"),
    ],
)
def test_files_that_are_named_wrongly(tmp_path: Path, names: list[str], sentence: str) -> None:
    for name in names:
        (tmp_path / name).write_text("select 1", encoding="utf-8")
    with pytest.raises(MigrationError, match=sentence):
        read_folder(tmp_path, origin="triage")
