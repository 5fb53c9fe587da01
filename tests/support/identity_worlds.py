"""Small worlds of evidence for the laws of identity: few accounts, few values, many collisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from earshot_crm_sync.identity import (
    Claim,
    Decision,
    EvidenceSet,
    Identifier,
    IdentityRules,
    Limit,
    ListedAccount,
    Verb,
    evidence_of,
)

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

TIGHT = IdentityRules(
    limits={
        "handle": Limit(1),
        "email": Limit(3, 30 * DAY),
        "phone": Limit(2, 10 * DAY),
        "crm_id": Limit(2),
        "listed": Limit(2),
    },
    max_identifiers=8,
    max_accounts=4,
    max_edges=14,
    merge_at=5.0,
)

_at = st.integers(0, 60).map(lambda day: START + day * DAY)
_id = st.integers(0, 400).map(lambda n: f"item-{n:04}")


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """One item or contact by one of a dozen accounts."""
    channel = draw(st.sampled_from(["x", "forum"]))
    listed = draw(
        st.lists(
            st.builds(ListedAccount, channel=st.just("x"), handle=st.sampled_from("pq"), verified=st.booleans()),
            max_size=1,
        )
    )
    common = Claim(
        evidence_id=draw(_id),
        source=draw(st.sampled_from(["s1", "s2"])),
        at=draw(_at),
        name=draw(st.sampled_from([None, "Ann Lee", "Bo Ek"])),
        email=draw(st.sampled_from([None, None, "a@a.org", "b@a.org", "info@a.org"])),
        email_verified=draw(st.booleans()),
        phone=draw(st.sampled_from([None, None, "+4930123456", "+4930123457"])),
        phone_verified=draw(st.booleans()),
        accounts=tuple(listed),
        is_staff=draw(st.integers(0, 9)) == 0,
        is_bot=draw(st.integers(0, 19)) == 0,
    )
    if draw(st.integers(0, 4)) == 0:
        return replace(common, crm_system="crm", crm_id=draw(st.sampled_from("12")))
    number, handle = draw(st.sampled_from([None, "1", "2", "3"])), draw(st.sampled_from(["p", "q"]))
    key = f"{channel}:{number}" if number else f"{channel}:@{handle}"
    common = replace(common, channel=channel, author_key=key, account_id=number, handle=handle)
    crm = draw(st.sampled_from([None, None, None, "1", "2"]))
    return replace(common, crm_system="crm", crm_id=crm) if crm else common


def identifiers_of(evidence: EvidenceSet) -> list[Identifier]:
    """Return every identifier that the evidence names."""
    found = {seen.identifier for seen in evidence.sightings}
    for edge in evidence.edges:
        found |= {edge.a, edge.b}
    return sorted(found)


def evidence_from(items: list[Claim]) -> EvidenceSet:
    """Return all their evidence together."""
    total = EvidenceSet()
    for item in items:
        total += evidence_of(item)
    return total


@st.composite
def decisions(draw: st.DrawFn, known: list[Identifier]) -> tuple[Decision, ...]:
    """A few words of people about known identifiers."""
    made = []
    for number in range(draw(st.integers(0, 3))):
        verb = draw(st.sampled_from([Verb.SAME, Verb.NOT_SAME, Verb.NOT_SAME, Verb.LOCK, Verb.UNLOCK]))
        a, b = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        left = frozenset(draw(st.lists(st.sampled_from(known), max_size=3))) | {a}
        right = frozenset(draw(st.lists(st.sampled_from(known), max_size=3))) | {b}
        if a != b and not (verb is Verb.NOT_SAME and left & right):
            made.append(Decision(verb, a, b, left, right, draw(_at), f"decision-{number}", "somebody"))
    return tuple(made)


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 12) -> EvidenceSet:
    """Evidence of up to `most` items, with decisions."""
    evidence = evidence_from(draw(st.lists(claims(), min_size=1, max_size=most)))
    return evidence + EvidenceSet(decisions=draw(decisions(identifiers_of(evidence))))
