"""What people do to customers over HTTP, and that a rebuild from the topics comes to the same."""

from typing import Any

import pytest

from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.topics import Topic
from support.crm_ground import CrmService, check_published, contact, empty, item, record_of, snapshot, triaged

ITEMS = (
    item("a", id="1", handle="anna", name="Anna A"),
    item("b", at=1, id="2", channel="shop", name="A. A."),
    item("c", at=2, id="3", channel="x", name="Carl C"),
)


async def _ids(service: CrmService) -> list[str]:
    """The ids of the customers of the three items, by item."""
    await service.ground.tell(*ITEMS)
    return [(await service.get(f"/v1/feedback/{each.feedback_id}"))["customer_id"] for each in ITEMS]


async def _rebuilt(service: CrmService) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state as it is, and as a replay of everything published makes it."""
    before = await snapshot(service.ground)
    published = await service.ground.published_by_routes()
    own: list[StoredRecord] = [record_of(each) for each in published if each.topic in (Topic.ACTION_TAKEN, Topic.CONTACT_RECEIVED)]
    await empty(service.ground)
    await service.ground.fold(*own, *(triaged(each) for each in ITEMS))
    return before, await snapshot(service.ground)


@pytest.mark.capability("C1")
async def test_a_merge_joins_two_and_says_who_did_it(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    answer = await service.send("POST", f"/v1/customers/{other}/merge", {"other": one}, earshot_actor="Pat")
    assert answer["customer"]["customer_id"] == one
    assert answer["customer"]["feedback_count"] == 2
    assert (await service.get(f"/v1/customers/{other}"))["customer_id"] == one
    history = await service.get(f"/v1/customers/{one}/history")
    assert [(act["verb"], act["actor"], act["key_id"]) for act in history["acts"]] == [("same", "Pat", "first")]
    assert [(move["customer_id"], move["into_id"], move["cause"]) for move in history["moves"]] == [(other, one, "same by Pat")]
    before, after = await _rebuilt(service)
    assert after == before


async def test_a_history_is_told_in_the_order_of_time_after_a_rebuild_too(service: CrmService) -> None:
    one, *_ = await _ids(service)
    for locked in (True, False, True, False, True, False):
        await service.send("POST", f"/v1/customers/{one}/lock", {"locked": locked})
    told = [act["action_id"] for act in (await service.get(f"/v1/customers/{one}/history"))["acts"]]
    await _rebuilt(service)
    acts = (await service.get(f"/v1/customers/{one}/history"))["acts"]
    assert [act["action_id"] for act in acts] == told


@pytest.mark.capability("C1")
async def test_unmerge_gives_back_what_each_side_had(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    untouched = await snapshot(service.ground)
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    answer = await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": ["shop:2"]})
    assert {answer["customer"]["customer_id"], *(each["customer_id"] for each in answer["others"])} == {one, other}
    assert await snapshot(service.ground) == untouched
    before, after = await _rebuilt(service)
    assert after == before


async def test_what_a_customer_is_named_after_can_be_taken_out(service: CrmService) -> None:
    record = {"connector": "crm", "record_id": "7", "updated_at": "2024-05-01T00:00:00Z", "name": "Dora"}
    await service.send("POST", "/v1/contacts", record | {"accounts": [{"channel": "x", "account_id": "5"}]})
    (one,) = (await service.get("/v1/customers", identifier="x:5"))["items"]
    answer = await service.send("POST", f"/v1/customers/{one['customer_id']}/unmerge", {"identifiers": ["x:5"]})
    assert [each["value"] for each in answer["customer"]["identifiers"]] == ["crm:7"]
    assert await service.refused("GET", f"/v1/customers/{one['customer_id']}") == (410, "customer-gone")
    assert await service.get(f"/v1/customers/{answer['customer']['customer_id']}") == answer["customer"]


async def test_an_unmerge_is_remembered_against_new_evidence(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    mail = "anna@example.org"
    await service.ground.tell(item("d", at=5, id="1", mail=mail), item("e", at=6, id="2", channel="shop", mail=mail))
    await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": [{"kind": "account", "value": "shop:2"}]})
    await service.ground.tell(item("f", at=7, id="2", channel="shop", mail=mail, name="Another Name"))
    assert (await service.get(f"/v1/customers/{other}"))["customer_id"] == other
    why = await service.get(f"/v1/customers/{one}/why")
    assert "not_same" in {each["reason"] for each in why["refused"]}


async def test_previews_change_nothing_and_tell_what_would_happen(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    untouched = await snapshot(service.ground)
    seen = await service.send("POST", f"/v1/customers/{one}/merge/preview", {"other": other})
    assert {view["customer_id"] for view in seen["before"]} == {one, other}
    assert [view["feedback_count"] for view in seen["after"]] == [2]
    assert await snapshot(service.ground) == untouched
    merged = await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    assert {**seen["after"][0], "version": 0} == {**merged["customer"], "version": 0}
    seen = await service.send("POST", f"/v1/customers/{one}/unmerge/preview", {"identifiers": ["shop:2"]})
    assert {view["customer_id"] for view in seen["after"]} == {one, other}


async def test_whom_people_merge_with_a_locked_customer_takes_nothing_from_it(service: CrmService) -> None:
    mail = "anna@example.org"
    told = [item("l1", at=5, id="l1", channel="blog", mail=mail), item("l2", at=6, id="l2", channel="blog")]
    await service.ground.tell(*told)
    one, other = [(await service.get(f"/v1/feedback/{each.feedback_id}"))["customer_id"] for each in told]
    await service.send("POST", f"/v1/customers/{one}/lock", {})
    merged = (await service.send("POST", f"/v1/customers/{one}/merge", {"other": other}))["customer"]
    assert {each["value"] for each in merged["identifiers"]} == {"blog:l1", "blog:l2", mail}
    (found,) = (await service.get("/v1/customers", identifier=mail))["items"]
    assert found["customer_id"] == merged["customer_id"]


async def test_a_locked_customer_is_left_as_it_is(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    assert (await service.send("POST", f"/v1/customers/{one}/lock", {}))["customer"]["locked"] is True
    mail = "anna@example.org"
    await service.ground.tell(item("d", at=5, id="1", mail=mail), item("e", at=6, id="2", channel="shop", mail=mail))
    assert (await service.get(f"/v1/customers/{other}"))["customer_id"] == other
    await service.send("POST", f"/v1/customers/{one}/lock", {"locked": False})
    assert (await service.get(f"/v1/customers/{other}"))["customer_id"] == one


async def test_what_several_people_show_is_refused_by_that_name(service: CrmService) -> None:
    told = [item(f"s{n}", at=n, id=f"s{n}", channel="blog", handle="sam") for n in range(2)]
    await service.ground.tell(*told)
    one = (await service.get(f"/v1/feedback/{told[0].feedback_id}"))["customer_id"]
    shown = (await service.get(f"/v1/customers/{one}"))["identifiers"]
    assert [each["value"] for each in shown if each["shared"]] == ["blog:@sam"]
    consent = {"identifier": "blog:@sam", "purpose": "news", "granted": True, "proof": "form"}
    assert await service.refused("PUT", f"/v1/customers/{one}/consents", consent) == (422, "identifier-shared")
    stranger = consent | {"identifier": "blog:@nobody"}
    assert await service.refused("PUT", f"/v1/customers/{one}/consents", stranger) == (422, "identifier-unknown")


async def test_a_hand_edit_wins_and_follows_its_identifier(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    await service.send("PUT", f"/v1/customers/{other}/fields", {"fields": {"name": "Anna Schmidt"}}, earshot_actor="Pat")
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    await service.ground.tell(item("d", at=50, id="1", name="anna"))
    view = await service.get(f"/v1/customers/{one}")
    assert view["name"] == "Anna Schmidt"
    assert view["fields"]["name"] == {"value": "Anna Schmidt", "source": "Pat", "updated_at": "2024-05-01T12:00:00Z"}
    await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": ["shop:2"]})
    assert (await service.get(f"/v1/customers/{other}"))["name"] == "Anna Schmidt"
    assert (await service.get(f"/v1/customers/{one}"))["name"] == "anna"
    before, after = await _rebuilt(service)
    assert before["views"].keys() == after["views"].keys()


@pytest.mark.capability("G2")
async def test_consents_are_for_one_identifier_and_the_strictest_word_holds(service: CrmService) -> None:
    one, other, _ = await _ids(service)
    path = f"/v1/customers/{one}/consents"
    assert await service.refused("PUT", path, {"purpose": "news", "granted": True, "proof": "form"}) == (422, "consent-needs-identifier")
    assert await service.refused("PUT", path, {"purpose": "news", "granted": True, "identifier": "forum:1"}) == (422, "consent-needs-proof")
    given = {"purpose": "news", "granted": True, "identifier": "forum:1", "proof": "form 7"}
    answer = await service.send("PUT", path, given)
    (consent,) = answer["customer"]["consents"]
    assert (consent["value"], consent["purpose"], consent["allowed"]) == ("forum:1", "news", True)
    await service.send("PUT", f"/v1/customers/{other}/consents", {"purpose": "*", "granted": False})
    assert (await service.get(f"/v1/customers/{one}"))["consents"][0]["allowed"] is True
    merged = await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    assert {each["allowed"] for each in merged["customer"]["consents"]} == {False}
    await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": ["shop:2"]})
    assert [each["allowed"] for each in (await service.get(f"/v1/customers/{one}"))["consents"]] == [True]
    before, after = await _rebuilt(service)
    assert after == before


async def test_if_match_says_who_changed_what(service: CrmService) -> None:
    one, other, third = await _ids(service)
    seen = (await service.client.get(f"/v1/customers/{one}")).headers["etag"]
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": other}, earshot_actor="Pat")
    answer = await service.client.post(f"/v1/customers/{one}/merge", json={"other": third}, headers={"if-match": seen})
    assert answer.status_code == 412
    assert [(change["actor"], change["verb"]) for change in answer.json()["changes"]] == [("Pat", "same")]
    assert "Since then: merge by Pat at " in answer.json()["detail"]
    now = (await service.client.get(f"/v1/customers/{one}")).headers["etag"]
    assert (await service.client.post(f"/v1/customers/{one}/merge", json={"other": third}, headers={"if-match": now})).status_code == 200


async def test_a_request_sent_again_does_nothing_twice(service: CrmService) -> None:
    one, other, third = await _ids(service)
    first = await service.send("POST", f"/v1/customers/{one}/merge", {"other": other}, idempotency_key="k1")
    again = await service.send("POST", f"/v1/customers/{one}/merge", {"other": other}, idempotency_key="k1")
    assert again == first
    refused = await service.refused("POST", f"/v1/customers/{one}/merge", {"other": third}, idempotency_key="k1")
    assert refused == (409, "idempotency-mismatch")


async def test_suggestions_are_shown_side_by_side_and_decided(cautious: CrmService) -> None:
    service = cautious
    told = (
        item("a", id="1", name="Anna Schmidt", email="anna@example.org"),
        item("b", at=1, id="2", channel="shop", name="Anna Schmidt", email="anna@example.org"),
    )
    await service.ground.tell(*told)
    page = await service.get("/v1/merge-suggestions")
    (suggestion,) = page["items"]
    assert [view["name"] for view in suggestion["customers"]] == ["Anna Schmidt", "Anna Schmidt"]
    assert suggestion["reasons"]
    one = suggestion["customers"][0]["customer_id"]
    assert suggestion["rules_version"] == (await service.get(f"/v1/customers/{one}/why"))["rules_version"]
    path = f"/v1/merge-suggestions/{suggestion['suggestion_id']}"
    await service.send("POST", f"{path}/reject")
    assert (await service.get("/v1/merge-suggestions"))["items"] == []
    assert await service.refused("POST", f"{path}/accept") == (404, "suggestion-unknown")
    assert len((await service.get("/v1/customers"))["items"]) == 2


@pytest.mark.capability("C2")
async def test_contacts_join_by_what_their_system_vouches_for(service: CrmService) -> None:
    one, *_ = await _ids(service)
    mail = "anna@example.org"
    await service.ground.tell(item("d", at=5, id="1", mail=mail))
    record = {"connector": "crm", "record_id": "0031", "updated_at": "2024-05-01T12:30:00Z", "name": "Anna Schmidt", "email": mail}
    taken = await service.send("POST", "/v1/contacts", record)
    assert (taken["status"], taken["revision"], taken["customer_id"]) == ("created", 1, one)
    view = await service.get(f"/v1/customers/{one}")
    assert view["name"] == "Anna Schmidt"
    assert view["fields"]["name"]["source"] == "crm"
    assert (await service.send("POST", "/v1/contacts", record))["status"] == "unchanged"
    older = {**record, "updated_at": "2024-05-01T12:20:00Z", "name": "Ann"}
    newer = {**record, "updated_at": "2024-05-01T12:40:00Z", "email": None}
    many = await service.send("POST", "/v1/contacts", {"items": [older, newer]})
    assert [(each["status"], each["revision"]) for each in many["items"]] == [("outdated", 2), ("updated", 2)]
    assert many["items"][1]["customer_id"] != one
    assert await service.get("/v1/connectors", limit=1) == {
        "items": [{"connector": "crm", "contacts": 1, "updated_at": "2024-05-01T12:40:00Z"}],
        "next_cursor": None,
    }
    deleted = {"connector": "crm", "record_id": "0031", "updated_at": "2024-05-01T13:00:00Z", "deleted": True}
    assert (await service.send("POST", "/v1/contacts", deleted))["customer_id"] is None


@pytest.mark.capability("C10")
async def test_who_bought_nothing_yet_is_held_like_a_customer_and_stays_the_same_when_he_buys(service: CrmService) -> None:
    mail = "lea@example.org"
    lead = {
        "connector": "sales", "record_id": "L1", "updated_at": "2024-05-01T12:30:00Z", "name": "Lea Lang", "email": mail,
        "fields": {"lifecycle": "prospect"},
    }  # fmt: skip
    buyer = {
        "connector": "shop", "record_id": "B1", "updated_at": "2024-05-01T12:30:00Z", "name": "Ben Berg",
        "fields": {"lifecycle": "customer"},
    }  # fmt: skip
    one = (await service.send("POST", "/v1/contacts", lead))["customer_id"]
    other = (await service.send("POST", "/v1/contacts", buyer))["customer_id"]
    asker = item("asks", id="9", name="Ida", text="Does it fit a small kitchen?")
    await service.ground.tell(asker)
    unknown = (await service.get(f"/v1/feedback/{asker.feedback_id}"))["customer_id"]
    held = {each["customer_id"]: each for each in (await service.get("/v1/customers"))["items"]}
    assert held.keys() == {one, other, unknown}
    assert {held[each]["fields"]["lifecycle"]["value"] for each in (one, other)} == {"prospect", "customer"}
    assert (held[one]["feedback_count"], held[unknown]["feedback_count"]) == (0, 1)
    assert [each["customer_id"] for each in (await service.get("/v1/customers", identifier=mail))["items"]] == [one]
    allowed = {"purpose": "news", "granted": True, "identifier": mail, "proof": "trade fair"}
    assert (await service.send("PUT", f"/v1/customers/{one}/consents", allowed))["customer"]["consents"][0]["allowed"] is True

    bought = {"updated_at": "2024-05-01T12:50:00Z", "fields": {"lifecycle": "customer"}}
    assert (await service.send("POST", "/v1/contacts", lead | bought))["customer_id"] == one
    await service.ground.tell(item("thanks", at=55, channel="mail", mail=mail, text="It fits."))
    view = await service.get(f"/v1/customers/{one}")
    assert view["fields"]["lifecycle"] == {"value": "customer", "source": "sales", "updated_at": "2024-05-01T12:50:00Z"}
    assert (view["feedback_count"], len(view["consents"])) == (1, 1)


async def test_a_contacts_copy_from_the_topic_is_a_duplicate(service: CrmService) -> None:
    record = {"connector": "crm", "record_id": "0031", "updated_at": "2024-05-01T12:30:00Z", "name": "Anna Schmidt"}
    await service.send("POST", "/v1/contacts", record)
    copy = contact("0031", at=30, name="Anna Schmidt")
    assert (await service.ground.fold(copy)).messages == []


@pytest.mark.capability("C3")
@pytest.mark.capability("C14")
async def test_the_export_holds_everything(service: CrmService) -> None:
    one, *_ = await _ids(service)
    await service.send("PUT", f"/v1/customers/{one}/consents", {"purpose": "news", "granted": False})
    told = await service.get(f"/v1/customers/{one}/export")
    assert told["customer"]["customer_id"] == one
    assert [each["text"] for each in told["timeline"]] == ["text of a"]
    assert [(wish["purpose"], wish["allowed"]) for wish in told["customer"]["consents"]] == [("news", False)] * 2  # account and handle
    assert [act["verb"] for act in told["history"]["acts"]] == ["consent"]
    assert {"contacts", "why"} <= told.keys()


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        pytest.param("merge", {"other": "00000000-0000-0000-0000-000000000000"}, (404, "customer-unknown"), id="merge with nobody"),
        pytest.param("merge", {}, (422, "invalid"), id="no other"),
        pytest.param("merge", {"other": "x", "force": True}, (422, "invalid"), id="unknown field"),
        pytest.param("unmerge", {"identifiers": ["shop:2"]}, (422, "identifier-unknown"), id="not theirs"),
        pytest.param("unmerge", {"identifiers": ["forum:1"]}, (422, "unmerge-impossible"), id="nothing would stay"),
        pytest.param("unmerge", {"identifiers": []}, (422, "invalid"), id="nothing named"),
    ],
)
async def test_what_makes_no_sense_is_refused(service: CrmService, path: str, body: Any, refusal: tuple[int, str]) -> None:
    one, *_ = await _ids(service)
    untouched = await snapshot(service.ground)
    assert await service.refused("POST", f"/v1/customers/{one}/{path}", body) == refusal
    assert await snapshot(service.ground) == untouched


async def test_one_cannot_be_merged_with_oneself(service: CrmService) -> None:
    one, *_ = await _ids(service)
    assert await service.refused("POST", f"/v1/customers/{one}/merge", {"other": one}) == (409, "already-merged")


async def test_what_routes_publish_agrees_with_the_store(service: CrmService) -> None:
    one, other, third = await _ids(service)
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": other})
    await service.send("POST", f"/v1/customers/{one}/merge", {"other": third})
    await service.send("POST", f"/v1/customers/{one}/unmerge", {"identifiers": ["x:3"]})
    service.ground.published += await service.ground.published_by_routes()
    check_published(service.ground, await snapshot(service.ground))
