"""W3C trace context, carried from HTTP into events and out of Kafka again.

Owns the one variable that says in which trace we work. A batch or a slice works in one context, and items make no span objects: what
costs is paid per request or slice, never per item. Exporters, if any, are the operator's: we only hand the context on.
"""

import contextlib
import os
import random
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
# Version 00 of https://www.w3.org/TR/trace-context/#traceparent-header; a later one begins with the same fields and may go on.
_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[ -~]*)?")
_IN_EVENT: Final = b'"traceparent":"'
_LENGTH: Final = 55
_MOST_LOOKED_AT: Final = 50
_own: ContextVar[str | None] = ContextVar("own part of the trace", default=None)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
# Trace ids need to differ, not to be secret: a generator seeded once costs a tenth of the system's.
_numbers = random.Random(os.urandom(16))  # noqa: S311  # ids that differ, no secrets


def current_traceparent() -> str | None:
    """Return the trace we work in, as the ``traceparent`` of events; None outside any."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(HEADER)


@contextlib.contextmanager
def working_in(traceparent: str | None) -> Iterator[str]:
    """Work in the trace that ``traceparent`` names (a header, or an event's), or in a new one when it names none; yield our own part."""
    own = part_of(traceparent)
    carried = _PROPAGATOR.extract({HEADER: own}, context=otel_context.get_current())
    token = otel_context.attach(carried)
    before = _own.set(own)
    try:
        yield own
    finally:
        _own.reset(before)
        otel_context.detach(token)


def own_part() -> str | None:
    """Return our own part of the trace we work in (`working_in`), for events; None outside any."""
    return _own.get()


def trace_of(values: Iterable[bytes | None]) -> str | None:
    """Return the ``traceparent`` of events that all belong to one trace; None when they belong to several or to none.

    A slice that mixes traces belongs to none of them and works in one of its own; a large one always mixes: only small ones are looked at.
    """
    found: str | None = None
    for number, value in enumerate(values):
        at = -1 if value is None or number == _MOST_LOOKED_AT else value.find(_IN_EVENT)
        if value is None or at < 0:
            return None
        traceparent = value[at + len(_IN_EVENT) : at + len(_IN_EVENT) + _LENGTH].decode("ascii", "replace")
        if found is not None and found[3:35] != traceparent[3:35]:
            return None
        found = traceparent
    return found


def part_of(traceparent: str | None) -> str:
    """Return the ``traceparent`` of our own part of a trace, or of a new one; for hot paths, which hand it on by themselves."""
    span_id = _numbers.getrandbits(64) or 1
    known = _FORM.fullmatch(traceparent) if traceparent else None
    if known is None or known[1] == _NO_TRACE or known[2] == _NO_SPAN:
        return f"00-{_numbers.getrandbits(128) or 1:032x}-{span_id:016x}-00"
    return f"00-{known[1]}-{span_id:016x}-{known[3]}"
