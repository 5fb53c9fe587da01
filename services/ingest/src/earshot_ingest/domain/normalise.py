"""From what a source sends to the item that travels: ids, keys, bounds, rights.

Owns the rules of contract §4 and §5 for a single item. Pure: the time of receipt, the rights and the secret are given.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from earshot_ingest.domain.given import AuthorIn, ItemIn, RatingIn
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import OUR_SOURCE, Grant, Rights, SourceBook
from earshot_shared import ids
from earshot_shared.envelope import rfc3339
from earshot_shared.item import (
    LONGEST_CHANNEL,
    LONGEST_SHORT_TEXT,
    MAX_TEXT_CHARACTERS,
    MOST_FOLLOWERS,
    Author,
    Item,
    Rating,
    Visibility,
)

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD: Final = timedelta(days=1)
MAX_EXTRA_DEPTH: Final = 20
MAX_TAGS: Final = 50
LONGEST_TITLE: Final = 1_000
LONGEST_URL: Final = 2_048
LONGEST_MAIL: Final = 320

_CHANNEL = re.compile(rf"[a-z0-9_-]{{1,{LONGEST_CHANNEL}}}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_CLAIMS: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """What is the same for all items of one source in one request."""

    source: str
    rights: Rights


class Normaliser:
    """Normalises the items of one request. Keeps what its items have in common; make one per request."""

    def __init__(self, *, grant: Grant, book: SourceBook, mail_secret: bytes, received_at: datetime, backfill: bool = False) -> None:
        self._grant = grant
        self._book = book
        self._mail_secret = mail_secret
        self._received_at = received_at
        self._latest = received_at + LATEST_AHEAD
        self._backfill = backfill
        self._places: dict[str, _Place] = {}
        self._channels: set[str] = set()
        self._cleaned: dict[str, str | None] = {}
        self.time: Final = rfc3339(received_at)
        self.last_source: str | None = None
        """The source of the last item, once it was found that the request may speak for it."""

    def item(self, given: ItemIn) -> Item:
        """Return the first revision of what was given.

        Raises: Refusal when it cannot be taken.
        """
        place = self._places.get(given.source) or self._place(given.source)
        source, rights = place.source, place.rights
        self.last_source = source
        channel = self._channel(given.channel)
        external_id = _id("external_id", given.external_id)
        feedback_id = ids.feedback_id(source, external_id)
        brand = None if given.brand is None else self._repeated("brand", given.brand)
        rating = None if given.rating is None else _rating(given.rating)
        parent = None if given.in_reply_to is None else _link("in_reply_to", given.in_reply_to)
        conversation = None if given.conversation is None else _link("conversation", given.conversation)
        author, key, handle_key = self._author(given.author, channel, rights, brand)
        return Item(
            feedback_id=feedback_id,
            revision=1,
            source=source,
            external_id=external_id,
            channel=channel,
            author_key=key,
            author=author,
            occurred_at=self._occurred_at(given.occurred_at),
            received_at=self._received_at,
            kind=given.kind or "post",
            visibility=given.visibility or _visibility(given.kind, rights),
            text=_text(given),
            title=None if given.title is None else _line("title", given.title, LONGEST_TITLE),
            language=None if given.language is None else _language(given.language),
            url=None if given.url is None else _url("url", given.url),
            in_reply_to=parent,
            conversation=conversation,
            parents=() if parent is None else (_parent(source, parent),),
            conversations=() if conversation is None else (ids.conversation_node(source, conversation),),
            handle_key=handle_key,
            rating=rating,
            product=None if given.product is None else self._repeated("product", given.product),
            brand=brand,
            event_tag=None if given.event_tag is None else self._repeated("event_tag", given.event_tag),
            tags=() if not given.tags else _tags(given.tags),
            extra=_extra(given.extra) if given.extra else {},
            backfill=self._backfill,
        )

    def _place(self, given: str) -> _Place:
        source = _id("source", given)
        place = _Place(source, self._grant.rights(source, self._book))
        self._places[given] = place
        return place

    def _repeated(self, field: str, given: str) -> str | None:
        """Return a short text of which a request's items share a few."""
        if given not in self._cleaned:
            self._cleaned[given] = _line(field, given, LONGEST_SHORT_TEXT)
        return self._cleaned[given]

    def _channel(self, given: str) -> str:
        if given not in self._channels:
            if not _CHANNEL.fullmatch(given):
                raise Refusal("invalid-channel", "channel takes 1 to 64 of a-z, 0-9, _ and -.", "channel")
            self._channels.add(given)
        return given

    def _occurred_at(self, given: datetime) -> datetime:
        if not EARLIEST <= given <= self._latest:
            raise Refusal("occurred-at-out-of-range", "occurred_at lies between 1990 and a day from now.", "occurred_at")
        return given if given.tzinfo is UTC else given.astimezone(UTC)

    def _author(self, given: AuthorIn, channel: str, rights: Rights, brand: str | None) -> tuple[Author, str, str | None]:
        """Return the author as far as the source may say so, the author's key, and the key of the handle beside an id."""
        account = None if given.id is None else _account_id(given.id)
        handle = None if given.handle is None else _handle(given.handle)
        mail = None if given.email is None else _mail(given.email)
        handle_key = None if handle is None else f"{channel}:@{handle.lower() if handle.isascii() else ids.clean_handle(handle)}"
        if account is not None:
            key = f"{channel}:{account}"
        elif handle_key is not None:
            key, handle_key = handle_key, None
        else:
            key = self._mail_key(channel, mail)
        beyond = _NO_CLAIMS if rights.everything else _beyond(given, rights, brand, has_account=account is not None or handle is not None)
        author = Author(
            id=account,
            handle=handle,
            name=None if given.name is None else _line("author.name", given.name, LONGEST_SHORT_TEXT),
            email=mail,
            email_verified=given.email_verified is True and mail is not None and "email_verified" not in beyond,
            phone=None if given.phone is None else _line("author.phone", given.phone, LONGEST_SHORT_TEXT),
            phone_verified=given.phone_verified is True and bool(given.phone) and "phone_verified" not in beyond,
            url=None if given.url is None else _url("author.url", given.url),
            followers=None if given.followers is None else _followers(given.followers),
            is_staff=given.is_staff is True and "is_staff" not in beyond,
            on_behalf_of_brand=given.on_behalf_of_brand is True and "on_behalf_of_brand" not in beyond,
            claimed=beyond,
        )
        return author, key, handle_key

    def _mail_key(self, channel: str, mail: str | None) -> str:
        key = ids.author_key(channel=channel, account_id=None, handle=None, mail=mail, secret=self._mail_secret)
        if key is None:
            raise Refusal("author-unknown", "The author needs an id, a handle or an email.", "author")
        return key


