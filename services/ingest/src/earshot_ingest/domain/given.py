"""What a source gives: the shapes of contract §5 as they come in, strict about names and types, before anything is judged."""

from datetime import datetime
from typing import Annotated

import msgspec

from earshot_shared.item import Kind, Visibility


class AuthorIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Who said it, as the source gives it."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    phone: str | None = None
    phone_verified: bool | None = None
    url: str | None = None
    followers: int | None = None
    is_staff: bool | None = None
    on_behalf_of_brand: bool | None = None


class RatingIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A rating as given, such as 4 of 5."""

    value: float
    best: float | None = None


class ItemIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One item as HTTP takes it (contract §5); null means absent. ``extra`` takes what has no field of its own."""

    source: str
    external_id: str
    channel: str
    author: AuthorIn
    text: str
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    kind: Kind | None = None
    visibility: Visibility | None = None
    title: str | None = None
    language: str | None = None
    url: str | None = None
    in_reply_to: str | None = None
    conversation: str | None = None
    rating: RatingIn | None = None
    product: str | None = None
    brand: str | None = None
    event_tag: str | None = None
    tags: list[str] | None = None
    extra: dict[str, msgspec.Raw] | None = None


class EditIn(ItemIn, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """An item as ``PUT`` takes it: the whole of it as it is now, and when it was edited."""

    edited_at: Annotated[datetime, msgspec.Meta(tz=True)]


class WithdrawalIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What ``DELETE`` may carry: when the item was withdrawn at its source."""

    edited_at: Annotated[datetime, msgspec.Meta(tz=True)]
