"""Dead letters as they stand in the tables of Postgres, whether the services run or not."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from earshot_shared.administration.shapes import Letter, told_letter, whole_letter
from earshot_shared.cli.letter_box import RETRY_LOOK_S, RETRY_WAIT_S, no_letter, not_tried
from earshot_shared.cli.locate import Servers
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")
_LIST_LIMIT = 10_000
T = TypeVar("T")


class LettersInTables:
    """A `LetterBox` over the services' tables."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    def listed(self, service: str | None) -> list[Letter]:
        """Return what was set aside, oldest first, of one service or of all."""
        return _run(self._list(_names(service)))

    def show(self, letter_id: UUID) -> dict[str, Any]:
        """Return one with its bytes."""
        service, row = _run(self._find(letter_id))
        return whole_letter(row, service)

    def replay(self, letter_id: UUID | None, service: str | None) -> tuple[int, int]:
        """Ask for another try; return how many were applied, and how many set aside again."""
        return _run(self._replay(letter_id, service))

    def drop(self, letter_id: UUID) -> None:
        """Forget one."""
        _run(self._drop(letter_id))

    @asynccontextmanager
    async def _tables_of(self, service: str) -> AsyncIterator[Any]:
        schema = schema_name(service, self._servers.topic_prefix)
        conn = await asyncpg.connect(self._servers.postgres(), server_settings={"search_path": schema})
        try:
            yield conn
        finally:
            await conn.close()

    async def _list(self, names: list[str]) -> list[Letter]:
        letters = []
        for name in names:
            async with self._tables_of(name) as conn:
                letters += [told_letter(row, name) for row in await conn.fetch(_QUERIES["list_dead_letters"], _LIST_LIMIT, None, None)]
        return sorted(letters, key=lambda letter: (letter.at, letter.id))

    async def _find(self, letter_id: UUID) -> tuple[str, Any]:
        for name in _names(None):
            async with self._tables_of(name) as conn:
                row = await conn.fetchrow(_QUERIES["read_dead_letter"], letter_id)
            if row is not None:
                return name, row
        raise no_letter(letter_id)

    async def _drop(self, letter_id: UUID) -> None:
        service, _ = await self._find(letter_id)
        async with self._tables_of(service) as conn:
            await conn.fetchval(_QUERIES["drop_dead_letter"], letter_id)

    async def _replay(self, letter_id: UUID | None, service: str | None) -> tuple[int, int]:
        names = _names(service) if letter_id is None else [(await self._find(letter_id))[0]]
        applied = left = 0
        for name in names:
            async with self._tables_of(name) as conn:
                asked = [row["id"] for row in await conn.fetch(_QUERIES["request_retry"], letter_id)]
                still = await _outcome(conn, asked, name)
            applied, left = applied + len(asked) - still, left + still
        return applied, left


def _names(service: str | None) -> list[str]:
    return sorted(services_with_schema()) if service is None else [service]


def _run(work: Coroutine[Any, Any, T]) -> T:
    async def translating() -> T:
        with translated():
            return await work

    return asyncio.run(translating())


async def _outcome(conn: Any, asked: list[UUID], service: str) -> int:
    """Wait until the service has tried all of them; return how many were set aside again."""
    deadline = time.monotonic() + RETRY_WAIT_S
    while True:
        rows = list(await conn.fetch(_QUERIES["letters_among"], asked))
        if all(row["retry_requested_at"] is None for row in rows):
            return len(rows)
        if time.monotonic() > deadline:
            raise not_tried(service)
        await asyncio.sleep(RETRY_LOOK_S)
