"""The profile: what of a customer's view does not change with every item, derived from its statements and people's words.

Owns how statements become names, identifiers, accounts, roles, fields and consents. Pure; it is stored packed, and `events.view_of` puts
the counters of the statements behind it. Everything in it is sorted, so that equal sets of facts give equal bytes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from earshot_crm_sync.domain.statements import Spoken, evidence_from
from earshot_crm_sync.identity import (
    Consent,
    Edit,
    GoldenField,
    Identifier,
    Rule,
    SurvivorshipRules,
    golden_record,
    standing_consents,
    strictest,
)

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}
MOST_NAMES: Final = 100  # who is renamed daily must not make a view of megabytes
_ROLES: Final = frozenset({"staff", "brand", "bot"})
_MOST_WORDS_CHARACTERS: Final = 200_000  # Postgres refuses texts of over a megabyte of distinct words
_FIELD_OF_KIND: Final = {"email": "email", "phone": "phone"}


class FieldValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The value of one field that survives. Its time is that of the statement's last record, or of the edit that set it."""

    name: str
    value: str
    source: str
    statement_no: int
    edited_at: datetime | None = None


class Profile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is stored of a customer. ``head`` is the beginning of the view's JSON, up to where the counters follow.

    ``settled``: statements whose repetition can change nothing here, because all they say is what survives already.
    ``alone``: nothing else in the store touches its identifiers, so its one statement can move in time without new judgement.
    ``watched``: statements whose every move in time must be judged, because a value they show is close to its limit.
    """

    customer_id: str
    head: bytes
    fields: tuple[FieldValue, ...]
    settled: tuple[int, ...]
    alone: bool
    watched: tuple[int, ...] = ()


class Head(msgspec.Struct, gc=False):
    """The part of the view that does not change with every item."""

    customer_id: str
    name: str | None
    names: list[str]
    identifiers: list["IdentifierView"]
    accounts: list["AccountView"]
    roles: list[str]
    locked: bool
    consents: list["ConsentView"]
    recognition: list["StandingView"]


class IdentifierView(msgspec.Struct, gc=False):
    """An identifier as the customer view shows it. ``shared``: too many show it, so it ties nobody and is nobody's."""

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


class ConsentView(msgspec.Struct, gc=False):
    """A consent that stands. ``allowed``: whether this identifier may be used now; the strictest word of the whole customer decides."""

    kind: str
    value: str
    purpose: str
    brand: str
    granted: bool
    allowed: bool
    at: datetime
    proof: str
    source: str


class StandingView(msgspec.Struct, gc=False):
    """What recognition says of one account, as far as it seldom changes; points are recognition's own to tell."""

    author_key: str
    tier: str | None = None
    badges: list[str] = []
    advocate_stage: str | None = None


