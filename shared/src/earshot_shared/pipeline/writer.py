"""Transactions of a service: the pen, the version, and the one outbox row.

Owns when a transaction begins and ends. Talks to Postgres only; what was said is handed to the relay after the commit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from earshot_shared.messages import Message, pack
from earshot_shared.pipeline import dead_letters
from earshot_shared.pipeline.records import Poison
from earshot_shared.postgres import IDLE_IN_TRANSACTION_TIMEOUT_MS, Pool, Queries, translated
from earshot_shared.topics import Topic

_QUERIES = Queries.load("earshot_shared.pipeline")
KEPT = frozenset({Topic.ACTION_TAKEN, Topic.CONTACT_RECEIVED, Topic.ERASURE_REQUESTED, Topic.ERASURE_DONE})
"""Topics of facts that no view holds whole: what is told there is told by `Transaction.tell_facts`, which keeps it too."""


class Transaction:
    """One writing transaction. ``conn`` is asyncpg's connection; ``version`` grows with every transaction of the service."""

    def __init__(self, conn: Any, version: int, *, undisturbed: bool) -> None:
        self.conn = conn
        self.version = version
        self.undisturbed = undisturbed
        self.messages: list[Message] = []
        self.facts: dict[tuple[Topic, bytes], bytes | None] = {}
        self.poison: list[Poison] = []
        self.duplicates = 0  # what the fold was given and knew already: a figure for whoever watches

    def send(self, messages: Iterable[Message]) -> None:
        """Publish these after the commit, in this order, if and only if it succeeds."""
        self.messages.extend(messages)

    def tell_facts(self, messages: Iterable[Message]) -> None:
        """Publish these as `send` does, and keep them, so that they can be told again when the log is lost: messages of `KEPT` topics."""
        told = list(messages)
        self.messages.extend(told)
        self.facts.update(((message.topic, message.key), message.value) for message in told)

    def bury(self, poison: Iterable[Poison]) -> None:
        """Set these records aside in this transaction."""
        self.poison.extend(poison)


class Writer:
    """Opens the transactions of one service process."""

    def __init__(self, pool: Pool, *, service: str, schema: str) -> None:
        self.pool = pool
        self.service = service
        self.schema = schema
        self._last_version = -1
        self._turn = asyncio.Lock()
        self._offer: Callable[[int, list[Message], int], None] | None = None

    def tell(self, offer: Callable[[int, list[Message], int], None]) -> None:
        """Hand every committed outbox row (id, messages, packed size in bytes) to ``offer`` as well: the relay's memory."""
        self._offer = offer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Yield a transaction that holds the pen.

        What happens, and what a crash leaves: (1) before the commit, nothing; (2) after it, everything, the outbox row included;
        (3) the relay's memory is a convenience: a row that is not in it is read from the table.

        Raises: what the body raises; what asyncpg raises, translated by `translate_asyncpg`.
        """
        # One at a time in this process too: waiting here costs nothing, waiting at the pen costs a connection.
        async with self._turn:
            with translated():
                async with self.pool.acquire() as conn:
                    async with conn.transaction():
                        version = await self._take_pen(conn)
                        tx = Transaction(conn, version, undisturbed=version == self._last_version + 1)
                        self._last_version = -1
                        yield tx
                        size = await self._store(tx)
                    self._last_version = version
            if tx.messages and self._offer is not None:
                self._offer(version, tx.messages, size)

    async def _take_pen(self, conn: Any) -> int:
        """Return the transaction's version, with the pen in hand.

        Whoever waits too long ends sessions of ours that hold a transaction open for a client that froze half-way through a message:
        neither of the server's time-outs does (tests/fault/toy/README.md 6).
        """
        try:
            return int(await conn.fetchval(_QUERIES["take_pen"], self.schema))
        except asyncpg.LockNotAvailableError:
            async with self.pool.acquire() as other:
                await other.execute(_QUERIES["end_frozen_sessions"], self.schema, IDLE_IN_TRANSACTION_TIMEOUT_MS / 1000)
            raise

    async def _store(self, tx: Transaction) -> int:
        """Write the outbox row and the dead letters of the transaction; return the packed size in bytes."""
        if tx.poison:
            await dead_letters.add(tx.conn, tx.poison, service=self.service)
        if tx.facts:
            told = [(topic.name, key.decode(), value) for (topic, key), value in sorted(tx.facts.items(), key=lambda fact: fact[0][1])]
            await tx.conn.execute(_QUERIES["keep_facts"], *map(list, zip(*told, strict=True)))
        if not tx.messages:
            return 0
        packed = pack(tx.messages)
        await tx.conn.execute(_QUERIES["insert_outbox"], tx.version, packed)
        return len(packed)
