"""Where a stream stands: one offset for each partition of its topics, spelled as an event id.

Owns the spelling (base64url of MessagePack) and nothing else. An id says all that is needed to go on without gap or repeat, so the
server keeps nothing of a client that went away.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping

import msgspec

from earshot_shared.topics import Topic

Partition = tuple[Topic, int]
_TOPICS = tuple(Topic)
_NUMBER = {topic: number for number, topic in enumerate(_TOPICS)}
_LONGEST_ID = 4096
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[int, list[int]])


def encode_positions(positions: Mapping[Partition, int], counts: Mapping[Topic, int], topics: Iterable[Topic]) -> str:
    """Return the event id that says: everything below these offsets was sent."""
    told = {_NUMBER[topic]: [positions[topic, number] for number in range(counts[topic])] for topic in topics}
    return base64.urlsafe_b64encode(_encoder.encode(told)).rstrip(b"=").decode()


def decode_positions(text: str, ends: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return the positions in an event id.

    ``ends`` are the present ends of the log: a position beyond one was never ours.
    Raises: ValueError when the id is none of ours.
    """
    if len(text) > _LONGEST_ID:
        raise ValueError("is too long")
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        told = _decoder.decode(raw)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError, ValueError):
        raise ValueError("is no event id of this stream") from None
    positions: dict[Partition, int] = {}
    for topic_number, offsets in told.items():
        if not 0 <= topic_number < len(_TOPICS):
            raise ValueError("names a topic that does not exist")
        for number, offset in enumerate(offsets):
            at = (_TOPICS[topic_number], number)
            if at not in ends or not 0 <= offset <= ends[at]:
                raise ValueError("names a place that the log does not have")
            positions[at] = offset
    return positions
