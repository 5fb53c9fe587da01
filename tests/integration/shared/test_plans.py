"""How Postgres answers the statements of every service on a system that is young.

A plan is kept until Postgres looks at its tables anew, up to a minute of growth. One made while a table was empty that reads it from end
to end then does so for every slice.
"""

import re
from typing import Any

import pytest

from earshot_shared.migrations import migrate_all
from earshot_shared.postgres import Queries, open_pool
from earshot_shared.topics import DEFAULT_PREFIX, schema_name
from support.ground import FreshDatabase

GROWING = {
    "ingest": {"items"},
    "triage": {"feedback", "threads", "nodes", "theme_items"},
    "recognition": {"items", "accounts", "handle_pairs", "replies", "helps", "thank_yous"},
    "crm-sync": {"identifiers", "statements", "evidence", "customers", "activities", "contacts", "standings", "told_of", "customer_words"},
}
# What people and commands ask of all there is, or seldom: none of it is asked for a slice.
OF_ALL = {
    "ingest": {"changed_since"},
    "triage": {"count_facts", "drop_gathering", "list_faq_candidates", "list_questions", "list_themes", "loop_health", "service_levels"},
    "recognition": {"count_facts", "leaderboard_all", "leaderboard_reach", "leaderboard_window", "list_keys", "network"},
    "crm-sync": {"count_contacts", "count_facts", "customers_by_alias", "purge_statements"},
}
_EMPTIES = re.compile(r"^truncate\b", re.MULTILINE)
_SCAN = re.compile(r"Seq Scan on (\w+)")


@pytest.mark.parametrize("service", sorted(GROWING))
async def test_no_slice_reads_a_growing_table_from_end_to_end(fresh_database: FreshDatabase, service: str) -> None:
    dsn = fresh_database(migrate_all)
    pool = await open_pool(dsn, schema=schema_name(service, DEFAULT_PREFIX), application="plans", max_size=1)
    try:
        async with pool.acquire() as conn:
            await conn.execute("set plan_cache_mode = force_generic_plan")
            queries = Queries.load(f"earshot_{service.replace('-', '_')}").texts
            scanned = {
                name: await _read_through(conn, text) & GROWING[service] for name, text in queries.items() if not _EMPTIES.search(text)
            }
    finally:
        await pool.close()
    assert {name for name, tables in scanned.items() if tables} - OF_ALL[service] == set()


async def _read_through(conn: Any, text: str) -> set[str]:
    """Return the tables that a statement's plan reads from end to end, whatever it is asked."""
    asked = max((int(number) for number in re.findall(r"\$(\d+)", text)), default=0)
    await conn.execute(f"prepare looked_at as {text}")
    given = f"({', '.join(['null'] * asked)})" if asked else ""
    plan = [row[0] for row in await conn.fetch(f"explain (costs off) execute looked_at{given}")]
    await conn.execute("deallocate looked_at")
    return {table for line in plan for table in _SCAN.findall(line)}
