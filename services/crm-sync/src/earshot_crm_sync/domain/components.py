"""Components: statements that share identifiers or a person's word, and the customers they amount to.

Owns the split of loaded evidence into components, the call of the engine, and the reading of its answer: who there is, what proved to be
shared, what a person should look at. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from earshot_crm_sync.domain.statements import OVERSIZE, SHARED_NAME, SHARED_VALUE, Spoken, evidence_from, links_nothing
from earshot_crm_sync.identity import Decision, EvidenceSet, Identifier, IdentityRules, Refusal, Resolution, Rule, Suggestion, Verb, resolve

_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}


@dataclass(slots=True)
class Evidence:
    """What was loaded around some identifiers: statements by number, what is known of each identifier, people's decisions."""

    spoken: dict[int, Spoken] = field(default_factory=dict)
    bits: dict[Identifier, int] = field(default_factory=dict)  # only of those that have some
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Person:
    """One customer as judged: the identifier that names him, all that are his, the numbers of the statements that speak of him.

    ``alone``: nothing else is in his component. ``watched``: statements that show a value close to its limit in time.
    """

    anchor: Identifier
    members: frozenset[Identifier]
    statements: tuple[int, ...]
    alone: bool
    watched: tuple[int, ...]
    locked: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one component amounts to. ``bits``: all that is known to link nothing by now."""

    people: tuple[Person, ...]
    bits: Mapping[Identifier, int]
    suggestions: tuple[Suggestion, ...]
    resolution: Resolution


def judge_all(evidence: Evidence, rules: IdentityRules) -> list[Judgement]:
    """Return the judgement of every component of the evidence.

    A value that proves to be shared connects nothing, so what it held together is split and judged anew without it: what counts as one
    component never depends on when that was found out.
    """
    judgements: list[Judgement] = []
    ahead = split(evidence)
    while ahead:
        part = ahead.pop()
        judgement, shared = _judge(part, rules)
        if shared:
            part.bits = part.bits | shared
            ahead += split(part)
        else:
            judgements.append(judgement)
    return judgements


def split(evidence: Evidence) -> list[Evidence]:
    """Return the evidence by component, in the order of the lowest statement number."""
    roots = _Roots()
    for one in evidence.spoken.values():
        anchor = one.saying.anchor
        roots.add(anchor)
        for link in one.saying.links:
            if not links_nothing(link.rule, evidence.bits.get(link.identifier, 0)):
                roots.join(anchor, link.identifier)
    for decision in evidence.decisions:
        if decision.verb is Verb.SAME and roots.knows(decision.a) and roots.knows(decision.b):
            roots.join(decision.a, decision.b)
    parts: dict[Identifier, Evidence] = {}
    for number in sorted(evidence.spoken):
        one = evidence.spoken[number]
        parts.setdefault(roots.root(one.saying.anchor), Evidence(bits=evidence.bits)).spoken[number] = one
    for decision in evidence.decisions:
        named = {decision.a, decision.b, *decision.left, *decision.right}
        for root in {roots.root(each) for each in named if roots.knows(each)}:
            if root in parts:
                parts[root].decisions.append(decision)
    return list(parts.values())


class _Roots:
    def __init__(self) -> None:
        self._above: dict[Identifier, Identifier] = {}

    def knows(self, node: Identifier) -> bool:
        return node in self._above

    def add(self, node: Identifier) -> None:
        self._above.setdefault(node, node)

    def root(self, node: Identifier) -> Identifier:
        above = self._above
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    def join(self, a: Identifier, b: Identifier) -> None:
        self.add(a)
        self.add(b)
        self._above[self.root(b)] = self.root(a)


def _judge(part: Evidence, rules: IdentityRules) -> tuple[Judgement, dict[Identifier, int]]:
    """Return the judgement of one component, and what proved to be shared, which makes the judgement void."""
    spoken = list(part.spoken.values())
    # Judged as too large when it touches what was: then no value of it may link, whatever part of it was loaded.
    oversize = any(part.bits.get(link.identifier, 0) & OVERSIZE for one in spoken for link in one.saying.links)
    evidence = evidence_from(spoken, part.bits)
    if part.decisions:
        evidence = evidence + EvidenceSet(decisions=tuple(part.decisions))
    resolution = resolve(evidence, replace(rules, max_edges=-1) if oversize else rules)
    shared: dict[Identifier, int] = {}
    for refused in resolution.refused:
        if refused.reason in (Refusal.SHARED, Refusal.BLOCKED):
            bit = SHARED_NAME if refused.rule is Rule.ACCOUNT else SHARED_VALUE
            shared[refused.b] = shared.get(refused.b, part.bits.get(refused.b, 0)) | bit
    bits = dict(part.bits)
    if resolution.oversize:
        for one in spoken:
            for link in one.saying.links:
                if link.rule is not Rule.ACCOUNT and not part.bits.get(link.identifier):
                    bits[link.identifier] = OVERSIZE
    people = () if shared else _people(part, resolution, bits, _watched(spoken, bits, rules))
    return Judgement(people, bits, resolution.suggestions, resolution), shared


def _people(part: Evidence, resolution: Resolution, bits: Mapping[Identifier, int], watched: frozenset[int]) -> tuple[Person, ...]:
    """Return the customers who speak. A value that ties nobody is nobody's, whoever shows it."""
    speakers: dict[Identifier, list[Spoken]] = defaultdict(list)
    for one in part.spoken.values():
        speakers[resolution.by_identifier[one.saying.anchor].anchor].append(one)
    shown = {link.identifier for one in part.spoken.values() for link in one.saying.links}
    alone = len(part.spoken) == 1 and not part.decisions and not any(bits.get(each) for each in shown)
    people = []
    for customer in resolution.customers:
        theirs = speakers.get(customer.anchor)
        if theirs is None:
            continue
        own = {one.saying.anchor for one in theirs}
        own |= {each for each in customer.identifiers if not bits.get(each)}
        own |= {
            link.identifier for one in theirs for link in one.saying.links if not links_nothing(link.rule, bits.get(link.identifier, 0))
        }
        members = customer.identifiers & own
        numbers = tuple(sorted(one.no for one in theirs))
        looked_at = tuple(number for number in numbers if number in watched)
        people.append(Person(earliest(members, theirs), members, numbers, alone, looked_at, customer.locked))
    return tuple(people)