@dataclass(slots=True)
class Words:
    """What people and recognition said of a customer's identifiers."""

    edits: list[Edit] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    standings: list[StandingView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Who a profile is of: his id, his identifiers, and what judgement says of him."""

    customer_id: str
    members: frozenset[Identifier]
    shared: frozenset[Identifier] = frozenset()
    alone: bool = False
    watched: tuple[int, ...] = ()
    locked: bool = False


_json = msgspec.json.Encoder()
_heads = msgspec.json.Decoder(Head)
_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Profile)


def pack_profile(profile: Profile) -> bytes:
    """Return the form in which a profile is stored."""
    return _packer.encode(profile)


def unpack_profile(packed: bytes) -> Profile:
    """Return what `pack_profile` was given."""
    return _unpacker.decode(packed)


def build_profile(sketch: Sketch, spoken: Sequence[Spoken], words: Words, rules: SurvivorshipRules) -> Profile:
    """Return the profile of the customer of whom ``spoken`` speaks."""
    fields, settled = _fields(sketch.members, spoken, words.edits, rules)
    head = Head(
        customer_id=sketch.customer_id,
        name=next((each.value for each in fields if each.name == "name"), None),
        names=_names(spoken),
        identifiers=_identifiers(sketch, spoken),
        accounts=_accounts(sketch.members, spoken),
        roles=sorted({kind for one in spoken for kind, _, _ in one.saying.traits if kind in _ROLES}),
        locked=sketch.locked,
        consents=_consents(words.consents, sketch.members),
        recognition=sorted(words.standings, key=lambda each: each.author_key),
    )
    return Profile(sketch.customer_id, _json.encode(head)[:-1], fields, settled, sketch.alone, sketch.watched)


def with_standings(profile: Profile, told: Mapping[str, StandingView]) -> Profile:
    """Return the profile with what recognition says now of some of the customer's accounts, by author key; all else stays."""
    head = read_head(profile)
    standings = {**{each.author_key: each for each in head.recognition}, **told}
    head.recognition = [standings[key] for key in sorted(standings)]
    return msgspec.structs.replace(profile, head=_json.encode(head)[:-1])


def read_head(profile: Profile) -> Head:
    """Return the profile's part of the view."""
    return _heads.decode(profile.head + b"}")


def sketch_of(profile: Profile) -> Sketch:
    """Return who a profile is of, to build it anew."""
    head = read_head(profile)
    return Sketch(
        customer_id=profile.customer_id,
        members=frozenset(Identifier(one.kind, one.value) for one in head.identifiers if not one.shared),
        shared=frozenset(Identifier(one.kind, one.value) for one in head.identifiers if one.shared),
        alone=profile.alone,
        watched=profile.watched,
        locked=head.locked,
    )


def words_to_find(profile: Profile) -> str:
    """Return the text by whose words the customer is found: names, handles, addresses, numbers."""
    head = read_head(profile)
    words = " ".join([*head.names, *(one.value for one in head.identifiers), *(each.value for each in profile.fields)])
    return words[:_MOST_WORDS_CHARACTERS]


def _fields(
    members: frozenset[Identifier], spoken: Sequence[Spoken], edits: Sequence[Edit], rules: SurvivorshipRules
) -> tuple[tuple[FieldValue, ...], tuple[int, ...]]:
    """Return the surviving values by name, and the statements that offer nothing but surviving values."""
    offers = {one.no: _offers(members, one) for one in spoken}
    if len(spoken) == 1 and not edits:
        one = spoken[0]
        names = [name for name, _ in offers[one.no]]
        if len(names) == len(set(names)):
            return tuple(FieldValue(name, value, one.saying.source, one.no) for name, value in sorted(offers[one.no])), (one.no,)
    record = golden_record(members, evidence_from(spoken, members=members), edits, rules)
    fields = tuple(_field(name, golden, spoken, offers) for name, golden in record.items())
    won = {(each.name, each.statement_no) for each in fields}
    settled = tuple(sorted(no for no, offered in offers.items() if all((name, no) in won for name, _ in offered)))
    return fields, settled


def _offers(members: frozenset[Identifier], one: Spoken) -> list[tuple[str, str]]:
    """Return the fields a statement has a value for: its traits, and the mail and phone that are its customer's."""
    offered = [(kind, value) for kind, value, _ in one.saying.traits if kind not in _ROLES]
    offered += [
        (_FIELD_OF_KIND[link.kind], link.value) for link in one.saying.links if link.kind in _FIELD_OF_KIND and link.identifier in members
    ]
    return offered


def _field(name: str, golden: GoldenField, spoken: Sequence[Spoken], offers: Mapping[int, list[tuple[str, str]]]) -> FieldValue:
    if golden.edited:
        return FieldValue(name, golden.value, golden.source, 0, golden.updated_at)
    number = next(
        one.no
        for one in spoken
        if one.tally.heard_id == golden.evidence_id and one.saying.source == golden.source and (name, golden.value) in offers[one.no]
    )
    return FieldValue(name, golden.value, golden.source, number)


def _names(spoken: Iterable[Spoken]) -> list[str]:
    """Return the names, sorted; of very many those that were heard first."""
    first: dict[str, datetime] = {}
    for one in spoken:
        for kind, value, _ in one.saying.traits:
            if kind == "name" and (value not in first or one.tally.first_at < first[value]):
                first[value] = one.tally.first_at
    if len(first) > MOST_NAMES:
        return sorted(sorted(first, key=lambda value: (first[value], value))[:MOST_NAMES])
    return sorted(first)


def _identifiers(sketch: Sketch, spoken: Iterable[Spoken]) -> list[IdentifierView]:
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
        IdentifierView(one.kind, one.value, any(shown[one][1]), sorted(shown[one][0]), one not in sketch.members)
        for one in sorted(shown, key=_by_kind)
        if one in sketch.members or one in sketch.shared
    ]


def _by_kind(one: Identifier) -> tuple[int, str]:
    return (_KIND_RANK.get(one.kind, 9), one.value)


def _accounts(members: frozenset[Identifier], spoken: Sequence[Spoken]) -> list[AccountView]:
    """Return one entry per speaking account; a handle that an account of the same customer shows is that account's name."""
    latest: dict[str, Spoken] = {}
    for one in spoken:
        key = one.saying.author_key
        held = latest.get(key)
        if key and (held is None or (one.tally.heard_at, one.tally.heard_id) > (held.tally.heard_at, held.tally.heard_id)):
            latest[key] = one
    named = {link.value for one in spoken for link in one.saying.links if link.rule is Rule.ACCOUNT and link.identifier in members}
    return [
        AccountView(one.saying.channel, one.saying.account_id, _plain_handle(one.saying.handle), key)
        for key, one in sorted(latest.items())
        if one.saying.account_id is not None or key not in named
    ]


def _plain_handle(handle: str | None) -> str | None:
    return handle.strip().lstrip("@") if handle else None


def _consents(consents: Sequence[Consent], members: frozenset[Identifier]) -> list[ConsentView]:
    standing = [one for one in standing_consents(consents) if one.identifier in members]
    return [
        ConsentView(
            kind=one.identifier.kind,
            value=one.identifier.value,
            purpose=one.purpose,
            brand=one.brand,
            granted=one.granted,
            allowed=strictest(standing, members, purpose=one.purpose, brand=one.brand, identifier=one.identifier) == "granted",
            at=one.at,
            proof=one.proof,
            source=one.source,
        )
        for one in standing
    ]
