"""Who is who: from the evidence of one component to its customers, a pure function of the set.

Owns the order of judgement: which values may link, which joins are made in which order, what is held, suggested and
refused.
The vetoes are in `groups`, the counting in `limits`, the scores behind `Scorer`. Must not read clocks, stores or
arrival order.

The same law in a hundred plain lines stands in tests/support/identity_oracle.py; a property test holds them equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import combinations

from .decisions import Standing
from .evidence import fold_edges, fold_sightings
from .groups import Groups
from .limits import is_over
from .model import (
    Customer,
    Decision,
    Edge,
    EvidenceSet,
    Identifier,
    Join,
    Order,
    Refusal,
    Refused,
    Resolution,
    Rule,
    Sighting,
    Suggestion,
    place_of,
)
from .people import Person, gather
from .rules import IdentityRules
from .stream_score import Score, score_people
from .usual import usual

Scorer = Callable[[Person, Person], Score]


@dataclass(slots=True)
class _Case:
    """One component under judgement."""

    rules: IdentityRules
    edges: list[Edge]
    sightings: dict[Identifier, Sighting]
    standing: Standing
    account_of: dict[Identifier, Identifier]
    torn: frozenset[Identifier]  # handles of more accounts than one: recycled or renamed
    dead: dict[Identifier, Refusal]  # values that link nothing, torn handles among them
    silent: frozenset[Identifier]  # anchors whose values link nothing: bots and brands
    order: dict[Identifier, Order]


def resolve(evidence: EvidenceSet, rules: IdentityRules, score: Scorer | None = None) -> Resolution:
    """Return the customers of one component, what was refused and what a person should look at.

    `score`: instead of `score_people` with the weights of the rules.

    Total: every identifier of the evidence is in exactly one customer. Independent of the order and the repetition of
    the evidence.
    """
    if (found := usual(evidence, rules)) is not None:
        return found
    return resolve_at_length(evidence, rules, score)


def resolve_at_length(evidence: EvidenceSet, rules: IdentityRules, score: Scorer | None = None) -> Resolution:
    """Return the same as `resolve`, by the long way whatever the case."""
    case = _open(evidence, rules)
    flags = _flagged(evidence)
    groups = Groups(
        case.order,
        rules=rules,
        standing=case.standing,
        account_of=case.account_of,
        verified_records=_verified_records(case),
        staff=flags.get("staff", frozenset()),
        seen=frozenset(case.sightings),
    )
    oversize = len(case.edges) > rules.max_edges
    joins: list[Join] = []
    refused = list(_dead_edges(case))
    refused += _join_sure(case, groups, joins, oversize=oversize)
    suggestions: list[Suggestion] = []
    if not oversize:
        suggestions = _join_scored(case, groups, joins, evidence, score or partial(score_people, learned=rules.learned))
    _hold_orphans(case, groups, joins)
    return _close(case, groups, joins, refused, suggestions, oversize)


def _open(evidence: EvidenceSet, rules: IdentityRules) -> _Case:
    edges = fold_edges(evidence.edges)
    sightings = fold_sightings(evidence.sightings)
    flags = _flagged(evidence)
    silent = flags.get("bot", frozenset()) | flags.get("brand", frozenset())
    order = _first_seen(edges, sightings)
    torn, account_of = _names_of_accounts(edges, rules)
    dead = _links_nothing(edges, account_of, silent, rules) | dict.fromkeys(torn | evidence.hubs, Refusal.SHARED)
    return _Case(rules, edges, sightings, Standing(evidence.decisions), account_of, torn, dead, silent, order)


def _flagged(evidence: EvidenceSet) -> dict[str, frozenset[Identifier]]:
    found: dict[str, set[Identifier]] = defaultdict(set)
    for trait in evidence.traits:
        if trait.kind in ("staff", "bot", "brand"):
            found[trait.kind].add(trait.owner)
    return {kind: frozenset(owners) for kind, owners in found.items()}


def _first_seen(edges: list[Edge], sightings: dict[Identifier, Sighting]) -> dict[Identifier, Order]:
    """Return (first occurred_at, evidence id, rank of the kind, identifier) of every identifier that evidence names."""
    order: dict[Identifier, Order] = {}

    def note(identifier: Identifier, at: datetime, evidence_id: str) -> None:
        place = place_of(identifier, at, evidence_id)
        held = order.get(identifier)
        if held is None or place < held:
            order[identifier] = place

    for seen in sightings.values():
        note(seen.identifier, seen.first_at, seen.evidence_id)
    for edge in edges:
        note(edge.a, edge.first_at, edge.evidence_id)
        note(edge.b, edge.first_at, edge.evidence_id)
    return order


_Users = dict[Identifier, dict[Identifier, list[Edge]]]


def _names_of_accounts(edges: list[Edge], rules: IdentityRules) -> tuple[frozenset[Identifier], dict[Identifier, Identifier]]:
    """Return the handles that more accounts than their limit used, and the account behind each of the others."""
    owners: _Users = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        if edge.rule is Rule.ACCOUNT:
            owners[edge.b][edge.a].append(edge)
    torn, account_of = set(), {}
    for handle, accounts in owners.items():
        if is_over((_span(seen) for seen in accounts.values()), rules.limits.get("handle")):
            torn.add(handle)
        else:
            account_of[handle] = min(accounts, key=lambda one: (min(e.first_at for e in owners[handle][one]), one))
    return frozenset(torn), account_of


def _links_nothing(
    edges: list[Edge], account_of: dict[Identifier, Identifier], silent: frozenset[Identifier], rules: IdentityRules
) -> dict[Identifier, Refusal]:
    """Return the values that are blocked or on more accounts than their limit."""
    users: _Users = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        if edge.rule is not Rule.ACCOUNT and edge.a not in silent:
            users[edge.b][account_of.get(edge.a, edge.a)].append(edge)
    dead: dict[Identifier, Refusal] = {}
    for value, accounts in users.items():
        if rules.is_blocked(value):
            dead[value] = Refusal.BLOCKED
        elif is_over((_span(seen) for seen in accounts.values()), rules.limit_of(value)):
            dead[value] = Refusal.SHARED
    return dead


def _span(edges: list[Edge]) -> tuple[datetime, datetime]:
    return min(edge.first_at for edge in edges), max(edge.last_at for edge in edges)


def _verified_records(case: _Case) -> frozenset[Identifier]:
    named = {edge.b for edge in case.edges if edge.rule is Rule.CRM_ID and edge.verified}
    return frozenset(named | {anchor for anchor in case.sightings if anchor.kind == "crm_id"})


def _reason_not_to_link(case: _Case, edge: Edge) -> Refusal | None:
    if edge.rule is Rule.ACCOUNT:
        return Refusal.SHARED if edge.b in case.torn else None
    if edge.b in case.dead:
        return case.dead[edge.b]
    return Refusal.AUTOMATON if edge.a in case.silent or edge.b in case.silent else None


def _dead_edges(case: _Case) -> Iterator[Refused]:
    for edge in case.edges:
        reason = _reason_not_to_link(case, edge)
        if reason is not None:
            yield Refused(edge.a, edge.b, edge.rule, reason, edge.evidence_id)


def _sure_joins(case: _Case, *, oversize: bool) -> list[Join]:
    """Return the joins that need no score, by falling weight, first occurred_at, id.

    An oversize component keeps account links and people's words alone.
    """
    weights = case.rules.weights
    found = [
        Join(
            word.a,
            word.b,
            Rule.PERSON,
            True,
            weights[Rule.PERSON],
            word.at,
            word.decision_id,
            word.actor,
            ("somebody decided it",),
        )
        for word in case.standing.same
        if word.a in case.order and word.b in case.order
    ]
    for edge in case.edges:
        if not case.rules.is_sure(edge) or _reason_not_to_link(case, edge) is not None:
            continue
        if edge.rule is Rule.ACCOUNT or not oversize:
            found.append(Join(edge.a, edge.b, edge.rule, True, weights[edge.rule], edge.first_at, edge.evidence_id, edge.source))
    return sorted(found, key=lambda join: (-join.weight, join.at, join.evidence_id, join.a, join.b, join.rule))


def _join_sure(case: _Case, groups: Groups, joins: list[Join], *, oversize: bool) -> Iterator[Refused]:
    for join in _sure_joins(case, oversize=oversize):
        if groups.together(join.a, join.b):
            continue
        veto = groups.veto(join.a, join.b, verified=True, person=join.rule is Rule.PERSON, same_account=join.rule is Rule.ACCOUNT)
        if veto is not None:
            yield Refused(join.a, join.b, join.rule, veto, join.evidence_id)
            continue
        groups.join(join.a, join.b)
        joins.append(join)
    if oversize:
        for edge in case.edges:
            if edge.rule is not Rule.ACCOUNT and _reason_not_to_link(case, edge) is None:
                yield Refused(edge.a, edge.b, edge.rule, Refusal.OVERSIZE, edge.evidence_id)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two anchors that share a live value, or one of which is claimed by the other."""

    a: Identifier
    b: Identifier
    at: datetime
    evidence_id: str


