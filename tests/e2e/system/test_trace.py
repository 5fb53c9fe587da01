"""One trace, from an HTTP request through every topic to the customer's view."""

import asyncio
import json
import secrets
import urllib.request
from typing import Any

import pytest

from earshot_shared.topics import DEFAULT_PREFIX, Topic
from support.system import System
from support.topics import read_topic

PATH = (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_TRIAGED, Topic.CASE_CHANGED, Topic.RECOGNITION_CHANGED, Topic.CUSTOMER_CHANGED)


@pytest.mark.capability("L7")  # of this channel nobody has heard before
def test_a_trace_leads_from_the_request_to_the_customer(system: System) -> None:
    system.settle()
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    item = {
        "source": "traced", "external_id": trace, "channel": "traced", "author": {"id": trace}, "kind": "question",
        "text": "Where does this go?", "occurred_at": "2026-05-01T12:00:00Z",
    }  # fmt: skip
    state = system.state
    headers = {"authorization": f"Bearer {state['api_key']}", "content-type": "application/json", "traceparent": f"00-{trace}-{span}-01"}
    request = urllib.request.Request(f"{state['services']['ingest']}/v1/feedback", json.dumps(item).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 202
    system.settle()
    found = asyncio.run(spans_of(state["kafka"], trace))
    assert {topic for topic, _ in found} >= set(PATH)
    spans = [each for _, each in found]
    assert span not in spans, "each part is a span of its own"
    assert len({spans[[topic for topic, _ in found].index(topic)] for topic in PATH[:2]}) == 2


async def spans_of(bootstrap: str, trace: str) -> list[tuple[Topic, str]]:
    """Return topic and span of every event on the path that belongs to a trace."""
    return [(topic, each) for topic in PATH for each in spans_in(await read_topic(bootstrap, DEFAULT_PREFIX, topic), trace)]


def spans_in(records: list[Any], trace: str) -> list[str]:
    told = [json.loads(record.value).get("traceparent") or "" for record in records if record.value is not None]
    return [each.split("-")[2] for each in told if trace in each]
