"""One suite for the keys in memory and the keys in Postgres."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from earshot_shared.access import KeyStore, PostgresKeys, StoredKey, new_key, open_access_pool, read_secret
from earshot_shared.migrations import migrate_all
from earshot_shared.testing import MemoryKeys
from support.ground import FreshDatabase


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[KeyStore]:
    if request.param == "memory":
        yield MemoryKeys()
        return
    async with open_access_pool(fresh_database(migrate_all), "earshot", application="tests") as pool:
        yield PostgresKeys(pool)


def made(**changes: object) -> StoredKey:
    wanted: dict[str, object] = {"name": "desk", "scopes": ["triage:read", "ingest:write"], **changes}
    return new_key(**wanted)[1]  # type: ignore[arg-type]  # tests give what fits


async def test_a_key_is_found_as_it_was_added(store: KeyStore) -> None:
    key = made(sources=["forum", "mail"], brands=[])
    await store.add(key)
    found = await store.find(key.key_id)
    assert found is not None
    assert found.created_at is not None
    assert (found.secret_sha256, found.name, found.scopes) == (key.secret_sha256, "desk", frozenset({"triage:read", "ingest:write"}))
    assert (found.sources, found.brands) == (frozenset({"forum", "mail"}), frozenset())
    assert (found.revoked_at, found.last_used_on) == (None, None)


async def test_a_key_bound_to_nothing_stays_so(store: KeyStore) -> None:
    key = made()
    await store.add(key)
    found = await store.find(key.key_id)
    assert found is not None
    assert (found.sources, found.brands) == (None, None)


async def test_an_unknown_key_is_none(store: KeyStore) -> None:
    assert await store.find("aaaaaaaaaaaa") is None
    assert await store.find("'; drop table api_keys; --") is None
    assert not await store.revoke("aaaaaaaaaaaa")
    await store.touch("aaaaaaaaaaaa")


async def test_revoking_ends_a_key_once(store: KeyStore) -> None:
    key = made()
    await store.add(key)
    assert await store.revoke(key.key_id)
    first = await store.find(key.key_id)
    assert await store.revoke(key.key_id)
    assert first is not None
    assert first.revoked_at is not None
    assert await store.find(key.key_id) == first


async def test_use_is_remembered_by_the_day(store: KeyStore) -> None:
    key = made()
    await store.add(key)
    await store.touch(key.key_id)
    await store.touch(key.key_id)
    found = await store.find(key.key_id)
    assert found is not None
    assert found.last_used_on is not None


async def test_keys_are_listed_oldest_first(store: KeyStore) -> None:
    keys = [made(name=f"key {number}") for number in range(3)]
    for key in keys:
        await store.add(key)
    assert [key.name for key in await store.list()] == ["key 0", "key 1", "key 2"]


async def test_the_secret_is_the_same_for_all_and_another_elsewhere(fresh_database: FreshDatabase) -> None:
    here, there = fresh_database(migrate_all), fresh_database()
    await migrate_all(there)
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(open_access_pool(dsn, "earshot", application="tests")) for dsn in (here, here, there)]
        hashes = [(await read_secret(pool)).hash_text("mail", "anna@example.org") for pool in pools]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
    assert len(hashes[0]) == 32
