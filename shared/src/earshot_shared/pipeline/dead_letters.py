"""Records set aside: kept whole with the reason, in the transaction that passed them by.

Owns the rows of ``dead_letters``. Their content is never logged.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from earshot_shared import ids
from earshot_shared.pipeline.records import Poison, StoredRecord
from earshot_shared.postgres import Queries

_QUERIES = Queries.load("earshot_shared.pipeline")
RETRY_LIMIT = 500


def letter_id(topic: str, partition: int, offset: int) -> str:
    """Return the id of the dead letter that a record becomes: the same record, the same letter."""
    return ids.uuid5_text(ids.NAMESPACE.bytes, f"dead letter{ids.UNIT_SEPARATOR}{topic}{ids.UNIT_SEPARATOR}{partition}-{offset}")


async def add(conn: Any, poison: Sequence[Poison]) -> None:
    """Set the records aside, in the caller's transaction."""
    records = [each.record for each in poison]
    await conn.execute(
        _QUERIES["add_dead_letters"],
        [letter_id(record.topic, record.partition, record.offset) for record in records],
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        [each.code for each in poison],
        [each.detail for each in poison],
    )


async def wanted(conn: Any) -> list[tuple[UUID, StoredRecord]]:
    """Return the dead letters that somebody wants tried again, oldest first, at most `RETRY_LIMIT`."""
    rows = await conn.fetch(_QUERIES["wanted_retries"], RETRY_LIMIT)
    return [(row["id"], StoredRecord(row["topic"], row["partition"], row["offset"], row["key"], row["value"])) for row in rows]


async def forget(conn: Any, letters: Sequence[UUID]) -> None:
    """Delete letters that were applied after all."""
    await conn.execute(_QUERIES["delete_dead_letters"], letters)
