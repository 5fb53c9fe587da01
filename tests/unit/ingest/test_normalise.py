"""What becomes of an item at the door: every rule by a table."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from earshot_ingest.domain.normalise import Normaliser
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import Grant, Rights, SourceBook
from earshot_ingest.events import decode_item_in
from earshot_shared import ids
from earshot_shared.item import Item, decode_item, encode_item
from support.ingest import an_item

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ADMIN = Grant(everything=True)


def normalised(grant: Grant = ADMIN, book: SourceBook | None = None, **changes: Any) -> Item:
    normaliser = Normaliser(grant=grant, book=book or SourceBook(), mail_secret=b"secret", received_at=NOW)
    return normaliser.item(decode_item_in(msgspec.json.encode(an_item(**changes))))


def test_a_plain_item() -> None:
    item = normalised(external_id=" 7 ", in_reply_to="6", conversation="c", brand=" Acme ", tags=["a", "a", " b "], extra={"x": {"y": [1]}})
    assert (item.feedback_id, item.external_id, item.revision) == (ids.feedback_id("forum", "7"), "7", 1)
    assert (item.parents, item.conversations) == ((ids.feedback_id("forum", "6"),), (ids.conversation_node("forum", "c"),))
    assert (item.author_key, item.handle_key, item.author.handle) == ("forum:u1", "forum:@ada", "Ada")
    assert (item.brand, item.tags, item.kind, item.visibility) == ("Acme", ("a", "b"), "post", "public")
    assert msgspec.json.decode(item.extra["x"]) == {"y": [1]}
    assert item.received_at == NOW


@pytest.mark.parametrize("letter", ["x", "İ", "é"])
def test_the_longest_that_is_taken_is_what_the_topics_hold(letter: str) -> None:
    long = letter * (512 // len(letter.encode()))
    item = normalised(
        source=long, external_id=long, channel="c" * 64, in_reply_to=long, conversation=long, text=letter * 20_000, title=letter * 1_000,
        brand=letter * 300, product=letter * 300, event_tag=letter * 300, tags=[letter * 300],
        author={"handle": long, "name": letter * 300, "phone": letter * 300, "followers": 2**53},
    )  # fmt: skip
    assert decode_item(encode_item(item)) == item
    assert decode_item(encode_item(normalised(author={"id": long, "handle": long}, channel="c" * 64))).handle_key


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param("2026-05-01T12:00:00Z", datetime(2026, 5, 1, 12, tzinfo=UTC), id="utc"),
        pytest.param("2026-05-01T12:00:00.000001+02:00", datetime(2026, 5, 1, 10, 0, 0, 1, tzinfo=UTC), id="zone"),
        pytest.param("1990-01-01T00:00:00Z", datetime(1990, 1, 1, tzinfo=UTC), id="earliest"),
        pytest.param("2026-06-02T12:00:00Z", datetime(2026, 6, 2, 12, tzinfo=UTC), id="a day ahead"),
    ],
)
def test_times_are_utc(given: str, wanted: datetime) -> None:
    item = normalised(occurred_at=given)
    assert item.occurred_at == wanted
    assert item.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        pytest.param({"occurred_at": "1989-12-31T23:59:59Z"}, "occurred-at-out-of-range", "occurred_at", id="before 1990"),
        pytest.param({"occurred_at": "2026-06-02T12:00:01Z"}, "occurred-at-out-of-range", "occurred_at", id="ahead"),
        pytest.param({"occurred_at": "0001-01-01T00:00:00+23:00"}, "occurred-at-out-of-range", "occurred_at", id="year 1"),
        pytest.param({"occurred_at": "9999-12-31T23:59:59-23:00"}, "occurred-at-out-of-range", "occurred_at", id="year 9999"),
        pytest.param({"occurred_at": "2026-05-01T12:00:00"}, "time-invalid", "occurred_at", id="no zone"),
        pytest.param({"occurred_at": "2016-12-31T23:59:60Z"}, "time-invalid", "occurred_at", id="leap second"),
        pytest.param({"occurred_at": 17}, "wrong-type", "occurred_at", id="time as number"),
        pytest.param({"source": " "}, "invalid-id", "source", id="blank source"),
        pytest.param({"source": "a\u0085b"}, "invalid-id", "source", id="control character"),
        pytest.param({"external_id": "é" * 257}, "invalid-id", "external_id", id="long id"),
        pytest.param({"in_reply_to": "x" * 513}, "invalid-id", "in_reply_to", id="long parent"),
        pytest.param({"channel": "Forum"}, "invalid-channel", "channel", id="upper case channel"),
        pytest.param({"channel": ""}, "invalid-channel", "channel", id="no channel"),
        pytest.param({"author": {}}, "author-unknown", "author", id="nobody"),
        pytest.param({"author": {"id": " ", "handle": "@", "email": ""}}, "author-unknown", "author", id="blank author"),
        pytest.param({"author": {"id": "@ada"}}, "invalid-author-id", "author.id", id="id like a handle"),
        pytest.param({"author": {"id": " mail:x"}}, "invalid-author-id", "author.id", id="id like a mail"),
        pytest.param({"author": {"email": "nobody"}}, "invalid-email", "author.email", id="no mail"),
        pytest.param({"author": {"id": "1", "followers": -1}}, "invalid-value", "author.followers", id="negative followers"),
        pytest.param({"author": {"id": "1", "followers": True}}, "wrong-type", "author.followers", id="followers true"),
        pytest.param({"author": {"id": "1", "url": "javascript:alert(1)"}}, "invalid-url", "author.url", id="script as address"),
        pytest.param({"author": {"id": 1}}, "wrong-type", "author.id", id="id as number"),
        pytest.param({"author": {"id": "1", "claimed": []}}, "unknown-field", "author.claimed", id="our own field"),
        pytest.param({"revision": 2}, "unknown-field", "revision", id="unknown field"),
        pytest.param({"text": ""}, "text-empty", "text", id="no text"),
        pytest.param({"text": " \n"}, "text-empty", "text", id="blank text"),
        pytest.param({"text": None}, "wrong-type", "text", id="null text"),
        pytest.param({"text": "x" * 20_001}, "text-too-long", "text", id="long text"),
        pytest.param({"text": "a\x00b"}, "text-invalid", "text", id="NUL"),
        pytest.param({"title": "a\x00b"}, "text-invalid", "title", id="NUL in title"),
        pytest.param({"extra": {"a": ["\x00"]}}, "text-invalid", "extra", id="NUL in extra"),
        pytest.param({"extra": {"\x00": 1}}, "text-invalid", "extra", id="NUL in a name"),
        pytest.param({"brand": "x" * 301}, "too-long", "brand", id="long brand"),
        pytest.param({"tags": ["x"] * 51}, "too-many", "tags", id="many tags"),
        pytest.param({"kind": "shout"}, "invalid-value", "kind", id="unknown kind"),
        pytest.param({"visibility": "secret"}, "invalid-value", "visibility", id="unknown visibility"),
        pytest.param({"language": "x" * 40}, "invalid-language", "language", id="no language"),
        pytest.param({"url": "ftp://example.org"}, "invalid-url", "url", id="other address"),
        pytest.param({"rating": {"value": 6}}, "invalid-rating", "rating", id="above best"),
        pytest.param({"rating": {"value": 1, "best": 0}}, "invalid-rating", "rating", id="best zero"),
        pytest.param({"rating": {"value": -1}}, "invalid-rating", "rating", id="negative rating"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        normalised(**changes)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert "ada" not in refused.value.detail.lower()


def test_extra_may_not_be_nested_without_end() -> None:
    deep: Any = 1
    for _ in range(21):
        deep = [deep]
    with pytest.raises(Refusal) as refused:
        normalised(extra={"a": deep})
    assert refused.value.code == "json-too-deep"


@pytest.mark.parametrize("missing", ["source", "external_id", "channel", "author", "text", "occurred_at"])
def test_what_is_required(missing: str) -> None:
    item = an_item()
    del item[missing]
    with pytest.raises(Refusal) as refused:
        decode_item_in(msgspec.json.encode(item))
    assert (refused.value.code, refused.value.field) == ("required", missing)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"{", "json-invalid", id="cut off"),
        pytest.param(b"[]", "wrong-type", id="a list"),
        pytest.param(b'{"source": "\\ud800"}', "json-invalid", id="lone surrogate"),
        pytest.param(b'{"source": "\xff"}', "encoding-invalid", id="not UTF-8"),
        pytest.param(b'{"extra": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "json-too-deep", id="brackets"),
    ],
)
def test_what_is_no_item_at_all(raw: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode_item_in(raw)
    assert refused.value.code == code


@pytest.mark.capability("L12")
@pytest.mark.parametrize("changes", [{"text": "", "rating": {"value": 4}}, {"text": "", "kind": "vote"}])
def test_a_rating_or_a_vote_needs_no_words(changes: dict[str, Any]) -> None:
    assert normalised(**changes).text == ""


def test_null_means_absent() -> None:
    names = "kind visibility title language url in_reply_to conversation rating product brand event_tag tags extra"
    nulls: dict[str, Any] = dict.fromkeys(names.split())
    author = {"id": "u1", "handle": "@Ada", **dict.fromkeys("name email email_verified phone is_staff followers".split())}
    assert normalised(ADMIN, None, author=author, **nulls) == normalised()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({"title": " a\nb\tc "}, "a b c", id="one line"),
        pytest.param({"title": "  "}, None, id="blank"),
    ],
)
def test_titles_are_one_line(given: dict[str, Any], wanted: str | None) -> None:
    assert normalised(**given).title == wanted


@pytest.mark.capability("L20")
@pytest.mark.parametrize(
    ("kind", "rights", "wanted"),
    [
        pytest.param("post", Rights(), "public", id="a post"),
        pytest.param("message", Rights(), "private", id="a message"),
        pytest.param("note", Rights(), "private", id="a note"),
        pytest.param("post", Rights(visibility="members"), "members", id="as the source is set"),
    ],
)
def test_visibility_of_what_does_not_say(kind: str, rights: Rights, wanted: str) -> None:
    assert normalised(kind=kind, book=SourceBook({"forum": rights})).visibility == wanted


def test_our_own_source_links_by_feedback_id() -> None:
    parent = ids.feedback_id("mail", "1")
    assert normalised(source="earshot", in_reply_to=parent).parents == (parent,)
    assert normalised(source="forum", in_reply_to=parent).parents == (ids.feedback_id("forum", parent),)


@pytest.mark.parametrize(
    ("grant", "source", "code"),
    [
        pytest.param(Grant(sources=frozenset({"mail"})), "forum", "source-forbidden", id="bound elsewhere"),
        pytest.param(Grant(sources=frozenset()), "forum", "source-forbidden", id="bound to nothing"),
        pytest.param(Grant(), "earshot", "source-reserved", id="our own source"),
    ],
)
def test_sources_that_are_not_the_keys(grant: Grant, source: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        normalised(grant, source=source)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("rights", "brand", "believed"),
    [
        pytest.param(Rights(), "acme", False, id="speaks for nobody"),
        pytest.param(Rights(speaks_for=frozenset({"acme"})), "ACME", True, id="whatever the case"),
        pytest.param(Rights(speaks_for=frozenset({"acme"})), "other", False, id="another brand"),
        pytest.param(Rights(speaks_for=frozenset({"acme"})), None, False, id="no brand"),
        pytest.param(Rights(speaks_for=frozenset({"*"})), None, True, id="all brands"),
    ],
)
def test_who_speaks_for_a_brand(rights: Rights, brand: str | None, believed: bool) -> None:
    book = SourceBook({"forum": rights})
    item = normalised(Grant(), book, brand=brand, author={"id": "1", "on_behalf_of_brand": True})
    assert item.author.on_behalf_of_brand is believed
    assert ("on_behalf_of_brand" in item.author.claimed) is not believed


def test_a_verified_mail_needs_a_mail() -> None:
    assert not normalised(author={"id": "1", "email_verified": True, "phone_verified": True}).author.email_verified
