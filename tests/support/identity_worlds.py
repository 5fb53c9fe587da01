"""Small worlds of evidence for the laws of identity: few accounts, few values, many collisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import settings
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

_T = TypeVar("_T")
_THOROUGH = 20
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


def examples(count: int) -> settings:
    """Return settings for so many examples; twenty times as many with `--hypothesis-profile=thorough`."""
    more = _THOROUGH if settings.get_current_profile_name() == "thorough" else 1
    return settings(max_examples=count * more, deadline=None)


_BYTES_OF_CLAIM, _BYTES_OF_WORD = 16, 11
_MAILS = (None, None, "a@a.org", "b@a.org", "info@a.org")
_PHONES = (None, None, "+4930123456", "+4930123457")


class _Dice:
    """Choices read from bytes: one draw a world instead of hundreds, and fewer or smaller bytes are simpler worlds."""

    def __init__(self, thrown: bytes) -> None:
        self._thrown = iter(thrown)

    def below(self, count: int) -> int:
        return next(self._thrown, 0) % count

    def one_of(self, *values: _T) -> _T:
        return values[self.below(len(values))]

    def some_of(self, values: Sequence[_T], most: int) -> list[_T]:
        return [values[self.below(len(values))] for _ in range(self.below(most + 1))]


def _claim(dice: _Dice) -> Claim:
    """Return one item or contact by one of a dozen accounts."""
    common = Claim(
        evidence_id=f"item-{dice.below(20):02}{dice.below(20):02}",
        source=dice.one_of("s1", "s2"),
        at=START + dice.below(61) * DAY,
        name=dice.one_of(None, "Ann Lee", "Bo Ek"),
        email=dice.one_of(*_MAILS),
        email_verified=bool(dice.below(2)),
        phone=dice.one_of(*_PHONES),
        phone_verified=bool(dice.below(2)),
        is_staff=dice.below(10) == 9,
        is_bot=dice.below(20) == 19,
    )
    if listed := dice.one_of(None, None, "p", "q"):
        common = replace(common, accounts=(ListedAccount(channel="x", handle=listed, verified=bool(dice.below(2))),))
    else:
        dice.below(2)
    crm = dice.one_of(None, None, None, "1", "2", "record")
    if crm == "record":
        return replace(common, crm_system="crm", crm_id=dice.one_of("1", "2"))
    channel, number, handle = dice.one_of("x", "forum"), dice.one_of(None, "1", "2", "3"), dice.one_of("p", "q")
    key = f"{channel}:{number}" if number else f"{channel}:@{handle}"
    common = replace(common, channel=channel, author_key=key, account_id=number, handle=handle)
    return replace(common, crm_system="crm", crm_id=crm) if crm else common


def claims() -> st.SearchStrategy[Claim]:
    """One item or contact by one of a dozen accounts."""
    return st.binary(min_size=_BYTES_OF_CLAIM, max_size=_BYTES_OF_CLAIM).map(lambda thrown: _claim(_Dice(thrown)))


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


def _word(dice: _Dice, number: int, known: list[Identifier]) -> Decision | None:
    verb = dice.one_of(Verb.SAME, Verb.NOT_SAME, Verb.NOT_SAME, Verb.LOCK, Verb.UNLOCK)
    a, b = dice.one_of(*known), dice.one_of(*known)
    at = START + dice.below(61) * DAY
    left, right = frozenset(dice.some_of(known, 3)) | {a}, frozenset(dice.some_of(known, 3)) | {b}
    if a == b or (verb is Verb.NOT_SAME and left & right):
        return None
    return Decision(verb, a, b, left, right, at, f"decision-{number}", "somebody")


def _chunks(thrown: bytes, size: int) -> Iterator[bytes]:
    return (thrown[start : start + size] for start in range(0, len(thrown), size))


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 12) -> EvidenceSet:
    """Evidence of up to `most` items, with up to three words of people."""
    items, words = draw(st.integers(1, most)) * _BYTES_OF_CLAIM, draw(st.integers(0, 3)) * _BYTES_OF_WORD
    return _world(draw(st.binary(min_size=items, max_size=items)), draw(st.binary(min_size=words, max_size=words)))


def _world(items: bytes, words: bytes) -> EvidenceSet:
    evidence = evidence_from([_claim(_Dice(part)) for part in _chunks(items, _BYTES_OF_CLAIM)])
    known = identifiers_of(evidence)
    said = [_word(_Dice(part), number, known) for number, part in enumerate(_chunks(words, _BYTES_OF_WORD))]
    return evidence + EvidenceSet(decisions=tuple(one for one in said if one is not None))


_LIMITED = ("handle", "email", "phone", "crm_id", "listed")


@st.composite
def tight_rules(draw: st.DrawFn) -> IdentityRules:
    """Rules far tighter than any shipped: limits of one to three, customers of one to eight identifiers."""
    dice = _Dice(draw(st.binary(min_size=13, max_size=13)))
    limits = {kind: Limit(1 + dice.below(3), dice.one_of(None, 10 * DAY, 30 * DAY)) for kind in _LIMITED}
    return replace(
        TIGHT, limits=limits, max_identifiers=1 + dice.below(8), max_accounts=1 + dice.below(4), max_edges=dice.one_of(3, 8, 14, 100)
    )
