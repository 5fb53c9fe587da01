"""A real Kafka and a real Postgres for tests, each started once a session: load with `pytest_plugins = ["support.ground"]`.

Owns: the choice of servers, fresh databases, unique topic prefixes. Order of choice: the addresses in EARSHOT_TEST_KAFKA and
EARSHOT_TEST_POSTGRES; containers, when a Docker engine answers and the images are to be had; the local servers that `earshot up` runs.
All fixtures are synchronous: pools and consumers belong to one event loop, and are made by the tests themselves.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from confluent_kafka.admin import AdminClient

from earshot_shared.local.kafka import prepare_kafka
from earshot_shared.local.postgres import prepare_postgres
from earshot_shared.local.processes import ProcessSpec, end_all, last_line, spawn
from support import containers

START_TIMEOUT_S = 120.0
T = TypeVar("T")

Migrate = Callable[[str], Awaitable[object] | None]  # takes a DSN; plain or async
# The machine may stop in the middle of a test session: nothing is lost that anybody wants.
CARELESS_POSTGRES = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


class FreshDatabase(Protocol):
    """Gives the DSN of a new database, empty or as `migrate` leaves it; dropped when the test ends."""

    def __call__(self, migrate: Migrate | None = None) -> str: ...


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a broker for the whole session; use `topic_prefix` to be alone on it."""
    if given := os.environ.get("EARSHOT_TEST_KAFKA"):
        yield given
        return
    with contextlib.ExitStack() as stack:
        address = containers.kafka(stack)
        if address is None:
            folder = tmp_path_factory.mktemp("kafka")
            local = prepare_kafka(folder, folder / "kafka.log")
            stack.enter_context(running(local.spec))
            address = local.bootstrap
        yield address


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A DSN whose role may make databases; use `fresh_database` to be alone."""
    if given := os.environ.get("EARSHOT_TEST_POSTGRES"):
        yield given
        return
    with contextlib.ExitStack() as stack:
        dsn = containers.postgres(stack)
        if dsn is None:
            folder = tmp_path_factory.mktemp("postgres")
            local = prepare_postgres(folder, folder / "postgres.log", settings=CARELESS_POSTGRES)
            stack.enter_context(running(local.spec))
            dsn = local.dsn
        yield dsn


@contextlib.contextmanager
def running(spec: ProcessSpec, *, timeout_s: float = START_TIMEOUT_S) -> Iterator[int]:
    """Run a process until the block ends; yields its pid once it is ready."""
    process = spawn(spec)
    try:
        deadline = time.monotonic() + timeout_s
        while not spec.ready():
            if process.exit_code() is not None or time.monotonic() > deadline:
                pytest.fail(f"{spec.name} did not become ready: {last_line(spec.log)}", pytrace=False)
            time.sleep(0.05)
        yield process.identity.pid
    finally:
        end_all([process])


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """A value for EARSHOT_TOPIC_PREFIX like `t1a2b3c4d`, unique to this test; its topics are deleted when the test ends."""
    prefix = f"t{secrets.token_hex(4)}"
    yield prefix
    if "kafka_bootstrap" in request.fixturenames:
        delete_topics(request.getfixturevalue("kafka_bootstrap"), prefix)


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name begins so."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    if names := [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]:
        for future in admin.delete_topics(names, operation_timeout=10).values():
            future.result()


@pytest.fixture(scope="session")
def databases(postgres_dsn: str) -> Iterator["Databases"]:
    """Makes databases, and drops what is left of them when the session ends."""
    made = Databases(postgres_dsn)
    yield made
    made.drop_all()


@pytest.fixture
def fresh_database(databases: "Databases") -> Iterator[FreshDatabase]:
    """Gives as many new databases as the test asks for: `dsn = fresh_database(migrate_all)`."""
    names: list[str] = []

    def make(migrate: Migrate | None = None) -> str:
        names.append(databases.make(migrate))
        return databases.dsn_of(names[-1])

    yield make
    for name in names:
        databases.drop(name)


@dataclass(slots=True)
class Databases:
    """Databases of one session. A migration runs once, in a template; every further database is a copy, in some 30 ms."""

    admin_dsn: str
    _prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}_")
    _templates: dict[Migrate, str] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)

    def make(self, migrate: Migrate | None = None) -> str:
        """Return the name of a new database."""
        return self._create(template="template1" if migrate is None else self._template(migrate))

    def dsn_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.admin_dsn)._replace(path=f"/{name}"))

    def drop(self, name: str) -> None:
        """Drop it, whoever is still connected."""
        self._names.remove(name)
        self._execute(f'drop database if exists "{name}" with (force)')

    def drop_all(self) -> None:
        for name in list(self._names):
            self.drop(name)

    def _template(self, migrate: Migrate) -> str:
        if migrate not in self._templates:
            name = self._create(template="template1")
            told = migrate(self.dsn_of(name))
            if told is not None:
                in_own_loop(_awaited(told))
            self._templates[migrate] = name
        return self._templates[migrate]

    def _create(self, *, template: str) -> str:
        name = f"{self._prefix}{len(self._names)}_{secrets.token_hex(2)}"
        self._execute(f'create database "{name}" template "{template}"')
        self._names.append(name)
        return name

    def _execute(self, statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.admin_dsn)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        in_own_loop(run())


async def _awaited(value: Awaitable[T]) -> T:
    return await value


def in_own_loop(coroutine: Coroutine[object, object, T]) -> T:
    """Run to its end on another thread, so that it may be called from plain and from async tests alike."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
