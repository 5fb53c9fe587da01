"""Idempotency-Key on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from earshot_shared.access import Principal
from earshot_shared.errors import RetryableError
from earshot_shared.http.call import Call
from earshot_shared.http.idempotency import MismatchError, Ticket, forget_answers, make_ticket, once, prune
from earshot_shared.http.problems import Answer, ConflictError, InvalidError
from earshot_shared.migrations import migrate_all
from earshot_shared.postgres import open_pool, translated
from support.ground import FreshDatabase

Pool = asyncpg.Pool


@pytest.fixture
async def pool(fresh_database: FreshDatabase) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    async with await open_pool(fresh_database(migrate_all), schema="earshot_triage", application="tests") as opened:
        yield opened


def ticket(key: str = "k1", body: bytes = b"{}", path: str = "/v1/cases/1/assign", key_id: str = "desk") -> Ticket | None:
    call = Call(
        method="POST",
        path=path,
        query=b"",
        headers=[(b"idempotency-key", key.encode())],
        principal=Principal(key_id=key_id, scopes=frozenset()),
        body=body,
        traceparent=None,
    )
    return make_ticket(call, route="/v1/cases/{id}/assign")


class Work:
    """Work that counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    async def __call__(self) -> Answer:
        self.done += 1
        return Answer(status=201, body=f"answer {self.done}".encode(), headers=((b"etag", b'"7"'),))


async def ask(pool: "asyncpg.Pool[asyncpg.Record]", wanted: Ticket | None, work: Work, *, patience_ms: int = 4000) -> Answer:
    with translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"set local lock_timeout = '{patience_ms}ms'")
            return await once(connection, wanted, work)


async def test_the_second_time_gets_the_first_answer(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    work = Work()
    first = await ask(pool, ticket(), work)
    again = await ask(pool, ticket(), work)
    assert work.done == 1
    assert (again.status, again.body, again.content_type) == (201, b"answer 1", b"application/json")
    assert again.headers == (*first.headers, (b"idempotency-replayed", b"true"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ticket(body=b'{"a":1}'), id="another body"),
        pytest.param(ticket(path="/v1/cases/2/assign"), id="another case"),
    ],
)
async def test_the_same_key_for_another_request_is_refused(pool: "asyncpg.Pool[asyncpg.Record]", other: Ticket) -> None:
    work = Work()
    await ask(pool, ticket(), work)
    with pytest.raises(MismatchError) as refused:
        await ask(pool, other, work)
    assert (refused.value.status, refused.value.code) == (409, "idempotency-mismatch")
    assert work.done == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ticket(key="k2"), id="another key"),
        pytest.param(ticket(key_id="shop"), id="another client"),
        pytest.param(None, id="no key"),
    ],
)
async def test_others_are_not_concerned(pool: "asyncpg.Pool[asyncpg.Record]", other: Ticket | None) -> None:
    work = Work()
    await ask(pool, ticket(), work)
    assert (await ask(pool, other, work)).body == b"answer 2"


async def test_a_refusal_keeps_nothing(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    async def refuse() -> Answer:
        raise ConflictError("Not now.")

    with pytest.raises(ConflictError):
        async with pool.acquire() as connection, connection.transaction():
            await once(connection, ticket(), refuse)
    work = Work()
    assert (await ask(pool, ticket(), work)).body == b"answer 1"


async def test_of_twins_one_works_and_all_get_its_answer(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    work = Work()
    answers = await asyncio.gather(*(ask(pool, ticket(), work) for _ in range(5)))
    assert work.done == 1
    assert {answer.body for answer in answers} == {b"answer 1"}


async def test_a_twin_that_waits_too_long_is_told_to_come_again(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    async with pool.acquire() as first, first.transaction():
        await once(first, ticket(), Work())
        with pytest.raises(RetryableError):
            await ask(pool, ticket(), Work(), patience_ms=50)


async def test_after_seven_days_a_key_is_new_again_and_is_pruned(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    work = Work()
    for key in ("k1", "k2", "k3"):
        await ask(pool, ticket(key=key), work)
    async with pool.acquire() as connection:
        await connection.execute("update idempotency set at = now() - interval '8 days' where idempotency_key <> 'k3'")
    assert (await ask(pool, ticket(body=b"another"), work)).body == b"answer 4"
    async with pool.acquire() as connection:
        assert await prune(connection) == 1
        assert await prune(connection) == 0
        assert await connection.fetchval("select count(*) from idempotency") == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ü", "a\x7f"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(InvalidError):
        ticket(key=key)


async def test_an_erasure_takes_the_words_and_leaves_the_ticket(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    bodies = {
        "ann": b'{"customer":{"accounts":[{"author_key":"forum:\\"ann\\""}],"name":"Ann"}}',
        "anna": b'{"author_key":"forum:anna","name":"Anna"}',
        "told of": b'{"reasons":["as forum:\\"ann\\" says"]}',
    }
    done = []

    async def keep(body: bytes) -> Answer:
        done.append(body)
        return Answer(body=body, headers=((b"etag", b'"7"'),))

    async def ask_again(key: str) -> Answer:
        with translated():
            async with pool.acquire() as connection, connection.transaction():
                return await once(connection, ticket(key.replace(" ", "-")), lambda: keep(bodies[key]))

    for key in bodies:
        await ask_again(key)
    async with pool.acquire() as connection:
        assert await forget_answers(connection, {'forum:"ann"', "b2b6ff6e-0000-4000-8000-000000000000"}) == 1
        assert await forget_answers(connection, set()) == 0
    assert [(await ask_again(key)).body for key in bodies] == [b'{"erased":true}', bodies["anna"], bodies["told of"]]
    assert (b"etag", b'"7"') in (await ask_again("ann")).headers
    assert len(done) == len(bodies), "nothing was done twice"
    with pytest.raises(MismatchError):
        await ask(pool, ticket("ann", body=b'{"x":1}'), Work())