def _pairs(case: _Case, groups: Groups) -> list[_Pair]:
    """Return one pair for each two groups that share a value: the earliest, in a fixed order."""
    users: dict[Identifier, list[Edge]] = defaultdict(list)
    for edge in case.edges:
        if edge.rule is not Rule.ACCOUNT and _reason_not_to_link(case, edge) is None:
            users[edge.b].append(edge)
    pairs: dict[tuple[int, int], _Pair] = {}
    for value, edges in users.items():
        claims = [(edge.a, edge.first_at, edge.evidence_id) for edge in edges]
        if value in case.sightings:
            claims.append((value, case.sightings[value].first_at, case.sightings[value].evidence_id))
        for (a, a_at, a_id), (b, b_at, b_id) in combinations(sorted(claims), 2):
            if groups.together(a, b):
                continue
            at, evidence_id = max((a_at, a_id), (b_at, b_id))
            pair = _Pair(a, b, at, evidence_id)
            one, other = id(groups.members(a)), id(groups.members(b))
            key = (one, other) if one < other else (other, one)
            held = pairs.get(key)
            if held is None or (at, evidence_id, a, b) < (held.at, held.evidence_id, held.a, held.b):
                pairs[key] = pair
    return sorted(pairs.values(), key=lambda pair: (pair.at, pair.evidence_id, pair.a, pair.b))


