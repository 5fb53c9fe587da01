"""The golden record: which value of each field survives, and where it came from.

Owns survivorship as a pure function of the customer's evidence and of people's edits. Must not decide who is who.
Two values compare by the field's criteria in their order; what is equal in all of them goes by the later event, then
its id, then the value:
so the record never depends on arrival order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .model import Edge, EvidenceSet, Identifier, Rule

_FLAGS = frozenset({"staff", "bot", "brand"})
_FIELD_OF_RULE = {Rule.EMAIL: "email", Rule.PHONE: "phone"}


class Criterion(StrEnum):
    """What makes one value better than another."""

    VERIFIED = "verified"
    SOURCE_RANK = "source_rank"  # earlier in the rules' list of sources is better
    RECENCY = "recency"
    COMPLETENESS = "completeness"  # more words, then more letters: "Anna Schmidt" before "Anna" before "A."


@dataclass(frozen=True, slots=True)
class SurvivorshipRules:
    """Per field the criteria, most important first; `source_rank` from the most to the least trusted."""

    criteria: Mapping[str, tuple[Criterion, ...]] = field(default_factory=dict)
    source_rank: tuple[str, ...] = ()
    default: tuple[Criterion, ...] = (Criterion.VERIFIED, Criterion.SOURCE_RANK, Criterion.RECENCY)


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


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: str
    verified: bool
    source: str
    at: datetime
    evidence_id: str
    owner: Identifier


def golden_record(
    identifiers: frozenset[Identifier], evidence: EvidenceSet, edits: Iterable[Edit], rules: SurvivorshipRules
) -> dict[str, GoldenField]:
    """Return the surviving value of every field that anything is known of, sorted by field."""
    candidates: dict[str, list[_Candidate]] = {}
    for name, one in _candidates(identifiers, evidence):
        candidates.setdefault(name, []).append(one)
    record = {name: _survivor(name, found, rules) for name, found in candidates.items()}
    for edit in standing_edits(edits):
        if edit.identifier in identifiers and edit.value is not None:
            held = record.get(edit.field)
            if held is None or not held.edited or (held.updated_at, held.evidence_id) < (edit.at, edit.edit_id):
                record[edit.field] = GoldenField(
                    value=edit.value,
                    source=edit.actor,
                    updated_at=edit.at,
                    evidence_id=edit.edit_id,
                    identifier=edit.identifier,
                    edited=True,
                )
    return dict(sorted(record.items()))


def standing_edits(edits: Iterable[Edit]) -> list[Edit]:
    """Return the edit that stands for each identifier and field: the latest by (at, id)."""
    latest: dict[tuple[Identifier, str], Edit] = {}
    for one in edits:
        key = (one.identifier, one.field)
        held = latest.get(key)
        if held is None or (one.at, one.edit_id, one.value or "") > (held.at, held.edit_id, held.value or ""):
            latest[key] = one
    return [latest[key] for key in sorted(latest)]


def _candidates(identifiers: frozenset[Identifier], evidence: EvidenceSet) -> Iterable[tuple[str, _Candidate]]:
    for trait in evidence.traits:
        if trait.owner in identifiers and trait.kind not in _FLAGS:
            at, last_id = trait.last_at, trait.last_evidence_id or trait.evidence_id
            yield trait.kind, _Candidate(trait.value, trait.verified, trait.source, at, last_id, trait.owner)
    for edge in evidence.edges:
        name = _FIELD_OF_RULE.get(edge.rule)
        if name is not None and edge.a in identifiers and edge.b in identifiers:
            yield name, _of_edge(edge)


def _of_edge(edge: Edge) -> _Candidate:
    return _Candidate(edge.b.value, edge.verified, edge.source, edge.last_at, edge.last_evidence_id or edge.evidence_id, edge.a)


def _survivor(name: str, found: list[_Candidate], rules: SurvivorshipRules) -> GoldenField:
    ranks = {source: place for place, source in enumerate(rules.source_rank)}
    measures: dict[Criterion, Callable[[_Candidate], Any]] = {
        Criterion.VERIFIED: lambda one: one.verified,
        Criterion.SOURCE_RANK: lambda one: -ranks.get(one.source, len(ranks)),
        Criterion.RECENCY: lambda one: one.at,
        Criterion.COMPLETENESS: lambda one: (len(one.value.split()), len(one.value)),
    }
    criteria = rules.criteria.get(name, rules.default)
    best = max(
        found,
        key=lambda one: (
            *(measures[criterion](one) for criterion in criteria),
            one.at,
            one.evidence_id,
            one.value,
            one.owner,
        ),
    )
    return GoldenField(value=best.value, source=best.source, updated_at=best.at, evidence_id=best.evidence_id, identifier=best.owner)
