"""What `earshot doctor` looks at, one small check each: what is found, and how to mend it.

Owns: the checks of the ground. Must not: change anything, or print. Other parts add checks of their own (such as of models) by the
entry-point group `earshot.doctor`: functions that take the data folder and return findings.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import psutil

from earshot_shared.cli.counted import counted
from earshot_shared.config import check_all
from earshot_shared.errors import EarshotError
from earshot_shared.local import java, kafka, kafka_jars, postgres
from earshot_shared.local.files import DataFolder
from earshot_shared.local.ports import is_free
from earshot_shared.local.product import Product, topic_prefix
from earshot_shared.local.state import RunningSystem, read_processes, read_state
from earshot_shared.settings import check_settings, default_config_dir, is_example
from earshot_shared.topics import schema_name

T = TypeVar("T")

DOCTOR_GROUP = "earshot.doctor"
OLDEST_PYTHON = (3, 11)
DISK_NEEDED_BYTES = 500_000_000
DISK_WANTED_BYTES = 3_000_000_000
MEMORY_WANTED_BYTES = 2_000_000_000


class Grade(Enum):
    """How bad it is."""

    GOOD = "as it should be"
    DOUBTFUL = "works, but not for long or not well"
    BAD = "does not work until it is mended"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about what was found, and one about how to mend it."""

    grade: Grade
    what: str
    mend: str = ""


Check = Callable[[DataFolder], Iterator[Finding]]


def examine(folder: DataFolder, port_base: int) -> Iterator[Finding]:
    """Return what all checks find, in the order in which a start would meet it.

    Where the environment names both servers, as in a container, nothing is started: what a local system needs is not looked at.
    """
    bootstrap, dsn = os.environ.get("EARSHOT_KAFKA_BOOTSTRAP"), os.environ.get("EARSHOT_POSTGRES_DSN")
    yield from _python()
    yield from _variables()
    yield from _configuration()
    if bootstrap and dsn:
        yield from _addresses(bootstrap, dsn)
    else:
        yield from _local_system(folder, port_base, bootstrap, dsn)
    for point in sorted(entry_points(group=DOCTOR_GROUP), key=lambda point: point.name):
        check: Check = point.load()
        yield from check(folder)


def _local_system(folder: DataFolder, port_base: int, bootstrap: str | None, dsn: str | None) -> Iterator[Finding]:
    system = None
    yield from _java_and_kafka()
    yield from _postgres(folder)
    yield from _room(folder)
    try:
        system = read_state(folder)
    except EarshotError as problem:
        yield Finding(Grade.BAD, problem.detail)
    if system is None:
        yield from _at_rest(folder, port_base)
        yield from _addresses(bootstrap, dsn)
    else:
        yield from _at_work(folder, system)
        yield from _addresses(system.kafka, system.postgres)


def _python() -> Iterator[Finding]:
    told = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        yield Finding(Grade.GOOD, f"Python {told}")
    else:
        yield Finding(Grade.BAD, f"Python {told} is too old", "run `make setup PYTHON=python3.12`, naming a Python 3.11 or newer")


def _variables() -> Iterator[Finding]:
    try:
        check_settings()
    except EarshotError as problem:
        yield Finding(Grade.BAD, problem.detail, "unset it, or set what was meant")
    if is_example(os.environ.get("EARSHOT_API_KEY", "")):
        yield Finding(
            Grade.DOUBTFUL,
            "EARSHOT_API_KEY is the one of `.env.example`, which everybody knows",
            "set it to what `openssl rand -hex 24` gives",
        )


def _java_and_kafka() -> Iterator[Finding]:
    try:
        found = java.find_java()
    except EarshotError as problem:
        yield Finding(Grade.BAD, "No Java for Kafka", problem.detail)
    else:
        yield Finding(Grade.GOOD, f"Java {found.major} of {found.origin}: {found.program}")
    if (installed := kafka.find_installed()) is not None:
        yield Finding(Grade.GOOD, f"Kafka {installed.version} of {installed.origin}")
        return
    try:
        cache = kafka_jars.cache_folder()
        missing = kafka_jars.missing(cache, kafka_jars.locked_jars())
    except (EarshotError, OSError) as problem:
        yield Finding(Grade.BAD, "Kafka's cache cannot be read", str(problem))
        return
    if missing:
        size_mb = sum(jar.size_bytes for jar in missing) / 1e6
        yield Finding(
            Grade.DOUBTFUL,
            f"Kafka {kafka_jars.KAFKA_VERSION} is not in {cache} yet",
            f"the next start fetches {size_mb:.0f} MB: be online then",
        )
    else:
        yield Finding(Grade.GOOD, f"Kafka {kafka_jars.KAFKA_VERSION} in {cache}, every jar as locked")


def _postgres(folder: DataFolder) -> Iterator[Finding]:
    cluster = folder.postgres / "cluster"
    try:
        programs = postgres.choose_programs(cluster)
        account = postgres.account_for(cluster)
    except EarshotError as problem:
        yield Finding(Grade.BAD, "No Postgres that fits", problem.detail)
        return
    under = f", run under the account {account.name}" if account else ""
    yield Finding(Grade.GOOD, f"Postgres {programs.major} of {programs.origin}: {programs.folder}{under}")


