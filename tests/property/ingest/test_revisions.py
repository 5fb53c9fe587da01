"""Links, edits and withdrawals in any order end in the same item; only the count of revisions knows the way."""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from earshot_ingest.domain import revisions
from earshot_ingest.domain.normalise import Normaliser
from earshot_ingest.domain.sources import Grant, SourceBook
from earshot_ingest.events import decode_item_in
from earshot_shared.item import Item
from support.ingest import an_item

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b", "c", None])

Change = tuple[str, int, str | None, str | None]


def delivered(text: str, conversation: str | None, parent: str | None) -> Item:
    given = an_item(text=text, conversation=conversation, in_reply_to=parent)
    normaliser = Normaliser(grant=Grant(everything=True), book=SourceBook(), mail_secret=b"", received_at=NOW)
    return normaliser.item(decode_item_in(msgspec.json.encode(given)))


def changed(item: Item, change: Change) -> Item:
    verb, minute, conversation, parent = change
    at = NOW + timedelta(minutes=minute)
    match verb:
        case "duplicate":
            after = revisions.with_links(item, delivered("words of a duplicate", conversation, parent))
        case "edit":
            after = revisions.edited(item, delivered(f"as of minute {minute}", None, None), at)
        case _:
            after = revisions.withdrawn(item, at)
    assert after is None or after.revision == item.revision + 1
    return after or item


def essence(item: Item) -> object:
    """What must not depend on the order: all but the count of revisions and the one link shown as text."""
    return replace(
        item,
        revision=0,
        in_reply_to=None,
        conversation=None,
        parents=tuple(sorted(item.parents)),
        conversations=tuple(sorted(item.conversations)),
    )


CHANGES = st.lists(st.tuples(st.sampled_from(["duplicate", "edit", "withdraw"]), st.integers(0, 4), NAMES, NAMES), max_size=8)


@given(CHANGES, st.randoms(use_true_random=False))
def test_the_order_of_changes_leaves_no_trace(changes: list[Change], random: Random) -> None:
    first = last = delivered("first words", "a", None)
    for change in changes:
        first = changed(first, change)
    shuffled = list(changes)
    random.shuffle(shuffled)
    for change in shuffled:
        last = changed(last, change)
    assert essence(first) == essence(last)


@given(CHANGES)
def test_a_change_made_twice_is_made_once(changes: list[Change]) -> None:
    item = delivered("first words", None, None)
    for change in changes:
        once = changed(item, change)
        assert changed(once, change) == once
        item = once


@given(CHANGES)
def test_links_are_never_lost(changes: list[Change]) -> None:
    item = delivered("first words", "a", "p")
    for change in changes:
        after = changed(item, change)
        assert set(item.parents) <= set(after.parents)
        assert set(item.conversations) <= set(after.conversations)
        item = after
