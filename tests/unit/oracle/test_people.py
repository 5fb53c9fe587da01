"""Accounts, customers and the ledger, sentence by sentence of the oracle's README."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from oracle import ids
from oracle.cases import Judgement
from oracle.customers import customer_id
from oracle.facts import Author, Contact, Content, Erasure, Fact, Identifier, ItemRevision, Role, erasure_hash
from oracle.ledger import leaderboard
from oracle.world import Views, views

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ANN = Author(account_id="1", handle="@Ann")
ANN_BY_HANDLE = Author(handle="ann")
OTHER_ANN = Author(account_id="2", handle="ann")
VERIFIED = Author(account_id="3", mail="ann@example.org", mail_verified=True)
BOB = Author(handle="bob", mail="ann@example.org", mail_verified=True)
CLAIMS = Author(handle="eve", mail="ann@example.org")


def fid(name: str) -> UUID:
    return ids.feedback_id("forum", name)


def item(
    name: str, author: Author, minute: int = 0, *, to: Iterable[str] = (), role: Role = Role.CUSTOMER, kind: str = "post"
) -> ItemRevision:
    return ItemRevision(
        feedback_id=fid(name),
        revision=1,
        occurred_at=DAY + timedelta(minutes=minute),
        received_at=DAY + timedelta(minutes=minute),
        channel="forum",
        brand="Acme",
        role=role,
        replies_to=frozenset(map(fid, to)),
        conversations=frozenset(),
        content=Content(source="forum", external_id=name, kind=kind, author=author, text=name),
    )


def world(*facts: Fact) -> Views:
    return views(facts, lambda item: Judgement(intent="other"))


def groups(*facts: Fact) -> set[frozenset[UUID]]:
    """Customers as the sets of their items."""
    return {frozenset(customer.timeline) for customer in world(*facts).customers.by_id.values()}


def together(*names: str) -> frozenset[UUID]:
    return frozenset(map(fid, names))


@pytest.mark.capability("C1")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param([item("a", ANN_BY_HANDLE), item("b", ANN)], {together("a", "b")}, id="23 one item shows handle and id"),
        pytest.param(
            [item("a", ANN_BY_HANDLE), item("b", ANN), item("c", OTHER_ANN)],
            {together("a"), together("b"), together("c")},
            id="23 a handle of two ids proves nothing",
        ),
        pytest.param([item("a", VERIFIED), item("b", BOB)], {together("a", "b")}, id="24 a verified mail"),
        pytest.param([item("a", VERIFIED), item("b", CLAIMS)], {together("a"), together("b")}, id="24 a mere claim"),
    ],
)
def test_who_is_one_customer(facts: list[ItemRevision], expected: set[frozenset[UUID]]) -> None:
    assert groups(*facts) == expected
    assert groups(*reversed(facts), *facts) == expected


def test_a_contact_joins_what_its_system_vouches_for() -> None:
    known = frozenset({Identifier(kind="mail", value="ann@example.org"), Identifier(kind="account", value="forum:1")})
    contact = Contact(connector="crm", record_id="7", revision=1, updated_at=DAY, identifiers=known, name="Ann Lee")
    (customer,) = world(item("a", ANN), item("b", VERIFIED, 3), contact).customers.by_id.values()
    assert (set(customer.timeline), customer.name) == ({fid("a"), fid("b")}, "Ann Lee")
    assert len(world(item("a", ANN), item("b", VERIFIED, 3), contact, replace(contact, revision=2, deleted=True)).customers.by_id) == 2


def test_every_identifier_leads_to_its_customer_for_ever() -> None:
    seen = world(item("late", ANN, 9), item("early", ANN_BY_HANDLE, 1)).customers
    (customer,) = seen.by_id.values()
    assert customer.customer_id == customer_id(Identifier(kind="handle", value="forum:@ann"))
    assert seen.aliases[customer_id(Identifier(kind="account", value="forum:1"))] == customer.customer_id
    assert customer.timeline == (fid("late"), fid("early"))
    shared = world(item("a", ANN, 1), item("b", OTHER_ANN, 2)).customers
    assert shared.aliases[customer_id(Identifier(kind="handle", value="forum:@ann"))] == shared.owner[fid("a")]


@pytest.mark.capability("G14")
def test_an_erasure_strikes_before_and_after_and_leaves_the_thread() -> None:
    wish = Erasure(erasure_id=uuid5(ids.NAMESPACE, "wish"), hashes=frozenset({erasure_hash(Identifier(kind="account", value="forum:1"))}))
    facts = [item("q", ANN, kind="question"), item("a", BOB, 2, to=["q"])]
    seen = world(*facts, wish)
    assert seen.customers.owner.keys() == {fid("a")}
    assert {entry.rule for entry in seen.ledger} == {"item"}
    (case,) = seen.cases.values()
    assert (case.author_key, len(case.messages)) == ("erased", 2)
    assert seen == world(wish, facts[0].skeleton(), *facts)


def helped(*facts: Fact) -> set[tuple[str, str | None]]:
    return {(entry.member, entry.beneficiary) for entry in world(*facts).ledger if entry.rule == "help"}


QUESTION = item("q", ANN, kind="question")


@pytest.mark.capability("R4")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param([QUESTION, item("a", BOB, 2, to=["q"])], {("forum:@bob", "forum:1")}, id="27 a reply to a question"),
        pytest.param([replace(QUESTION, withdrawn=True), item("a", BOB, 2, to=["q"])], set(), id="2 a withdrawn question"),
        pytest.param([item("p", ANN), item("a", BOB, 2, to=["p"])], set(), id="27 no question"),
        pytest.param([QUESTION, item("a", ANN_BY_HANDLE, 2, to=["q"])], set(), id="27 the same account by its handle"),
        pytest.param([QUESTION, item("a", BOB, 2, to=["q"], role=Role.STAFF)], set(), id="26 staff"),
        pytest.param([QUESTION, item("a", BOB, 2, to=["q"]), item("x", BOB, 9, role=Role.STAFF)], set(), id="26 staff by another item"),
        pytest.param(
            [QUESTION, item("r", VERIFIED, 1, kind="question"), item("a", BOB, 2, to=["q", "r"])],
            {("forum:@bob", "forum:1"), ("forum:@bob", "forum:3")},
            id="27 two people at once",
        ),
    ],
)
def test_who_helped_whom(facts: list[ItemRevision], expected: set[tuple[str, str | None]]) -> None:
    assert helped(*facts) == expected == helped(*reversed(facts))


@pytest.mark.capability("R22")
def test_items_earn_on_the_active_board_and_staff_is_not_on_it() -> None:
    seen = world(item("a", ANN), item("b", ANN_BY_HANDLE), item("c", BOB), item("s", VERIFIED, role=Role.STAFF))
    assert leaderboard(seen.ledger, "active") == [("forum:1", 2), ("forum:@bob", 1)]
    assert {entry.beneficiary for entry in seen.ledger} == {None}
