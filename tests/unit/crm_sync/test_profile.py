"""Profiles: how statements and people's words become the view, and which statements may be repeated without changing it."""

from datetime import UTC, datetime, timedelta

from earshot_crm_sync.domain.profile import MOST_NAMES, Sketch, Words, build_profile, pack_profile, read_head, sketch_of, unpack_profile
from earshot_crm_sync.domain.statements import Tally, statement_of
from earshot_crm_sync.identity import Claim, Consent, Edit, Identifier, SurvivorshipRules
from earshot_crm_sync.rows import StatementRow

START = datetime(2024, 5, 1, tzinfo=UTC)
RULES = SurvivorshipRules()
ACCOUNT, SHOP, MAIL = Identifier("account", "forum:1"), Identifier("account", "shop:2"), Identifier("email", "a@example.org")


def row(no: int, channel: str = "forum", account: str = "1", *, at: int = 0, **fields: object) -> StatementRow:
    """A statement heard once, ``at`` hours after the start."""
    told = {
        "evidence_id": "",
        "source": channel,
        "at": START,
        "channel": channel,
        "author_key": f"{channel}:{account}",
        "account_id": account,
    }
    statement = statement_of(Claim(**{**told, **fields}))  # type: ignore[arg-type]  # fields by name are what the test is about
    assert statement is not None
    tally = Tally()
    tally.add(START + timedelta(hours=at), START + timedelta(hours=at), f"record-{no}")
    return StatementRow(no, statement.digest, (no,), statement.packed, statement.author_key, tally, None, 1)


def test_the_latest_name_survives_and_only_its_statement_is_settled() -> None:
    rows = [row(1, name="Anna"), row(2, name="Anna Schmidt", at=1)]
    profile = build_profile(Sketch("id", frozenset({ACCOUNT})), rows, Words(), RULES)
    head = read_head(profile)
    assert (head.name, head.names) == ("Anna Schmidt", ["Anna", "Anna Schmidt"])
    assert [(field.name, field.value, field.statement_no) for field in profile.fields] == [("name", "Anna Schmidt", 2)]
    assert profile.settled == (2,)


def test_one_statement_alone_gives_what_survivorship_would_give() -> None:
    one = row(1, name="Anna", handle="anna", email="a@example.org")
    members = frozenset({ACCOUNT, Identifier("handle", "forum:@anna"), MAIL})
    alone = build_profile(Sketch("id", members), [one], Words(), RULES)
    nothing = Edit(field="city", value=None, identifier=ACCOUNT, at=START, edit_id="e", actor="Pat")
    judged = build_profile(Sketch("id", members), [one], Words(edits=[nothing]), RULES)
    assert alone.fields == judged.fields
    assert alone.settled == (1,)


def test_an_edit_wins_with_its_own_time_and_author() -> None:
    edit = Edit(field="name", value="By Hand", identifier=ACCOUNT, at=START, edit_id="e", actor="Pat")
    profile = build_profile(Sketch("id", frozenset({ACCOUNT})), [row(1, name="Anna", at=5)], Words(edits=[edit]), RULES)
    (field,) = profile.fields
    assert (field.value, field.source, field.edited_at) == ("By Hand", "Pat", START)
    assert profile.settled == ()


def test_an_account_is_verified_once_a_source_says_so_that_may() -> None:
    handle = Identifier("handle", "forum:@anna")
    doubted, sure = row(1, handle="anna", account_doubted=True), row(2, handle="anna", source="the forum itself", at=1)

    def verified(*rows: StatementRow) -> dict[str, bool]:
        head = read_head(build_profile(Sketch("id", frozenset({ACCOUNT, handle})), list(rows), Words(), RULES))
        return {one.kind: one.verified for one in head.identifiers}

    assert verified(doubted) == {"account": False, "handle": False}
    assert verified(doubted, sure) == {"account": True, "handle": True}


def test_values_that_tie_nobody_are_shown_as_shared() -> None:
    profile = build_profile(
        Sketch("id", frozenset({ACCOUNT}), frozenset({MAIL})), [row(1, email="a@example.org", email_verified=True)], Words(), RULES
    )
    assert [(each.kind, each.shared) for each in read_head(profile).identifiers] == [("account", False), ("email", True)]
    assert "email" not in {field.name for field in profile.fields}


def test_a_denial_of_anybody_in_the_customer_forbids_all() -> None:
    def consent(identifier: Identifier, granted: bool) -> Consent:
        return Consent(identifier=identifier, purpose="news", brand="*", granted=granted, at=START, consent_id="c")

    rows = [row(1), row(2, "shop", "2")]
    words = Words(consents=[consent(ACCOUNT, True), consent(SHOP, False)])
    together = read_head(build_profile(Sketch("id", frozenset({ACCOUNT, SHOP})), rows, words, RULES))
    assert [each.allowed for each in together.consents] == [False, False]
    apart = read_head(build_profile(Sketch("id", frozenset({ACCOUNT})), rows[:1], words, RULES))
    assert [each.allowed for each in apart.consents] == [True]


def test_who_is_renamed_daily_keeps_a_view_of_bounded_size() -> None:
    rows = [row(n, name=f"Name {n:04}", at=n) for n in range(MOST_NAMES + 20)]
    head = read_head(build_profile(Sketch("id", frozenset({ACCOUNT})), rows, Words(), RULES))
    assert len(head.names) == MOST_NAMES
    assert head.name == f"Name {MOST_NAMES + 19:04}"


def test_a_profile_comes_back_whole_and_knows_whom_it_is_of() -> None:
    sketch = Sketch("id", frozenset({ACCOUNT, MAIL}), frozenset(), alone=True, watched=(1,), locked=True)
    profile = build_profile(sketch, [row(1, email="a@example.org")], Words(), RULES)
    assert unpack_profile(pack_profile(profile)) == profile
    assert sketch_of(profile) == sketch