def _beyond(given: AuthorIn, rights: Rights, brand: str | None, *, has_account: bool) -> tuple[str, ...]:
    """Return the claims about an author that the source may not make: they are remembered as claims, and not believed."""
    claims = (
        ("email_verified", given.email_verified, "email" in rights.verifies),
        ("phone_verified", given.phone_verified, "phone" in rights.verifies),
        ("is_staff", given.is_staff, rights.staff),
        ("on_behalf_of_brand", given.on_behalf_of_brand, rights.speaks(brand)),
        ("account", has_account, "account" in rights.verifies),
    )
    return tuple(name for name, claimed, granted in claims if claimed and not granted)


def _parent(source: str, in_reply_to: str) -> str:
    """Return the feedback_id that a reply answers; our own replies name it straight away, everybody else within the source."""
    if source == OUR_SOURCE and _UUID.fullmatch(in_reply_to):
        return in_reply_to
    return ids.feedback_id(source, in_reply_to)


def _id(field: str, value: str) -> str:
    """Return an id as ids are compared; nearly all are plain ASCII and stay as they are."""
    if value.isascii() and value.isprintable() and 0 < len(value) <= ids.MAX_ID_BYTES and value[0] != " " != value[-1]:
        return value
    try:
        return ids.clean_external(value)
    except ValueError as error:
        raise Refusal("invalid-id", f"{field} {error}.", field) from None


def _link(field: str, value: str) -> str | None:
    """Return a link's id; a blank one is no link."""
    return _id(field, value) if value.strip() else None


