"""Every Postgres there is on this machine, the wheel's included: started, killed, started again."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from earshot_shared.local import postgres
from earshot_shared.local.errors import LocalError
from earshot_shared.local.postgres import PostgresPrograms, find_programs, prepare_postgres
from support.ground import running


def ask(dsn: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize("programs", find_programs(), ids=lambda found: f"{found.major} of {found.origin}")
def test_it_starts_and_keeps_its_data_through_kill_9(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, programs: PostgresPrograms) -> None:
    monkeypatch.setattr(postgres, "find_programs", lambda: [programs])
    # As after an installation in root's home: neither the programs' nor the data's way is open to others.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    first = prepare_postgres(closed / "postgres", tmp_path / "log")
    with running(first.spec) as pid:
        assert psutil.Process(pid).uids().effective != 0
        assert ask(first.dsn, "select lower('ÉÄŽ')") == "éäž"
        assert ask(first.dsn, "select 'Z' < 'a' and 'z' < 'é'"), "code-point order"
        assert ask(first.dsn, "show synchronous_commit") == "on"
        ask(first.dsn, "create table kept as select 7 as value")
        os.kill(pid, signal.SIGKILL)

    again = prepare_postgres(closed / "postgres", tmp_path / "log", wanted_port=first.port)
    assert again.dsn == first.dsn
    with running(again.spec):
        assert ask(again.dsn, "select value from kept") == 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one cluster, at rest between the tests."""
    return tmp_path_factory.mktemp("postgres")


def test_a_wrong_password_is_refused_and_a_failed_row_is_not_logged(folder: Path) -> None:
    local = prepare_postgres(folder, folder / "log")
    with running(local.spec):
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(local.dsn.replace("earshot:", "earshot:x", 1), "select 1")
        ask(local.dsn, "create table people (mail text unique)")
        for expected in (contextlib.nullcontext(), pytest.raises(asyncpg.UniqueViolationError)):
            with expected:
                ask(local.dsn, "insert into people values ('ann@example.org')")
    assert "duplicate key" in (folder / "log").read_text()
    assert "ann@example.org" not in (folder / "log").read_text()


def test_a_server_of_somebody_else_is_not_touched(folder: Path) -> None:
    local = prepare_postgres(folder, folder / "log")
    with running(local.spec) as pid:
        with pytest.raises(LocalError, match=rf"process {pid}\).*stop it first"):
            local.spec.before_start()
        assert local.spec.ready()


def test_a_stale_lock_file_with_a_pid_given_to_another_is_no_hindrance(folder: Path) -> None:
    local = prepare_postgres(folder, folder / "log")
    lock = folder / "cluster" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n{int(time.time())}\n")
    with running(local.spec):
        assert local.spec.ready()


def test_a_cluster_of_a_version_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(LocalError, match="made by PostgreSQL 9"):
        prepare_postgres(tmp_path, tmp_path / "log")
