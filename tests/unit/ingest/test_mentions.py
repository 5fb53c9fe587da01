"""Whom a text names, and what stays of it once somebody is forgotten."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from earshot_ingest.domain.mentions import STRUCK, mentions_in, without
from earshot_shared.identifiers import Shown
from earshot_shared.item import MAX_TEXT_CHARACTERS, Item

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def an_answer(text: str, title: str | None = None) -> Item:
    said = Item(feedback_id="f", revision=3, source="s", channel="forum", author_key="forum:care", occurred_at=NOW, received_at=NOW)
    return replace(said, text=text, title=title)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@Ada, thank you", Shown("handle", "forum:@ada")),
        ("thank you @ada.", Shown("handle", "forum:@ada")),
        (".@ada_l-2 and others", Shown("handle", "forum:@ada_l-2")),
        ("@115712 please write", Shown("account", "forum:115712")),
        ("ask @ada@mastodon.example!", Shown("handle", "forum:@ada@mastodon.example")),
        ("ask @ada@mastodon.example!", Shown("handle", "forum:@ada")),
        ("ask u/Ada or /u/Ben", Shown("handle", "forum:@ben")),
        ("write to <Ada.L+shop@Example.org>.", Shown("email", "ada.l@example.org")),
        ("mailto:ada@example.org", Shown("email", "ada@example.org")),
        ("we called +49 30 1234567-8 twice", Shown("phone", "+493012345678")),
        ("called (0049) 30/12345678", Shown("phone", "+493012345678")),
        ("@Łucja", Shown("handle", "forum:@łucja")),
    ],
)
def test_who_is_named(text: str, shown: Shown) -> None:
    named = [mention for mention in mentions_in(text, "forum") if shown in mention.shown]
    assert named, list(mentions_in(text, "forum"))
    left = without(an_answer(text), lambda each: each == shown)
    assert left is not None
    assert (left.revision, left.edited_at) == (4, None)
    assert STRUCK in left.text
    assert without(left, lambda each: each == shown) is None, "nobody is struck twice"


@pytest.mark.parametrize("text", ["", "Thank you, Ada", "see github.com/@ada", "5 @ 3 euros", "in 2026-05-01", "order 12345", "bu/ada"])
def test_who_is_not_named(text: str) -> None:
    assert without(an_answer(text), lambda shown: "ada" in shown.value) is None


def test_others_stay_named_and_words_around_stay_as_they_were() -> None:
    item = an_answer("@ada @ben: write to ada@example.org — or call us.", title="For @ada")
    left = without(item, lambda shown: "ada" in shown.value)
    assert left is not None
    assert (left.text, left.title) == (f"{STRUCK} @ben: write to {STRUCK} — or call us.", f"For {STRUCK}")


def test_a_text_at_its_limit_stays_one() -> None:
    left = without(an_answer(("@a " * MAX_TEXT_CHARACTERS)[:MAX_TEXT_CHARACTERS]), lambda _: True)
    assert left is not None
    assert len(left.text) == MAX_TEXT_CHARACTERS
    assert "@a" not in left.text
