"""The way to Postgres: pools with safe time-outs, and queries that live in ``.sql`` files.

Owns connection settings and the reading of query files. Begins no transaction (``pipeline.writer`` does) and holds no query.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

import asyncpg

from earshot_shared.errors import translate_asyncpg

# An owner frozen inside its transaction holds the pen; it must lose it well before half the consumer group's session time-out (10 s).
LOCK_TIMEOUT_MS = 4_500
IDLE_IN_TRANSACTION_TIMEOUT_MS = 4_000
STATEMENT_TIMEOUT_MS = 120_000
CLOSE_TIMEOUT_S = 5.0
# Then a connection is made anew. Its first slice of a hundred takes 64 ms for 20, and the library's own 50,000 pass in two busy minutes.
MAX_QUERIES = 5_000_000
_NAME = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)

T = TypeVar("T")
Pool = asyncpg.Pool
Connection = asyncpg.Connection


async def close_pool(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Close a pool; connections that are still lent after `CLOSE_TIMEOUT_S` are cut, and Postgres rolls back what they did."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await pool.close()  # cuts all of them itself when it is cancelled


async def open_pool(dsn: str, *, schema: str, application: str, max_size: int = 6) -> "asyncpg.Pool[asyncpg.Record]":
    """Return a pool whose connections see ``schema`` first and give up locks in time.

    Raises: OSError, asyncpg.PostgresError when the server cannot be reached (translate with `errors.translate_asyncpg`).
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        max_queries=MAX_QUERIES,
        timeout=10,
        command_timeout=STATEMENT_TIMEOUT_MS / 1000,
        reset=_as_it_is,
        server_settings={
            "search_path": schema,
            "application_name": application,
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "timezone": "UTC",
            # What suits our statements wherever the server comes from: many and short, their rows mostly in memory.
            "jit": "off",
            "random_page_cost": "1.1",
            "max_parallel_workers_per_gather": "0",  # a few cores; and a container's /dev/shm is too small for it
        },
    )


async def _as_it_is(_connection: object) -> None:
    """Give a connection back: the library ends an open transaction, and nothing else of ours outlives one.

    No session lock, no listener, no setting but `set local`: resetting all that cost a round trip at each use.
    """


class Queries:
    """The queries of one package by name: ``queries["load_items"]``. Built once, at import of a repository module."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts: Mapping[str, str] = MappingProxyType(dict(texts))

    @classmethod
    def load(cls, package: str, folder: str = "sql") -> "Queries":
        """Return every ``-- name: …`` block of the package's ``folder/*.sql``.

        Raises: ValueError when a name stands twice or a file has text before its first name.
        """
        texts: dict[str, str] = {}
        for entry in sorted(resources.files(package).joinpath(folder).iterdir(), key=lambda each: each.name):
            if not entry.name.endswith(".sql"):
                continue
            head, *blocks = _NAME.split(entry.read_text(encoding="utf-8"))
            if any(line.strip() and not line.startswith("--") for line in head.splitlines()):
                raise ValueError(f"{package}/{folder}/{entry.name} has a statement without a name")
            for name, text in zip(blocks[::2], blocks[1::2], strict=True):
                if name in texts:
                    raise ValueError(f"{package} has two queries named {name}")
                texts[name] = text.strip().rstrip(";")
        return cls(texts)

    def __getitem__(self, name: str) -> str:
        return self.texts[name]


@contextlib.asynccontextmanager
async def beside(writing: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let Postgres write while the body computes: the body leaves the connection alone, and gives way now and then (`in_turns`).

    Whatever the body does, the writing has ended afterwards. Raises: what the writing raises, and the body.
    """
    task = asyncio.create_task(writing)
    try:
        yield
    finally:
        await task


async def in_turns(things: Iterable[T], every: int = 100) -> AsyncIterator[T]:
    """Give the things one by one, and after ``every`` so many (a millisecond or two of work) let others have a turn."""
    for number, thing in enumerate(things):
        if number % every == 0:
            await asyncio.sleep(0)
        yield thing


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise as ours whatever asyncpg or its transport raises inside the block."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, OverflowError) as error:
        raise translate_asyncpg(error) from error
