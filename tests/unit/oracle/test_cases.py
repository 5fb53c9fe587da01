"""The case fold, sentence by sentence of the oracle's README (the numbers in the ids)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from oracle import ids
from oracle.cases import Case, Cases, Judgement, fold_cases
from oracle.facts import Action, Author, Content, Fact, ItemRevision, Role, Verb, standing
from oracle.threads import find_threads

DAY = datetime(2026, 3, 1, tzinfo=UTC)
SOURCE = "forum"


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


def message(
    name: str,
    minute: float,
    *,
    role: Role = Role.CUSTOMER,
    to: str | None = None,
    talk: str | None = None,
    brand: str | None = "Acme",
) -> ItemRevision:
    return ItemRevision(
        feedback_id=ids.feedback_id(SOURCE, name),
        revision=1,
        occurred_at=at(minute),
        received_at=at(minute),
        channel="forum",
        brand=brand,
        role=role,
        replies_to=frozenset({ids.feedback_id(SOURCE, to)} if to else ()),
        conversations=frozenset({ids.conversation_node(SOURCE, talk)} if talk else ()),
        content=Content(source=SOURCE, external_id=name, kind="post", author=Author(handle=f"@{name}"), text=name),
    )


def fid(name: str) -> UUID:
    return ids.feedback_id(SOURCE, name)


def action(verb: Verb, subject: str, minute: float, seen: str = "", **fields: str) -> Action:
    return Action(
        action_id=uuid5(ids.NAMESPACE, f"{verb}{subject}{minute}"),
        verb=verb,
        subject=fid(subject),
        at=at(minute),
        seen=frozenset(map(fid, seen.split())),
        assignee=fields.get("assignee"),
        team=fields.get("team"),
        text=fields.get("text"),
        channel="forum",
        brand="Acme",
    )


def judge(item: ItemRevision) -> Judgement:
    return Judgement(intent="complaint", severity=2, team="support")


def fold(facts: Sequence[Fact]) -> Cases:
    stand = standing(facts)
    return fold_cases(stand, find_threads(stand.present), judge)


def only(facts: Sequence[Fact]) -> Case:
    (case,) = fold(facts).by_id.values()
    return case


M1 = message("m1", 0)
B1 = message("b1", 10, role=Role.BRAND, to="m1")
M2 = message("m2", 20, to="b1")
LATE = message("late", 5, to="m1")
RESOLVE = action(Verb.RESOLVE, "m1", 15, "m1 b1")
RESPOND = action(Verb.RESPOND, "m1", 12, "m1")


@pytest.mark.capability("T7")
@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param([M1], "open", id="18 nobody answered"),
        pytest.param([M1, B1], "waiting", id="18 the brand answered"),
        pytest.param([M1, B1, M2], "open", id="18 the customer spoke last"),
        pytest.param([M1, B1, LATE], "waiting", id="19 old message, answered elsewhere, nobody looked here"),
        pytest.param([M1, replace(B1, brand="Other")], "open", id="16 another brand's account is no response"),
        pytest.param([M1, replace(B1, role=Role.STAFF)], "open", id="16 staff is no response"),
        pytest.param([M1, B1, RESOLVE], "resolved", id="17 resolved"),
        pytest.param([M1, B1, RESOLVE, message("b2", 30, role=Role.BRAND, to="m1")], "resolved", id="17 brand speaks on"),
        pytest.param([M1, B1, M2, RESOLVE], "open", id="17 a later message re-opens"),
        pytest.param([M1, B1, LATE, RESOLVE], "open", id="17 an unseen message re-opens whatever its time"),
        pytest.param([M1, RESPOND], "waiting", id="19 answered by respond"),
        pytest.param([M1, RESPOND, LATE], "open", id="19 not in seen, whatever its time"),
        pytest.param(
            [M1, replace(RESPOND, seen=frozenset({fid("m1"), fid("m2")})), message("m2", 20, to="m1")],
            "waiting",
            id="19 in seen",
        ),
        pytest.param([M1, RESPOND, LATE, message("b2", 30, role=Role.BRAND, to="m1")], "waiting", id="19 later answer"),
        pytest.param([M1, B1, RESOLVE, action(Verb.REOPEN, "m1", 16)], "open", id="18 reopened by a person"),
        pytest.param(
            [M1, B1, RESOLVE, action(Verb.REOPEN, "m1", 16), message("b2", 17, role=Role.BRAND, to="m1")],
            "waiting",
            id="18 answered after a reopen",
        ),
        pytest.param(
            [M1, RESPOND, replace(standing([RESPOND]).present[0], revision=2, withdrawn=True)],
            "open",
            id="19 a withdrawn reply answered nobody",
        ),
    ],
)
def test_status(facts: Sequence[Fact], status: str) -> None:
    assert only(facts).status == status
    assert only([*reversed(facts), *facts]).status == status


def test_response_is_the_first_later_one_of_the_same_brand() -> None:
    foreign = message("b0", 3, role=Role.BRAND, to="m1", brand="Other")
    assert only([M1, foreign, B1]).first_response_at == at(10)
    assert only([M1, foreign]).first_response_at is None


def test_brand_opened_threads_are_cases_only_when_a_person_acts() -> None:
    opening, reply = message("b", 0, role=Role.BRAND), message("m", 5, to="b")
    assert fold([opening, reply]).by_id == {}
    case = only([opening, reply, action(Verb.NOTE, "m", 9, text="look")])
    assert (case.case_id, case.opened_at, case.opened_by_customer) == (ids.case_id(fid("m")), at(5), False)


@pytest.mark.capability("T13")
def test_two_threads_become_one_and_fall_apart_again() -> None:
    one, other, joining = message("one", 0), message("other", 5), message("j", 9, to="one", talk="c")
    linked = replace(other, conversations=frozenset({ids.conversation_node(SOURCE, "c")}))
    acts = [action(Verb.ASSIGN, "other", 20, assignee="ann")]
    joined = fold([one, linked, joining, *acts])
    assert set(joined.by_id) == {ids.case_id(fid("one"))}
    assert joined.resolve(ids.case_id(fid("other")), [fid("one"), fid("other")]) == ids.case_id(fid("one"))
    apart = fold([one, linked, joining, *acts, replace(joining, revision=2, withdrawn=True)])
    assert apart == fold([one, linked, replace(joining, withdrawn=True), *acts])
    assert apart.by_id[ids.case_id(fid("other"))].assignee == "ann"
    assert apart.by_id[ids.case_id(fid("one"))].assignee is None


def test_two_replies_to_a_missing_parent_are_one_thread() -> None:
    assert only([message("a", 1, to="gone"), message("b", 2, to="gone")]).messages == (fid("a"), fid("b"))


def test_a_withdrawn_opening_leads_on_where_somebody_replied() -> None:
    gone = replace(message("x", 0, talk="c"), revision=2, withdrawn=True)
    reply = message("y", 3, to="x")
    cases = fold([gone, reply])
    assert cases.resolve(ids.case_id(fid("x")), [fid("x")]) == ids.case_id(fid("y"))
    assert fold([gone, message("y", 3, talk="c")]).holder.get(fid("x")) is None
    assert fold([gone]).by_id == {}


@pytest.mark.capability("G14")
def test_an_erased_opening_keeps_the_thread_and_tells_nothing() -> None:
    case = only([replace(M1, revision=2, content=None), B1])
    assert (case.author_key, case.intent, case.team, case.priority) == ("erased", "unknown", None, 1)
    assert (case.case_id, case.first_response_at) == (ids.case_id(M1.feedback_id), at(10))


def test_people_set_fields_last_writer_by_time_and_id() -> None:
    acts = [action(Verb.ROUTE, "m1", 3, team="legal"), action(Verb.ROUTE, "m1", 2, team="product")]
    assert only([M1, *acts]).team == "legal"
    assert only([M1]).team == "support"
