"""The wire of ingest: what its HTTP door takes, strictly, and the messages it sends.

Owns the shapes and the words for what does not fit them. What an item becomes is the domain's business.
"""

import re
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from earshot_ingest.domain.given import EditIn, ItemIn, WithdrawalIn
from earshot_ingest.domain.refusals import Refusal
from earshot_shared import ids
from earshot_shared.envelope import EventWriter
from earshot_shared.item import Item
from earshot_shared.messages import Message
from earshot_shared.receipts import ReceiptWriter
from earshot_shared.topics import Topic

SERVICE = "ingest"
T = TypeVar("T")


_item_decoder = msgspec.json.Decoder(ItemIn)
_edit_decoder = msgspec.json.Decoder(EditIn)
_withdrawal_decoder = msgspec.json.Decoder(WithdrawalIn)
_PATH = re.compile(r" - at `\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")
_LONGEST_PATH = 120
_OF_ITEMS = "put what has no field of its own into `extra`"


def decode_item_in(raw: bytes | msgspec.Raw) -> ItemIn:
    """Return the item in ``raw``.

    Raises: Refusal with a word for what does not fit.
    """
    return _decoded(_item_decoder, raw)


def decode_edit_in(raw: bytes) -> EditIn:
    """Return the edit in ``raw``.

    Raises: Refusal with a word for what does not fit.
    """
    return _decoded(_edit_decoder, raw)


def decode_withdrawal_in(raw: bytes) -> WithdrawalIn:
    """Return the withdrawal in ``raw``.

    Raises: Refusal with a word for what does not fit.
    """
    return _decoded(_withdrawal_decoder, raw, "a withdrawal holds `edited_at` and no more")


def _decoded(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, allowed: str = _OF_ITEMS) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal_of(error, allowed) from None


def refusal_of(error: Exception, allowed: str = _OF_ITEMS) -> Refusal:
    """Return our words for what the decoder raised; ``allowed`` is what to say of an unknown field. They repeat names of fields, never
    values.
    """
    if isinstance(error, RecursionError):
        return Refusal("json-too-deep", "The JSON is nested too deeply: flatten it.")
    if isinstance(error, UnicodeDecodeError):
        return Refusal("encoding-invalid", "The text is not UTF-8.")
    if not isinstance(error, msgspec.ValidationError):
        return Refusal("json-invalid", f"This is not JSON: {error}.")  # the library names the fault and its place, never a value
    said = str(error)
    found = _PATH.search(said)
    path = found[1] if found else ""
    if named := _UNKNOWN.search(said):
        field = _joined(path, named[1])
        return Refusal("unknown-field", f"There is no field {field}: {allowed}.", field)
    if named := _MISSING.search(said):
        field = _joined(path, named[1])
        return Refusal("required", f"The field {field} is required.", field)
    if "timezone" in said or "RFC3339" in said:
        return Refusal("time-invalid", f"{path or 'The value'} is not an RFC 3339 time with a zone, such as 2024-05-01T12:30:00Z.", path)
    if said.startswith("Expected"):
        wanted = said[: said.find(", got")] if ", got" in said else "Expected something else"
        return Refusal("wrong-type", f"{wanted} in {path or 'the body'}.", path)
    return Refusal("invalid-value", f"{path or 'A value'} is none of the values that this field takes.", path)


def _joined(path: str, name: str) -> str:
    joined = f"{path}.{name}" if path else name
    return joined if len(joined) <= _LONGEST_PATH and joined.isprintable() else "(unreadable name)"


_received = EventWriter(Topic.FEEDBACK_RECEIVED, SERVICE)
_backfilled = EventWriter(Topic.FEEDBACK_BACKFILLED, SERVICE)


def topic_of(*, live: bool) -> Topic:
    """Return the topic of an item: that of its first acceptance, for ever."""
    return Topic.FEEDBACK_RECEIVED if live else Topic.FEEDBACK_BACKFILLED


def item_message(feedback_id: str, revision: int, body: bytes, *, live: bool, time: str, traceparent: str | None = None) -> Message:
    """Return the message that tells one revision of an item, whose JSON is ``body``. ``time`` is RFC 3339."""
    writer = _received if live else _backfilled
    return writer.write(feedback_id, ids.event_id(feedback_id, revision), msgspec.Raw(body), time=time, traceparent=traceparent)


def message_of(item: Item, body: bytes, *, time: str, traceparent: str | None = None) -> Message:
    """Return the message of an item as `item_message` does."""
    return item_message(item.feedback_id, item.revision, body, live=not item.backfill, time=time, traceparent=traceparent)


class ErasureRequested(msgspec.Struct, gc=False):
    """A person is to be forgotten: everything up to ``at`` by whom these hashes stand for (`earshot_shared.identifiers.alias_of`)."""

    erasure_id: str
    identifiers: tuple[str, ...]
    at: datetime


class _ErasureRequestedEvent(msgspec.Struct, gc=False):
    data: ErasureRequested


_erasures = msgspec.json.Decoder(_ErasureRequestedEvent)
RECEIPTS = ReceiptWriter(SERVICE)


def decode_erasure(value: bytes) -> ErasureRequested:
    """Return what a record of ``erasure.requested`` says.

    Raises: msgspec.DecodeError, ValueError when it is none.
    """
    asked = _erasures.decode(value).data
    for alias in asked.identifiers:
        UUID(alias)
    if asked.at.tzinfo is None:
        raise ValueError("at has no zone")
    return asked
