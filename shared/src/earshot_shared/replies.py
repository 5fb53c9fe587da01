"""The item that a `respond` action makes: a function of the action alone, so that everybody who holds the action has the same item.

Owns the arguments of ``respond`` and the reply they become. Triage folds the reply in at once; ingest makes the copy that all others see.
"""

from datetime import UTC
from typing import Final

import msgspec

from earshot_shared import ids
from earshot_shared.actions import Action
from earshot_shared.item import Author, Item, Visibility

RESPOND: Final = "respond"
SOURCE: Final = "earshot"
"""The source of our own replies. It alone answers by feedback_id, whatever source that item came from."""


class RespondArguments(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What ``respond`` says. ``seen``: the feedback_ids of the messages the person had before them."""

    text: str
    channel: str
    brand: str | None = None
    visibility: Visibility = "public"
    seen: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(RespondArguments)


def respond_arguments(action: Action) -> RespondArguments:
    """Return the arguments of a ``respond``.

    Raises: msgspec.DecodeError when they are none.
    """
    return _decoder.decode(action.arguments)


def reply_item(action: Action) -> Item:
    """Return the reply, in its first revision; ``action.subject`` is the feedback_id that it answers.

    Raises: msgspec.DecodeError when the arguments are none of ``respond``.
    """
    given = respond_arguments(action)
    external_id = str(action.action_id)
    at = action.at.astimezone(UTC)
    account = f"{SOURCE}:{given.brand or ''}"
    return Item(
        feedback_id=ids.feedback_id(SOURCE, external_id),
        revision=1,
        source=SOURCE,
        external_id=external_id,
        channel=given.channel,
        author_key=f"{given.channel}:{account}",
        author=Author(id=account, on_behalf_of_brand=True),
        occurred_at=at,
        received_at=at,
        kind="reply",
        visibility=given.visibility,
        text=given.text,
        in_reply_to=action.subject,
        parents=(action.subject,),
        brand=given.brand,
    )
