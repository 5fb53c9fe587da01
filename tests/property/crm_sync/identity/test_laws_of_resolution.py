"""The laws of identity, over thousands of small worlds full of collisions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_crm_sync.identity import (
    Claim,
    Customer,
    Decision,
    EvidenceSet,
    Identifier,
    IdentityRules,
    Resolution,
    Rule,
    Verb,
    admitted,
    alias_ids,
    anchor_of,
    customer_id,
    erasure_hash,
    evidence_of,
    fold_edges,
    fold_sightings,
    fold_traits,
    paths,
    resolve,
)
from earshot_crm_sync.identity.people import Person, gather
from earshot_crm_sync.identity.resolve import resolve_at_length
from earshot_crm_sync.identity.stream_score import score_people
from earshot_crm_sync.identity.usual import usual
from support.identity_oracle import Group, Oracle
from support.identity_worlds import DAY, START, TIGHT, claims, evidence_from, examples, identifiers_of, worlds


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
@examples(300)
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


@examples(300)
@given(st.lists(claims(), min_size=1, max_size=3))
def test_the_short_way_gives_what_the_long_way_gives(items: list[Claim]) -> None:
    plain = [replace(item, accounts=(), crm_id=None, is_bot=False, is_staff=False) for item in items if item.author_key]
    evidence = folded(evidence_from(plain))
    found = usual(evidence, IdentityRules())
    if found is not None:
        expected = resolve_at_length(evidence, IdentityRules())
        assert found == expected
        assert found.by_identifier == expected.by_identifier


@pytest.mark.capability("C5")
@examples(100)
@given(st.lists(claims(), min_size=1, max_size=12), st.lists(st.integers(0, 3), min_size=24), st.randoms(use_true_random=False))
def test_batches_and_repeats_do_not_matter(items: list[Claim], batch_of: list[int], random: Random) -> None:
    whole = resolve(evidence_from(items), TIGHT)
    again = [*items, *items]
    random.shuffle(again)
    batches: dict[int, list[Claim]] = defaultdict(list)
    for place, item in enumerate(again):
        batches[batch_of[place]].append(item)
    assert resolve(evidence_from(again), TIGHT) == whole
    total = EvidenceSet()
    for batch in batches.values():
        total = folded(total + folded(evidence_from(batch)))
    assert resolve(total, TIGHT) == whole


def folded(evidence: EvidenceSet) -> EvidenceSet:
    """Return what a store keeps of it."""
    sightings = tuple(fold_sightings(evidence.sightings).values())
    return EvidenceSet(sightings, tuple(fold_edges(evidence.edges)), tuple(fold_traits(evidence.traits)), evidence.decisions)


@pytest.mark.capability("C5")
@examples(200)
@given(worlds(most=8), st.integers(0, 60), st.data())
def test_a_value_that_proves_shared_lets_go_of_all_it_had_joined(evidence: EvidenceSet, day: int, data: st.DataObject) -> None:
    """A crowd on one value: everybody else is then who they would be had nobody ever shown it."""
    values = sorted({edge.b for edge in evidence.edges if edge.b.kind in ("email", "phone", "handle")})
    if not values:
        return
    value = data.draw(st.sampled_from(values))
    rules = replace(TIGHT, max_edges=1_000, max_identifiers=1_000, max_accounts=1_000)
    evidence = replace(
        evidence, decisions=tuple(word for word in evidence.decisions if value not in {word.a, word.b, *word.left, *word.right})
    )
    crowd = [stranger(number, value, START + day * DAY) for number in range(4)]
    after = resolve(evidence + evidence_from(crowd), rules)
    never = replace(evidence, edges=tuple(edge for edge in evidence.edges if edge.b != value))
    if value in {seen.identifier for seen in never.sightings}:
        never = replace(never, hubs=frozenset({value}))
    known = set(identifiers_of(never)) - {value}
    expected = {group & known for group in customers(resolve(never, rules))} - {frozenset()}
    assert {group & known for group in customers(after)} - {frozenset()} == expected
    alone = [after.by_identifier[anchor_of_claim(one)] for one in crowd]
    assert all(not customer.identifiers & known for customer in alone)
    assert len({customer.anchor for customer in alone}) == len(crowd)


def stranger(number: int, value: Identifier, at: datetime) -> Claim:
    """Return an item of somebody new who shows a value as his own."""
    said = Claim(
        evidence_id=f"stranger-{number}",
        source="s1",
        at=at,
        channel="x" if value.kind == "handle" else f"far-{number}",
        author_key=f"x:far-{number}" if value.kind == "handle" else f"far-{number}:1",
        account_id=f"far-{number}" if value.kind == "handle" else "1",
    )
    if value.kind == "handle":
        return replace(said, channel=value.namespace, author_key=f"{value.namespace}:far-{number}", handle=value.value.partition("@")[2])
    return (
        replace(said, email=value.value, email_verified=True)
        if value.kind == "email"
        else replace(said, phone=value.value, phone_verified=True)
    )


def anchor_of_claim(claim: Claim) -> Identifier:
    """Return who speaks."""
    found = anchor_of(claim)
    assert found is not None
    return found


@pytest.mark.capability("C5")
@examples(100)
@given(st.lists(claims(), min_size=1, max_size=10), st.integers(0, 10), st.integers(0, 60))
def test_every_id_leads_for_ever_to_one_customer_or_to_an_erasure(items: list[Claim], seen_by_then: int, day: int) -> None:
    """Ids given out early lead somewhere late, whatever joined, fell apart or was erased meanwhile; each to one place."""
    key, until = b"secret", START + day * DAY
    early = resolve(evidence_from(items[:seen_by_then]), TIGHT)
    given_out = {found for customer in early.customers for found in alias_ids(customer.identifiers, key)}
    gone = anchor_of_claim(items[0])
    erased = {erasure_hash(gone, key): until}
    kept = EvidenceSet()
    for item in items:
        kept += admitted(evidence_of(item), erased, key)
    total = evidence_from(items)
    for now in (resolve(total, TIGHT), resolve(kept, TIGHT)):
        holders = [found for customer in now.customers for found in alias_ids(customer.identifiers, key)]
        assert len(holders) == len(set(holders)), "an id leads to one customer"
        named_by = {customer_id(customer, key) for customer in now.customers}
        assert named_by <= set(holders)
        lost = given_out - set(holders)
        assert not lost if now.by_identifier.keys() >= set(identifiers_of(total)) else lost <= ids_beside(items, gone, until, key)


def ids_beside(items: list[Claim], gone: Identifier, until: datetime, key: bytes) -> set[UUID]:
    """Return the ids that an erasure may take away: of the erased identifier and of what only its older items showed."""
    taken = [evidence_of(item) for item in items if item.at <= until and anchor_of(item) == gone]
    taken += [EvidenceSet(edges=tuple(e for e in evidence_of(item).edges if gone in (e.a, e.b))) for item in items if item.at <= until]
    return set(alias_ids({one for part in taken for one in identifiers_of(part)}, key))


@examples(100)
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
