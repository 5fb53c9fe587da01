"""The two tables, and every transaction on them.

Owns: SQL, locks, numbers. Must not: talk to Kafka.
Locks.ROWS is the weaker design: each key's row lock alone orders its writers, and outbox ids come from a sequence of their own.
Locks.PEN is the chosen one: one advisory lock for all writers, one number that is version and outbox id at once.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from fault.toy.chaos import Dice, Point

PEN = 7_233_001  # any number: one database serves one trial at a time in a schema of its own, and pens are cut by schema
LOCK_TIMEOUT_MS = 400
IDLE_IN_TRANSACTION_MS = 500  # frees what a frozen process holds, unless it froze half-way through a message
STATEMENT_TIMEOUT_MS = 4_000

SCHEMA = """
create sequence numbers;
create table state (key text primary key, version bigint not null, folded int not null, written int not null, gone boolean not null);
create table outbox (id bigint primary key, packed bytea not null);
create table positions (partition int primary key, next_offset bigint not null);
create table ballast (number bigint not null);
create table writes (write_id uuid primary key, key text not null);
create table relay (
    singleton int primary key check (singleton = 1), holder text not null, epoch bigint not null, deadline timestamptz not null,
    expected bigint[] not null, foreign_records bigint not null default 0, repairs bigint not null default 0
);
"""

# A session ended by the server while we were frozen surfaces as any of these, InternalClientError during the rollback included.
DATABASE_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Message = tuple[str, bytes]


class Locks(StrEnum):
    ROWS = "rows"
    PEN = "pen"


class Sabotage(StrEnum):
    """Ways to break the design on purpose: the toy must see each of them."""

    NONE = "none"
    NO_REPAIR = "no-repair"  # foreign records are accepted without a look
    EARLY_NUMBER = "early-number"  # the outbox id is drawn before the row locks
    NO_EVICTION = "no-eviction"  # who waits for a lock leaves a session that waits for its frozen client in peace


class LeaseLostError(Exception):
    """Another relay has the lease: forget everything and wait."""


class FencedError(Exception):
    """Another replica moved the position."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction does to one key."""

    folded: int = 0
    written: int = 0
    flip_gone: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    epoch: int
    expected: list[int]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """packed is None when the reader said it has the bytes in memory."""

    id: int
    packed: bytes | None


def pack(messages: Sequence[Message]) -> bytes:
    return json.dumps([[key, value.decode()] for key, value in messages]).encode()


def unpack(packed: bytes) -> list[Message]:
    return [(key, value.encode()) for key, value in json.loads(packed)]


