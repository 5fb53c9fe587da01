"""The golden record: which value of each field survives, and where it came from.

Owns survivorship as a pure function of the customer's evidence and of people's edits. Must not decide who is who.
Two values compare by the field's criteria in their order; what is equal in all of them goes by the later event, then
its id, then the value:
so the record never depends on arrival order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from .model import Edge, EvidenceSet, Identifier, Rule

_FLAGS = frozenset({"staff", "bot", "brand"})
_FIELD_OF_RULE = {Rule.EMAIL: "email", Rule.PHONE: "phone"}


class Criterion(StrEnum):
    """What makes one value better than another."""

    VERIFIED = "verified"
    SOURCE_RANK = "source_rank"  # earlier in the rules' list of sources is better
    RECENCY = "recency"
    COMPLETENESS = "completeness"  # more words, then more letters: "Anna Schmidt" before "Anna" before "A."


class Candidate(NamedTuple):
    """A value that somebody offers for a field."""

    value: str
    verified: bool
    source: str
    at: datetime
    evidence_id: str
    owner: Identifier


Rank = tuple[Any, ...]
"""The place of a candidate among those for one field: the highest survives."""


@dataclass(frozen=True, slots=True)
class SurvivorshipRules:
    """Per field the criteria, most important first; `source_rank` from the most to the least trusted."""

    criteria: Mapping[str, tuple[Criterion, ...]] = field(default_factory=dict)
    source_rank: tuple[str, ...] = ()
    default: tuple[Criterion, ...] = (Criterion.VERIFIED, Criterion.SOURCE_RANK, Criterion.RECENCY)

    def rank(self, name: str, one: Candidate) -> Rank:
        """Return the place of a candidate for a field. To be heard later never lowers one."""
        value, verified, source, at, evidence_id, owner = one
        found: list[Any] = []
        for criterion in self.criteria.get(name, self.default):
            if criterion is Criterion.VERIFIED:
                found.append(verified)
            elif criterion is Criterion.SOURCE_RANK:
                found.append(-self.source_rank.index(source) if source in self.source_rank else -len(self.source_rank))
            elif criterion is Criterion.RECENCY:
                found.append(at)
            else:
                found += (len(value.split()), len(value))
        return (*found, at, evidence_id, value, owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A person set a field by hand, or took that back (`value` None); bound to the identifier the editor chose."""

    field: str
    value: str | None
    identifier: Identifier
    at: datetime
    edit_id: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenField:
    """A surviving value with its provenance; `updated_at` is the time of the event it came from."""

    value: str
    source: str
    updated_at: datetime
    evidence_id: str
    identifier: Identifier  # whose it was
    edited: bool = False


def golden_record(
    identifiers: frozenset[Identifier], evidence: EvidenceSet, edits: Iterable[Edit], rules: SurvivorshipRules
) -> dict[str, GoldenField]:
    """Return the surviving value of every field that anything is known of, sorted by field."""
    candidates: dict[str, list[Candidate]] = {}
    for name, one in _candidates(identifiers, evidence):
        candidates.setdefault(name, []).append(one)
    record = {name: _survivor(name, found, rules) for name, found in candidates.items()}
    for edit in edits_that_win(identifiers, edits):
        record[edit.field] = GoldenField(
            value=edit.value or "",
            source=edit.actor,
            updated_at=edit.at,
            evidence_id=edit.edit_id,
            identifier=edit.identifier,
            edited=True,
        )
    return dict(sorted(record.items()))


def edits_that_win(identifiers: frozenset[Identifier], edits: Iterable[Edit]) -> Iterable[Edit]:
    """Return, for each field that somebody set by hand for some of a customer's identifiers, the edit that says it: the latest."""
    latest: dict[str, Edit] = {}
    for edit in standing_edits(edits):
        if edit.identifier in identifiers and edit.value is not None:
            held = latest.get(edit.field)
            if held is None or (held.at, held.edit_id) < (edit.at, edit.edit_id):
                latest[edit.field] = edit
    return latest.values()


def standing_edits(edits: Iterable[Edit]) -> list[Edit]:
    """Return the edit that stands for each identifier and field: the latest by (at, id)."""
    latest: dict[tuple[Identifier, str], Edit] = {}
    for one in edits:
        key = (one.identifier, one.field)
        held = latest.get(key)
        if held is None or (one.at, one.edit_id, one.value or "") > (held.at, held.edit_id, held.value or ""):
            latest[key] = one
    return [latest[key] for key in sorted(latest)]


def _candidates(identifiers: frozenset[Identifier], evidence: EvidenceSet) -> Iterable[tuple[str, Candidate]]:
    for trait in evidence.traits:
        if trait.owner in identifiers and trait.kind not in _FLAGS:
            at, last_id = trait.last_at, trait.last_evidence_id or trait.evidence_id
            yield trait.kind, Candidate(trait.value, trait.verified, trait.source, at, last_id, trait.owner)
    for edge in evidence.edges:
        name = _FIELD_OF_RULE.get(edge.rule)
        if name is not None and edge.a in identifiers and edge.b in identifiers:
            yield name, _of_edge(edge)


def _of_edge(edge: Edge) -> Candidate:
    return Candidate(edge.b.value, edge.verified, edge.source, edge.last_at, edge.last_evidence_id or edge.evidence_id, edge.a)


def _survivor(name: str, found: list[Candidate], rules: SurvivorshipRules) -> GoldenField:
    best = max(found, key=lambda one: rules.rank(name, one))
    return GoldenField(value=best.value, source=best.source, updated_at=best.at, evidence_id=best.evidence_id, identifier=best.owner)
