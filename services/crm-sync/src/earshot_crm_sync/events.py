"""The topics crm-sync reads and writes, and their translation to and from the domain.

Owns the wire forms. Unknown fields are passed over, so that producers and we deploy apart.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from earshot_crm_sync.domain.profile import Profile
from earshot_crm_sync.domain.statements import Spoken, Statement, statement_of
from earshot_crm_sync.domain.timeline import Entry, pack_entry
from earshot_crm_sync.identity import Claim
from earshot_shared.envelope import EventWriter
from earshot_shared.item import AuthorKey, Channel, Id, Moment, ShortText, Version
from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachDecided, OutreachRequested
from earshot_shared.receipts import ReceiptWriter
from earshot_shared.topics import Topic

CUSTOMERS: Final = EventWriter(Topic.CUSTOMER_CHANGED, "crm-sync")
_ERASURES: Final = EventWriter(Topic.ERASURE_REQUESTED, "crm-sync")
_OUTREACH: Final = EventWriter(Topic.OUTREACH_DECIDED, "crm-sync")
RECEIPTS: Final = ReceiptWriter("crm-sync")
# Statements are pure functions of what an item says of its author; this many are kept, some 1 KiB each.
_KNOWN_STATEMENTS: Final = 8_000


class Speaker(msgspec.Struct, frozen=True, gc=False):
    """The part of an author that identity rests on."""

    id: Id | None = None
    handle: Id | None = None
    name: ShortText | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    url: str | None = None
    is_staff: bool = False
    on_behalf_of_brand: bool = False
    claimed: tuple[str, ...] = ()


_NOBODY: Final = msgspec.Raw(b"{}")


class HeardItem(msgspec.Struct, gc=False):
    """The part of an item that the customer view needs. The author stays JSON: who is met again costs one look-up, and is not read."""

    feedback_id: str
    source: Id
    channel: Channel
    author_key: AuthorKey
    occurred_at: Moment
    received_at: Moment
    author: msgspec.Raw = _NOBODY
    kind: str = "post"
    text: str = ""
    withdrawn: bool = False
    erased: bool = False


class Triaged(msgspec.Struct, gc=False):
    """What triage says of an item; ``version`` orders what it says."""

    item: HeardItem
    version: Version
    intent: str = "unknown"
    case_id: str | None = None


class TriagedEvent(msgspec.Struct, gc=False):
    """The envelope, of which only the body matters here."""

    data: Triaged


class StandingChanged(msgspec.Struct, gc=False):
    """What recognition says of an account; ``version`` orders what it says."""

    author_key: AuthorKey
    version: Version
    tier: str | None = None
    badges: list[str] = []
    advocate_stage: str | None = None
    merged_into: str | None = None


class StandingEvent(msgspec.Struct, gc=False):
    """The envelope of the same."""

    data: StandingChanged


class FieldView(msgspec.Struct, gc=False):
    """One field of the golden record with its provenance."""

    value: str
    source: str
    updated_at: datetime


class Counters(msgspec.Struct, gc=False):
    """The part of the view that changes with every item; it stands behind the profile's part."""

    feedback_count: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    fields: dict[str, FieldView]
    version: int


class ErasureRequested(msgspec.Struct, gc=False):
    """A person is to be forgotten: everything up to ``at`` that shows one of these identifiers as its author's own.

    ``identifiers`` are aliases: BLAKE2b of 16 bytes over kind U+001F value, keyed with the installation's key for `customer`, as a UUID of
    version 8. Kinds: account, handle and mailbox (their value is the author key), email, phone, crm_id.
    """

    erasure_id: str
    identifiers: tuple[str, ...]
    at: Moment
    actor: str


class _ErasureRequestedEvent(msgspec.Struct, gc=False):
    data: ErasureRequested


class _OutreachEvent(msgspec.Struct, gc=False):
    data: OutreachRequested
    time: datetime


class MergedView(msgspec.Struct, gc=False):
    """What an id that joined another says last."""

    id: str
    merged_into: str
    version: int


_triaged = msgspec.json.Decoder(TriagedEvent)
_speaker = msgspec.json.Decoder(Speaker)
_standing = msgspec.json.Decoder(StandingEvent)
_erasure_requested = msgspec.json.Decoder(_ErasureRequestedEvent)
_outreach_requested = msgspec.json.Decoder(_OutreachEvent)
_json = msgspec.json.Encoder()


def decode_triaged(value: bytes) -> Triaged:
    """Return what a record of ``feedback.triaged`` says.

    Raises: msgspec.DecodeError when it is none.
    """
    return _triaged.decode(value).data