def _room(folder: DataFolder) -> Iterator[Finding]:
    place = _nearest_existing(folder.root)
    free_bytes = shutil.disk_usage(place).free
    told = f"{free_bytes / 1e9:.1f} GB free for {folder.root}"
    if free_bytes < DISK_NEEDED_BYTES:
        yield Finding(Grade.BAD, told, "make room, or give a --data-dir on another disk")
    elif free_bytes < DISK_WANTED_BYTES:
        yield Finding(Grade.DOUBTFUL, told, "make room: Kafka and Postgres need some 3 GB for a few million items")
    else:
        yield Finding(Grade.GOOD, told)
    if not os.access(place, os.W_OK):
        yield Finding(Grade.BAD, f"{place} cannot be written to", "give a --data-dir that can")
    memory_bytes = psutil.virtual_memory().available
    if memory_bytes < MEMORY_WANTED_BYTES:
        yield Finding(
            Grade.DOUBTFUL, f"{memory_bytes / 1e9:.1f} GB of memory are free", "end other programs: the whole system takes some 2 GB"
        )


def _configuration() -> Iterator[Finding]:
    wanted = os.environ.get("EARSHOT_CONFIG_DIR")
    config_dir = Path(wanted or default_config_dir())
    if wanted and not config_dir.is_dir():  # as `_variables` tells
        return
    faults = [str(fault) for verdict in check_all(config_dir) for fault in verdict.faults]
    for fault in faults:
        yield Finding(Grade.BAD, fault, "correct it; `earshot config check` reads all files again")
    if not faults:
        yield Finding(Grade.GOOD, f"Every configuration file in {config_dir} is good")


def _nearest_existing(path: Path) -> Path:
    return next(parent for parent in [path, *path.parents] if parent.exists())


def _at_rest(folder: DataFolder, port_base: int) -> Iterator[Finding]:
    """Nothing runs here: could it be started?"""
    left = [name for name, (identity, _) in read_processes(folder.processes).items() if identity.find() is not None]
    if left:
        yield Finding(Grade.DOUBTFUL, f"A killed start left {', '.join(left)} running", "the next start on this folder ends them")
        return
    product = Product(port_base)
    taken = [f"{product.port_of(name)} ({name})" for name in product.urls if not is_free(product.port_of(name))]
    if taken:
        yield Finding(Grade.BAD, f"Ports in use by other programs: {', '.join(taken)}", "end them, or start with another --port-base")
    else:
        yield Finding(Grade.GOOD, f"Nothing runs on {folder.root}; ports {port_base} to {port_base + 4} are free")


def _at_work(folder: DataFolder, system: RunningSystem) -> Iterator[Finding]:
    if system.ready:
        yield Finding(Grade.GOOD, f"A system runs on {folder.root} (process {system.pid}) and is ready")
    else:
        yield Finding(Grade.BAD, f"The system on {folder.root} (process {system.pid}) is not ready", f"read the logs in {folder.logs}")
    if system.mock_broker:
        yield Finding(
            Grade.DOUBTFUL, "It runs on the try-out broker, which forgets", "install Kafka or Java, or be online, and start again"
        )


def _addresses(bootstrap: str | None, dsn: str | None) -> Iterator[Finding]:
    """Do the servers that the services use answer, and is the database as they expect it?"""
    if bootstrap and kafka.kafka_answers(bootstrap, timeout_s=5):
        yield Finding(Grade.GOOD, f"Kafka answers at {bootstrap}")
    elif bootstrap:
        yield Finding(Grade.BAD, f"No Kafka answers at {bootstrap}", "start it, or correct EARSHOT_KAFKA_BOOTSTRAP or --kafka")
    if dsn and postgres.postgres_answers(dsn, timeout_s=5):
        yield Finding(Grade.GOOD, "Postgres answers")
        yield from _schemas(dsn)
    elif dsn:
        yield Finding(Grade.BAD, "No Postgres answers", "start it, or correct EARSHOT_POSTGRES_DSN or --postgres")


def _schemas(dsn: str) -> Iterator[Finding]:
    from earshot_shared.migrations import missing_migrations

    lacking = {service: titles for service, titles in asyncio.run(_in_each_schema(dsn, missing_migrations)).items() if titles}
    for service, titles in lacking.items():
        yield Finding(Grade.BAD, f"The tables of {service} lack {', '.join(titles)}", "run `earshot migrate`")
    if lacking:
        return
    yield Finding(Grade.GOOD, "Every schema is as this version expects it")
    if count := sum(asyncio.run(_in_each_schema(dsn, _set_aside)).values()):
        yield Finding(
            Grade.DOUBTFUL,
            f"{counted(count, 'record is', 'records are')} set aside",
            "`earshot dead-letters list` says why: replay them, or drop them",
        )


async def _set_aside(connection: Any, _service: str) -> int:
    return int(await connection.fetchval("select count(*) from dead_letters"))


async def _in_each_schema(dsn: str, ask: Callable[[Any, str], Awaitable[T]]) -> dict[str, T]:
    """Return what is found in the schema of each service."""
    from earshot_shared.migrations import services_with_schema

    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        found = {}
        for service in sorted(services_with_schema()):
            await connection.execute("select set_config('search_path', $1, false)", schema_name(service, topic_prefix()))
            found[service] = await ask(connection, service)
        return found
    finally:
        await connection.close()
