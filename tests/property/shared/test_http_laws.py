"""Whatever comes in: cursors come back as they were or are refused, and no body makes the door stumble."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from earshot_shared.access import Secret
from earshot_shared.envelope import rfc3339
from earshot_shared.http.paging import CursorError, Cursors
from earshot_shared.http.times import parse_time
from earshot_shared.testing import open_app
from earshot_shared.testing.keys import MemoryKeys
from support.http import echo_door

CURSORS = Cursors(Secret(b"s" * 32))
DOOR = echo_door(keys=MemoryKeys())
FILTERS = st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.text(max_size=8), st.integers()), max_size=3)
POSITIONS = st.lists(st.one_of(st.none(), st.text(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), max_size=4)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), FILTERS, POSITIONS)
def test_a_cursor_comes_back_as_it_was(route: str, filters: dict[str, object], position: list[str | int | float | None]) -> None:
    try:
        cursor = CURSORS.issue(route, filters, position)
    except UnicodeEncodeError:
        return  # lone surrogates never get this far: the door and Postgres refuse them
    assert CURSORS.read(route, filters, cursor) == position


@given(POSITIONS, st.integers(0, 400), st.integers(1, 255))
def test_no_bit_of_a_cursor_may_change(position: list[str | int | float | None], place: int, flip: int) -> None:
    try:
        cursor = CURSORS.issue("/v1/cases", {}, position).encode()
    except UnicodeEncodeError:
        return
    place %= len(cursor)
    changed = bytes([*cursor[:place], cursor[place] ^ flip, *cursor[place + 1 :]]).decode("latin-1")
    try:
        read = CURSORS.read("/v1/cases", {}, changed)
    except CursorError:
        return
    assert read == position  # the unused bits of base64's last letter say nothing


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.integers(-23 * 60, 23 * 60))  # noqa: DTZ001  # zoned below
def test_times_come_back_as_they_were(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert parse_time(moment.isoformat()) == moment
    assert parse_time(rfc3339(moment)) == moment.astimezone(UTC)


def post(body: bytes) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        async with open_app(DOOR) as client:
            answer = await client.post("/v1/notes", content=body, headers={"content-type": "application/json"})
            return answer.status_code, answer.headers["content-type"]

    return asyncio.run(ask())


@given(st.binary(max_size=200))
@example(b'{"text": "\\ud800"}')
@example(b'{"text": "\\u0000"}')
@example(b"[" * 5000)
@example(b'{"text": 1e400}')
def test_any_bytes_get_an_answer(body: bytes) -> None:
    status, kind = post(body)
    assert (status, kind) == (201, "application/json") or (400 <= status < 500 and kind == "application/problem+json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["text", "priority", "extra"]), JSON, max_size=3))
def test_any_json_gets_an_answer(body: dict[str, object]) -> None:
    status, kind = post(json.dumps(body).encode())
    assert (status, kind) == (201, "application/json") or (400 <= status < 500 and kind == "application/problem+json")
