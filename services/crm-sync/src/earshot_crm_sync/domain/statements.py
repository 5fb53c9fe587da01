"""Statements: what records say of one person, apart from when they say it.

A thousand items of one author say the same thing of him a thousand times. That saying is one *statement*; items and contacts only count
it, first and last. Owns its shape, its digest and what it proves (by the identity engine). Must not know customers.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Final, Protocol

import msgspec

from earshot_crm_sync.identity import Claim, Edge, EvidenceSet, Identifier, Rule, Sighting, Trait, anchor_of, links_of, traits_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identifier that the speaker shows beside his own, by which rule, and whether somebody vouches for it."""

    kind: str
    value: str
    rule: Rule
    verified: bool

    @property
    def identifier(self) -> Identifier:
        """The identifier as the engine knows it."""
        return Identifier(self.kind, self.value)


class Saying(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One statement whole: its form in the store. ``traits`` are (kind, value, verified); ``author_key`` is "" for contacts.

    ``doubted``: the source may not vouch for the account that speaks, nor for the handle it shows.
    """

    source: str
    channel: str
    author_key: str
    anchor_kind: str
    anchor_value: str
    links: tuple[Link, ...]
    traits: tuple[tuple[str, str, bool], ...]
    account_id: str | None = None
    handle: str | None = None
    doubted: bool = False

    @property
    def anchor(self) -> Identifier:
        """The identifier that speaks."""
        return Identifier(self.anchor_kind, self.anchor_value)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Saying)


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A saying, packed because thousands are remembered, with its digest (16 bytes: the same saying has the same digest everywhere)."""

    digest: bytes
    packed: bytes
    author_key: str

    @property
    def saying(self) -> Saying:
        """What is said; unpacked each time."""
        return unpack_saying(self.packed)


def statement_of(claim: Claim) -> Statement | None:
    """Return what a claim says, or None when it names nobody. The claim's time and evidence_id do not enter."""
    anchor = anchor_of(claim)
    if anchor is None:
        return None
    saying = Saying(
        source=intern(claim.source),
        channel=intern(claim.channel),
        author_key=claim.author_key or "",
        anchor_kind=anchor.kind,
        anchor_value=anchor.value,
        links=tuple(Link(other[0], other[1], rule, verified) for other, rule, verified in links_of(claim, anchor)),
        traits=tuple(traits_of(claim)),
        account_id=claim.account_id,
        handle=claim.handle,
        doubted=claim.account_doubted,
    )
    packed = _encoder.encode(saying)
    return Statement(hashlib.blake2b(packed, digest_size=16).digest(), packed, saying.author_key)


def shown_by(saying: Saying) -> tuple[Identifier, ...]:
    """Return every identifier of a saying, the speaker's own first, each once."""
    return tuple(dict.fromkeys((saying.anchor, *[link.identifier for link in saying.links])))


def unpack_saying(packed: bytes) -> Saying:
    """Return the saying that `Statement.packed` holds."""
    return _decoder.decode(packed)


class Tally(msgspec.Struct, kw_only=True, gc=False):
    """How often, from when to when a statement was made: mutable, because it is a working copy of its row.

    ``first`` and ``last_at`` go by occurred_at, ``heard`` by min(occurred_at, received_at); ties by record id.
    """

    count: int = 0
    first_at: datetime = _EPOCH
    first_id: str = ""
    last_at: datetime = _EPOCH
    heard_at: datetime = _EPOCH
    heard_id: str = ""

    def add(self, occurred_at: datetime, heard_at: datetime, record_id: str) -> tuple[bool, bool]:
        """Count one record; return whether it is the first, and the last that was heard, of all."""
        self.count += 1
        if self.count == 1:
            self.first_at, self.first_id, self.last_at = occurred_at, record_id, occurred_at
            self.heard_at, self.heard_id = heard_at, record_id
            return True, True
        earlier = occurred_at < self.first_at or (occurred_at == self.first_at and record_id < self.first_id)
        if earlier:
            self.first_at, self.first_id = occurred_at, record_id
        if occurred_at > self.last_at:
            self.last_at = occurred_at
        later = heard_at > self.heard_at or (heard_at == self.heard_at and record_id > self.heard_id)
        if later:
            self.heard_at, self.heard_id = heard_at, record_id
        return earlier, later


class Spoken(Protocol):
    """One statement with its tally: a piece of evidence. ``no`` is its number in the store."""

    @property
    def no(self) -> int: ...
    @property
    def saying(self) -> Saying: ...
    @property
    def is_item(self) -> bool: ...
    @property
    def tally(self) -> Tally: ...


# An identifier with some of these bits links nothing by that kind of link (stored with the identifier).
SHARED_VALUE: Final = 1  # as a value beside somebody: blocked, or on more accounts than its limit
SHARED_NAME: Final = 2  # at all but for itself: more than one account has it as its name
OVERSIZE: Final = 4  # as a value: its component is too large to be judged edge by edge


def links_nothing(rule: Rule, bits: int) -> bool:
    """Return whether a link of this rule to an identifier with these bits ties nobody."""
    return bool(bits & SHARED_NAME) if rule is Rule.ACCOUNT else bool(bits)


def evidence_from(
    spoken: Iterable[Spoken], bits: Mapping[Identifier, int] | None = None, *, members: Collection[Identifier] | None = None
) -> EvidenceSet:
    """Return the evidence of some statements, leaving out links that ``bits`` says tie nobody.

    With ``members``, in the form that survivorship wants: only what is theirs, and the times are those of hearing.
    """
    shared = bits or {}
    sightings: list[Sighting] = []
    edges: list[Edge] = []
    traits: list[Trait] = []
    for one in spoken:
        saying, tally = one.saying, one.tally
        anchor, first, first_id = saying.anchor, tally.first_at, tally.first_id
        last, last_id = (tally.last_at, "") if members is None else (tally.heard_at, tally.heard_id)
        sightings.append(Sighting(anchor, first, last, first_id))
        for link in saying.links:
            other = link.identifier
            if members is None:
                if other in shared and links_nothing(link.rule, shared[other]):
                    continue
            elif other not in members:
                continue
            edges.append(Edge(anchor, other, link.rule, link.verified, saying.source, first, last, first_id, last_id))
        for kind, value, verified in saying.traits:
            traits.append(Trait(anchor, kind, value, saying.source, first, last, first_id, verified, last_id))
    return EvidenceSet(tuple(sightings), tuple(edges), tuple(traits))
