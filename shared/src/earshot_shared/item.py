"""The item: one thing a customer (or the company) said, as it travels on the topics.

Owns the wire form after ingest has normalised it (contract §5 plus what ingest adds). What HTTP accepts is ingest's business.
"""

import re
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from earshot_shared.ids import MAX_ID_BYTES

Kind = Literal["post", "reply", "mention", "review", "idea", "vote", "question", "rating", "message", "note"]
Visibility = Literal["public", "members", "private"]

MAX_TEXT_CHARACTERS = 20_000
MAX_ITEM_BYTES = 256 * 1024
LONGEST_CHANNEL = 64
LONGEST_SHORT_TEXT = 300  # names, products, brands, tags: what people read in one line
MOST_FOLLOWERS = 2**53  # beyond it other JSON readers lose digits
# What others write on the topics is held to what ingest would have said, so that one record of theirs fits every table and index of ours.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Revision = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Version = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Id = Annotated[str, msgspec.Meta(max_length=MAX_ID_BYTES)]
Channel = Annotated[str, msgspec.Meta(max_length=LONGEST_CHANNEL)]
AuthorKey = Annotated[str, msgspec.Meta(max_length=LONGEST_CHANNEL + len(":@") + MAX_ID_BYTES)]
ShortText = Annotated[str, msgspec.Meta(max_length=LONGEST_SHORT_TEXT)]
Followers = Annotated[int, msgspec.Meta(ge=0, le=MOST_FOLLOWERS)]
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Author(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Who said it, as far as the source may assert it. ``claimed`` names assertions beyond the source's rights: kept, never believed."""

    id: Id | None = None
    handle: Id | None = None
    name: ShortText | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    url: str | None = None
    followers: Followers | None = None
    is_staff: bool = False
    on_behalf_of_brand: bool = False
    claimed: tuple[str, ...] = ()


class Rating(msgspec.Struct, frozen=True, gc=False):
    """A rating as given, such as 4 of 5."""

    value: float
    best: float = 5


class Item(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One revision of one item.

    ``parents`` are the feedback_ids it replies to (of items that may not have arrived), ``conversations`` the nodes of the conversations it
    belongs to; both are what ingest has gathered over all deliveries and never lose an entry but by withdrawal. ``handle_key`` is the
    author key that the handle alone would give, when the author also has an id. Withdrawn and erased items have neither text nor author;
    ``erasure_id`` names the erasure that took an item which had been told before.
    """

    feedback_id: str
    revision: Revision
    source: Id
    external_id: Id = ""
    channel: Channel
    author_key: AuthorKey
    author: Author = Author()
    occurred_at: Moment
    received_at: Moment
    kind: Kind = "post"
    visibility: Visibility = "public"
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARACTERS)] = ""
    title: str | None = None
    language: str | None = None
    url: str | None = None
    in_reply_to: Id | None = None
    conversation: Id | None = None
    parents: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    handle_key: AuthorKey | None = None
    rating: Rating | None = None
    product: ShortText | None = None
    brand: ShortText | None = None
    event_tag: ShortText | None = None
    tags: tuple[ShortText, ...] = ()
    extra: dict[str, msgspec.Raw] = {}
    edited_at: Moment | None = None
    withdrawn: bool = False
    erased: bool = False
    erasure_id: str | None = None
    backfill: bool = False


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Item)


def encode_item(item: Item) -> bytes:
    """Return the item as JSON."""
    return _encoder.encode(item)


def decode_item(body: bytes | msgspec.Raw) -> Item:
    """Return the item in ``body``.

    Raises: msgspec.DecodeError when it is none.
    """
    return _decoder.decode(body)


def holds_nul(body: bytes) -> bool:
    """Say whether a text in this JSON holds the character NUL, which Postgres cannot store."""
    return b"\\u0000" in body and _NUL.search(body) is not None
