"""Who may be written to: decided once, by the strictest word of the whole customer, and taken back when he forbids it before it is sent."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachDecided
from earshot_shared.topics import Topic
from support.crm_ground import START, CrmService, empty, item, outreach, record_of, triaged

pytestmark = pytest.mark.capability("G2")
MAIL = "anna@example.org"
ITEMS = (item("a", id="1", handle="anna", name="Anna"), item("b", at=1, id="2", channel="shop"), item("c", at=2, id="3", channel="x"))


class _Event(msgspec.Struct):
    data: OutreachDecided


def read(messages: list[Message]) -> list[OutreachDecided]:
    """The decisions among messages, in order."""
    found = [each for each in messages if each.topic is Topic.OUTREACH_DECIDED]
    return [msgspec.json.decode(each.value or b"", type=_Event).data for each in found]


def reasons(messages: list[Message]) -> list[tuple[bool, str]]:
    return [(each.allowed, each.reason) for each in read(messages)]


async def consent(service: CrmService, author: str, granted: bool, *, everywhere: bool = False, **more: Any) -> str:
    """Record a word of whoever holds an author key; return the act's id."""
    (customer,) = (await service.get("/v1/customers", identifier=author))["items"]
    body = {"purpose": "thank-you", "granted": granted, "proof": "form 7", **({} if everywhere else {"identifier": author}), **more}
    answer = await service.send("PUT", f"/v1/customers/{customer['customer_id']}/consents", body)
    return str(answer["action_id"])


async def test_who_said_nothing_is_not_written_to_and_who_opted_in_is(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    refused = (await service.ground.fold(outreach("one", "forum:1"))).messages
    assert reasons(refused) == [(False, "no-opt-in")]
    act = await consent(service, "forum:1", True)
    (told,) = read((await service.ground.fold(outreach("two", "forum:1"))).messages)
    assert (told.allowed, told.reason, told.rule, told.consents) == (True, "opted-in", "opt_in", (act,))
    assert (told.template, told.at, told.valid_until) == ("thanks", START, START + timedelta(hours=72))
    handle = (await service.ground.fold(outreach("three", "forum:@anna"))).messages  # another name of the same account
    assert reasons(handle) == [(True, "opted-in")]
    other = (await service.ground.fold(outreach("four", "shop:2"), outreach("five", "forum:1", purpose="survey"))).messages
    assert sorted(reasons(other)) == [(False, "no-opt-in"), (False, "no-opt-in")]


async def test_a_wish_is_decided_once_however_often_it_comes(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    first = await service.ground.fold(outreach("one", "forum:1"), outreach("one", "forum:1"))
    assert reasons(first.messages) == [(False, "no-opt-in")]
    await consent(service, "forum:1", True)
    assert read((await service.ground.fold(outreach("one", "forum:1"))).messages) == []  # a refusal is not loosened by asking again


async def test_the_strictest_word_of_the_whole_customer_stands_while_it_is_one(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    await consent(service, "forum:1", True)
    await consent(service, "shop:2", False)
    assert reasons((await service.ground.fold(outreach("apart", "forum:1"))).messages) == [(True, "opted-in")]
    one, other = [(await service.get(f"/v1/feedback/{each.feedback_id}"))["customer_id"] for each in ITEMS[:2]]
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    everything = await service.ground.published_by_routes()
    assert reasons(everything) == [(True, "opted-in"), (False, "opted-out")]  # the merge brought a denial before it was sent
    assert reasons((await service.ground.fold(outreach("joined", "forum:1"))).messages) == [(False, "opted-out")]
    await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": ["shop:2"]})
    assert reasons((await service.ground.fold(outreach("again apart", "forum:1"))).messages) == [(True, "opted-in")]


async def test_an_opt_out_takes_back_what_was_allowed_and_not_sent(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    await consent(service, "forum:1", True)
    (allowed,) = read((await service.ground.fold(outreach("one", "forum:1"))).messages)
    await consent(service, "forum:1", False, everywhere=True)
    _, taken_back = read(await service.ground.published_by_routes())
    assert (taken_back.outreach_id, taken_back.allowed, taken_back.reason) == (allowed.outreach_id, False, "opted-out")
    assert taken_back.version > allowed.version
    await consent(service, "forum:1", True)
    assert len(read(await service.ground.published_by_routes())) == 2  # nothing allows it anew


async def test_a_denial_for_one_brand_forbids_that_brand_and_what_names_none(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    await consent(service, "forum:1", True)
    await consent(service, "forum:1", False, brand="acme")
    asked = await service.ground.fold(*(outreach(f"for {brand}", "forum:1", brand=brand) for brand in (None, "acme", "other")))
    assert {each.brand: each.reason for each in read(asked.messages)} == {None: "opted-out", "acme": "opted-out", "other": "opted-in"}


async def test_the_unknown_the_forgotten_and_the_late_are_refused(service: CrmService) -> None:
    await service.ground.tell(*ITEMS)
    await consent(service, "forum:1", True)
    allowed = await service.ground.fold(outreach("before", "forum:1"))
    assert reasons(allowed.messages) == [(True, "opted-in")]
    (customer,) = (await service.get("/v1/customers", identifier="forum:1"))["items"]
    assert (await service.client.delete(f"/v1/customers/{customer['customer_id']}")).status_code == 202
    assert reasons(await service.ground.published_by_routes()) == [(True, "opted-in"), (False, "erased")]
    late = outreach("late", "shop:2", at=-73 * 60)
    asked = await service.ground.fold(outreach("gone", "forum:1"), outreach("nobody", "forum:99"), late)
    assert sorted(reasons(asked.messages)) == [(False, "erased"), (False, "too-late"), (False, "unknown-author")]


async def test_a_replay_decides_nothing_again_and_nothing_before_it_knows_all(service: CrmService) -> None:
    ground = service.ground
    await ground.tell(*ITEMS)
    await consent(service, "forum:1", True)
    asked = outreach("one", "forum:1")
    assert reasons((await ground.fold(asked)).messages) == [(True, "opted-in")]
    acts = [record_of(each) for each in await ground.published_by_routes() if each.topic is Topic.ACTION_TAKEN]
    await empty(ground)
    ground.stage.forget()
    await ground.pool.execute(
        "insert into positions (topic, partition, next_offset, cluster_id, topic_id, replay_until) values ('t', 0, 0, 'c', 't', 9)"
    )
    during = await ground.fold(asked, outreach("two", "forum:1"), *(triaged(each) for each in ITEMS))
    assert read(during.messages) == []
    await ground.pool.execute("update positions set next_offset = 9")
    assert reasons((await ground.fold(*acts)).messages) == [(True, "opted-in")]  # of the second alone
    assert read((await ground.fold(asked)).messages) == []


async def test_a_wish_that_is_none_is_set_aside(service: CrmService) -> None:
    good = outreach("one", "forum:1")
    bad = record_of(Message(Topic.OUTREACH_REQUESTED, b"x", (good.value or b"").replace(b"thank-you", b"thank\\u0000you")))
    tx = await service.ground.fold(bad, good)
    assert len(tx.poison) == 1
    assert reasons(tx.messages) == [(False, "unknown-author")]
