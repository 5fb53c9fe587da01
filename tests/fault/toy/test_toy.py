"""A few seeds of the toy in every test run; many by `python -m fault.toy`. And that the judgement can fail at all."""

import asyncio
import os
import random
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from fault.toy.chaos import Dice, Flags
from fault.toy.store import PEN, SCHEMA, Locks, Sabotage, Store
from fault.toy.trial import first_shown_out_of_order

TESTS = Path(__file__).parents[2]
SEEDS = 3


def run_toy(postgres: str, kafka: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own, since it forks: this one has threads."""
    return subprocess.run(
        [sys.executable, "-m", "fault.toy", "--postgres", postgres, "--kafka", kafka, *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.fault
def test_the_log_ends_with_what_the_database_has(postgres_dsn: str, kafka_bootstrap: str) -> None:
    first = random.SystemRandom().randrange(10**6)  # every run tries others; a failure prints its seed
    told = run_toy(postgres_dsn, kafka_bootstrap, "--seeds", str(SEEDS), "--first", str(first), "--load-s", "2.5")
    assert told.returncode == 0, f"{told.stdout}\n{told.stderr[-2000:]}"
    assert f"{SEEDS} of {SEEDS} seeds held" in told.stdout


async def frozen_copy(locked: asyncio.Event) -> AsyncIterator[bytes]:
    """To the server, a client that never sends the rest is a frozen one."""
    yield b"1"
    locked.set()
    await asyncio.Event().wait()


@pytest.mark.parametrize(("sabotage", "freed"), [(Sabotage.NONE, True), (Sabotage.NO_EVICTION, False)])
async def test_who_waits_ends_a_session_that_froze_half_way_through_a_message(postgres_dsn: str, sabotage: Sabotage, freed: bool) -> None:
    schema = f"toy_{secrets.token_hex(4)}"
    store = Store(postgres_dsn, schema, Locks.PEN, sabotage, Dice("0", Flags(), kill=0, freeze=0))
    holder, writer = await store.connect(), await store.connect()
    locked = asyncio.Event()

    async def freeze() -> None:
        async with holder.transaction():
            await holder.execute("select pg_advisory_xact_lock($1, hashtext($2))", PEN, schema)
            await holder.copy_to_table("ballast", source=frozen_copy(locked))

    await writer.execute(f"create schema {schema}")
    await writer.execute(SCHEMA)
    frozen = asyncio.create_task(freeze())
    try:
        await asyncio.wait_for(locked.wait(), 10)
        assert await written_within(store, writer, seconds=5) is freed
    finally:
        frozen.cancel()
        await asyncio.gather(frozen, return_exceptions=True)
        holder.terminate()
        await asyncio.sleep(0)
        await writer.execute("set lock_timeout = '10s'")
        await writer.execute(f"drop schema {schema} cascade")
        await writer.close()


async def written_within(store: Store, conn: "asyncpg.Connection[asyncpg.Record]", *, seconds: float) -> bool:
    """Whether a write succeeds, tried again after each lock time-out as the loops do."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await store.write(conn, "00000000-0000-0000-0000-000000000001", "key", flip=False)
                except asyncpg.LockNotAvailableError:
                    continue
                return True
    except TimeoutError:
        return False


def test_a_first_showing_after_a_higher_version_is_noticed() -> None:
    one: tuple[str, dict[str, object]] = ("key", {"version": 1})
    two: tuple[str, dict[str, object]] = ("key", {"version": 2})
    assert first_shown_out_of_order([one, two, one]) == []
    assert first_shown_out_of_order([two, one]) == ["key: version 1 first came after version 2"]
