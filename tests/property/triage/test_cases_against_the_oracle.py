"""Triage folds any set of facts, in any order, with repeats, in any slices, to the oracle's cases."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earshot_shared.migrations import migrate_all
from earshot_shared.topics import Topic
from oracle import ids
from oracle.cases import Case, Cases, fold_cases
from oracle.facts import Action, Author, Content, Fact, ItemRevision, Role, Standing, Verb, reply_item, standing
from oracle.threads import find_threads
from support.triage_world import World, oracle_judge, rows_of

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = "abcdefg"
TALKS = "xy"
BRANDS = st.sampled_from(["Acme", "Acme", "Acme", "Bolt", None])
WORDS = st.sampled_from(["bug 3", "complaint 2", "idea 1", "question 2", "complaint 4", "other 1"])
ROLES = st.sampled_from([Role.CUSTOMER, Role.CUSTOMER, Role.BRAND, Role.BRAND, Role.STAFF])
MINUTES = st.integers(0, 8)


def fid(name: str) -> UUID:
    return ids.feedback_id("forum", name)


@st.composite
def revisions(draw: st.DrawFn, name: str) -> list[ItemRevision]:
    """All revisions of one item: links are added, words are edited, it is withdrawn, comes back, is erased."""
    replies = st.frozensets(st.sampled_from(NAMES).map(fid), max_size=2)
    talks = st.frozensets(st.sampled_from(TALKS).map(lambda talk: ids.conversation_node("forum", talk)), max_size=1)
    minute = draw(MINUTES)
    item = ItemRevision(
        feedback_id=fid(name),
        revision=1,
        occurred_at=DAY + timedelta(minutes=minute),
        received_at=DAY + timedelta(minutes=minute),
        channel=draw(st.sampled_from(["forum", "mail"])),
        brand=draw(BRANDS),
        role=draw(ROLES),
        replies_to=draw(replies) - {fid(name)},
        conversations=draw(talks),
        content=Content(source="forum", external_id=name, kind="post", author=Author(handle=name), text=f"{draw(WORDS)} {name}"),
    )
    all_revisions = [item]
    for change in draw(st.lists(st.sampled_from(["link", "edit", "withdraw", "withdraw", "revive", "erase"]), max_size=2)):
        last = all_revisions[-1]
        following = replace(last, revision=last.revision + 1)
        if change == "link":
            following = replace(following, replies_to=last.replies_to | draw(replies) - {fid(name)})
        elif change == "edit" and last.content is not None:
            following = replace(following, content=replace(last.content, text=f"{draw(WORDS)} anew"))
        elif change == "withdraw":
            following = replace(following, withdrawn=True)
        elif change == "revive":
            following = replace(following, withdrawn=False)
        elif change == "erase":
            following = replace(following, content=None)
        all_revisions.append(following)
    return all_revisions


@st.composite
def actions(draw: st.DrawFn, number: int) -> Action:
    verb = draw(st.sampled_from(list(Verb)))
    return Action(
        action_id=uuid5(ids.NAMESPACE, f"action {number}"),
        verb=verb,
        subject=fid(draw(st.sampled_from(NAMES))),
        at=DAY + timedelta(minutes=draw(MINUTES)),
        seen=draw(st.frozensets(st.sampled_from(NAMES).map(fid), max_size=5)) if verb in (Verb.RESPOND, Verb.RESOLVE) else frozenset(),
        assignee=draw(st.sampled_from([None, "ann", "bob"])) if verb is Verb.ASSIGN else None,
        team=draw(st.sampled_from(["product", "support", None])) if verb is Verb.ROUTE else None,
        priority=draw(st.sampled_from([None, 1, 4])) if verb is Verb.ESCALATE else None,
        text="a note" if verb is Verb.NOTE else None,
        channel="forum",
        brand=draw(BRANDS) if verb is Verb.RESPOND else None,
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Fact], list[list[Fact]]]:
    """A set of facts, and one way in which they may arrive: some records lost to compaction, some twice, in slices."""
    items = [draw(revisions(name)) for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6))]
    acts = [draw(actions(number)) for number in range(draw(st.integers(0, 4)))]
    for act in acts:
        if act.verb is Verb.RESPOND and draw(st.booleans()):
            copy = reply_item(act)
            items.append([copy, replace(copy, revision=2, withdrawn=True)] if draw(st.booleans()) else [copy])
    facts: list[Fact] = [*acts, *(revision for all_revisions in items for revision in all_revisions)]
    kept: list[Fact] = [*acts]
    for all_revisions in items:
        lost = draw(st.integers(0, len(all_revisions) - 1))
        kept += all_revisions[lost:]
    order: list[Fact] = draw(st.permutations(kept)) + draw(st.lists(st.sampled_from(facts), max_size=3))
    slices: list[list[Fact]] = [[]]
    for fact in order:
        parted: bool = draw(st.booleans())
        if slices[-1] and parted:
            slices.append([])
        slices[-1].append(fact)
    return facts, slices


@pytest.fixture
def world(fresh_database: Any) -> Iterator[tuple[asyncio.Runner, World]]:
    with asyncio.Runner() as runner:
        dsn = fresh_database(migrate_all)
        opened = runner.run(World.open(dsn))
        yield runner, opened
        runner.run(opened.close())


@pytest.mark.capability("T13")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories())
def test_any_arrival_gives_the_oracles_cases(world: tuple[asyncio.Runner, World], history: tuple[list[Fact], list[list[Fact]]]) -> None:
    runner, opened = world
    runner.run(check(opened, *history))


async def check(world: World, facts: list[Fact], slices: list[list[Fact]]) -> None:
    await world.reset()
    for each in slices:
        await world.fold(each)
    stands = standing(facts)
    threads = find_threads(stands.present)
    wanted = fold_cases(stands, threads, oracle_judge)
    cases = await world.cases()
    assert cases.keys() == wanted.by_id.keys()
    for case_id, case in wanted.by_id.items():
        assert view_of(cases[case_id]) == view_of_oracle(case), f"case {case_id}"
    assert await world.holder(stands.items) == wanted.holder
    assert_told(world, stands, wanted)
    routes = [judged for item in stands.present if item.content for judged in [oracle_judge(item).team] if judged]
    counts = await world.counts()
    assert counts.get("feedback", 0) == len(stands.items)
    assert counts.get("cases", 0) == len(wanted.by_id)
    assert counts.get("route support", 0) == routes.count("support")
    await check_rebuild(world, facts)


async def check_rebuild(world: World, facts: list[Fact]) -> None:
    """Folded anew from the topics, the rows are the same."""
    before = await rows_of(world.pool)
    await world.reset()
    await world.fold(fact for fact in facts if isinstance(fact, ItemRevision))
    await world.fold(fact for fact in facts if isinstance(fact, Action))
    assert await rows_of(world.pool) == before


def assert_told(world: World, stands: Standing, wanted: Cases) -> None:
    """What was told last of every key is its state now."""
    told = world.last(Topic.CASE_CHANGED)
    for key, body in told.items():
        case = wanted.by_id.get(UUID(key))
        if case is not None:
            shown = [message["feedback_id"] for message in body["messages"]]
            assert shown == [str(each) for each in case.messages[-20:]]
            assert (body["status"], body["team"], body["priority"]) == (case.status, case.team, case.priority)
            continue
        into = wanted.resolve(UUID(key), stands.items)
        assert body.get("merged_into") == (str(into) if into else None)
        assert ("withdrawn" in body) == (into is None)
    assert {str(case_id) for case_id in wanted.by_id} <= told.keys()
    triaged = world.last(Topic.FEEDBACK_TRIAGED)
    assert triaged.keys() == {str(fid) for fid in stands.items}
    for feedback, item in stands.items.items():
        held = None if item.withdrawn else wanted.holder.get(feedback)
        assert triaged[str(feedback)]["case_id"] == (str(held) if held else None)
        assert triaged[str(feedback)]["item"].get("withdrawn", False) == item.withdrawn
    support = {key for key, body in world.last(Topic.FEEDBACK_SUPPORT).items() if body is not None}
    assert support == {str(item.feedback_id) for item in stands.present if item.content and oracle_judge(item).team == "support"}


def view_of(row: dict[str, Any]) -> dict[str, Any]:
    state = row["unpacked"].state
    return {
        "status": row["status"],
        "team": row["team"],
        "priority": row["priority"],
        "assignee": row["assignee"],
        "brand": row["brand"],
        "channel": row["channel"],
        "author_key": state.author_key,
        "intent": row["intent"],
        "opened_at": row["opened_at"],
        "opened_by_customer": row["opened_by_customer"],
        "first_response_at": row["first_response_at"],
        "resolved_at": row["resolved_at"],
        "messages": state.count,
    }


def view_of_oracle(case: Case) -> dict[str, Any]:
    return {
        "status": case.status.value,
        "team": case.team,
        "priority": case.priority,
        "assignee": case.assignee,
        "brand": case.brand,
        "channel": case.channel,
        "author_key": case.author_key,
        "intent": case.intent,
        "opened_at": case.opened_at,
        "opened_by_customer": case.opened_by_customer,
        "first_response_at": case.first_response_at,
        "resolved_at": case.resolved_at,
        "messages": len(case.messages),
    }
