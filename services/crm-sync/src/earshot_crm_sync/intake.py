"""Records taken in: from the bytes of each topic to what a slice applies, the newest of each record.

Owns the translation. Needs no database; what cannot be decoded raises, and the stage sets it aside.
"""

import msgspec

from earshot_crm_sync import events
from earshot_crm_sync.acts import SERVICE, read_act
from earshot_crm_sync.contacts import Contact, decode_contact, encode_contact, statement_of_contact
from earshot_crm_sync.desk import Asked, Erasure, Slice, Told
from earshot_crm_sync.domain.profile import StandingView
from earshot_shared import envelope
from earshot_shared.actions import decode_action
from earshot_shared.receipts import decode_receipt


def take_item(value: bytes, slice_: Slice) -> None:
    """Take a record of ``feedback.triaged``.

    Raises: msgspec.DecodeError when it is none.
    """
    triaged = events.decode_triaged(value)
    item, version = triaged.item, triaged.version
    known = slice_.items.get(item.feedback_id)
    if known is not None and version <= known.revision:
        return
    occurred_at, received_at = item.occurred_at, item.received_at
    slice_.items[item.feedback_id] = Told(
        item.feedback_id,
        version,
        events.statement_of_item(item),
        occurred_at,
        occurred_at if occurred_at <= received_at else received_at,
        events.entry_of(item, triaged.intent, triaged.case_id),
    )


def take_standing(value: bytes, slice_: Slice) -> None:
    """Take a record of ``recognition.changed``; an account that became another's name has no standing of its own any more.

    Raises: msgspec.DecodeError when it is none.
    """
    told = events.decode_standing(value)
    known = slice_.standings.get(told.author_key)
    if known is None or told.version > known[0]:
        shown = (
            StandingView(told.author_key)
            if told.merged_into
            else StandingView(told.author_key, told.tier, told.badges, told.advocate_stage)
        )
        slice_.standings[told.author_key] = (told.version, shown)


def take_erasure(value: bytes, slice_: Slice) -> None:
    """Take a record of ``erasure.requested``.

    Raises: msgspec.DecodeError when it is none.
    """
    slice_.erasures.append(erasure_of(events.decode_erasure(value)))


def erasure_of(told: events.ErasureRequested) -> Erasure:
    """Return a wish to be forgotten as it is applied."""
    return Erasure(told.erasure_id, told.identifiers, told.at, told.actor)


def take_receipt(value: bytes, slice_: Slice) -> None:
    """Take a record of ``erasure.done``; ours was kept when it was made.

    Raises: msgspec.DecodeError when it is none.
    """
    told = decode_receipt(value)
    if told.service != SERVICE:
        slice_.receipts.append((told.erasure_id, told.service, msgspec.json.encode(told.counts)))


def take_outreach(value: bytes, slice_: Slice) -> None:
    """Take a record of ``outreach.requested``; of one wish the first stands.

    Raises: msgspec.DecodeError when it is none.
    """
    body, at = events.decode_outreach(value)
    slice_.outreach.setdefault(body.outreach_id, Asked(body, at))


def take_contact(value: bytes, slice_: Slice) -> None:
    """Take a record of ``contact.received``.

    Raises: msgspec.DecodeError when it is none.
    """
    told = told_of_contact(decode_contact(envelope.decode(value).data))
    known = slice_.contacts.get(told.record_id)
    if known is None or told.revision > known.revision:
        slice_.contacts[told.record_id] = told


def told_of_contact(contact: Contact) -> Told:
    """Return what a record of another system tells."""
    return Told(
        contact.contact_id,
        contact.revision,
        statement_of_contact(contact),
        contact.updated_at,
        contact.updated_at,
        encode_contact(contact),
        contact.connector,
        contact.record_id,
    )


def take_action(value: bytes, slice_: Slice) -> None:
    """Take a record of ``action.taken`` when it is one of ours; others are no business of this service.

    Raises: msgspec.DecodeError when it is none.
    """
    action = decode_action(envelope.decode(value).data)
    if action.service == SERVICE:
        read_act(action, slice_)
