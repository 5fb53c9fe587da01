"""Laws of the case fold, without tables: continuing a thread equals folding it whole; the tail is what building it anew gives."""

import copy
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from earshot_triage.domain import tail
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.domain.cases import append, begin, fold
from earshot_triage.domain.message import Message, Order, Role, Stance

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = range(12)


def name(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012d}"


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Messages of one thread, each once, in any order."""
    found = []
    for number in draw(st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1)):
        routes = draw(st.sampled_from([(), ("support",), ("product", "support")]))
        found.append(
            Message(
                key=f"key {number}",
                feedback_id=name(number),
                revision=1,
                occurred_at=DAY + timedelta(minutes=draw(st.integers(0, 9))),
                role=draw(st.sampled_from(Role)),
                channel="forum",
                author_key=f"forum:{number}",
                brand=draw(st.sampled_from(["Acme", "Acme", "Bolt", None])),
                intent="bug",
                severity=draw(st.integers(1, 4)),
                stance=draw(st.sampled_from(Stance)),
                routes=routes,
                backfill=draw(st.booleans()),
            )
        )
    return found


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Acts on the thread, in their order."""
    found = [
        Act(
            action_id=f"act {number}",
            verb=draw(st.sampled_from(Verb)),
            subject="key 0",
            at=DAY + timedelta(minutes=draw(st.integers(0, 9))),
            actor="ann",
            seen=draw(st.frozensets(st.sampled_from(NUMBERS).map(name), max_size=8)),
            priority=draw(st.sampled_from([None, 1, 4])),
            reply=draw(st.sampled_from(NUMBERS).map(name)),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return sorted(found, key=lambda act: act.order)


@settings(max_examples=400, deadline=None)
@given(came=messages(), about=acts())
def test_continuing_a_thread_equals_folding_it_whole(came: list[Message], about: list[Act]) -> None:
    state = fold(came[:1], about)
    assert state is not None
    for count in range(2, len(came) + 1):
        so_far = sorted(came[:count], key=lambda message: message.order)
        whole = fold(so_far, about)
        assert whole is not None
        tried = copy.deepcopy(state)
        continued = append(tried, came[count - 1])
        if continued:
            assert tried == whole
            assert (tried.status, tried.case_id, tried.priority, tried.owner) == (whole.status, whole.case_id, whole.priority, whole.owner)
        else:
            assert tried == state, "what cannot be continued is left as it was"
        state = whole


@settings(max_examples=100, deadline=None)
@given(came=messages())
def test_what_comes_later_than_all_so_far_is_continued(came: list[Message]) -> None:
    """The common case never loads a thread again: same brand, a customer opened it, nobody acted."""
    ordered = [
        Message(**{field: getattr(each, field) for field in Message.__struct_fields__} | {"brand": "Acme"})
        for each in sorted(came, key=lambda message: message.order)
    ]
    ordered[0] = Message(**{field: getattr(ordered[0], field) for field in Message.__struct_fields__} | {"role": Role.CUSTOMER})
    state = begin(ordered[0])
    assert all(append(state, each) for each in ordered[1:])
    assert state == fold(ordered, ())


@settings(max_examples=100, deadline=None)
@given(came=messages())
def test_a_message_alone_is_a_thread_of_one(came: list[Message]) -> None:
    assert begin(came[0]) == fold(came[:1], ())


@settings(max_examples=100, deadline=None)
@given(places=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=45), first=st.integers(1, 30))
def test_a_tail_grows_into_what_building_it_anew_gives(places: list[int], first: int) -> None:
    def shown(place: int) -> tuple[Order, bytes]:
        return (DAY + timedelta(minutes=place), name(place)), b'{"at":%d}' % place

    latest, json = tail.build(map(shown, sorted(places[:first])))
    for count, place in enumerate(places[first:], start=first + 1):
        order, body = shown(place)
        json = tail.insert(latest, json, order, body)
        assert (latest, json) == tail.build(map(shown, sorted(places[:count])))
