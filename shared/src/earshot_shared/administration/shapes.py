"""How API keys and dead letters are told, by commands and over HTTP alike. Reads and keeps nothing."""

import base64
from typing import Any, Final
from uuid import UUID

import msgspec

from earshot_shared.access.keys import StoredKey
from earshot_shared.envelope import rfc3339
from earshot_shared.pipeline.dead_letters import decode_headers

UNKNOWN_LETTER: Final = "letter-unknown"
"""The code of the answer about a letter that a service does not have."""


class Letter(msgspec.Struct, kw_only=True):
    """One dead letter as the list tells it, without its content."""

    id: UUID
    service: str
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
    at: str


def told_key(key: StoredKey) -> dict[str, Any]:
    """Return a key without its secret."""
    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "sources": None if key.sources is None else sorted(key.sources),
        "brands": None if key.brands is None else sorted(key.brands),
        "created_at": None if key.created_at is None else rfc3339(key.created_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
        "last_used_on": None if key.last_used_on is None else key.last_used_on.isoformat(),
    }


def told_letter(row: Any, service: str) -> Letter:
    """Return a row of ``dead_letters`` as the list tells it."""
    return Letter(
        id=row["id"],
        service=service,
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        code=row["code"],
        detail=row["detail"],
        at=rfc3339(row["at"]),
    )


def listed_letter(row: Any, service: str) -> dict[str, Any]:
    """Return the same with when another try was asked for."""
    wished = row["retry_requested_at"]
    told = msgspec.structs.asdict(told_letter(row, service))
    return {**told, "id": str(row["id"]), "retry_requested_at": None if wished is None else rfc3339(wished)}


def whole_letter(row: Any, service: str) -> dict[str, Any]:
    """Return a row with its bytes: as text where they are text, else in base64. It may hold personal data."""
    headers = [[name, _legible(value)] for name, value in decode_headers(row["headers"])]
    return {
        **listed_letter(row, service),
        "key": _legible(row["key"]),
        "value": _legible(row["value"]),
        "headers": headers,
    }


def _legible(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()