def _watched(spoken: Iterable[Spoken], bits: Mapping[Identifier, int], rules: IdentityRules) -> frozenset[int]:
    """Return the statements that show a value on more accounts than its limit, though not within its window: time may still tell."""
    users: dict[Identifier, set[Identifier]] = defaultdict(set)
    showing: dict[Identifier, list[int]] = defaultdict(list)
    for one in spoken:
        for link in one.saying.links:
            if link.rule is not Rule.ACCOUNT and not bits.get(link.identifier):
                users[link.identifier].add(one.saying.anchor)
                showing[link.identifier].append(one.no)
    close = []
    for value, anchors in users.items():
        limit = rules.limit_of(value)
        if limit is not None and len(anchors) > limit.accounts:
            close.append(value)
    return frozenset(number for value in close for number in showing[value])


def earliest(members: frozenset[Identifier], spoken: Sequence[Spoken]) -> Identifier:
    """Return the identifier that names a customer: the first that was shown, by (occurred_at, record id, kind, value).

    Only what is vouched for is shown: the speaker, his own name, what is verified. A mere claim names nobody.
    """
    best: tuple[datetime, str, int, Identifier] | None = None
    for one in spoken:
        saying, tally = one.saying, one.tally
        at, record_id = tally.first_at, tally.first_id
        if best is not None and (at, record_id) > best[:2]:
            continue
        shown = [saying.anchor]
        shown += [link.identifier for link in saying.links if link.verified or link.rule is Rule.ACCOUNT]
        ranked = [(_KIND_RANK.get(each[0], 9), each) for each in shown if each in members]
        if ranked:
            place = (at, record_id, *min(ranked))
            if best is None or place < best:
                best = place
    assert best is not None, "a customer without a speaker is none"
    return best[3]
