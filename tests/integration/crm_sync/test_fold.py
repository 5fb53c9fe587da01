"""The stage on a real Postgres: what a slice does to the store and what it publishes."""

import pytest

from earshot_crm_sync.desk import Rules
from earshot_crm_sync.identity import IdentityRules
from support.crm_ground import Bench, bench, empty, item, migrate, triaged
from support.ground import FreshDatabase


@pytest.mark.capability("C1")
async def test_an_author_becomes_a_customer_with_a_timeline(ground: Bench) -> None:
    await ground.tell(item("a", id="1", handle="Anna", name="Anna A"), item("b", at=5, id="1", handle="Anna", name="Anna A"))
    (view,) = ground.customers()
    assert view["name"] == "Anna A"
    assert view["names"] == ["Anna A"]
    assert view["feedback_count"] == 2
    assert (view["first_seen_at"], view["last_seen_at"]) == ("2024-05-01T12:00:00Z", "2024-05-01T12:05:00Z")
    assert [(each["kind"], each["value"]) for each in view["identifiers"]] == [("account", "forum:1"), ("handle", "forum:@anna")]
    assert view["accounts"] == [{"channel": "forum", "account_id": "1", "handle": "Anna", "author_key": "forum:1"}]
    assert view["fields"]["name"] == {"value": "Anna A", "source": "forum", "updated_at": "2024-05-01T12:05:00Z"}


async def test_a_duplicate_changes_nothing_and_publishes_nothing(ground: Bench) -> None:
    await ground.tell(item("a", id="1"))
    assert (await ground.tell(item("a", id="1"))).messages == []


@pytest.mark.capability("C1")
async def test_a_verified_mail_joins_two_accounts_and_the_later_id_points_at_the_earlier(ground: Bench) -> None:
    await ground.tell(item("a", id="1", channel="forum"), item("b", at=1, id="2", channel="shop"))
    one, other = ground.customers()
    if one["first_seen_at"] > other["first_seen_at"]:
        one, other = other, one
    mail = "anna@example.org"
    await ground.tell(item("c", at=2, id="1", channel="forum", mail=mail), item("d", at=3, id="2", channel="shop", mail=mail))
    (view,) = ground.customers()
    assert view["customer_id"] == one["customer_id"]
    assert view["feedback_count"] == 4
    pointer = ground.last()[other["customer_id"]]
    assert pointer is not None
    assert pointer["merged_into"] == one["customer_id"]
    assert pointer["version"] == view["version"]


async def test_withdrawing_the_joining_item_parts_them_again(ground: Bench) -> None:
    mail = "anna@example.org"
    await ground.tell(
        item("a", id="1", mail=mail), item("b", at=1, id="2", channel="shop"), item("c", at=2, id="2", channel="shop", mail=mail)
    )
    assert len(ground.customers()) == 1
    await ground.tell(item("c", at=2, id="2", channel="shop", withdrawn=True, revision=2))
    assert sorted(view["feedback_count"] for view in ground.customers()) == [1, 1]
    assert (await ground.rows("select feedback, customers, identifiers from totals"))[0][:3] == (3, 2, 3)


async def test_a_customer_whose_last_item_is_withdrawn_is_gone(ground: Bench) -> None:
    await ground.tell(item("a", id="1"))
    (view,) = ground.customers()
    await ground.tell(item("a", id="1", withdrawn=True, revision=2))
    assert ground.last()[view["customer_id"]] is None
    assert (await ground.rows("select feedback, customers, identifiers from totals"))[0][:3] == (1, 0, 0)


async def test_an_earlier_item_names_the_customer_anew(ground: Bench) -> None:
    mail = "anna@example.org"
    await ground.tell(item("a", at=10, id="1", mail=mail))
    (before,) = ground.customers()
    await ground.tell(item("b", at=0, id="2", channel="shop", mail=mail))
    (after,) = ground.customers()
    assert after["customer_id"] != before["customer_id"]
    pointer = ground.last()[before["customer_id"]]
    assert pointer is not None
    assert pointer["merged_into"] == after["customer_id"]


async def test_ids_told_of_before_a_replay_by_other_rules_still_lead_on(fresh_database: FreshDatabase) -> None:
    told = [
        item("a", id="1", email="anna@example.org", name="Anna Schmidt"),
        item("b", at=1, id="2", channel="shop", email="anna@example.org", name="Anna Schmidt"),
    ]
    dsn = fresh_database(migrate)
    async with bench(dsn, Rules(IdentityRules(merge_at=1e9))) as careful:
        await careful.tell(*told)
        before = {view["customer_id"] for view in careful.customers()}
        assert len(before) == 2
        await empty(careful)
    async with bench(dsn, Rules(IdentityRules(merge_at=-1e9, suggest_at=-1e9))) as bold:
        await bold.tell(*told)
        (view,) = bold.customers()
        (other,) = before - {view["customer_id"]}
        pointer = bold.last()[other]
        assert pointer is not None
        assert pointer["merged_into"] == view["customer_id"]


@pytest.mark.capability("C1")
async def test_a_value_that_proves_to_be_shared_lets_its_customers_fall_apart(ground: Bench) -> None:
    mail = "family@example.org"
    await ground.tell(*(item(f"i{n}", at=n, id=str(n), mail=mail) for n in range(8)))
    (one,) = ground.customers()
    assert one["feedback_count"] == 8
    await ground.tell(item("i8", at=8, id="8", mail=mail))
    assert sorted(view["feedback_count"] for view in ground.customers()) == [1] * 9
    assert all(each["shared"] for view in ground.customers() for each in view["identifiers"] if each["kind"] == "email")
    await ground.tell(item("i8", at=8, id="8", withdrawn=True, revision=2))
    assert [view["feedback_count"] for view in ground.customers()] == [8]


async def test_what_cannot_be_decoded_is_set_aside_and_its_neighbours_are_not(ground: Bench) -> None:
    good, bad = triaged(item("a", id="1")), triaged(item("b", id="2"))
    broken = type(bad)(bad.topic, bad.partition, bad.offset, bad.key, b"{")
    tx = await ground.fold(good, broken)
    assert [poison.code for poison in tx.poison] == ["undecodable"]
    assert len(ground.customers()) == 1


async def test_words_wait_for_their_index_in_small_portions_only(ground: Bench) -> None:
    for slice_ in range(4):
        people = range(slice_ * 500, slice_ * 500 + 500)
        await ground.tell(*(item(f"{n}", id=f"{n}", handle=f"handle{n}", name=f"Given{n} Family{n}") for n in people))
    (waiting,) = await ground.rows("select gin_clean_pending_list('customer_words_by_word') as pages")
    # Whoever fills the list sorts all of it in, while its slice waits: 128 kB, and what the last row added.
    assert waiting["pages"] <= 128 // 8 + 1
