"""Laws of undo: a merge taken back is a merge never said, under any limits; a preview tells what happens; a refusal is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_crm_sync.identity import (
    EVERY,
    Consent,
    ConsentStatus,
    Customer,
    EvidenceSet,
    IdentityRules,
    Resolution,
    merge,
    preview,
    reject,
    resolve,
    strictest,
    unmerge,
)
from support.identity_worlds import DAY, START, TIGHT, examples, tight_rules, worlds


def speaking(resolution: Resolution) -> list[Customer]:
    """Return the customers that have an identifier that speaks for itself."""
    return [one for one in resolution.customers if any(member.is_anchor for member in one.identifiers)]


def partition(resolution: Resolution) -> set[frozenset[object]]:
    return {frozenset(one.identifiers) for one in resolution.customers}


@pytest.mark.capability("C1")
@examples(400)
@given(worlds(most=8), tight_rules(), st.data())
def test_merge_then_unmerge_is_identity_under_every_limit(evidence: EvidenceSet, rules: IdentityRules, data: st.DataObject) -> None:
    before = resolve(evidence, rules)
    people = speaking(before)
    if len(people) < 2:
        return
    left, right = data.draw(st.permutations(people))[:2]
    said = merge(left, right, at=START + 100 * DAY, decision_id="m", actor="me")
    told = preview(evidence, said, rules)
    evidence += EvidenceSet(decisions=(said,))
    merged = resolve(evidence, rules)
    assert set(told.after) <= set(merged.customers)
    assert bool(told.before) is (merged.customers != before.customers)
    joined = merged.by_identifier[left.lead]
    if joined is not merged.by_identifier[right.lead]:
        assert told.refused, "what stands in the way of a merge is said"
        return
    chosen = data.draw(st.sampled_from([left, right])).identifiers & joined.identifiers
    back = unmerge(joined, chosen, at=START + 101 * DAY, decision_id="u", actor="me")
    told = preview(evidence, back, rules)
    after = resolve(evidence + EvidenceSet(decisions=(back,)), rules)
    assert after.customers == before.customers
    assert told.after
    assert set(told.before) <= set(merged.customers)
    assert set(told.after) <= set(before.customers)


@pytest.mark.capability("C1")
@examples(200)
@given(worlds(most=8), tight_rules(), st.data())
def test_what_an_unmerge_takes_out_stays_out_until_somebody_says_otherwise(
    evidence: EvidenceSet, rules: IdentityRules, data: st.DataObject
) -> None:
    large = [one for one in resolve(evidence, rules).customers if sum(member.is_anchor for member in one.identifiers) > 1]
    if not large:
        return
    customer = data.draw(st.sampled_from(large))
    anchors = sorted(one for one in customer.identifiers if one.is_anchor)
    chosen = data.draw(st.sets(st.sampled_from(anchors), min_size=1, max_size=len(anchors) - 1))
    try:
        back = unmerge(customer, chosen, at=START + 101 * DAY, decision_id="u", actor="me")
    except ValueError:
        return  # one account and its names
    told = preview(evidence, back, rules)
    after = resolve(evidence + EvidenceSet(decisions=(back,)), rules)
    assert set(told.after) <= set(after.customers)
    assert not told.changes_nothing
    for one in after.customers:
        assert not (one.identifiers & back.left and one.identifiers & back.right)
    again = merge(after.by_identifier[back.a], after.by_identifier[back.b], at=START + 102 * DAY, decision_id="n", actor="me")
    evidence += EvidenceSet(decisions=(back,))
    refused = preview(evidence, again, rules).refused
    merged = resolve(evidence + EvidenceSet(decisions=(again,)), rules)
    assert bool(refused) is (merged.by_identifier[again.a] is not merged.by_identifier[again.b])


@examples(200)
@given(worlds(most=8), worlds(most=8), st.data())
def test_a_refusal_outlives_whatever_comes_later(evidence: EvidenceSet, later: EvidenceSet, data: st.DataObject) -> None:
    people = speaking(resolve(evidence, TIGHT))
    if len(people) < 2:
        return
    a, b = data.draw(st.permutations(people))[:2]
    no = reject(a, b, at=START + 100 * DAY, decision_id="n", actor="me")
    after = resolve(evidence + later + EvidenceSet(decisions=(no,)), TIGHT)
    for one in after.customers:
        assert not (one.identifiers & a.identifiers and one.identifiers & b.identifiers)


@pytest.mark.capability("G2")
@examples(100)
@given(worlds(most=8), st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=6), st.data())
def test_consents_come_back_from_a_merge_as_they_were(
    evidence: EvidenceSet, given_words: list[tuple[int, bool]], data: st.DataObject
) -> None:
    before = resolve(evidence, TIGHT)
    people = speaking(before)
    if len(people) < 2:
        return
    known = sorted(before.by_identifier)
    words = [
        Consent(
            identifier=known[who % len(known)], purpose="survey", brand=EVERY, granted=yes, at=START + place * DAY, consent_id=str(place)
        )
        for place, (who, yes) in enumerate(given_words)
    ]
    left, right = data.draw(st.permutations(people))[:2]
    said = merge(left, right, at=START + 100 * DAY, decision_id="m", actor="me")
    evidence += EvidenceSet(decisions=(said,))
    merged = resolve(evidence, TIGHT)
    joined = merged.by_identifier[left.lead]
    if joined is not merged.by_identifier[right.lead]:
        return
    back = unmerge(joined, right.identifiers & joined.identifiers, at=START + 101 * DAY, decision_id="u", actor="me")
    after = resolve(evidence + EvidenceSet(decisions=(back,)), TIGHT)
    for identifier in known:
        status = [
            strictest(words, now.by_identifier[identifier].identifiers, purpose="survey", brand="acme", identifier=identifier)
            for now in (before, merged, after)
        ]
        assert status[0] is status[2]
        if joined.identifiers == left.identifiers | right.identifiers and partition(merged) - partition(before) == {joined.identifiers}:
            assert status[1] is not ConsentStatus.GRANTED or status[0] is ConsentStatus.GRANTED
