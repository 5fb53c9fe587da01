"""crm-sync's stage for property tests: one database and one event loop for a module, emptied before each example."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from earshot_crm_sync import repository, repository_read, repository_words
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.domain.components import Evidence, judge_all
from earshot_crm_sync.identity import Identifier
from earshot_shared.pipeline.records import StoredRecord
from support.crm_ground import Bench, bench, check_published, empty, migrate, snapshot
from support.ground import Databases


class Stand:
    """Folds slices and returns what the store says then; the caller's own loop is not needed."""

    def __init__(self, runner: asyncio.Runner, ground: Bench, rules: Rules) -> None:
        self._rules = rules
        self._runner = runner
        self._ground = ground

    @classmethod
    @contextlib.contextmanager
    def on(cls, databases: Databases, rules: Rules) -> Iterator["Stand"]:
        """Give a stand on a database of its own."""
        name = databases.make(migrate)
        with asyncio.Runner() as runner:
            opened = bench(databases.dsn_of(name), rules)
            ground = runner.run(opened.__aenter__())
            try:
                yield cls(runner, ground, rules)
            finally:
                runner.run(opened.__aexit__(None, None, None))
        databases.drop(name)

    def fold(self, slices: Sequence[Sequence[StoredRecord]]) -> dict[str, Any]:
        """Return the snapshot after these slices, folded into an empty store; what was published is checked against it."""
        return self._runner.run(self._fold(slices))

    async def _fold(self, slices: Sequence[Sequence[StoredRecord]]) -> dict[str, Any]:
        await empty(self._ground)
        for records in slices:
            if records:
                await self._ground.fold(*records)
        found = await snapshot(self._ground)
        check_published(self._ground, found)
        return found

    def people(self) -> set[frozenset[Identifier]]:
        """Return the speakers of every customer in the store: anchors of statements, by customer."""
        return self._runner.run(self._people())

    async def _people(self) -> set[frozenset[Identifier]]:
        async with self._ground.pool.acquire() as conn:
            customers = await repository_read.page_of_customers(conn, repository_read.NO_ID, 100_000)
            held = await repository_read.hold_all(conn, customers)
        return {frozenset(row.saying.anchor for row in each.spoken.values()) for each in held}

    def judged_at_once(self) -> set[frozenset[Identifier]]:
        """Return the speakers of every customer as the engine sees them with all evidence and every word before it at once."""
        return self._runner.run(self._judged_at_once())

    async def _judged_at_once(self) -> set[frozenset[Identifier]]:
        async with self._ground.pool.acquire() as conn:
            numbers = [row[0] for row in await conn.fetch("select statement_no from statements where record_count > 0")]
            rows = await repository.load_statements(conn, numbers)
            identifiers = await repository.load_identifiers(
                conn, [row[0] for row in await conn.fetch("select identifier_no from identifiers")]
            )
            words = await repository_words.load_words(conn, [each.no for each in identifiers])
        name_of = {each.no: each.identifier for each in identifiers if each.identifier.kind}
        evidence = Evidence({row.no: row for row in rows}, {}, [word.decision(name_of) for word in words])
        speakers = {row.saying.anchor for row in rows}
        found = set()
        for part in judge_all(evidence, self._rules.identity):
            for customer in part.resolution.customers:
                if spoken := customer.identifiers & speakers:
                    found.add(frozenset(spoken))
        return found