def _account_id(value: str) -> str | None:
    if not value.strip():
        return None
    cleaned = _id("author.id", value)
    if cleaned[0] in "@m" and cleaned.startswith(("@", "mail:")):  # such an id would make the key of another kind of author
        raise Refusal("invalid-author-id", "author.id may not begin with @ or mail: (handles go into author.handle).", "author.id")
    return cleaned


def _handle(value: str) -> str | None:
    bare = value.strip().lstrip("@")
    return _id("author.handle", bare.strip()) if bare.strip() else None


def _mail(value: str) -> str | None:
    cleaned = unicodedata.normalize("NFC", value.strip())
    if not cleaned:
        return None
    if len(cleaned) > LONGEST_MAIL or not _MAIL.fullmatch(cleaned) or not cleaned.isprintable():
        raise Refusal("invalid-email", "author.email is not a mail address.", "author.email")
    return cleaned


def _followers(value: int) -> int:
    if not 0 <= value <= MOST_FOLLOWERS:
        raise Refusal("invalid-value", "author.followers is a count.", "author.followers")
    return value


def _text(given: ItemIn) -> str:
    text = given.text
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Refusal("text-too-long", f"text takes up to {MAX_TEXT_CHARACTERS:,} characters.", "text")
    if "\x00" in text:
        raise _control("text")
    if not text.strip() and given.rating is None and given.kind != "vote":
        raise Refusal("text-empty", "text may be empty only when a rating or the kind vote says all.", "text")
    return text


def _line(field: str, value: str, longest: int) -> str | None:
    """Return a text of one line: trimmed, line breaks and other control characters as blanks; None when nothing is left."""
    if len(value) > longest:
        raise Refusal("too-long", f"{field} takes up to {longest:,} characters.", field)
    if not value.isprintable():
        if "\x00" in value:
            raise _control(field)
        value = "".join(" " if unicodedata.category(character) == "Cc" else character for character in value)
    return value.strip() or None


def _control(field: str) -> Refusal:
    return Refusal("text-invalid", f"{field} holds a NUL character.", field)


def _language(value: str) -> str | None:
    cleaned = value.strip()
    if cleaned.lower() in ("", "und", "unknown"):
        return None
    if len(cleaned) > 35 or not _LANGUAGE.fullmatch(cleaned):
        raise Refusal("invalid-language", "language takes an ISO 639 code such as en, or a tag such as pt-BR.", "language")
    return cleaned


def _url(field: str, value: str) -> str | None:
    cleaned = value.strip()
    if not cleaned:
        return None
    if len(cleaned) > LONGEST_URL or not cleaned.isprintable() or not cleaned[:8].lower().startswith(("http://", "https://")):
        raise Refusal("invalid-url", f"{field} takes an address that begins with http:// or https://.", field)
    return cleaned


def _rating(given: RatingIn) -> Rating:
    best = 5.0 if given.best is None else given.best
    if not (math.isfinite(best) and best > 0 and 0 <= given.value <= best):
        raise Refusal("invalid-rating", "rating.value lies between 0 and rating.best.", "rating")
    return Rating(given.value, best)


def _tags(given: list[str]) -> tuple[str, ...]:
    if len(given) > MAX_TAGS:
        raise Refusal("too-many", f"tags takes up to {MAX_TAGS} entries.", "tags")
    return tuple(dict.fromkeys(tag for each in given if (tag := _line("tags", each, LONGEST_SHORT_TEXT))))


def _extra(given: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Return ``extra`` as given, once it is sure that every reader and every column can hold it."""
    kept: dict[str, msgspec.Raw] = {}
    for name, raw in given.items():
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            raise Refusal("invalid-value", "extra holds a value that cannot be read.", "extra") from None
        if "\x00" in name or _has_nul(value, MAX_EXTRA_DEPTH):
            raise _control("extra")
        kept[name] = raw
    return kept


def _has_nul(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict | list):
        if depth == 0:
            raise Refusal("json-too-deep", f"extra takes up to {MAX_EXTRA_DEPTH} levels.", "extra")
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return any(_has_nul(each, depth - 1) for each in inner)
    return False


def _visibility(kind: str | None, rights: Rights) -> Visibility:
    """Return who may see an item that does not say: as its source is set; else messages and notes are private by nature."""
    if rights.visibility is not None:
        return rights.visibility
    return "private" if kind in ("message", "note") else "public"
