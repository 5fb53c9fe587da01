"""The usual small cases of a stream, judged by a short way: authors beside sure values of their own, few enough for no limit to matter.

Owns the short way alone. It must give what `resolve` gives by the long way: the oracle and a property test hold both equal.
"""

from __future__ import annotations

from .model import Customer, Edge, EvidenceSet, Identifier, Join, Order, Resolution, Rule, place_of
from .rules import IdentityRules

_MOST = 12  # sightings, and edges
_FLAGS = frozenset({"staff", "bot", "brand"})
_ACCOUNT, _EMAIL, _PHONE = Rule.ACCOUNT, Rule.EMAIL, Rule.PHONE  # compared by identity: hashing an enum costs more than the rest
_Orders = dict[Identifier, Order]


def usual(evidence: EvidenceSet, rules: IdentityRules) -> Resolution | None:
    """Return the customers when nothing but plain evidence speaks and no limit, veto or cap could matter; None for all else."""
    edges, sightings = evidence.edges, evidence.sightings
    if not 0 < len(sightings) <= _MOST or len(edges) > _MOST or evidence.decisions or evidence.hubs:
        return None
    if len(sightings) + len(edges) > min(rules.max_identifiers, rules.max_accounts, rules.max_edges):
        return None
    for trait in evidence.traits:
        if trait.kind in _FLAGS:
            return None
    order: _Orders = {}
    for seen in sightings:
        who = seen.identifier
        if who in order or who.kind == "crm_id":
            return None
        order[who] = place_of(who, seen.first_at, seen.evidence_id)
    if not _note(edges, order, rules):
        return None
    return _joined([edge for edge in edges if rules.is_sure(edge)], [edge for edge in edges if not rules.is_sure(edge)], order, rules)


def _note(edges: tuple[Edge, ...], order: _Orders, rules: IdentityRules) -> bool:
    """Note who was first seen when; return whether all edges are plain: each once, live, and no value near its limit."""
    anchors = frozenset(order)
    users: dict[Identifier, int] = {}
    met = set()
    for edge in edges:
        a, b, rule = edge.a, edge.b, edge.rule
        own = rule is _ACCOUNT
        if not (own or rule is _EMAIL or rule is _PHONE) or a not in anchors or (a, b) in met:
            return False
        met.add((a, b))
        used = users[b] = users.get(b, 0) + 1
        limit = rules.limits.get("handle") if own else rules.limit_of(b)
        if (limit is not None and used > limit.accounts) or (not own and rules.is_blocked(b)):
            return False
        for end in (a, b):
            place = place_of(end, edge.first_at, edge.evidence_id)
            held = order.get(end)
            if held is None or place < held:
                order[end] = place
    return all(users[edge.b] == 1 for edge in edges if not rules.is_sure(edge))


def _joined(sure: list[Edge], claimed: list[Edge], order: _Orders, rules: IdentityRules) -> Resolution:
    joins = [Join(e.a, e.b, e.rule, True, rules.weights[e.rule], e.first_at, e.evidence_id, e.source) for e in sure]
    joins.sort(key=lambda join: (-join.weight, join.at, join.evidence_id, join.a, join.b, join.rule))
    claimed.sort(key=lambda edge: order[edge.b])
    joins += [Join(e.a, e.b, Rule.HELD, False, 0.0, e.first_at, e.evidence_id, e.source, (e.rule.value,)) for e in claimed]
    group_of: dict[Identifier, list[Identifier]] = {who: [who] for who in order}
    made = []
    for join in joins:
        ours, theirs = group_of[join.a], group_of[join.b]
        if ours is not theirs:
            made.append(join)
            ours += theirs
            for who in theirs:
                group_of[who] = ours
    return _told(group_of, made, order)


def _told(group_of: dict[Identifier, list[Identifier]], made: list[Join], order: _Orders) -> Resolution:
    customers = []
    by_identifier: dict[Identifier, Customer] = {}
    for who in sorted(order, key=order.__getitem__):
        if who in by_identifier:
            continue
        members = group_of[who]
        lead = who if who.is_anchor else min((one for one in members if one.is_anchor), key=order.__getitem__)
        joins = made if len(members) == len(order) else [join for join in made if group_of[join.a] is members]
        customer = Customer(who, lead, frozenset(members), tuple(joins))
        customers.append(customer)
        for one in members:
            by_identifier[one] = customer
    return Resolution(tuple(customers), by_identifier=by_identifier)
