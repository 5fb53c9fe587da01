"""The profile: what of a customer's view does not change with every item, derived from its statements and people's words.

Owns how statements become names, identifiers, accounts, roles, fields and consents. Pure; it is stored packed, and `events.view_of` puts
the counters of the statements behind it. Everything in it is sorted, so that equal sets of facts give equal bytes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from earshot_crm_sync.domain.statements import Spoken
from earshot_crm_sync.domain.survival import ROLES, FieldValue, survive_again, surviving
from earshot_crm_sync.identity import Consent, Edit, Identifier, Rule, SurvivorshipRules, standing_consents, strictest

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}
MOST_NAMES: Final = 100  # who is renamed daily must not make a view of megabytes
_MOST_WORDS_CHARACTERS: Final = 200_000  # Postgres refuses texts of over a megabyte of distinct words


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


class _Spelt(msgspec.Struct, gc=False):
    value: str


class _Findable(msgspec.Struct, gc=False):
    """The part of it that holds the words by which people look for a customer."""

    names: list[str]
    identifiers: list[_Spelt]


class _Member(msgspec.Struct, gc=False):
    kind: str
    value: str
    shared: bool


class _Members(msgspec.Struct, gc=False):
    """The part of it that holds the identifiers."""

    identifiers: list[_Member]


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
_findables = msgspec.json.Decoder(_Findable)
_members = msgspec.json.Decoder(_Members)
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
    fields, settled = surviving(sketch.members, spoken, words.edits, rules)
    head = Head(
        customer_id=sketch.customer_id,
        name=_name(fields),
        names=_names(spoken),
        identifiers=_identifiers(sketch, spoken),
        accounts=_accounts(sketch.members, spoken),
        roles=sorted({kind for one in spoken for kind, _, _ in one.saying.traits if kind in ROLES}),
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


def heard_again(profile: Profile, heard: Collection[Spoken], spoken: Mapping[int, Spoken], rules: SurvivorshipRules) -> Profile | None:
    """Return the profile after some of its statements were heard later than before, and nothing else changed.

    None when more than fields may look other: an account that is spelt differently now.
    """
    for one in heard:
        saying = one.saying
        for other in spoken.values():
            if other.saying.author_key == saying.author_key and (other.saying.account_id, other.saying.handle) != (
                saying.account_id,
                saying.handle,
            ):
                return None
    members = members_of(profile)
    fields, settled = survive_again((profile.fields, profile.settled), members, heard, spoken, rules)
    head = profile.head
    if (name := _name(fields)) != _name(profile.fields):
        renamed = read_head(profile)
        renamed.name = name
        head = _json.encode(renamed)[:-1]
    return msgspec.structs.replace(profile, head=head, fields=fields, settled=settled)


def _name(fields: Sequence[FieldValue]) -> str | None:
    return next((each.value for each in fields if each.name == "name"), None)


def is_found_alike(one: Profile, other: Profile) -> bool:
    """Return whether the same words find two states of one customer between which no statement came or went."""
    return [(each.name, each.value) for each in one.fields] == [(each.name, each.value) for each in other.fields]


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


def members_of(profile: Profile) -> frozenset[Identifier]:
    """Return the identifiers that are the customer's own."""
    return frozenset(Identifier(one.kind, one.value) for one in _members.decode(profile.head + b"}").identifiers if not one.shared)


def forbids_anything(profile: Profile) -> bool:
    """Return whether a denial is on record for the customer; cheap, and true now and then when there is none."""
    return b'"granted":false' in profile.head


def words_to_find(profile: Profile) -> str:
    """Return the text by whose words the customer is found: names, handles, addresses, numbers."""
    head = _findables.decode(profile.head + b"}")
    words = " ".join(dict.fromkeys([*head.names, *(one.value for one in head.identifiers), *(each.value for each in profile.fields)]))
    return words[:_MOST_WORDS_CHARACTERS]


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
        vouched.append(not saying.doubted)
        for link in saying.links:
            sources, vouched = shown[link.identifier]
            sources.add(saying.source)
            vouched.append(link.verified and not (saying.doubted and link.rule is Rule.ACCOUNT))
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
