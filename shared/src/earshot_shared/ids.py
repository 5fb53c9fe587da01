"""Identifiers that are functions of the facts, so that every service, replay and machine makes the same ones.

Owns the spelling of ids (``docs/ids.md`` has test vectors). Reads nothing and keeps nothing.
"""

import hashlib
import hmac
import re
import unicodedata
from typing import NewType
from uuid import UUID

FeedbackId = NewType("FeedbackId", str)
AuthorKey = NewType("AuthorKey", str)

NAMESPACE = UUID("e61cf7c8-1a8e-4efe-8f6d-313804dc2cf8")
UNIT_SEPARATOR = "\x1f"
MAX_ID_BYTES = 512


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def is_uuid(text: str) -> bool:
    """Return whether ``text`` is a UUID as we write them: lower case, with dashes."""
    return _UUID.fullmatch(text) is not None


def uuid5_text(namespace: bytes, name: str) -> str:
    """Return the canonical text of UUIDv5(namespace, name); a third of the price of ``uuid.uuid5`` (sha1 straight to text)."""
    text = hashlib.sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def clean_external(value: str) -> str:
    """Return ``value`` as ids use it: NFC and trimmed.

    Raises: ValueError when nothing is left, when it is over 512 bytes of UTF-8, or when it holds a control character.
    """
    cleaned = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    if not cleaned:
        raise ValueError("is empty")
    if len(cleaned) > MAX_ID_BYTES or (not cleaned.isascii() and len(cleaned.encode()) > MAX_ID_BYTES):
        raise ValueError(f"is longer than {MAX_ID_BYTES} bytes")
    if not cleaned.isprintable() and any(unicodedata.category(character) == "Cc" for character in cleaned):
        raise ValueError("holds a control character")
    return cleaned


def feedback_id(source: str, external_id: str) -> FeedbackId:
    """Return the id of an item: UUIDv5(NAMESPACE, source + U+001F + external_id); both must already be clean."""
    return FeedbackId(uuid5_text(NAMESPACE.bytes, f"{source}{UNIT_SEPARATOR}{external_id}"))


def conversation_node(source: str, conversation: str) -> str:
    """Return the node of a conversation among the links of threads; it can never equal a feedback_id (two separators)."""
    return uuid5_text(NAMESPACE.bytes, f"conversation{UNIT_SEPARATOR}{source}{UNIT_SEPARATOR}{conversation}")


def event_id(of: str, revision: int) -> str:
    """Return the event id of one revision: UUIDv5(feedback_id, revision as text)."""
    return uuid5_text(_bytes(of), str(revision))


def case_id(first_customer_message: str) -> str:
    """Return the id of the case that a thread's first customer message opens."""
    return uuid5_text(_bytes(first_customer_message), "case")


def _bytes(uuid: str) -> bytes:
    """Return the 16 bytes of a UUID in canonical text; a fifth of the price of ``UUID(uuid).bytes``."""
    return bytes.fromhex(uuid.replace("-", ""))


def keyed_hash(secret: bytes, value: str) -> str:
    """Return 32 hex digits that stand for ``value`` without telling it; the same installation always gets the same."""
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()[:32]


def keyed_uuid(secret: bytes, kind: str, value: str) -> str:
    """Return a UUID (version 8 layout) that only this installation's secret can derive from ``value``."""
    digest = hmac.new(secret, f"{kind}{UNIT_SEPARATOR}{value}".encode(), hashlib.sha256).digest()
    text = digest[:16].hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def clean_handle(handle: str) -> str:
    """Return a handle as author keys use it: without leading ``@``, NFC, lower case; empty when nothing is left."""
    return unicodedata.normalize("NFC", handle.strip().lstrip("@").strip().lower())


def author_key(*, channel: str, account_id: str | None, handle: str | None, mail: str | None, secret: bytes) -> AuthorKey | None:
    """Return the key of an author, or None when neither account id, handle nor mail is known.

    The order is the contract's: ``channel:id``, else ``channel:@handle``, else ``channel:mail:`` and a keyed hash of the mail.
    """
    if account_id:
        return AuthorKey(f"{channel}:{account_id}")
    if handle and (cleaned := clean_handle(handle)):
        return AuthorKey(f"{channel}:@{cleaned}")
    if mail and (cleaned := mail.strip().lower()):
        return AuthorKey(f"{channel}:mail:{keyed_hash(secret, cleaned)}")
    return None
