"""`erasure.done`: what a service erased. Every service writes it, so its form lives here.

Owns the body and the event's id. What is erased, and when the receipt is due, is each service's own.
"""

import msgspec

from earshot_shared.envelope import EventWriter
from earshot_shared.messages import Message
from earshot_shared.topics import Topic


class ErasureDone(msgspec.Struct, gc=False):
    """What one service erased."""

    erasure_id: str
    service: str
    counts: dict[str, int]


class _Event(msgspec.Struct, gc=False):
    data: ErasureDone


_decoder = msgspec.json.Decoder(_Event)


def decode_receipt(value: bytes) -> ErasureDone:
    """Return what a record of ``erasure.done`` says.

    Raises: msgspec.DecodeError when it is none.
    """
    return _decoder.decode(value).data


class ReceiptWriter:
    """Makes one service's receipts; build one and keep it."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._events = EventWriter(Topic.ERASURE_DONE, service)

    def tell_erased(self, erasure_id: str, counts: dict[str, int], *, now: str) -> Message:
        """Return the message that says what was erased here; ``now`` is RFC 3339."""
        body = ErasureDone(erasure_id, self._service, counts)
        return self._events.write(erasure_id, f"{erasure_id}/{self._service}", body, time=now)
