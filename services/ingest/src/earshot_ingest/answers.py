"""What ingest answers: what became of each item. The wire of the two hot routes."""

import msgspec


class Told(msgspec.Struct, frozen=True):
    """What became of one item."""

    feedback_id: str
    status: str


class ToldInBatch(msgspec.Struct, frozen=True):
    """What became of one item of a batch."""

    index: int
    feedback_id: str
    status: str


class RefusedInBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why one item of a batch was not taken."""

    index: int
    code: str
    detail: str
    field: str = ""


class BatchTold(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a batch; without ``items`` when asked quietly."""

    accepted: int
    duplicates: int
    items: list[ToldInBatch] | None = None
    rejected: list[RefusedInBatch]
