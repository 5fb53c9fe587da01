"""What a person does to customers, as decisions about identifiers, and what it would change: without any effect.

Owns merge, unmerge, lock and their previews. Must not store anything: a decision takes effect by being part of the
evidence.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from .model import Customer, Decision, EvidenceSet, Identifier, Refused, Resolution, Rule, Verb
from .resolve import Scorer, resolve
from .rules import IdentityRules


@dataclass(frozen=True, slots=True)
class Preview:
    """What a decision would do: the customers before and after that differ, and what stands in its way."""

    before: tuple[Customer, ...]
    after: tuple[Customer, ...]
    refused: tuple[Refused, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the decision would leave every customer as it is."""
        return not self.before and not self.after


def merge(left: Customer, right: Customer, *, at: datetime, decision_id: str, actor: str) -> Decision:
    """Return the word that two customers are one person; it takes back every earlier "not the same" between them."""
    return Decision(Verb.SAME, left.lead, right.lead, left.identifiers, right.identifiers, at, decision_id, actor)


def unmerge(
    customer: Customer,
    identifiers: Collection[Identifier],
    *,
    at: datetime,
    decision_id: str,
    actor: str,
) -> Decision:
    """Return the word that these identifiers are somebody else's: they leave, and the join is remembered as wrong.

    Whoever names one side of a merge undoes that merge: the word names all that the merge named, so the merge is as if
    never said. Otherwise handles go with their account, and mails and phones that are not named go with the evidence:
    each side keeps what it alone showed.
    Raises: ValueError when an identifier is not the customer's, or none would leave, or none would stay.
    """
    chosen = frozenset(identifiers)
    strangers = chosen - customer.identifiers
    if strangers:
        raise ValueError(f"not an identifier of this customer: {', '.join(one.kind for one in sorted(strangers))}")
    undone = _merge_of(customer, chosen)
    leaving = undone.left | {undone.a} if undone else _with_names(chosen, customer)
    staying = _anchors(customer.identifiers - leaving)
    if undone is not None:
        return Decision(Verb.NOT_SAME, undone.a, undone.b, leaving, undone.right | {undone.b} | staying, at, decision_id, actor)
    if not leaving or not staying:
        raise ValueError("name at least one identifier that leaves, and leave at least one account behind")
    a = min((one for one in leaving if one.is_anchor), default=min(leaving))
    b = customer.lead if customer.lead in staying else min(staying)
    return Decision(Verb.NOT_SAME, a, b, leaving, staying, at, decision_id, actor)


def _merge_of(customer: Customer, chosen: frozenset[Identifier]) -> Decision | None:
    """Return the latest merge one side of which was chosen, turned so that this is its left side."""
    named = _with_names(chosen, customer)
    for word in sorted(customer.merges, key=lambda one: (one.at, one.decision_id), reverse=True):
        if not (word.left | {word.a}).isdisjoint(word.right | {word.b}):
            continue
        for said in (word, replace(word, a=word.b, b=word.a, left=word.right, right=word.left)):
            side = said.left | {said.a}
            here = _anchors(side & customer.identifiers)
            if here and any(here == _anchors(meant) and meant <= side for meant in (chosen, named)):
                return said
    return None


def _anchors(identifiers: frozenset[Identifier]) -> frozenset[Identifier]:
    return frozenset(one for one in identifiers if one.is_anchor)


def _with_names(chosen: frozenset[Identifier], customer: Customer) -> frozenset[Identifier]:
    """Add the handles of chosen accounts and the accounts of chosen handles."""
    names = [(join.a, join.b) for join in customer.joins if join.rule is Rule.ACCOUNT]
    found = set(chosen)
    while more := {end for pair in names for end in pair if not found.isdisjoint(pair)} - found:
        found |= more
    return frozenset(found)


def reject(a: Customer, b: Customer, *, at: datetime, decision_id: str, actor: str) -> Decision:
    """Return the word that two customers are not one person: no evidence will join them by itself again."""
    return Decision(Verb.NOT_SAME, a.lead, b.lead, a.identifiers, b.identifiers, at, decision_id, actor)


def lock(
    customer: Customer,
    *,
    at: datetime,
    decision_id: str,
    actor: str,
    anchor: Identifier | None = None,
    locked: bool = True,
) -> Decision:
    """Return the word that this customer shall be left as it is (or no longer).

    Bound to its lead unless another is chosen.
    """
    chosen = anchor or customer.lead
    verb = Verb.LOCK if locked else Verb.UNLOCK
    return Decision(verb, chosen, chosen, customer.identifiers, frozenset(), at, decision_id, actor)


def preview(evidence: EvidenceSet, decision: Decision, rules: IdentityRules, score: Scorer | None = None) -> Preview:
    """Return what the decision would change, with nothing done."""
    before = resolve(evidence, rules, score)
    after = resolve(replace(evidence, decisions=(*evidence.decisions, decision)), rules, score)
    return Preview(_only_in(before, after), _only_in(after, before), _of_decision(after, decision))


def _only_in(one: Resolution, other: Resolution) -> tuple[Customer, ...]:
    known = {customer.identifiers for customer in other.customers}
    return tuple(customer for customer in one.customers if customer.identifiers not in known)


def _of_decision(after: Resolution, decision: Decision) -> tuple[Refused, ...]:
    return tuple(one for one in after.refused if one.evidence_id == decision.decision_id)
