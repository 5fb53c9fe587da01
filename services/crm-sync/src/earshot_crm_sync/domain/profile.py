"""The profile: what of a customer's view does not change with every item, derived from its statements.

Owns how statements become names, identifiers, accounts, roles and fields. Pure; it is stored packed, and `events.view_of` puts the
counters of the statements beside it. Everything in it is sorted, so that equal sets of facts give equal bytes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from earshot_crm_sync.domain.statements import Saying, Tally
from earshot_crm_sync.identity import Identifier

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}
_ROLE_TRAITS: Final = frozenset({"staff", "brand", "bot"})
_NO_FIELDS: Final = _ROLE_TRAITS | {"handle"}


class FieldValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The value of one field that survives, and the statement it comes from (its time is the statement's last)."""

    name: str
    value: str
    source: str
    statement_no: int


class Profile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is stored of a customer. ``head`` is the beginning of the view's JSON, up to where the counters follow.

    ``settled``: statements whose repetition can change nothing here, because all they say is what survives already.
    ``alone``: nothing else in the store touches its identifiers, so its one statement can move in time without new judgement.
    """

    customer_id: str
    head: bytes
    fields: tuple[FieldValue, ...]
    settled: tuple[int, ...]
    alone: bool


class Head(msgspec.Struct, gc=False):
    """The part of the view that does not change with every item."""

    customer_id: str
    name: str | None
    names: list[str]
    identifiers: list["IdentifierView"]
    accounts: list["AccountView"]
    roles: list[str]
    consents: list[dict[str, str]]
    recognition: msgspec.Raw


class IdentifierView(msgspec.Struct, gc=False):
    """An identifier as the customer view shows it. ``shared``: too many show it, so it ties nobody."""

    kind: str
    value: str
    verified: bool
    sources: list[str]
    shared: bool = False


class AccountView(msgspec.Struct, gc=False):
    """One account on one channel."""

    channel: str
    account_id: str | None
    handle: str | None
    author_key: str


_heads = msgspec.json.Decoder(Head)
_json = msgspec.json.Encoder()
_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Profile)
NO_RECOGNITION: Final = b"null"


def pack_profile(profile: Profile) -> bytes:
    """Return the form in which a profile is stored."""
    return _packer.encode(profile)


def unpack_profile(packed: bytes) -> Profile:
    """Return what `pack_profile` was given."""
    return _unpacker.decode(packed)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One statement of a customer, as the profile needs it."""

    statement_no: int
    saying: Saying
    tally: Tally


def build_profile(
    customer_id: str,
    members: frozenset[Identifier],
    spoken: Sequence[Spoken],
    *,
    shared: frozenset[Identifier] = frozenset(),
    recognition: bytes = NO_RECOGNITION,
    alone: bool = False,
) -> Profile:
    """Return the profile of the customer who holds ``members`` and of whom ``spoken`` speaks."""
    fields, settled = _fields(spoken)
    names = sorted({value for one in spoken for kind, value, _ in one.saying.traits if kind == "name"})
    roles = sorted({kind for one in spoken for kind, _, _ in one.saying.traits if kind in _ROLE_TRAITS})
    head = Head(
        customer_id=customer_id,
        name=next((field.value for field in fields if field.name == "name"), None),
        names=names,
        identifiers=_identifiers(members, spoken, shared),
        accounts=_accounts(members, spoken),
        roles=roles,
        consents=[],
        recognition=msgspec.Raw(recognition),
    )
    return Profile(customer_id, _json.encode(head)[:-1], fields, settled, alone)


def _fields(spoken: Sequence[Spoken]) -> tuple[tuple[FieldValue, ...], tuple[int, ...]]:
    """Return the surviving values, by name, and the statements that say nothing but surviving values.

    The latest by (min(occurred_at, received_at), record id) survives; within one statement the greatest value.
    """
    best: dict[str, tuple[tuple[datetime, str, str], Spoken]] = {}
    for one in spoken:
        for kind, value, _ in one.saying.traits:
            if kind in _NO_FIELDS:
                continue
            place = (one.tally.heard_at, one.tally.heard_id, value)
            if kind not in best or place > best[kind][0]:
                best[kind] = (place, one)
    fields = tuple(FieldValue(name, place[2], one.saying.source, one.statement_no) for name, (place, one) in sorted(best.items()))
    beaten = {
        one.statement_no
        for one in spoken
        for kind, _, _ in one.saying.traits
        if kind not in _NO_FIELDS and best[kind][1].statement_no != one.statement_no
    }
    return fields, tuple(sorted(one.statement_no for one in spoken if one.statement_no not in beaten))


def _identifiers(members: frozenset[Identifier], spoken: Iterable[Spoken], shared: frozenset[Identifier]) -> list[IdentifierView]:
    shown: dict[Identifier, tuple[set[str], list[bool]]] = defaultdict(lambda: (set(), []))
    for one in spoken:
        saying = one.saying
        sources, vouched = shown[saying.anchor]
        sources.add(saying.source)
        vouched.append(True)
        for link in saying.links:
            sources, vouched = shown[link.identifier]
            sources.add(saying.source)
            vouched.append(link.verified)
    return [
        IdentifierView(one.kind, one.value, any(shown[one][1]), sorted(shown[one][0]), one in shared)
        for one in sorted(shown, key=lambda each: (_KIND_RANK.get(each.kind, 9), each.value))
        if one in members or one in shared
    ]


def _accounts(members: frozenset[Identifier], spoken: Sequence[Spoken]) -> list[AccountView]:
    """Return one entry per speaking account; a handle that an account of the same customer shows is that account's name."""
    latest: dict[str, Spoken] = {}
    for one in spoken:
        key = one.saying.author_key
        held = latest.get(key)
        if key and (held is None or (one.tally.heard_at, one.tally.heard_id) > (held.tally.heard_at, held.tally.heard_id)):
            latest[key] = one
    named = {link.value for one in spoken for link in one.saying.links if link.rule == "account" and link.identifier in members}
    return [
        AccountView(one.saying.channel, one.saying.account_id, _plain_handle(one.saying.handle), key)
        for key, one in sorted(latest.items())
        if one.saying.account_id is not None or key not in named
    ]


def _plain_handle(handle: str | None) -> str | None:
    return handle.strip().lstrip("@") if handle else None


def read_head(profile: Profile) -> Head:
    """Return the profile's part of the view."""
    return _heads.decode(profile.head + b"}")


def members_of(head: Head) -> frozenset[Identifier]:
    """Return the identifiers that the customer holds."""
    return frozenset(Identifier(one.kind, one.value) for one in head.identifiers if not one.shared)


def words_of(profile: Profile) -> str:
    """Return the text by whose words the customer is found: names, handles, addresses, numbers."""
    head = read_head(profile)
    return " ".join([*head.names, *(one.value for one in head.identifiers), *(field.value for field in profile.fields)])
