"""Statements: what counts as saying the same, and how tallies move."""

from datetime import UTC, datetime, timedelta

import pytest

from earshot_crm_sync.domain.statements import (
    OVERSIZE,
    SHARED_NAME,
    SHARED_VALUE,
    Tally,
    links_nothing,
    shown_by,
    statement_of,
    unpack_saying,
)
from earshot_crm_sync.identity import Claim, Identifier, Rule

START = datetime(2024, 5, 1, tzinfo=UTC)


def claim(**fields: object) -> Claim:
    told: dict[str, object] = {
        "evidence_id": "e",
        "source": "forum",
        "at": START,
        "channel": "forum",
        "author_key": "forum:1",
        "account_id": "1",
    }
    return Claim(**{**told, **fields})  # type: ignore[arg-type]  # fields by name are what the test is about


def test_time_and_evidence_do_not_make_another_statement() -> None:
    one, other = statement_of(claim()), statement_of(claim(evidence_id="f", at=START + timedelta(days=1)))
    assert one is not None
    assert other is not None
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": "Anna"}, id="name"),
        pytest.param({"email": "a@example.org"}, id="claimed mail"),
        pytest.param({"email": "a@example.org", "email_verified": True}, id="verified mail"),
        pytest.param({"source": "shop"}, id="source"),
        pytest.param({"handle": "anna"}, id="handle"),
        pytest.param({"is_staff": True}, id="role"),
    ],
)
def test_whatever_else_is_said_makes_another_statement(fields: dict[str, object]) -> None:
    one, other = statement_of(claim()), statement_of(claim(**fields))
    assert one is not None
    assert other is not None
    assert one.digest != other.digest


def test_a_statement_shows_its_speaker_first_and_comes_back_whole() -> None:
    told = statement_of(claim(handle="Anna", email="a@example.org", email_verified=True, name="Anna A"))
    assert told is not None
    assert shown_by(told.saying) == (
        Identifier("account", "forum:1"),
        Identifier("handle", "forum:@anna"),
        Identifier("email", "a@example.org"),
    )
    assert unpack_saying(told.packed) == told.saying


def test_who_shows_nobody_states_nothing() -> None:
    assert statement_of(Claim(evidence_id="e", source="crm", at=START)) is None


def test_a_tally_knows_first_and_last_by_time_then_id() -> None:
    tally = Tally()
    assert tally.add(START, START, "b") == (True, True)
    assert tally.add(START, START, "a") == (True, False)
    assert tally.add(START, START, "c") == (False, True)
    assert tally.add(START + timedelta(hours=1), START - timedelta(hours=1), "d") == (False, False)
    assert (tally.count, tally.first_id, tally.heard_id, tally.last_at) == (4, "a", "c", START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("rule", "bits", "nothing"),
    [
        pytest.param(Rule.EMAIL, 0, False, id="free"),
        pytest.param(Rule.EMAIL, SHARED_VALUE, True, id="shared value"),
        pytest.param(Rule.LISTED, SHARED_NAME, True, id="a name of several ties nobody by a list either"),
        pytest.param(Rule.PHONE, OVERSIZE, True, id="too large"),
        pytest.param(Rule.ACCOUNT, SHARED_VALUE, False, id="an account's own name is not a value"),
        pytest.param(Rule.ACCOUNT, SHARED_NAME, True, id="name of several accounts"),
    ],
)
def test_what_shared_identifiers_tie(rule: Rule, bits: int, nothing: bool) -> None:
    assert links_nothing(rule, bits) is nothing
