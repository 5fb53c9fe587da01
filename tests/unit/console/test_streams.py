"""Positions, filters and topics of streams, without any server."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_console.hub import Event
from earshot_console.positions import decode_positions, encode_positions
from earshot_console.streams import as_json, as_sse, is_told, parse_filter, parse_topics
from earshot_shared.http.problems import InvalidError
from earshot_shared.topics import Topic

COUNTS = {Topic.CASE_CHANGED: 3, Topic.ALERT_RAISED: 1}
ENDS = {(topic, number): 1000 for topic, count in COUNTS.items() for number in range(count)}


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4))
def test_an_event_id_says_where_it_stands(offsets: list[int]) -> None:
    positions = dict(zip(ENDS, offsets, strict=True))
    assert decode_positions(encode_positions(positions, COUNTS, COUNTS), ENDS) == positions


@given(st.text(max_size=80))
def test_what_is_no_event_id_is_refused_in_words(text: str) -> None:
    with contextlib.suppress(ValueError):  # anything else that is raised fails the test
        assert decode_positions(text, ENDS).keys() <= ENDS.keys()


@pytest.mark.parametrize("positions", [{(Topic.CASE_CHANGED, 0): 1001}, {(Topic.CASE_CHANGED, 0): -1}])
def test_places_that_the_log_does_not_have_are_refused(positions: dict[tuple[Topic, int], int]) -> None:
    full = {**dict.fromkeys(ENDS, 0), **positions}
    with pytest.raises(ValueError, match="place"):
        decode_positions(encode_positions(full, COUNTS, COUNTS), ENDS)


def test_topics_are_named_without_prefix_and_version() -> None:
    assert parse_topics("case.changed, alert.raised,case.changed") == (Topic.CASE_CHANGED, Topic.ALERT_RAISED)
    for text in ("", ",", "case", "case.changed,secrets"):
        with pytest.raises(InvalidError):
            parse_topics(text)


@pytest.mark.parametrize(
    ("text", "data", "passes"),
    [
        pytest.param("team:support", {"team": "support"}, True, id="equal"),
        pytest.param("team:support|product", {"team": "product"}, True, id="one-of"),
        pytest.param("team:support,status:open", {"team": "support", "status": "closed"}, False, id="all-must-hold"),
        pytest.param("item.brand:Acme", {"item": {"brand": "Acme"}}, True, id="path"),
        pytest.param("routes:product", {"routes": ["support", "product"]}, True, id="one-of-a-list"),
        pytest.param("priority:4", {"priority": 4}, True, id="number"),
        pytest.param("open:true", {"open": True}, True, id="truth"),
        pytest.param("team:support", {}, False, id="absent"),
    ],
)
def test_filters(text: str, data: dict[str, object], passes: bool) -> None:
    assert all(condition.holds(data) for condition in parse_filter(text)) is passes


@pytest.mark.parametrize("text", ["team", "team:", ":support", ",", ",".join(f"f{n}:x" for n in range(21))])
def test_bad_filters_are_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_filter(text)


def test_an_event_on_the_wire() -> None:
    event = Event(Topic.CASE_CHANGED, 0, 7, b"k", b'{"data":{}}')
    assert as_sse("abc", event) == b'id: abc\nevent: case.changed\ndata: {"data":{}}\n\n'
    assert as_json(event._replace(value=None)) == b'{"specversion":"1.0","type":"earshot.case.changed.v1","subject":"k","data":null}'
    assert as_sse("abc", event._replace(value=b'{\n"data": {}\r\n}')).endswith(b'data: {\ndata: "data": {}\ndata: }\n\n')


@pytest.mark.parametrize("value", [b"no event", b"7", b"[]", b"", b"{", b'{"data": }', b'{"data": "\xff"}', b"\xff"])
@pytest.mark.parametrize("wanted", [None, "team:support"])
def test_what_a_stranger_wrote_is_not_told(value: bytes, wanted: str | None) -> None:
    assert not is_told(Event(Topic.CASE_CHANGED, 0, 7, b"k", value), parse_filter(wanted))


def test_events_that_a_filter_lets_pass_and_tombstones_are_told() -> None:
    event = Event(Topic.CASE_CHANGED, 0, 7, b"k", b'{"id": "1", "data": {"team": "support"}}')
    assert is_told(event, ())
    assert is_told(event, parse_filter("team:support"))
    assert not is_told(event, parse_filter("team:product"))
    assert is_told(event._replace(value=None), parse_filter("team:product"))


@pytest.mark.parametrize("body", ['{"id": "1", "merged_into": "2"}', '{"case_id": "1", "withdrawn": true}'])
def test_where_a_thing_went_is_told_whatever_the_filter_asks(body: str) -> None:
    event = Event(Topic.CASE_CHANGED, 0, 7, b"k", b'{"data": %b}' % body.encode())
    assert is_told(event, parse_filter("team:product,status:open"))


@pytest.mark.parametrize("body", ['{"team": "support", "withdrawn": true}', '{"merged_into": null}', '{"withdrawn": false}'])
def test_what_a_filter_can_judge_it_judges(body: str) -> None:
    assert not is_told(Event(Topic.CASE_CHANGED, 0, 7, b"k", b'{"data": %b}' % body.encode()), parse_filter("team:product"))
