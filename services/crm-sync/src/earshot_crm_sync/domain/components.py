"""Components: statements that share identifiers, and the customers they amount to.

Owns the split of loaded evidence into components and the call of the engine. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from earshot_crm_sync.domain.statements import Saying, Tally, evidence_from
from earshot_crm_sync.identity import Decision, EvidenceSet, Identifier, IdentityRules, Refusal, Resolution, Rule, resolve

SHARED_VALUE, SHARED_NAME = 1, 2
_KIND_RANK: Final = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}


@dataclass(frozen=True, slots=True)
class Person:
    """One customer as judged: the identifier that names him, all that are his, the numbers of the statements that speak of him."""

    anchor: Identifier
    members: frozenset[Identifier]
    statements: tuple[int, ...]
    alone: bool  # nothing else is in his component


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence of one component amounts to; ``shared``: identifiers that proved to link nothing, as `SHARED_*` bits."""

    people: tuple[Person, ...]
    shared: Mapping[Identifier, int]
    resolution: Resolution


def split(statements: Mapping[int, Sequence[int]], bonds: Iterable[tuple[int, int]] = ()) -> list[list[int]]:
    """Return the keys of ``statements`` by component: two belong together when their values have one in common, or a bond joins them."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = parent[node]
        return node

    for links in statements.values():
        first = root(links[0])
        for other in links[1:]:
            parent[root(other)] = first
    for a, b in bonds:
        parent[root(a)] = root(b)
    found: dict[int, list[int]] = {}
    for key in sorted(statements):
        found.setdefault(root(statements[key][0]), []).append(key)
    return list(found.values())


def earliest(members: frozenset[Identifier], spoken: Iterable[tuple[Saying, Tally]]) -> Identifier:
    """Return the identifier that names a customer: the first that was shown, by (occurred_at, record id, kind, value).

    Only what is vouched for is shown: the speaker, his own name, what is verified. A mere claim names nobody.
    """
    best: tuple[datetime, str, int, Identifier] | None = None
    for saying, tally in spoken:
        for shown in (saying.anchor, *(link.identifier for link in saying.links if link.verified or link.rule is Rule.ACCOUNT)):
            place = (tally.first_at, tally.first_id, _KIND_RANK.get(shown.kind, 9), shown)
            if shown in members and (best is None or place < best):
                best = place
    assert best is not None, "a customer without a speaker is none"
    return best[3]


def judge(spoken: Mapping[int, tuple[Saying, Tally]], decisions: Sequence[Decision], rules: IdentityRules) -> Judgement:
    """Return the customers of one component. People without a statement (a value that nobody may hold) are left out."""
    evidence = evidence_from(list(spoken.values()))
    if decisions:
        evidence = evidence + EvidenceSet(decisions=tuple(decisions))
    resolution = resolve(evidence, rules)
    numbers: dict[Identifier, list[int]] = {}
    for number, (saying, _) in spoken.items():
        numbers.setdefault(resolution.by_identifier[saying.anchor].anchor, []).append(number)
    alone = len(spoken) == 1 and not decisions
    people = tuple(
        Person(
            earliest(customer.identifiers, [spoken[number] for number in numbers[customer.anchor]]),
            customer.identifiers,
            tuple(sorted(numbers[customer.anchor])),
            alone,
        )
        for customer in resolution.customers
        if customer.anchor in numbers
    )
    shared: dict[Identifier, int] = {}
    for refused in resolution.refused:
        if refused.reason in (Refusal.SHARED, Refusal.BLOCKED):
            shared[refused.b] = shared.get(refused.b, 0) | (SHARED_NAME if refused.rule is Rule.ACCOUNT else SHARED_VALUE)
    return Judgement(people, shared, resolution)