def _join_scored(case: _Case, groups: Groups, joins: list[Join], evidence: EvidenceSet, score: Scorer) -> list[Suggestion]:
    """Join by falling score what the merge band holds; return what a person should look at."""
    pairs = _pairs(case, groups)
    if not pairs:
        return []
    people = _people(case, groups, pairs, evidence)
    scored = [(score(people[pair.a], people[pair.b]), pair) for pair in pairs]
    scored.sort(key=lambda one: (-one[0].bits, one[1].at, one[1].evidence_id, one[1].a, one[1].b))
    suggestions = []
    for found, pair in scored:
        if found.bits < case.rules.suggest_at:
            break
        if groups.together(pair.a, pair.b):
            continue
        veto = groups.veto(pair.a, pair.b, verified=False, person=False)
        if veto is None and found.bits >= case.rules.merge_at:
            groups.join(pair.a, pair.b)
            joins.append(Join(pair.a, pair.b, Rule.SCORED, False, found.bits, pair.at, pair.evidence_id, "score", found.reasons))
        elif veto not in (Refusal.NOT_SAME, Refusal.LOCKED, Refusal.TOO_LARGE):
            suggestions.append(Suggestion(pair.a, pair.b, found.bits, found.reasons, veto, pair.evidence_id))
    return _for_people(case, groups, suggestions)


