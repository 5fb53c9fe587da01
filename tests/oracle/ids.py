"""Ids as functions of facts. Owns: how every id of the model is made. Must not: import the product, read a clock.

The product keys some of these hashes with a secret of the installation; the model has no secret, so its keyed ids are
compared by what they name and never byte by byte. feedback_id, conversation nodes and case ids are unkeyed and equal.
"""

import hashlib
import unicodedata
from uuid import UUID, uuid5

NAMESPACE = UUID("e61cf7c8-1a8e-4efe-8f6d-313804dc2cf8")
SEPARATOR = "\x1f"


def feedback_id(source: str, external_id: str) -> UUID:
    """Contract §4: UUIDv5 of source + U+001F + external_id, both NFC and trimmed."""
    return uuid5(NAMESPACE, _clean(source) + SEPARATOR + _clean(external_id))


def conversation_node(source: str, conversation: str) -> UUID:
    """The node that a source's conversation is in the graph of threads.

    The second separator keeps it apart from every feedback_id: neither source nor external_id holds a control character.
    """
    return uuid5(NAMESPACE, SEPARATOR.join(("conversation", _clean(source), _clean(conversation))))


def case_id(opening: UUID) -> UUID:
    """The id of the case that `opening` opens, and for ever an alias of whatever case holds that message."""
    return uuid5(opening, "case")


def event_id(feedback: UUID, revision: int) -> UUID:
    """Contract §4: UUIDv5(feedback_id, revision as text)."""
    return uuid5(feedback, str(revision))


def handle_name(handle: str) -> str:
    """A handle as it is compared: NFC, without the leading @, lower case."""
    return unicodedata.normalize("NFC", handle.strip().lstrip("@").strip().lower())


def account_key(channel: str, account_id: str) -> str:
    return f"{channel}:{account_id}"


def handle_key(channel: str, handle: str) -> str:
    return f"{channel}:@{handle_name(handle)}"


def mail_key(channel: str, mail: str) -> str:
    return f"{channel}:mail:{hashed(mail_name(mail))}"


def mail_name(mail: str) -> str:
    return unicodedata.normalize("NFC", mail.strip()).lower()


def hashed(value: str) -> str:
    """Stands for the keyed hash of the product: one-way, the same for the same value."""
    return hashlib.sha256(value.encode()).hexdigest()[:32]


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
