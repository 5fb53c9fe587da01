"""A profile that is brought up to what was merely said again is the profile that would be built anew."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_crm_sync.domain.profile import Sketch, Words, build_profile, heard_again
from earshot_crm_sync.domain.statements import Tally, statement_of
from earshot_crm_sync.identity import Claim, Criterion, Edit, Identifier, SurvivorshipRules
from earshot_crm_sync.rows import StatementRow

START = datetime(2024, 5, 1, tzinfo=UTC)
_CRITERIA = st.lists(st.sampled_from(list(Criterion)), max_size=4, unique=True).map(tuple)


@st.composite
def _rows(draw: st.DrawFn) -> list[StatementRow]:
    """Statements of one person: few accounts, few names and mails, so that they compete."""
    rows: dict[bytes, StatementRow] = {}
    for number in range(1, draw(st.integers(2, 6)) + 1):
        channel, account = draw(st.sampled_from([("forum", "1"), ("forum", "2"), ("shop", "1")]))
        claim = Claim(
            evidence_id="",
            source=draw(st.sampled_from(["forum", "shop", "crm"])),
            at=START,
            channel=channel,
            author_key=f"{channel}:{account}",
            account_id=account,
            handle=draw(st.sampled_from([None, "anna", "ann"])),
            name=draw(st.sampled_from([None, "Anna", "Anna Schmidt"])),
            email=draw(st.sampled_from([None, "a@example.org", "b@example.org"])),
            email_verified=draw(st.booleans()),
            traits=(("name", "Annie"),) if draw(st.integers(0, 5)) == 0 else (),
        )
        statement = statement_of(claim)
        assert statement is not None
        tally = Tally()
        at = START + timedelta(hours=draw(st.integers(0, 3)))
        tally.add(at, at, f"record-{draw(st.integers(0, 9))}-{number}")
        rows[statement.digest] = StatementRow(number, statement.digest, (number,), statement.packed, statement.author_key, tally, None, 1)
    return list(rows.values())


@st.composite
def _rules(draw: st.DrawFn) -> SurvivorshipRules:
    chosen: dict[str, Any] = {"criteria": {"name": draw(_CRITERIA)}, "source_rank": draw(st.sampled_from([(), ("crm", "shop")]))}
    return SurvivorshipRules(**chosen, default=draw(_CRITERIA))


@pytest.mark.capability("C6")
@given(_rows(), _rules(), st.booleans(), st.data())
def test_to_say_it_again_is_to_build_anew(rows: list[StatementRow], rules: SurvivorshipRules, edited: bool, data: st.DataObject) -> None:
    members = frozenset({row.saying.anchor for row in rows} | {Identifier("email", "a@example.org")})
    edit = Edit(field="name", value="By Hand", identifier=rows[0].saying.anchor, at=START, edit_id="e", actor="Pat")
    words = Words(edits=[edit] if edited else [])
    profile = build_profile(Sketch("id", members), rows, words, rules)
    heard = {}
    for number, row in enumerate(data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4))):
        if row.no not in profile.settled:
            at = row.tally.heard_at + timedelta(hours=data.draw(st.integers(0, 2)))
            row.tally.add(at, at, f"record-9-{number + 10}")  # of no other statement: a record says one thing
            heard[row.no] = row
    again = heard_again(profile, heard.values(), {row.no: row for row in rows}, rules)
    assert again in (None, build_profile(Sketch("id", members), rows, words, rules))
