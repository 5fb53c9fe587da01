"""A small stage for tests of the loop: it counts the records of each key and tells the count as state."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from earshot_shared.envelope import EventWriter
from earshot_shared.messages import Message
from earshot_shared.pipeline.records import Batch, Poison
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.topics import Topic

COUNTS = EventWriter(Topic.CASE_CHANGED, "test")
TABLE = "create table if not exists echo_counts (key text primary key, n bigint not null, version bigint not null)"


class CountingStage:
    """Counts records by key. A value of ``poison`` is poison; ``crash`` raises an error that nobody expects."""

    name = "triage"
    inputs: tuple[Topic, ...] = (Topic.FEEDBACK_RECEIVED,)

    def __init__(self) -> None:
        self.folds = 0
        self.sizes: list[int] = []

    async def prepare(self, slice_: Sequence[Batch]) -> Any:
        """Return the records with a value, and the poison among them."""
        records = [record for batch in slice_ for record in batch.records]
        self.sizes.append(len(records))
        return records

    async def fold(self, tx: Transaction, prepared: Any) -> None:
        """Add the counts and tell them."""
        self.folds += 1
        tx.bury(Poison(record, "test-poison", "It says so.") for record in prepared if record.value == b"poison")
        if any(record.value == b"crash" for record in prepared):
            raise KeyError("a bug of ours")
        counts = Counter(record.key.decode() for record in prepared if record.value != b"poison")
        rows = await tx.conn.fetch(
            "insert into echo_counts select key, n, $3 from unnest($1::text[], $2::bigint[]) as t(key, n)"
            " on conflict (key) do update set n = echo_counts.n + excluded.n, version = excluded.version returning key, n",
            list(counts),
            list(counts.values()),
            tx.version,
        )
        tx.send(tell(row["key"], row["n"], tx.version) for row in rows)

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the counts as they are."""
        rows = await tx.conn.fetch("select key, n, version from echo_counts where key = any($1::text[])", list(keys))
        return [tell(row["key"], row["n"], row["version"]) for row in rows]

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the next counts by key, two at a time."""
        rows = await tx.conn.fetch("select key from echo_counts where key > $1 order by key limit 2", after)
        messages = await self.restate(tx, topic, [row["key"] for row in rows])
        return messages, rows[-1]["key"] if len(rows) == 2 else None

    def forget(self) -> None:
        """Nothing is cached."""


def tell(key: str, n: int, version: int) -> Message:
    """Return the state event of a key."""
    return Message(COUNTS.topic, key.encode(), json.dumps({"n": n, "version": version}).encode())
