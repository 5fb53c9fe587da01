"""Who may be written to: what is known of more people or of more words never allows what less forbade, and a grant is never invented."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_crm_sync.domain.outreach import Ask, OutreachRules, Reached, Reason, Unasked, decide_outreach
from earshot_crm_sync.identity import EVERY, Consent, Identifier

START = datetime(2024, 5, 1, tzinfo=UTC)
PEOPLE = [Identifier("account", f"forum:{n}") for n in range(4)]
ASKS = st.builds(
    Ask,
    outreach_id=st.just("o"),
    author=st.just("a"),
    purpose=st.sampled_from(["thanks", "news"]),
    template=st.just("t"),
    brand=st.sampled_from([None, "acme", "other"]),
    requested_at=st.just(START),
)
RULES = st.builds(
    OutreachRules,
    default=st.sampled_from(list(Unasked)),
    purposes=st.dictionaries(st.just("thanks"), st.sampled_from(list(Unasked)), max_size=1),
)


@st.composite
def consents(draw: st.DrawFn) -> list[Consent]:
    return [
        Consent(
            identifier=draw(st.sampled_from(PEOPLE)),
            purpose=draw(st.sampled_from(["thanks", "news", EVERY])),
            brand=draw(st.sampled_from(["acme", "other", EVERY])),
            granted=draw(st.booleans()),
            at=START + timedelta(hours=draw(st.integers(0, 3))),
            consent_id=f"c{number}",
        )
        for number in range(draw(st.integers(0, 6)))
    ]


def reached(members: frozenset[Identifier], said: list[Consent]) -> Reached:
    """What the store finds: the words on the customer's own identifiers."""
    return Reached(frozenset(PEOPLE[:1]), members, tuple(one for one in said if one.identifier in members))


@pytest.mark.capability("G2")
@given(ASKS, RULES, consents(), st.sets(st.sampled_from(PEOPLE[1:])), st.sets(st.sampled_from(PEOPLE[1:])))
def test_a_merge_never_loosens(ask: Ask, rules: OutreachRules, said: list[Consent], some: set[Identifier], more: set[Identifier]) -> None:
    alone = frozenset({PEOPLE[0], *some})
    before = decide_outreach(ask, reached(alone, said), rules, START)
    after = decide_outreach(ask, reached(alone | more, said), rules, START)
    assert before.allowed or not after.allowed


@pytest.mark.capability("G2")
@given(ASKS, RULES, consents())
def test_it_is_allowed_by_a_grant_of_its_own_or_by_the_rule_and_never_against_a_denial(
    ask: Ask, rules: OutreachRules, said: list[Consent]
) -> None:
    verdict = decide_outreach(ask, reached(frozenset(PEOPLE), said), rules, START)
    latest: dict[tuple[Identifier, str, str], Consent] = {}
    for one in sorted(said, key=lambda one: (one.at, not one.granted, one.consent_id)):
        latest[one.identifier, one.purpose, one.brand] = one
    about = [one for one in latest.values() if one.purpose in (ask.purpose, EVERY)]
    denied = any(not one.granted and (ask.brand is None or one.brand in (ask.brand, EVERY)) for one in about)
    granted = any(one.granted and one.identifier == PEOPLE[0] and one.brand in (ask.brand, EVERY) for one in about)
    assert verdict.allowed == (not denied and (granted or rules.unasked(ask.purpose) is Unasked.OPT_OUT))
    assert set(verdict.consents) <= {one.consent_id for one in said}


@given(ASKS, RULES, st.sampled_from([Reason.UNKNOWN, Reason.ERASED, Reason.SHARED]))
def test_nobody_is_written_to_who_is_not_known(ask: Ask, rules: OutreachRules, why: Reason) -> None:
    assert decide_outreach(ask, why, rules, START).reason is why
    assert decide_outreach(ask, why, rules, START + rules.valid_for + timedelta(seconds=1)).reason is Reason.TOO_LATE
