"""From one record of a file to one item as HTTP takes it, a pure function for each format.

Owns the mapping of names. What an item must be is judged at the door, so that a file and a request are refused for the same reasons.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

Record = Mapping[str, Any]
Adapter = Callable[[Record, str], dict[str, Any]]


class BadRecordError(ValueError):
    """A record that is none of its format; the sentence says why, without its content."""


class Format(Enum):
    """The formats of `earshot import`, each with the source its items get unless one is named."""

    JSONL = "jsonl"
    CSV = "csv"
    CONVERSATIONS = "conversations"
    TWCS = "twcs"


SURPLUS: Final = "(surplus)"
"""The column under which a CSV reader puts cells beyond the header."""

_CHANNEL: Final = "twitter"  # both sets of conversations are tweets
_TEXTS: Final = ("kind", "visibility", "title", "language", "url", "in_reply_to", "conversation", "product", "brand", "event_tag")
_AUTHOR_TEXTS: Final = ("id", "handle", "name", "email", "phone", "url")
_AUTHOR_FLAGS: Final = ("email_verified", "phone_verified", "is_staff", "on_behalf_of_brand")
_FLAGS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MENTION: Final = re.compile(r"@(\w+)")
_TWITTER_TIME: Final = "%a %b %d %H:%M:%S %z %Y"


def adapt_item(record: Record, source: str) -> dict[str, Any]:
    """Return an item that is one already, with the source where it names none."""
    return {"source": source, **record} if source and not record.get("source") else dict(record)


def adapt_conversation(record: Record, source: str) -> dict[str, Any]:
    """Return the item of a message of ``conversation_id, message_id, author, author_is_brand, brand, in_reply_to, created_at, text``.

    An account of a brand may join another brand's conversation: it speaks for itself there, so its message bears its own name as brand.
    """
    try:
        author, is_brand, brand = _id(record, "author"), record["author_is_brand"], record.get("brand")
        if not isinstance(is_brand, bool):
            raise BadRecordError("the field author_is_brand is neither true nor false")
        own = is_brand and (not brand or author.lstrip("@").casefold() != str(brand).lstrip("@").casefold())
        return _without_blanks(
            {
                "source": source,
                "external_id": _id(record, "message_id"),
                "channel": _CHANNEL,
                "author": {"handle": author, "on_behalf_of_brand": is_brand},
                "text": record["text"],
                "occurred_at": record["created_at"],
                "kind": "mention" if not record.get("in_reply_to") else "reply",
                "in_reply_to": _text(record.get("in_reply_to")),
                "conversation": _text(record.get("conversation_id")),
                "brand": author.lstrip("@") if own else brand,
            }
        )
    except KeyError as error:
        raise BadRecordError(f"the field {error.args[0]} is missing") from None


def adapt_tweet(record: Record, source: str) -> dict[str, Any]:
    """Return the item of a row of the twcs format (``tweet_id, author_id, inbound, created_at, text, …``), or of a `conversation`."""
    if "message_id" in record:
        return adapt_conversation(record, source)
    try:
        inbound = str(record["inbound"]).strip().lower()
        if inbound not in {"true", "false"}:
            raise BadRecordError("the column inbound is neither True nor False")
        is_brand, author = inbound == "false", _id(record, "author_id")
        parent = _text(record.get("in_response_to_tweet_id"))
        return _without_blanks(
            {
                "source": source,
                "external_id": _id(record, "tweet_id"),
                "channel": _CHANNEL,
                "author": {"handle": author, "on_behalf_of_brand": is_brand},
                "text": record["text"],
                "occurred_at": _twitter_time(str(record["created_at"])),
                "kind": "mention" if parent is None else "reply",
                "in_reply_to": parent,
                "brand": author if is_brand else _mentioned_brand(str(record["text"])),
            }
        )
    except KeyError as error:
        raise BadRecordError(f"the column {error.args[0]} is missing") from None


def adapt_row(record: Record, source: str) -> dict[str, Any]:
    """Return the item of a CSV row whose columns bear the names of an item's fields.

    ``author.id`` and the like (or ``author_id``), ``rating.value``, ``rating.best``; ``tags`` are parted by ``|``; columns of other names
    go into ``extra``; empty cells are absent.
    """
    cells = dict(record)
    if cells.pop("", None) or cells.pop(SURPLUS, None):
        raise BadRecordError("there are more cells than columns")
    row: dict[str, str] = {name.strip(): value for name, value in cells.items() if value}
    item: dict[str, Any] = {"source": row.pop("source", source), "text": row.pop("text", "")}
    for name in ("external_id", "channel", "occurred_at", *_TEXTS):
        if name in row:
            item[name] = row.pop(name)
    item["author"] = _author(row)
    value = _take(row, "rating", "value")
    value = row.pop("rating", None) if value is None else value
    if value is not None:
        best = _take(row, "rating", "best")
        item["rating"] = {"value": _number("rating", value)} | ({} if best is None else {"best": _number("rating.best", best)})
    if "tags" in row:
        item["tags"] = [tag.strip() for tag in row.pop("tags").split("|") if tag.strip()]
    if row:
        item["extra"] = row
    return item


ADAPTERS: Final[Mapping[Format, Adapter]] = {
    Format.JSONL: adapt_item,
    Format.CSV: adapt_row,
    Format.CONVERSATIONS: adapt_conversation,
    Format.TWCS: adapt_tweet,
}


def _author(row: dict[str, str]) -> dict[str, Any]:
    author: dict[str, Any] = {}
    for name in _AUTHOR_TEXTS:
        if (value := _take(row, "author", name)) is not None:
            author[name] = value
    if (followers := _take(row, "author", "followers")) is not None:
        if not followers.strip().isdecimal():
            raise BadRecordError("the column author.followers is no count")
        author["followers"] = int(followers)
    for name in _AUTHOR_FLAGS:
        if (value := _take(row, "author", name)) is not None:
            if value.strip().lower() not in _FLAGS:
                raise BadRecordError(f"the column author.{name} is neither true nor false")
            author[name] = _FLAGS[value.strip().lower()]
    return author


def _take(row: dict[str, str], group: str, name: str) -> str | None:
    """Take ``group.name`` or ``group_name`` out of a row."""
    dotted = row.pop(f"{group}.{name}", None)
    scored = row.pop(f"{group}_{name}", None)
    return dotted if dotted is not None else scored


def _number(column: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRecordError(f"the column {column} is no number")
    return number


def _id(record: Record, name: str) -> str:
    """Return an id: text, or a number that stands for it; what is empty or something else would make one id of many."""
    value = record[name]
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadRecordError(f"the field {name} holds no id")
    return str(value)


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _twitter_time(text: str) -> str:
    """Return ``Tue Oct 31 22:10:47 +0000 2017`` as RFC 3339; what has another form is left to the door."""
    try:
        return datetime.strptime(text, _TWITTER_TIME).isoformat()  # noqa: DTZ007  # the form has %z
    except ValueError:
        return text


def _mentioned_brand(text: str) -> str | None:
    """Return the first account mentioned that has a name: customers are numbers in that set, brands are not."""
    return next((name for name in _MENTION.findall(text) if not name.isdigit()), None)


def _without_blanks(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}
