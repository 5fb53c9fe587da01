"""The laws of identity, over thousands of small worlds full of collisions."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earshot_crm_sync.identity import (
    Customer,
    Decision,
    EvidenceSet,
    Identifier,
    Resolution,
    Rule,
    Verb,
    paths,
    resolve,
)
from earshot_crm_sync.identity.people import Person, gather
from earshot_crm_sync.identity.stream_score import score_people
from support.identity_oracle import Group, Oracle
from support.identity_worlds import START, TIGHT, identifiers_of, worlds


def customers(resolution: Resolution) -> set[Group]:
    return {customer.identifiers for customer in resolution.customers}


def told_by_oracle(evidence: EvidenceSet) -> set[Group]:
    oracle = Oracle(evidence, TIGHT)
    traits = defaultdict(list)
    for trait in evidence.traits:
        traits[trait.owner].append((trait.kind, trait.value))

    def person(group: Group) -> Person:
        return gather([*group, *(e.b for e in oracle.edges if e.a in group and oracle.links(e))], traits)

    return oracle.customers(lambda g, h: score_people(person(g), person(h)).bits)


@pytest.mark.capability("C1")
@pytest.mark.capability("C5")
@settings(max_examples=1000, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_engine_keeps_every_law(evidence: EvidenceSet, random: Random) -> None:
    resolution = resolve(evidence, TIGHT)
    assert customers(resolution) == told_by_oracle(evidence)
    assert resolve(shuffled(evidence, random), TIGHT) == resolution
    held = [one for customer in resolution.customers for one in customer.identifiers]
    assert sorted(held) == identifiers_of(evidence), "every identifier is in exactly one customer"
    oracle = Oracle(evidence, TIGHT)
    for customer in resolution.customers:
        assert set(paths(customer)) == customer.identifiers
        assert len(customer.joins) == len(customer.identifiers) - 1
        assert_nothing_broken(customer, oracle)


def shuffled(evidence: EvidenceSet, random: Random) -> EvidenceSet:
    """Return the same evidence in another order, some of it twice."""
    sightings, edges = [*evidence.sightings, *evidence.sightings[:2]], [*evidence.edges, *evidence.edges[:2]]
    traits, words = [*evidence.traits, *evidence.traits[:2]], [*evidence.decisions, *evidence.decisions[:2]]
    for part in (sightings, edges, traits, words):
        random.shuffle(part)
    return EvidenceSet(tuple(sightings), tuple(edges), tuple(traits), tuple(words))


def assert_nothing_broken(customer: Customer, oracle: Oracle) -> None:
    """No limit, veto or cap, asked of the finished customer."""
    assert len(customer.identifiers) <= TIGHT.max_identifiers
    assert len(oracle.accounts(customer.identifiers)) <= TIGHT.max_accounts
    for x, y in combinations(sorted(customer.identifiers), 2):
        said = oracle.word(x, y)
        assert said is None or said.verb is Verb.SAME
    for join in customer.joins:
        if join.rule not in (Rule.PERSON, Rule.SCORED, Rule.HELD):
            assert any((e.a, e.b, e.rule) == (join.a, join.b, join.rule) and oracle.links(e) for e in oracle.edges)


@pytest.mark.capability("C1")
@settings(max_examples=500, deadline=None)
@given(worlds(most=8), st.data())
def test_merge_then_unmerge_is_identity(evidence: EvidenceSet, data: st.DataObject) -> None:
    before = resolve(evidence, TIGHT)
    if len(before.customers) < 2:
        return
    left, right = data.draw(st.permutations(before.customers))[:2]
    merge = word(Verb.SAME, left.lead, right.lead, left.identifiers, right.identifiers, 100)
    unmerge = word(Verb.NOT_SAME, left.lead, right.lead, left.identifiers, right.identifiers, 101)
    after = resolve(evidence + EvidenceSet(decisions=(unmerge, merge)), TIGHT)
    assert after.customers == before.customers


@settings(max_examples=300, deadline=None)
@given(worlds(most=8), st.data())
def test_a_merge_joins_unless_too_large(evidence: EvidenceSet, data: st.DataObject) -> None:
    before = resolve(evidence, TIGHT)
    if len(before.customers) < 2:
        return
    left, right = data.draw(st.permutations(before.customers))[:2]
    if len(left.identifiers | right.identifiers) > TIGHT.max_identifiers // 2:
        return
    merge = word(Verb.SAME, left.lead, right.lead, left.identifiers, right.identifiers, 100)
    evidence = EvidenceSet(evidence.sightings, evidence.edges, evidence.traits, (merge,))
    after = resolve(evidence, TIGHT)
    if len(resolve(EvidenceSet(evidence.sightings, evidence.edges, evidence.traits), TIGHT).customers) > 1:
        assert after.by_identifier[left.lead] is after.by_identifier[right.lead]


def word(verb: Verb, a: Identifier, b: Identifier, left: Group, right: Group, day: int) -> Decision:
    return Decision(verb, a, b, left, right, START + timedelta(days=day), f"{verb}-{day}", "somebody")
