"""Laws of what hangs on customers: the golden record, consents, previews, erasure."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_crm_sync.identity import (
    EVERY,
    Claim,
    Consent,
    ConsentStatus,
    Criterion,
    Edit,
    EvidenceSet,
    Identifier,
    SurvivorshipRules,
    admitted,
    erasure_hash,
    evidence_of,
    fold_edges,
    fold_sightings,
    fold_traits,
    golden_record,
    opt_out_of_all,
    resolve,
    strictest,
)
from support.identity_worlds import DAY, START, TIGHT, claims, evidence_from, examples, worlds

RULES = SurvivorshipRules(criteria={"name": (Criterion.COMPLETENESS, Criterion.RECENCY)}, source_rank=("s2",))
PEOPLE = [Identifier("account", f"x:{number}") for number in range(4)]

consents = st.lists(
    st.builds(
        Consent,
        identifier=st.sampled_from(PEOPLE),
        purpose=st.sampled_from(["survey", "news", EVERY]),
        brand=st.sampled_from(["acme", "bolt", EVERY]),
        granted=st.booleans(),
        at=st.integers(0, 5).map(lambda day: START + day * DAY),
        consent_id=st.integers(0, 99).map(str),
    ),
    max_size=10,
)


@pytest.mark.capability("G2")
@examples(300)
@given(consents, st.sets(st.sampled_from(PEOPLE), min_size=1), st.sets(st.sampled_from(PEOPLE), min_size=1))
def test_a_merge_never_loosens_a_consent(words: list[Consent], left: set[Identifier], right: set[Identifier]) -> None:
    for purpose, brand, identifier in (("survey", "acme", sorted(left)[0]), ("news", "bolt", sorted(left)[0])):
        alone = strictest(words, left, purpose=purpose, brand=brand, identifier=identifier)
        together = strictest(words, left | right, purpose=purpose, brand=brand, identifier=identifier)
        assert together is not ConsentStatus.GRANTED or alone is ConsentStatus.GRANTED
        assert alone is not ConsentStatus.DENIED or together is ConsentStatus.DENIED


@examples(100)
@given(consents, st.randoms(use_true_random=False))
def test_consents_are_a_set(words: list[Consent], random: Random) -> None:
    again = [*words, *words[:3]]
    random.shuffle(again)
    for purpose, brand in (("survey", "acme"), ("news", "bolt")):
        told = [strictest(said, PEOPLE, purpose=purpose, brand=brand) for said in (words, again)]
        assert told[0] is told[1]


def test_an_opt_out_without_identifier_covers_all_and_an_opt_in_is_refused() -> None:
    word = Consent(identifier=PEOPLE[0], purpose=EVERY, brand=EVERY, granted=False, at=START, consent_id="c")
    assert [one.identifier for one in opt_out_of_all(word, PEOPLE)] == PEOPLE
    yes = Consent(identifier=PEOPLE[0], purpose=EVERY, brand=EVERY, granted=True, at=START, consent_id="c")
    with pytest.raises(ValueError, match="needs the identifier"):
        opt_out_of_all(yes, PEOPLE)


@pytest.mark.capability("C6")
@examples(100)
@given(worlds(most=8), st.randoms(use_true_random=False))
def test_the_golden_record_is_a_function_of_the_set(evidence: EvidenceSet, random: Random) -> None:
    edges, traits = [*evidence.edges, *evidence.edges[:2]], [*evidence.traits, *evidence.traits[:2]]
    random.shuffle(edges)
    random.shuffle(traits)
    sightings = tuple(fold_sightings(evidence.sightings).values())
    other = EvidenceSet(sightings, tuple(fold_edges(edges)), tuple(fold_traits(traits)), evidence.decisions)
    assert resolve(other, TIGHT) == resolve(evidence, TIGHT)
    edits = [
        Edit(
            field="name",
            value="By Hand",
            identifier=evidence.sightings[0].identifier,
            at=START,
            edit_id="e",
            actor="me",
        )
    ]
    for customer in resolve(evidence, TIGHT).customers:
        record = golden_record(customer.identifiers, evidence, edits, RULES)
        assert record == golden_record(customer.identifiers, other, edits, RULES)
        edited = evidence.sightings[0].identifier in customer.identifiers
        assert (record["name"].value == "By Hand" and record["name"].edited) if edited else True
        assert all(one.identifier in customer.identifiers for one in record.values())


@pytest.mark.capability("G14")
@examples(100)
@given(st.lists(claims(), min_size=1, max_size=6), st.integers(0, 60))
def test_an_erased_author_leaves_nothing_older_and_may_come_again(items: list[Claim], day: int) -> None:
    key, until = b"secret", START + day * DAY
    total = evidence_from(items)
    gone = total.sightings[0].identifier
    erased = {erasure_hash(gone, key): until}
    for item in items:
        kept = admitted(evidence_of(item), erased, key)
        for seen in kept.sightings:
            assert seen.identifier != gone or seen.first_at > until
        for edge in kept.edges:
            assert gone not in (edge.a, edge.b) or edge.first_at > until