def _people(case: _Case, groups: Groups, pairs: list[_Pair], evidence: EvidenceSet) -> dict[Identifier, Person]:
    """Return what is known of the group of each anchor in a pair, claims included."""
    traits: dict[Identifier, list[tuple[str, str]]] = defaultdict(list)
    for trait in evidence.traits:
        traits[trait.owner].append((trait.kind, trait.value))
    claimed: dict[Identifier, list[Identifier]] = defaultdict(list)
    for edge in case.edges:
        if _reason_not_to_link(case, edge) is None:
            claimed[edge.a].append(edge.b)
    people: dict[Identifier, Person] = {}
    for anchor in sorted({end for pair in pairs for end in (pair.a, pair.b)}):
        members = groups.members(anchor)
        people[anchor] = gather([*members, *(value for member in members for value in claimed.get(member, ()))], traits)
    return people


def _for_people(case: _Case, groups: Groups, suggestions: list[Suggestion]) -> list[Suggestion]:
    """Return one suggestion for each two customers, the best, between their earliest identifiers."""
    best: dict[tuple[Identifier, Identifier], Suggestion] = {}
    for one in suggestions:
        ends = sorted(min(groups.members(end), key=case.order.__getitem__) for end in (one.a, one.b))
        a, b = ends[0], ends[1]
        if a != b and (a, b) not in best:
            best[a, b] = Suggestion(a, b, one.weight, one.reasons, one.refused, one.evidence_id)
    return list(best.values())


def _hold_orphans(case: _Case, groups: Groups, joins: list[Join]) -> None:
    """Give each value that is nobody's yet to its best claimant: verified first, then the earliest. It ties nobody."""
    claims: dict[Identifier, list[Edge]] = defaultdict(list)
    for edge in case.edges:
        if edge.b not in case.sightings:
            claims[edge.b].append(edge)
    for value in sorted(claims, key=case.order.__getitem__):
        if any(member in case.sightings for member in groups.members(value)):
            continue
        for edge in sorted(claims[value], key=lambda one: (not one.verified, one.first_at, one.evidence_id, one.a, one.rule)):
            if groups.veto(edge.a, value, verified=True, person=False) is None:
                groups.join(edge.a, value)
                joins.append(
                    Join(
                        edge.a,
                        value,
                        Rule.HELD,
                        edge.verified,
                        0.0,
                        edge.first_at,
                        edge.evidence_id,
                        edge.source,
                        (edge.rule.value,),
                    )
                )
                break


def _close(
    case: _Case,
    groups: Groups,
    joins: list[Join],
    refused: Iterable[Refused],
    suggestions: list[Suggestion],
    oversize: bool,
) -> Resolution:
    steps: dict[int, list[Join]] = defaultdict(list)
    for join in joins:
        steps[id(groups.members(join.a))].append(join)
    merges: dict[int, list[Decision]] = defaultdict(list)
    for word in case.standing.same:
        if word.a in case.order and word.b in case.order and groups.together(word.a, word.b):
            merges[id(groups.members(word.a))].append(word)
    customers = []
    by_identifier: dict[Identifier, Customer] = {}
    for members in groups.all():
        anchor = min(members, key=case.order.__getitem__)
        lead = min((one for one in members if one.is_anchor), key=case.order.__getitem__, default=anchor)
        place = id(members)
        customer = Customer(anchor, lead, frozenset(members), tuple(steps[place]), groups.is_locked(anchor), tuple(merges[place]))
        customers.append(customer)
        by_identifier.update(dict.fromkeys(members, customer))
    customers.sort(key=lambda one: case.order[one.anchor])
    return Resolution(tuple(customers), tuple(sorted(set(refused), key=_by_place)), tuple(suggestions), oversize, by_identifier)


def _by_place(one: Refused) -> tuple[Identifier, Identifier, str, str, str]:
    return (one.a, one.b, one.rule, one.reason, one.evidence_id)