def decode_erasure(value: bytes) -> ErasureRequested:
    """Return what a record of ``erasure.requested`` says.

    Raises: msgspec.DecodeError when it is none.
    """
    return _erasure_requested.decode(value).data


def tell_erasure(body: ErasureRequested, *, now: str) -> Message:
    """Return the message that asks every service to forget somebody."""
    return _ERASURES.write(body.erasure_id, body.erasure_id, body, time=now)


def decode_outreach(value: bytes) -> tuple[OutreachRequested, datetime]:
    """Return what a record of ``outreach.requested`` says, and when it was said.

    Raises: msgspec.DecodeError when it is none.
    """
    event = _outreach_requested.decode(value)
    body = event.data
    try:
        UUID(body.outreach_id)
    except ValueError as error:
        raise msgspec.ValidationError("outreach_id is no UUID") from error
    if "\x00" in f"{body.purpose}{body.template}{body.brand}":
        raise msgspec.ValidationError("a NUL in a name")
    return body, event.time


def tell_decided(body: OutreachDecided, *, now: str) -> Message:
    """Return the message that tells whether an outreach may be sent."""
    return _OUTREACH.write(body.outreach_id, f"{body.outreach_id}/{body.version}", body, time=now)


def decode_standing(value: bytes) -> StandingChanged:
    """Return what a record of ``recognition.changed`` says.

    Raises: msgspec.DecodeError when it is none.
    """
    return _standing.decode(value).data


def statement_of_item(item: HeardItem) -> Statement | None:
    """Return what an item says of its author; None when it shows nobody (withdrawn, erased).

    Raises: msgspec.DecodeError when the author is none.
    """
    if item.withdrawn or item.erased:
        return None
    return _statement(item.source, item.channel, item.author_key, bytes(item.author))


@lru_cache(maxsize=_KNOWN_STATEMENTS)
def _statement(source: str, channel: str, author_key: str, author: bytes) -> Statement | None:
    speaker = _speaker.decode(author)
    return statement_of(
        Claim(
            evidence_id="",
            source=source,
            at=_ANY_TIME,
            channel=channel,
            author_key=author_key,
            account_id=speaker.id,
            handle=speaker.handle,
            account_doubted="account" in speaker.claimed,
            name=speaker.name,
            email=speaker.email,
            email_verified=speaker.email_verified,
            phone=speaker.phone,
            phone_verified=speaker.phone_verified,
            url=speaker.url,
            is_staff=speaker.is_staff,
            is_brand=speaker.on_behalf_of_brand,
        )
    )


_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)  # a statement has no time of its own


def entry_of(item: HeardItem, intent: str, case_id: str | None) -> bytes:
    """Return what is kept of an item for timelines; one that shows nobody keeps no text."""
    if item.erased or item.withdrawn:
        return pack_entry(Entry(item.channel, item.kind, "", "unknown", case_id, ""))
    return pack_entry(Entry(item.channel, item.kind, item.text, intent, case_id, item.author_key))


def view_of(profile: Profile, spoken: Mapping[int, Spoken], feedback_count: int, version: int) -> msgspec.Raw:
    """Return the whole view as JSON: the profile with the counters of its statements; the times are those of items."""
    first, last = _span(spoken)
    fields = {
        each.name: FieldView(each.value, each.source, each.edited_at or spoken[each.statement_no].tally.heard_at) for each in profile.fields
    }
    counters = Counters(feedback_count, first, last, fields, version)
    return msgspec.Raw(b"%b,%b" % (profile.head, _json.encode(counters)[1:]))


def _span(spoken: Mapping[int, Spoken]) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last item was said."""
    if len(spoken) == 1:  # nearly always, and this is on the path of every item
        (one,) = spoken.values()
        return (one.tally.first_at, one.tally.last_at) if one.is_item else (None, None)
    tallies = [one.tally for one in spoken.values() if one.is_item]
    return min((tally.first_at for tally in tallies), default=None), max((tally.last_at for tally in tallies), default=None)


def tell_customer(customer_id: str, view: msgspec.Raw, version: int, *, now: str) -> Message:
    """Return the message that tells a customer's state."""
    return CUSTOMERS.write(customer_id, f"{customer_id}/{version}", view, time=now)


def tell_merged(customer_id: str, into: str, version: int, *, now: str) -> Message:
    """Return the message that tells where an id leads now."""
    body = MergedView(customer_id, into, version)
    return CUSTOMERS.write(customer_id, f"{customer_id}/{version}", body, time=now)