@dataclass(slots=True)
class Store:
    """All transactions of one process. Each task has its own connection, opened anew after any failure."""

    dsn: str
    schema: str
    locks: Locks
    sabotage: Sabotage
    dice: Dice

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            self.dsn,
            timeout=10,
            command_timeout=10,
            statement_cache_size=50,
            server_settings={
                "search_path": self.schema,
                "application_name": self.schema,
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            },
        )

    async def apply_slice(
        self,
        conn: "asyncpg.Connection[asyncpg.Record]",
        partition: int,
        start: int,
        end: int,
        changes: Mapping[str, Change],
    ) -> OutboxRow:
        """Move the position from start to end and fold the slice: all or nothing."""
        async with self._writing(conn, sorted(changes)) as writing:
            moved = await conn.execute(
                "update positions set next_offset = $3 where partition = $1 and next_offset = $2", partition, start, end
            )
            if moved != "UPDATE 1":
                raise FencedError
            row = await writing.change(changes)
        self.dice.pass_by(Point.AFTER_COMMIT)
        return row

    async def write(self, conn: "asyncpg.Connection[asyncpg.Record]", write_id: str, key: str, *, flip: bool) -> OutboxRow:
        """One accepted request over HTTP."""
        async with self._writing(conn, [key]) as writing:
            await conn.execute("insert into writes (write_id, key) values ($1, $2)", write_id, key)
            row = await writing.change({key: Change(written=1, flip_gone=flip)})
        self.dice.pass_by(Point.AFTER_COMMIT)
        return row

    async def repair(
        self,
        conn: "asyncpg.Connection[asyncpg.Record]",
        holder: str,
        epoch: int,
        keys: Collection[str],
        past: Mapping[int, int],
        foreign: int,
    ) -> OutboxRow:
        """Say the newest state of these keys once more, in the transaction that moves the expectation past the foreign records.

        Raises: LeaseLostError, and nothing was done.
        """
        async with self._writing(conn, sorted(keys)) as writing:
            row = await writing.restate(sorted(keys))
            for partition, end in past.items():
                held = await conn.execute(
                    "update relay set expected[$3] = $4 where holder = $1 and epoch = $2",
                    holder,
                    epoch,
                    partition + 1,
                    end,
                )
                if held != "UPDATE 1":
                    raise LeaseLostError
            await conn.execute("update relay set repairs = repairs + 1, foreign_records = foreign_records + $1", foreign)
            self.dice.pass_by(Point.IN_REPAIR)
        return row

    async def take_lease(self, conn: "asyncpg.Connection[asyncpg.Record]", holder: str, ttl_s: float) -> Lease | None:
        row = await conn.fetchrow(
            """update relay set holder = $1, epoch = epoch + 1, deadline = clock_timestamp() + make_interval(secs => $2)
               where deadline < clock_timestamp() returning epoch, expected""",
            holder,
            ttl_s,
        )
        return None if row is None else Lease(epoch=row["epoch"], expected=list(row["expected"]))

    async def renew_lease(self, conn: "asyncpg.Connection[asyncpg.Record]", holder: str, epoch: int, ttl_s: float) -> None:
        held = await conn.execute(
            """update relay set deadline = clock_timestamp() + make_interval(secs => $3)
               where holder = $1 and epoch = $2""",
            holder,
            epoch,
            ttl_s,
        )
        if held != "UPDATE 1":
            raise LeaseLostError

    async def waiting_rows(self, conn: "asyncpg.Connection[asyncpg.Record]", remembered: Collection[int], limit: int) -> list[OutboxRow]:
        """The first rows of one snapshot, in id order, without the bytes of those remembered."""
        rows = await conn.fetch(
            "select id, case when id = any($1::bigint[]) then null else packed end as packed from outbox order by id limit $2",
            list(remembered),
            limit,
        )
        return [OutboxRow(row["id"], row["packed"]) for row in rows]

    async def mark(
        self,
        conn: "asyncpg.Connection[asyncpg.Record]",
        holder: str,
        epoch: int,
        rows: Sequence[int],
        expected: Sequence[int],
    ) -> None:
        """Delete what was published and store the expectation, in one statement, if the lease is still ours."""
        held = await conn.fetchval(
            """with held as (
                   update relay set expected = $4 where holder = $1 and epoch = $2 returning singleton
               ), done as (
                   delete from outbox where id = any($3::bigint[]) and exists (select from held)
               )
               select count(*) from held""",
            holder,
            epoch,
            list(rows),
            list(expected),
        )
        if held != 1:
            raise LeaseLostError

    @asynccontextmanager
    async def _writing(self, conn: "asyncpg.Connection[asyncpg.Record]", keys: Sequence[str]) -> AsyncIterator["Writing"]:
        """A transaction with its keys locked. The number must be drawn after the locks: then it grows with every key's history.

        The lock is a statement of its own (read committed): a statement's snapshot is taken before it waits.
        """
        try:
            async with conn.transaction():
                yield await self._begin(conn, keys)
                self.dice.pass_by(Point.IN_TRANSACTION)
        except asyncpg.LockNotAvailableError:
            if self.sabotage is not Sabotage.NO_EVICTION:
                await self._evict(conn)
            raise

    async def _begin(self, conn: "asyncpg.Connection[asyncpg.Record]", keys: Sequence[str]) -> "Writing":
        number = await self._number(conn) if self.sabotage is Sabotage.EARLY_NUMBER else None
        if self.locks is Locks.PEN:
            await conn.execute("select pg_advisory_xact_lock($1, hashtext($2))", PEN, self.schema)
        else:
            await conn.execute(
                "insert into state select key, 0, 0, 0, false from unnest($1::text[]) as t(key) on conflict do nothing",
                keys,
            )
            await conn.fetch("select from state where key = any($1::text[]) order by key for update", keys)
        if number is None:
            number = await self._number(conn)
        await conn.copy_to_table("ballast", source=self._slow_copy(number))
        return Writing(conn, number, self.locks)

    async def _slow_copy(self, number: int) -> AsyncIterator[bytes]:
        """Two pieces of a COPY, and a place to freeze between them."""
        yield str(number).encode()
        self.dice.pass_by(Point.IN_TRANSFER)
        yield b"\n"

    async def _evict(self, conn: "asyncpg.Connection[asyncpg.Record]") -> None:
        """End sessions of ours that hold a transaction open and have long waited for their client.

        A client that froze half-way through a message (a COPY, a large parameter, a large result) is not "idle in transaction":
        neither that time-out nor statement_timeout ends its session (tried on Postgres 15), so whoever waits for its locks does.
        """
        await conn.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where application_name = $1 and pid <> pg_backend_pid() and xact_start is not null
               and wait_event_type = 'Client' and state_change < clock_timestamp() - make_interval(secs => $2)""",
            self.schema,
            IDLE_IN_TRANSACTION_MS / 1000,
        )

    @staticmethod
    async def _number(conn: "asyncpg.Connection[asyncpg.Record]") -> int:
        return int(await conn.fetchval("select nextval('numbers')"))


@dataclass(frozen=True, slots=True)
class Writing:
    conn: "asyncpg.Connection[asyncpg.Record]"
    number: int
    locks: Locks

    async def change(self, changes: Mapping[str, Change]) -> OutboxRow:
        keys = sorted(changes)
        rows = await self.conn.fetch(
            """insert into state as old (key, version, folded, written, gone)
               select key, case when $6 then $5 else 1 end, folded, written, flip
               from unnest($1::text[], $2::int[], $3::int[], $4::boolean[]) as new(key, folded, written, flip)
               on conflict (key) do update set
                   version = case when $6 then $5 else old.version + 1 end, folded = old.folded + excluded.folded,
                   written = old.written + excluded.written, gone = old.gone <> excluded.gone
               returning key, version, folded, written, gone""",
            keys,
            [changes[key].folded for key in keys],
            [changes[key].written for key in keys],
            [changes[key].flip_gone for key in keys],
            self.number,
            self.locks is Locks.PEN,
        )
        return await self._send(rows)

    async def restate(self, keys: Sequence[str]) -> OutboxRow:
        rows = await self.conn.fetch(
            "select key, version, folded, written, gone from state where key = any($1::text[]) and version > 0",
            list(keys),
        )
        return await self._send(rows)

    async def _send(self, rows: "Sequence[asyncpg.Record]") -> OutboxRow:
        packed = pack([(row["key"], json.dumps(dict(row)).encode()) for row in rows])
        await self.conn.execute("insert into outbox (id, packed) values ($1, $2)", self.number, packed)
        return OutboxRow(self.number, packed)
