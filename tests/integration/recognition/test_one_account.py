"""A handle and an id are one account once an item shows both: what is shown under the one is shown of the other."""

import itertools
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from earshot_shared.item import Item
from support.recognition import RecognitionUnderTest, said


def shown(name: str, who: str, *, called: str | None = None, followers: int | None = None, staff: bool = False, **more: Any) -> Item:
    """Return what somebody said, and what it shows of them."""
    item = said(name, who, **more)
    author = msgspec.structs.replace(item.author, name=called, followers=followers, is_staff=staff)
    return msgspec.structs.replace(item, author=author)


BARE = shown("bare", "@ann", called="Ann", followers=1_000, at=1)
BOTH = shown("both", "7", handle="ann", followers=10, at=2)
LATER = shown("later", "7", at=3)
STAFF = shown("staff", "@bob", staff=True, at=1)
TIED = shown("tied", "8", handle="bob", followers=500, at=2)


@pytest.mark.parametrize(
    "order", [*itertools.permutations([BARE, BOTH, LATER])], ids=lambda order: "-".join(each.external_id for each in order)
)
async def test_reach_and_name_are_the_accounts_whatever_came_first(recognition: RecognitionUnderTest, order: tuple[Item, ...]) -> None:
    for item in order:
        await recognition.fold(item)
    member = await recognition.get("/v1/members/forum:7")
    assert (member["name"], member["points"]) == ("Ann", {"helpful": 0, "active": 3, "reach": 30})
    assert await recognition.get(f"/v1/members/{quote('forum:@ann')}") == member
    told = await recognition.standing("forum:7")
    assert (told["name"], told["points"]) == (member["name"], member["points"])
    for board, points in (("reach", 30), ("active", 3)):
        assert (await recognition.get(f"/v1/leaderboards/{board}"))["items"] == [
            {"rank": 1, "author_key": "forum:7", "name": "Ann", "points": points}
        ]


async def test_an_account_shows_what_was_its_handles_no_more_when_they_part(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(BARE, BOTH, LATER)
    await recognition.fold(msgspec.structs.replace(BOTH, withdrawn=True), version=2)
    told = await recognition.standing("forum:7")
    assert (told["name"], told["points"]["reach"]) == ("", 0)
    assert (await recognition.get("/v1/members/forum:7"))["points"]["reach"] == 0
    assert [each["author_key"] for each in (await recognition.get("/v1/leaderboards/reach"))["items"]] == ["forum:@ann"]


async def test_what_a_handle_shows_later_is_told_of_its_account(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(BOTH)
    await recognition.fold(shown("vote", "@ann", called="Ann L", followers=100, at=9, kind="vote"))
    assert (await recognition.standing("forum:7"))["points"]["reach"] == 20
    assert (await recognition.standing("forum:7"))["name"] == "Ann L"


async def test_who_is_staff_by_a_handle_is_on_no_board(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(STAFF, TIED, shown("pure", "9", followers=10))
    assert [each["author_key"] for each in (await recognition.get("/v1/leaderboards/reach"))["items"]] == ["forum:9"]
