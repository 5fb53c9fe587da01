"""W3C trace context, carried from HTTP into events and out of Kafka again.

Owns the one variable that says in which trace we work. A batch or a slice works in one context, and items make no span objects: what
costs is paid per request or slice, never per item. Exporters, if any, are the operator's: we only hand the context on.
"""

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
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
    parent = _span_context(traceparent)
    trace_id = parent.trace_id if parent is not None else _numbers.getrandbits(128) or 1
    flags = parent.trace_flags if parent is not None else trace.TraceFlags(trace.TraceFlags.DEFAULT)
    own = trace.SpanContext(trace_id=trace_id, span_id=_numbers.getrandbits(64) or 1, is_remote=False, trace_flags=flags)
    token = otel_context.attach(trace.set_span_in_context(trace.NonRecordingSpan(own)))
    try:
        yield f"00-{own.trace_id:032x}-{own.span_id:016x}-{int(own.trace_flags):02x}"
    finally:
        otel_context.detach(token)


def _span_context(traceparent: str | None) -> trace.SpanContext | None:
    if not traceparent:
        return None
    found = trace.get_current_span(_PROPAGATOR.extract({HEADER: traceparent}, context=otel_context.Context())).get_span_context()
    return found if found.is_valid else None
