"""In which trace a slice of events works, and what is written there."""

import pytest

from earshot_shared import envelope
from earshot_shared.envelope import EventWriter
from earshot_shared.topics import Topic
from earshot_shared.tracing import trace_of, working_in

A = "00-" + "a" * 32 + "-" + "1" * 16 + "-01"
A_LATER = "00-" + "a" * 32 + "-" + "2" * 16 + "-01"
B = "00-" + "b" * 32 + "-" + "1" * 16 + "-01"


def event(traceparent: str | None) -> bytes:
    value = EventWriter(Topic.CASE_CHANGED, "test").write("k", "e", {"n": 1}, time="2026-01-01T00:00:00Z", traceparent=traceparent).value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("values", "trace"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([event(A)], A, id="one"),
        pytest.param([event(A), event(A_LATER)], A_LATER, id="one trace, two spans"),
        pytest.param([event(A), event(B)], None, id="two traces"),
        pytest.param([event(A), event(None)], None, id="one without"),
        pytest.param([event(A), None], None, id="a tombstone"),
        pytest.param([b'{"traceparent":"'], "", id="cut off"),
        pytest.param([event(A)] * 60, None, id="too many to look at"),
    ],
)
def test_trace_of(values: list[bytes | None], trace: str | None) -> None:
    assert trace_of(values) == trace


def test_what_is_written_within_a_trace_carries_it() -> None:
    with working_in(A):
        inside = envelope.decode(event(None)).traceparent
    assert inside is not None
    assert inside.split("-")[1] == "a" * 32
    assert inside != A
    outside = envelope.decode(event(None)).traceparent
    assert outside is not None
    assert outside.split("-")[1] != "a" * 32
    with working_in(None) as fresh:
        assert envelope.decode(event(None)).traceparent == fresh
    with working_in("nonsense") as fresh:
        assert envelope.decode(event(None)).traceparent == fresh
    assert envelope.decode(event(B)).traceparent == B
