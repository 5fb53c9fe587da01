"""The item: one thing a customer (or the company) said, as it travels on the topics.

Owns the wire form after ingest has normalised it (contract §5 plus what ingest adds). What HTTP accepts is ingest's business.
"""

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["post", "reply", "mention", "review", "idea", "vote", "question", "rating", "message", "note"]
Visibility = Literal["public", "members", "private"]

MAX_TEXT_CHARACTERS = 20_000
MAX_ITEM_BYTES = 256 * 1024


class Author(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Who said it, as far as the source may assert it. ``claimed`` names assertions beyond the source's rights: kept, never believed."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    url: str | None = None
    followers: int | None = None
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
    revision: int
    source: str
    external_id: str = ""
    channel: str
    author_key: str
    author: Author = Author()
    occurred_at: datetime
    received_at: datetime
    kind: Kind = "post"
    visibility: Visibility = "public"
    text: str = ""
    title: str | None = None
    language: str | None = None
    url: str | None = None
    in_reply_to: str | None = None
    conversation: str | None = None
    parents: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    handle_key: str | None = None
    rating: Rating | None = None
    product: str | None = None
    brand: str | None = None
    event_tag: str | None = None
    tags: tuple[str, ...] = ()
    extra: dict[str, msgspec.Raw] = {}
    edited_at: datetime | None = None
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
