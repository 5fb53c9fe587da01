"""What is kept of items for timelines, and how timelines and owners are told.

Owns those shapes and the packing of the kept part: narrow, because there is one per item.
"""

from datetime import datetime

import msgspec


class Entry(msgspec.Struct, array_like=True, gc=False):
    """What is kept of an item."""

    channel: str
    kind: str
    text: str
    intent: str
    case_id: str | None
    author_key: str


class TimelineEntry(msgspec.Struct, gc=False):
    """One item as a timeline tells it."""

    feedback_id: str
    occurred_at: datetime
    channel: str
    kind: str
    text: str
    intent: str
    case_id: str | None


class Owner(msgspec.Struct, gc=False):
    """Whose an item is; ``customer_id`` None: nobody's, it was withdrawn or erased."""

    feedback_id: str
    customer_id: str | None
    author_key: str


class Connector(msgspec.Struct, gc=False):
    """What one connected system has brought."""

    connector: str
    contacts: int
    updated_at: datetime


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Entry)


def pack_entry(entry: Entry) -> bytes:
    """Return the stored form of an entry."""
    return _packer.encode(entry)


def unpack_entry(packed: bytes) -> Entry:
    """Return what `pack_entry` was given."""
    return _unpacker.decode(packed)
