"""Every query of triage stands on the migrated schema, and every one is used."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

import earshot_triage
from earshot_shared.postgres import Queries
from support.triage import migrate

QUERIES = Queries.load("earshot_triage")
USED_ELSEWHERE = {"reset_views"}  # by the replay


async def test_every_query_is_prepared_by_postgres(fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "earshot_triage"})
    try:
        for text in QUERIES.texts.values():
            await connection.prepare(text)  # raises, with the text, what is wrong
    finally:
        await connection.close()


def test_every_query_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(earshot_triage.__file__).parent.glob("*.py"))
    unused = [name for name in QUERIES.texts if f'QUERIES["{name}"]' not in source and name not in USED_ELSEWHERE]
    assert unused == []
