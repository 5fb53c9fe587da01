"""Contacts: records of CRM and other systems, as they travel and are kept.

Owns their wire form (body of ``contact.received``), their id, and what they say of a person. A connector vouches for what its record lists
unless the record says otherwise.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from earshot_crm_sync.domain.statements import Statement, statement_of
from earshot_crm_sync.identity import Claim, ListedAccount
from earshot_shared import ids
from earshot_shared.envelope import EventWriter
from earshot_shared.messages import Message
from earshot_shared.topics import Topic

_WRITER: Final = EventWriter(Topic.CONTACT_RECEIVED, "crm-sync")
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)  # a statement has no time of its own


class Account(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An account that the record lists as the person's."""

    channel: str
    account_id: str | None = None
    handle: str | None = None
    verified: bool = True


class Contact(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One revision of one record, whole. A deleted one lists nothing."""

    contact_id: str
    connector: str
    record_id: str
    revision: int
    updated_at: datetime
    name: str | None = None
    email: str | None = None
    email_verified: bool = True
    phone: str | None = None
    phone_verified: bool = True
    accounts: tuple[Account, ...] = ()
    fields: dict[str, str] = {}
    deleted: bool = False


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Contact)


def contact_id(connector: str, record_id: str) -> str:
    """Return the id of a record; two separators keep it apart from every feedback_id."""
    return ids.uuid5_text(ids.NAMESPACE.bytes, f"contact{ids.UNIT_SEPARATOR}{connector}{ids.UNIT_SEPARATOR}{record_id}")


def encode_contact(contact: Contact) -> bytes:
    """Return a contact as JSON, the same bytes for the same contact."""
    return _encoder.encode(contact)


def decode_contact(body: bytes | msgspec.Raw) -> Contact:
    """Return the contact in ``body``.

    Raises: msgspec.DecodeError when it is none.
    """
    return _decoder.decode(body)


def content_digest(contact: Contact) -> bytes:
    """Return 16 bytes by which the same content is recognised, whatever its revision."""
    return hashlib.blake2b(encode_contact(msgspec.structs.replace(contact, revision=0)), digest_size=16).digest()


def statement_of_contact(contact: Contact) -> Statement | None:
    """Return what a record says of its person; None when it was deleted."""
    if contact.deleted:
        return None
    return statement_of(
        Claim(
            evidence_id="",
            source=contact.connector,
            at=_ANY_TIME,
            name=contact.name,
            email=contact.email,
            email_verified=contact.email_verified,
            phone=contact.phone,
            phone_verified=contact.phone_verified,
            crm_system=contact.connector,
            crm_id=contact.record_id,
            accounts=tuple(
                ListedAccount(channel=each.channel, account_id=each.account_id, handle=each.handle, verified=each.verified)
                for each in contact.accounts
            ),
            traits=tuple(sorted(contact.fields.items())),
        )
    )


def tell_contact(contact: Contact, *, now: str) -> Message:
    """Return the message that tells a revision of a record."""
    return _WRITER.write(contact.contact_id, ids.event_id(contact.contact_id, contact.revision), contact, time=now)
