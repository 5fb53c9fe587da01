"""Cursors, versions and times."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from starlette.requests import HTTPConnection

from earshot_shared.access import Secret
from earshot_shared.http.etags import Change, etag, if_match
from earshot_shared.http.paging import CursorError, Cursors
from earshot_shared.http.problems import InvalidError, PreconditionFailedError
from earshot_shared.http.times import parse_time

CURSORS = Cursors(Secret(b"s" * 32))


def test_a_cursor_comes_back_whole() -> None:
    cursor = CURSORS.issue("/v1/cases", {"team": "support", "q": None}, ["2024-05-01", 17, None])
    assert CURSORS.read("/v1/cases", {"q": None, "team": "support"}, cursor, length=3) == ["2024-05-01", 17, None]
    assert CURSORS.read("/v1/cases", {}, None) is None
    assert cursor.isascii()
    assert "=" not in cursor


@pytest.mark.parametrize(
    ("route", "filters", "secret", "change"),
    [
        pytest.param("/v1/other", {"a": "1"}, b"s", "", id="another list"),
        pytest.param("/v1/cases", {"a": "2"}, b"s", "", id="another filter"),
        pytest.param("/v1/cases", {}, b"s", "", id="no filter"),
        pytest.param("/v1/cases", {"a": "1"}, b"t", "", id="another installation"),
        pytest.param("/v1/cases", {"a": "1"}, b"s", "A", id="longer"),
    ],
)
def test_cursors_of_elsewhere_are_refused(route: str, filters: dict[str, str], secret: bytes, change: str) -> None:
    cursor = Cursors(Secret(secret * 32)).issue("/v1/cases", {"a": "1"}, ["x"])
    with pytest.raises(CursorError):
        CURSORS.read(route, filters, cursor + change)


@pytest.mark.parametrize("cursor", ["", "x", "====", "a b", "ü", "A" * 4096, "\x00", "../../etc"])
def test_forged_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(CursorError) as refused:
        CURSORS.read("/v1/cases", {}, cursor)
    assert (refused.value.status, refused.value.code) == (422, "cursor-invalid")


def test_a_list_held_whole_goes_by_pages_too() -> None:
    pages, cursor = [], None
    while True:
        page, cursor = CURSORS.page_of("badges", "abcde", 2, cursor)
        pages.append(page)
        if cursor is None:
            break
    assert pages == ["ab", "cd", "e"]
    assert CURSORS.page_of("badges", "", 2, None) == ("", None)
    _, cursor = CURSORS.page_of("badges", "abc", 2, None)
    assert CURSORS.page_of("badges", "ab", 2, cursor) == ("", None)  # the list has become shorter meanwhile


def test_filters_cannot_be_shifted_into_one_another() -> None:
    cursor = CURSORS.issue("/v1/cases", {"a": "1", "b": "2"}, ["x"])
    with pytest.raises(CursorError):
        CURSORS.read("/v1/cases", {"a": "1b2"}, cursor)


def test_a_position_of_another_length_is_refused() -> None:
    cursor = CURSORS.issue("/v1/cases", {}, ["x"])
    with pytest.raises(CursorError):
        CURSORS.read("/v1/cases", {}, cursor, length=2)


def request(*headers: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"if-match", header.encode()) for header in headers]})


@pytest.mark.parametrize(
    ("headers", "current"),
    [
        pytest.param((), 7, id="absent"),
        pytest.param(("*",), 7, id="any"),
        pytest.param(('"7"',), 7, id="the same"),
        pytest.param(('W/"7"',), 7, id="weakened on the way"),
        pytest.param(('"6", "7"',), 7, id="one of two"),
        pytest.param(('"6"', '"7"'), 7, id="two headers"),
    ],
)
async def test_matching_versions_pass(headers: tuple[str, ...], current: int) -> None:
    await if_match(request(*headers)).check(current, "case")


async def test_a_mismatch_says_who_changed_what() -> None:
    async def since(version: int) -> Sequence[Change]:
        assert version == 15
        return [Change(version=16, actor="anna", verb="assign", at=datetime(2024, 5, 1, 12, tzinfo=UTC))]

    with pytest.raises(PreconditionFailedError) as refused:
        await if_match(request('"14", "15"')).check(16, "case", since)
    assert refused.value.detail == "This case is at version 16 now, not 15. Since then: assign by anna at 2024-05-01T12:00:00Z."
    assert refused.value.changes == ({"version": "16", "actor": "anna", "verb": "assign", "at": "2024-05-01T12:00:00Z"},)
    assert refused.value.headers == (("etag", etag(16)),)


@pytest.mark.parametrize("header", ["7", '"x"', '"7', '"7",', '"-1"', '""', '"7" "8"', '"99999999999999999999"'])
def test_tags_that_are_not_ours(header: str) -> None:
    with pytest.raises(InvalidError):
        if_match(request(header))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2024-05-01T12:30:00Z", datetime(2024, 5, 1, 12, 30, tzinfo=UTC), id="Z"),
        pytest.param("2024-05-01t12:30:00z", datetime(2024, 5, 1, 12, 30, tzinfo=UTC), id="small letters"),
        pytest.param("2024-05-01 12:30:00+02:00", datetime(2024, 5, 1, 10, 30, tzinfo=UTC), id="offset"),
        pytest.param("2024-05-01T12:30:00-00:00", datetime(2024, 5, 1, 12, 30, tzinfo=UTC), id="minus nothing"),
        pytest.param("2024-05-01T12:30:00.5Z", datetime(2024, 5, 1, 12, 30, 0, 500_000, tzinfo=UTC), id="half a second"),
        pytest.param("2024-05-01T12:30:00.123456789Z", datetime(2024, 5, 1, 12, 30, 0, 123_456, tzinfo=UTC), id="nanoseconds"),
        pytest.param("2024-02-29T00:00:00+14:00", datetime(2024, 2, 28, 10, tzinfo=UTC), id="leap day far east"),
    ],
)
def test_times(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "2024-05-01", "2024-05-01T12:30:00", "2024-05-01T12:30Z", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
     "2016-12-31T23:59:60Z", "2024-05-01T24:00:00Z", "2024-05-01T12:30:00+25:00", "2024-05-01T12:30:00+0200", "0001-01-01T00:00:00+14:00",
     "9999-12-31T23:59:59-01:00", "2024-05-01T12:30:00.Z", "٢٠٢٤-05-01T12:30:00Z", "2024-05-01T12:30:00Z\n", "1714566600"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        parse_time(text)
