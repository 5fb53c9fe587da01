"""From what one item or contact says of its author to evidence: sightings, edges, traits.

Owns which field proves what. Must not compare people with each other, nor read rules: a rule that changes judges the
same evidence anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from . import normalise
from .model import Edge, EvidenceSet, Identifier, Rule, Sighting, Trait

_Seen = TypeVar("_Seen", Edge, Trait)
_SURE_BOT = re.compile(r"\[bot\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAccount:
    """An account that a record lists as the person's; one of `account_id` and `handle` is given."""

    channel: str
    account_id: str | None = None
    handle: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one item says of its author, or one contact of its person; fields as they came, only trimmed.

    `at` is min(occurred_at, received_at). `author_key` as in the contract; contacts leave it out and give
    `crm_system` and `crm_id`.
    What a source may not assert arrives here as unverified already; `account_doubted` says so of account and handle, which tie even so.
    """

    evidence_id: str
    source: str
    at: datetime
    channel: str = ""
    author_key: str | None = None
    account_id: str | None = None
    handle: str | None = None
    account_doubted: bool = False
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    phone_region: str | None = None
    url: str | None = None
    is_staff: bool = False
    is_bot: bool = False
    is_brand: bool = False
    crm_system: str | None = None
    crm_id: str | None = None
    crm_id_verified: bool = True
    accounts: tuple[ListedAccount, ...] = ()
    traits: tuple[tuple[str, str], ...] = ()  # further (kind, value): birth_date, city, street, postcode, country, …


def anchor_of(claim: Claim) -> Identifier | None:
    """Return the identifier the claim is about, or None when it names nobody."""
    if claim.author_key is not None:
        if claim.account_id:
            return Identifier("account", claim.author_key)
        return Identifier("mailbox" if ":mail:" in claim.author_key and not claim.handle else "handle", claim.author_key)
    if claim.crm_system and claim.crm_id:
        return Identifier("crm_id", f"{claim.crm_system}:{claim.crm_id}")
    return None


def evidence_of(claim: Claim) -> EvidenceSet:
    """Return everything one item or contact proves or asserts; empty when it names nobody."""
    anchor = anchor_of(claim)
    if anchor is None:
        return EvidenceSet()
    sighting = Sighting(anchor, claim.at, claim.at, claim.evidence_id)
    edges = [_edge(claim, anchor, other, rule, verified) for other, rule, verified in links_of(claim, anchor)]
    traits = [
        Trait(anchor, kind, value, claim.source, claim.at, claim.at, claim.evidence_id, verified)
        for kind, value, verified in traits_of(claim)
    ]
    return EvidenceSet((sighting,), tuple(edges), tuple(traits))


def _edge(claim: Claim, anchor: Identifier, other: Identifier, rule: Rule, verified: bool) -> Edge:
    return Edge(anchor, other, rule, verified, claim.source, claim.at, claim.at, claim.evidence_id)


def links_of(claim: Claim, anchor: Identifier) -> Iterable[tuple[Identifier, Rule, bool]]:
    """Return the identifiers a claim shows beside its own: each by which rule, and whether that is verified."""
    if anchor.kind == "account" and (own := normalise.handle(claim.handle)):
        yield Identifier("handle", f"{claim.channel}:@{own}"), Rule.ACCOUNT, True
    if anchor.kind != "crm_id" and claim.crm_system and claim.crm_id:
        yield Identifier("crm_id", f"{claim.crm_system}:{claim.crm_id}"), Rule.CRM_ID, claim.crm_id_verified
    if claim.email and (address := normalise.email(claim.email)):
        hidden = normalise.noreply_account(address)
        if hidden is None:
            yield Identifier("email", address), Rule.EMAIL, claim.email_verified
        elif (other := _named(hidden)) != anchor:
            yield other, Rule.LISTED, claim.email_verified
    if claim.phone and (number := normalise.phone(claim.phone, claim.phone_region)):
        yield Identifier("phone", number), Rule.PHONE, claim.phone_verified
    if claim.url and (shown := normalise.profile_link(claim.url)) and (other := _named(shown)) != anchor:
        yield other, Rule.LISTED, False
    for listed in claim.accounts:
        found = _listed(listed)
        if found is not None and found != anchor:
            yield found, Rule.LISTED, listed.verified


def _named(account: normalise.NamedAccount) -> Identifier:
    if account.account_id:
        return Identifier("account", f"{account.channel}:{account.account_id}")
    return Identifier("handle", f"{account.channel}:@{account.handle}")


def _listed(listed: ListedAccount) -> Identifier | None:
    if listed.account_id:
        return Identifier("account", f"{listed.channel}:{listed.account_id}")
    own = normalise.handle(listed.handle)
    return Identifier("handle", f"{listed.channel}:@{own}") if own else None


def traits_of(claim: Claim) -> Iterable[tuple[str, str, bool]]:
    """Return what a claim says that never links by itself: (kind, value, verified)."""
    if claim.name and (shown := normalise.name(claim.name)):
        yield "name", shown, False
    if claim.handle and (as_written := normalise.plain(claim.handle)):
        yield "handle", as_written.lstrip("@"), False
    if claim.url and (address := normalise.link(claim.url)):
        yield "url", address, False
    if claim.is_staff:
        yield "staff", "true", True
    if claim.is_brand:
        yield "brand", "true", True
    if claim.is_bot or (claim.handle and _SURE_BOT.search(claim.handle.lower())):
        yield "bot", "true", claim.is_bot
    for kind, value in claim.traits:
        if known := normalise.plain(value):
            yield kind, known, False


def fold_edges(edges: Iterable[Edge]) -> list[Edge]:
    """Return one edge for each (a, b, rule, verified, source), with the span of all.

    Associative, commutative and idempotent, so that a store may fold as it likes; sorted.
    """
    folded: dict[tuple[Identifier, Identifier, Rule, bool, str], Edge] = {}
    for edge in edges:
        key = (edge.a, edge.b, edge.rule, edge.verified, edge.source)
        held = folded.get(key)
        folded[key] = edge if held is None else _joined(held, edge)
    return [folded[key] for key in sorted(folded)]


def _joined(left: _Seen, right: _Seen) -> _Seen:
    first = min(left, right, key=lambda one: (one.first_at, one.evidence_id))
    last = max(left, right, key=lambda one: (one.last_at, one.last_evidence_id or one.evidence_id))
    return replace(first, last_at=last.last_at, last_evidence_id=last.last_evidence_id or last.evidence_id)


def fold_traits(traits: Iterable[Trait]) -> list[Trait]:
    """Return one trait for each (owner, kind, value, source, verified), with the span of all; sorted."""
    folded: dict[tuple[Identifier, str, str, str, bool], Trait] = {}
    for trait in traits:
        key = (trait.owner, trait.kind, trait.value, trait.source, trait.verified)
        held = folded.get(key)
        folded[key] = trait if held is None else _joined(held, trait)
    return [folded[key] for key in sorted(folded)]


def fold_sightings(sightings: Iterable[Sighting]) -> dict[Identifier, Sighting]:
    """Return one sighting an anchor: the first one's id, the span of all."""
    folded: dict[Identifier, Sighting] = {}
    for seen in sightings:
        held = folded.get(seen.identifier)
        if held is None:
            folded[seen.identifier] = seen
            continue
        first = min(held, seen, key=lambda one: (one.first_at, one.evidence_id))
        folded[seen.identifier] = replace(first, last_at=max(held.last_at, seen.last_at))
    return folded
