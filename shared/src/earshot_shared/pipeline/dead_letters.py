"""Records set aside: kept whole with the reason, in the transaction that passed them by.

Owns the rows of ``dead_letters``. Their content is never logged.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from earshot_shared import ids
from earshot_shared.pipeline.records import Poison, Record, StoredRecord
from earshot_shared.postgres import Queries

_QUERIES = Queries.load("earshot_shared.pipeline")
RETRY_LIMIT = 500


def letter_id(service: str, topic: str, partition: int, offset: int) -> str:
    """Return the id of the dead letter that a record becomes for a service: the same record, the same letter; others have their own."""
    return ids.uuid5_text(ids.NAMESPACE.bytes, ids.UNIT_SEPARATOR.join(("dead letter", service, topic, f"{partition}-{offset}")))


async def add(conn: Any, poison: Sequence[Poison], *, service: str) -> None:
    """Set the records aside for a service, in the caller's transaction."""
    records = [each.record for each in poison]
    await conn.execute(
        _QUERIES["add_dead_letters"],
        [_id_of(record, service) for record in records],
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        [each.code for each in poison],
        [each.detail for each in poison],
        [msgspec.msgpack.encode(record.headers) if record.headers else None for record in records],
    )


def _id_of(record: Record, service: str) -> str:
    if isinstance(record, StoredRecord) and record.letter_id is not None:
        return str(record.letter_id)
    return letter_id(service, record.topic, record.partition, record.offset)


def decode_headers(stored: bytes | None) -> list[tuple[str, bytes | None]]:
    """Return the headers of a record as a dead letter keeps them."""
    return [] if stored is None else msgspec.msgpack.decode(stored, type=list[tuple[str, bytes | None]])


async def wanted(conn: Any) -> list[tuple[UUID, StoredRecord]]:
    """Return the dead letters that somebody wants tried again, oldest first, at most `RETRY_LIMIT`."""
    rows = await conn.fetch(_QUERIES["wanted_retries"], RETRY_LIMIT)
    return [(row["id"], _record_of(row)) for row in rows]


def _record_of(row: Any) -> StoredRecord:
    headers = decode_headers(row["headers"])
    return StoredRecord(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers, row["id"])


async def forget(conn: Any, letters: Sequence[UUID]) -> None:
    """Delete letters that were applied after all."""
    await conn.execute(_QUERIES["delete_dead_letters"], letters)
