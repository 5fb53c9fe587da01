"""A stage with its store, and the same behind its door."""

from collections.abc import AsyncIterator

import pytest

from earshot_crm_sync.desk import Rules
from earshot_crm_sync.identity import IdentityRules
from support.crm_ground import Bench, CrmService, bench, http, migrate
from support.ground import FreshDatabase


@pytest.fixture
async def ground(fresh_database: FreshDatabase) -> AsyncIterator[Bench]:
    async with bench(fresh_database(migrate)) as made:
        yield made


@pytest.fixture
async def cautious(fresh_database: FreshDatabase) -> AsyncIterator[CrmService]:
    """A service that merges nobody by a guess: every guess is suggested."""
    rules, dsn = Rules(IdentityRules(merge_at=1e9)), fresh_database(migrate)
    async with bench(dsn, rules) as ground, http(ground, dsn, rules) as client:
        yield CrmService(ground, client)


@pytest.fixture
async def service(fresh_database: FreshDatabase) -> AsyncIterator[CrmService]:
    dsn = fresh_database(migrate)
    async with bench(dsn) as ground, http(ground, dsn) as client:
        yield CrmService(ground, client)
