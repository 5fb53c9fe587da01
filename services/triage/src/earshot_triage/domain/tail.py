"""The latest messages of a thread, as JSON that grows at its end.

Owns the cutting and joining of that JSON, so that a message more costs its own length and not its thread's. Knows no case.
"""

import bisect
from collections.abc import Iterable

import msgspec

from earshot_triage.domain.message import Order

TAIL_MESSAGES = 20


class Tail(msgspec.Struct, array_like=True, gc=False):
    """Places and lengths in bytes of the messages in the JSON array that is kept beside it."""

    orders: list[Order] = []
    sizes: list[int] = []


def build(shown: Iterable[tuple[Order, bytes]]) -> tuple[Tail, bytes]:
    """Return the tail of these messages. Shapes: (place, JSON) in the order of messages."""
    latest = list(shown)[-TAIL_MESSAGES:]
    tail = Tail([order for order, _ in latest], [len(body) for _, body in latest])
    return tail, b"[%b]" % b",".join(body for _, body in latest)


def insert(tail: Tail, json: bytes, order: Order, body: bytes) -> bytes:
    """Put a message at its place among the latest, and return the JSON after it; what is older than all of twenty changes nothing."""
    at = bisect.bisect(tail.orders, order)
    full = len(tail.orders) == TAIL_MESSAGES
    if full and at == 0:
        return json
    start = 1 + sum(tail.sizes[:at]) + at
    tail.orders.insert(at, order)
    tail.sizes.insert(at, len(body))
    if at == len(tail.orders) - 1:
        json = b"%b,%b]" % (json[:-1], body) if at else b"[%b]" % body
    else:
        json = b"%b%b,%b" % (json[:start], body, json[start:])
    if full:
        json = b"[%b" % json[tail.sizes[0] + 2 :]
        del tail.orders[0], tail.sizes[0]
    return json
