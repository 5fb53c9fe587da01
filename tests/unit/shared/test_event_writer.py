"""The envelope as it is written is the envelope as it is read."""

import re

import msgspec
import pytest

from earshot_shared.envelope import EventWriter, decode, schema_uri
from earshot_shared.topics import Topic
from earshot_shared.tracing import working_in


@pytest.mark.parametrize("traceparent", [None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
@pytest.mark.parametrize("key", ["plain", 'forum:a "quoted"\\ key', "twitter:@größe"])
def test_what_is_written_is_what_is_read(key: str, traceparent: str | None) -> None:
    writer = EventWriter(Topic.RECOGNITION_CHANGED, "recognition")
    for time in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"):
        message = writer.write(key, "an-id", msgspec.Raw(b'{"a":[1,2]}'), time=time, traceparent=traceparent)
        assert message.value is not None
        read = decode(message.value)
        assert (read.id, read.subject, read.time) == ("an-id", key, time)
        assert read.traceparent == traceparent or (traceparent is None and read.traceparent is not None)
        assert (read.source, read.type) == ("earshot/recognition", "earshot.recognition.changed.v1")
        assert (read.specversion, read.datacontenttype) == ("1.0", "application/json")
        assert read.dataschema == schema_uri(Topic.RECOGNITION_CHANGED)
        assert msgspec.json.decode(read.data) == {"a": [1, 2]}
        assert message.key == key.encode()


def test_what_is_told_at_one_moment_outside_any_trace_has_one_of_its_own() -> None:
    writer = EventWriter(Topic.CASE_CHANGED, "triage")
    told = [writer.write("k", "i", msgspec.Raw(b"{}"), time=f"2026-01-01T00:00:0{second}Z") for second in (0, 0, 1)]
    first, same, later = [decode(each.value or b"").traceparent or "" for each in told]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", first)
    assert (first == same, first == later) == (True, False)
    with working_in("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        inside = writer.write("k", "i", msgspec.Raw(b"{}"), time="2026-01-01T00:00:01Z")
    assert "0af7651916cd43dd8448eb211c80319c" in (decode(inside.value or b"").traceparent or "")


def test_a_struct_is_encoded() -> None:
    class Body(msgspec.Struct):
        n: int

    message = EventWriter(Topic.CASE_CHANGED, "triage").write("k", "i", Body(3), time="2026-01-01T00:00:00Z")
    assert message.value is not None
    assert decode(message.value).data == msgspec.Raw(b'{"n":3}')
