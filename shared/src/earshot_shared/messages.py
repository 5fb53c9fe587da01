"""What a transaction wants to say: messages, and their packing into one outbox row.

Owns the form of the packed row. Knows nothing of Kafka clients or databases.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cramjam
import msgspec

from earshot_shared.topics import Topic

_TOPICS: dict[str, Topic] = {topic.name: topic for topic in Topic}


class Message(NamedTuple):
    """One record to publish: ``value`` None is a tombstone. A tuple, because a slice makes ten thousand of them."""

    topic: Topic
    key: bytes
    value: bytes | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[str, bytes, bytes | None]])


_TOGETHER: Final = 256
"""So many messages are compressed at a time: the messages of a slice are megabytes, and need not lie in memory three times."""


def pack(messages: Sequence[Message]) -> bytes:
    """Return all messages as one compressed value, for a column that Postgres stores as it is."""
    # A row lives for milliseconds: fast beats small.
    compressor = cramjam.zstd.Compressor(level=-3)
    compressor.compress(b"\xdd" + len(messages).to_bytes(4, "big"))  # MessagePack's list of so many
    for start in range(0, len(messages), _TOGETHER):
        # `_name_`, since `name` is a Python function call each time, a third of the whole packing.
        some = [_encoder.encode((topic._name_, key, value)) for topic, key, value in messages[start : start + _TOGETHER]]
        compressor.compress(b"".join(some))
    return bytes(compressor.finish())


def unpack(packed: bytes) -> list[Message]:
    """Return what `pack` was given."""
    plain = bytes(cramjam.zstd.decompress(packed))
    return [Message(_TOPICS[name], key, value) for name, key, value in _decoder.decode(plain)]
