"""The fields of a customer: which value of each survives among what his statements offer, and what a statement heard again changes.

Owns that, in the store's terms; the law of survivorship itself is the engine's (`identity.golden`). Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from earshot_crm_sync.domain.statements import Spoken
from earshot_crm_sync.identity import Candidate, Edit, Identifier, Rank, SurvivorshipRules, edits_that_win

ROLES: Final = frozenset({"staff", "brand", "bot"})
_FIELD_OF_KIND: Final = {"email": "email", "phone": "phone"}

Offer = tuple[str, str, bool]
"""A field a statement has a value for: name, value, verified."""


class FieldValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The value of one field that survives. Its time is that of the statement's last record, or of the edit that set it."""

    name: str
    value: str
    source: str
    statement_no: int
    edited_at: datetime | None = None


Survivors = tuple[tuple[FieldValue, ...], tuple[int, ...]]
"""The surviving values by name, and the numbers of the statements that offer nothing but surviving values."""


def surviving(members: frozenset[Identifier], spoken: Sequence[Spoken], edits: Sequence[Edit], rules: SurvivorshipRules) -> Survivors:
    """Return what survives of all that some statements offer, and of what people set by hand."""
    offers = {one.no: _offers(members, one) for one in spoken}
    if len(spoken) == 1 and not edits:
        one = spoken[0]
        if len({name for name, _, _ in offers[one.no]}) == len(offers[one.no]):
            return tuple(FieldValue(name, value, one.saying.source, one.no) for name, value, _ in sorted(offers[one.no])), (one.no,)
    found: dict[str, list[tuple[Candidate, int]]] = {}
    for one in spoken:
        for name, candidate in _candidates(one, offers[one.no]):
            found.setdefault(name, []).append((candidate, one.no))
    fields: dict[str, FieldValue] = {}
    for name, candidates in found.items():
        best, number = candidates[0]
        if len(candidates) > 1:
            best, number = max(candidates, key=lambda each: rules.rank(name, each[0]))
        fields[name] = FieldValue(name, best.value, best.source, number)
    for edit in edits_that_win(members, edits):
        fields[edit.field] = FieldValue(edit.field, edit.value or "", edit.actor, 0, edit.at)
    won = {(each.name, each.statement_no) for each in fields.values()}
    settled = tuple(sorted(no for no, offered in offers.items() if all((name, no) in won for name, _, _ in offered)))
    return tuple(fields[name] for name in sorted(fields)), settled


def survive_again(
    was: Survivors, members: frozenset[Identifier], heard: Iterable[Spoken], spoken: Mapping[int, Spoken], rules: SurvivorshipRules
) -> Survivors:
    """Return the same as `surviving` after some statements were heard later than before, and nothing else changed.

    What is heard later ranks higher than it did itself and nothing else moves, so each need only be held against who has the field now.
    """
    fields = {each.name: each for each in was[0]}
    settled = set(was[1])
    best = _Best(members, rules)
    for one in heard:
        offered = best.of(one)
        for name, (rank, candidate) in offered.items():
            held = fields[name]
            if held.edited_at is not None or held.statement_no == one.no:
                continue
            if rank > best.of(spoken[held.statement_no])[name][0]:
                fields[name] = FieldValue(name, candidate.value, candidate.source, one.no)
                settled.discard(held.statement_no)
        if all(fields[name].statement_no == one.no for name in offered):
            settled.add(one.no)
    return tuple(fields[name] for name in sorted(fields)), tuple(sorted(settled))


class _Best:
    """The best that each statement offers for each field, with its rank; found once."""

    def __init__(self, members: frozenset[Identifier], rules: SurvivorshipRules) -> None:
        self._members = members
        self._rules = rules
        self._known: dict[int, dict[str, tuple[Rank, Candidate]]] = {}

    def of(self, one: Spoken) -> dict[str, tuple[Rank, Candidate]]:
        if (known := self._known.get(one.no)) is not None:
            return known
        best: dict[str, tuple[Rank, Candidate]] = {}
        for name, candidate in _candidates(one, _offers(self._members, one)):
            rank = self._rules.rank(name, candidate)
            if name not in best or rank > best[name][0]:
                best[name] = (rank, candidate)
        self._known[one.no] = best
        return best


def _offers(members: frozenset[Identifier], one: Spoken) -> list[Offer]:
    """Return the fields a statement has a value for: its traits, and the mail and phone that are its customer's."""
    offered = [trait for trait in one.saying.traits if trait[0] not in ROLES]
    offered += [
        (_FIELD_OF_KIND[link.kind], link.value, link.verified)
        for link in one.saying.links
        if link.kind in _FIELD_OF_KIND and link.identifier in members
    ]
    return offered


def _candidates(one: Spoken, offered: Iterable[Offer]) -> Iterable[tuple[str, Candidate]]:
    saying, tally = one.saying, one.tally
    return [
        (name, Candidate(value, verified, saying.source, tally.heard_at, tally.heard_id, saying.anchor))
        for name, value, verified in offered
    ]
