"""Says everything a service knows again, page by page: what makes a new or older log whole after the old one was lost.

Owns the order and the progress, which is kept in the transaction of each page: killed half-way, it goes on where it was. What the state
of a key is, the stage knows; what no view holds whole is said from ``facts``, as it was told.
"""

import time
from collections.abc import Collection, Iterable
from typing import Any, Protocol

from earshot_shared.messages import Message
from earshot_shared.pipeline.writer import KEPT, Transaction, Writer
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import Topic

_QUERIES = Queries.load("earshot_shared.pipeline")

PAGE_FACTS = 500
PAUSE_S = 0.1  # between pages while other things are said: people's writes and new items go before


class Restates(Protocol):
    """Whoever knows the present state of keys: a stage."""

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """See `earshot_shared.pipeline.records.Stage.restate`."""

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """See `earshot_shared.pipeline.records.Stage.restate_page`."""


class Restating:
    """The saying again of everything, by the relay that holds the lease. ``topics`` are those it writes to."""

    def __init__(self, stage: Restates, topics: Iterable[Topic]) -> None:
        self._stage = stage
        wanted = set(topics)
        kept = [topic for topic in Topic if topic in wanted and topic in KEPT]
        self._order = [*kept, *(topic for topic in Topic if topic in wanted and topic.value.stateful and topic not in KEPT)]
        self._wanted = False
        self._said_at = 0.0

    async def look(self, writer: Writer) -> None:
        """See whether everything is to be said again."""
        with translated():
            self._wanted = await writer.pool.fetchrow(_QUERIES["load_restating"]) is not None

    def is_due(self, *, idle: bool) -> bool:
        """Return whether the next page may be said now."""
        return self._wanted and (idle or time.monotonic() - self._said_at > PAUSE_S)

    async def step(self, writer: Writer) -> bool:
        """Put the next page into the outbox; return whether there was one."""
        async with writer.transaction() as tx:
            stand = await tx.conn.fetchrow(_QUERIES["load_restating"])
            if stand is not None:
                await self._say(tx, stand["topic"], stand["after"], tombstones=not stand["log_was_empty"])
        self._wanted = stand is not None
        self._said_at = time.monotonic()
        return self._wanted

    async def _say(self, tx: Transaction, at: str, after: str, *, tombstones: bool) -> None:
        names = [topic.name for topic in self._order]
        index = names.index(at) if at in names else 0
        if index == len(self._order):
            await tx.conn.execute(_QUERIES["end_restating"])
            return
        messages, last = await self._page(tx, self._order[index], after)
        tx.send(message for message in messages if tombstones or message.value is not None)
        if last is not None:
            await tx.conn.execute(_QUERIES["move_restating"], names[index], last)
        elif index + 1 < len(names):
            await tx.conn.execute(_QUERIES["move_restating"], names[index + 1], "")
        else:
            await tx.conn.execute(_QUERIES["end_restating"])

    async def _page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        if topic not in KEPT:
            return await self._stage.restate_page(tx, topic, after)
        rows: list[Any] = await tx.conn.fetch(_QUERIES["page_of_facts"], topic.name, after, PAGE_FACTS)
        messages = [Message(topic, row["key"].encode(), row["value"]) for row in rows]
        return messages, rows[-1]["key"] if len(rows) == PAGE_FACTS else None
