"""crm-sync's stage for property tests: one database and one event loop for a module, emptied before each example."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from earshot_crm_sync.desk import Rules
from earshot_shared.pipeline.records import StoredRecord
from support.crm_ground import Bench, bench, check_published, empty, migrate, snapshot
from support.ground import Databases


class Stand:
    """Folds slices and returns what the store says then; the caller's own loop is not needed."""

    def __init__(self, runner: asyncio.Runner, ground: Bench) -> None:
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
                yield cls(runner, ground)
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
