"""What crm-sync answers, on a real Postgres behind the real door."""

from typing import Any
from uuid import uuid4

import pytest

from earshot_crm_sync.desk import Rules
from earshot_crm_sync.identity import IdentityRules
from support.crm_ground import CrmService, bench, http, item, migrate
from support.ground import FreshDatabase


@pytest.mark.capability("C1")
async def test_every_id_a_customer_ever_had_leads_to_it(service: CrmService) -> None:
    await service.ground.tell(item("a", id="1"), item("b", at=1, id="2", channel="shop"))
    before = (await service.get("/v1/customers"))["items"]
    mail = "anna@example.org"
    await service.ground.tell(item("c", at=2, id="1", mail=mail), item("d", at=3, id="2", channel="shop", mail=mail))
    views = [await service.get(f"/v1/customers/{each['customer_id']}") for each in before]
    assert views[0] == views[1] == service.ground.customers()[0]


async def test_the_etag_is_the_version(service: CrmService) -> None:
    await service.ground.tell(item("a", id="1"))
    (view,) = service.ground.customers()
    answer = await service.client.get(f"/v1/customers/{view['customer_id']}")
    assert answer.headers["etag"] == f'"{view["version"]}"'
    await service.ground.tell(item("b", at=1, id="1"))
    answer = await service.client.get(f"/v1/customers/{view['customer_id']}")
    assert answer.headers["etag"] == f'"{service.ground.customers()[0]["version"]}"'


@pytest.mark.capability("C4")
async def test_the_timeline_holds_all_channels_newest_first_by_pages(service: CrmService) -> None:
    mail = "anna@example.org"
    told = [item(f"i{n}", at=n, id=str(n % 2), channel=("forum", "shop")[n % 2], mail=mail) for n in range(7)]
    await service.ground.tell(*told)
    (view,) = service.ground.customers()
    path = f"/v1/customers/{view['customer_id']}/timeline"
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await service.get(path, limit=3, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [each["feedback_id"] for each in found] == [each.feedback_id for each in reversed(told)]
    assert found[0].keys() == {"feedback_id", "occurred_at", "channel", "kind", "text", "intent", "case_id"}


async def test_customers_are_found_by_word_and_by_identifier(service: CrmService) -> None:
    await service.ground.tell(
        item("a", id="1", handle="Anna_S", name="Anna Schmidt", mail="anna@example.org", phone="+49 30 123456"),
        item("b", at=1, id="2", name="Bernd Brot"),
    )
    for query in (
        {"q": "schmi"},
        {"q": "SCHMIDT anna"},
        {"q": "anna@example.org"},
        {"identifier": "forum:1"},
        {"identifier": "forum:@anna_s"},
        {"identifier": "Anna@Example.org"},
        {"identifier": "+4930123456"},
    ):
        assert [each["name"] for each in (await service.get("/v1/customers", **query))["items"]] == ["Anna Schmidt"], query
    assert (await service.get("/v1/customers", q="nobody"))["items"] == []
    assert (await service.get("/v1/customers", q="&|!'()"))["items"] == []
    assert len((await service.get("/v1/customers"))["items"]) == 2
    assert len((await service.get("/v1/customers", q="", identifier=""))["items"]) == 2
    for words, found in (("anna", 1), ("Anna Schmidt", 1), ("forum:@anna_s", 1), ("bernd", 0), ("&|!", 0)):
        assert len((await service.get("/v1/customers", q=words, identifier="forum:1"))["items"]) == found, words


async def test_who_is_just_so_called_comes_before_whose_name_begins_so(service: CrmService) -> None:
    names = ["Test Person 100", "Person 1 Test", "TEST person 1", "Test Person 1 Junior"]
    await service.ground.tell(*(item(f"i{n}", at=n, id=f"a{n}", name=name) for n, name in enumerate(names)))
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = await service.get("/v1/customers", q="test person 1", limit=1, **({"cursor": cursor} if cursor else {}))
        found += [each["name"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert found == ["TEST person 1", "Test Person 1 Junior", "Test Person 100", "Person 1 Test"]


async def test_whose_identifier_is_just_so_comes_first(service: CrmService) -> None:
    await service.ground.tell(
        item("a", id="10", handle="anna_b", name="Anna", phone="+49301234567"), item("b", at=1, id="1", handle="Anna", name="Bert")
    )
    for words in ("forum:1", "forum:@ANNA", "@anna"):
        found = (await service.get("/v1/customers", q=words))["items"]
        assert found[0]["name"] == ("Anna" if words == "@anna" else "Bert"), words
    assert [each["name"] for each in (await service.get("/v1/customers", q="+49 30 123-4567"))["items"]] == ["Anna"]
    bert = (await service.get("/v1/customers", q="Bert"))["items"][0]["customer_id"]
    assert [each["name"] for each in (await service.get("/v1/customers", q=bert))["items"]] == ["Bert"]


async def test_customers_come_by_pages(service: CrmService) -> None:
    await service.ground.tell(*(item(f"i{n}", at=n, id=str(n)) for n in range(5)))
    first = await service.get("/v1/customers", limit=3)
    second = await service.get("/v1/customers", limit=3, cursor=first["next_cursor"])
    listed = [each["customer_id"] for each in first["items"] + second["items"]]
    assert len(set(listed)) == 5
    assert listed == sorted(listed), "by id, an order that a replay leaves as it is"
    assert second["next_cursor"] is None


async def test_a_search_lists_likes_by_id(service: CrmService) -> None:
    await service.ground.tell(*(item(f"i{n}", at=n, id=str(n), name=f"Anna {n}") for n in range(6)))
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = await service.get("/v1/customers", q="anna", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [each["customer_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert (len(set(found)), found) == (6, sorted(found))


async def test_whose_an_item_is_follows_the_customer(service: CrmService) -> None:
    await service.ground.tell(item("a", id="1"))
    told = item("a", id="1")
    owner = await service.get(f"/v1/feedback/{told.feedback_id}")
    assert owner == {
        "feedback_id": told.feedback_id,
        "customer_id": service.ground.customers()[0]["customer_id"],
        "author_key": "forum:1",
    }


async def test_merged_customers_come_last_met_first_by_pages(service: CrmService) -> None:
    """Of whom two accounts speak, not one account in two ways."""
    told = [item(f"a{n}", at=n, id=f"a{n}", name=f"N{n // 2}", mail=f"m{n // 2}@example.org") for n in range(6)]
    await service.ground.tell(*told, item("alone", id="z", name="Zoe"), item("again", at=1, id="z", name="Zoë"))
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = await service.get("/v1/customers", merged=True, limit=1, **({"cursor": cursor} if cursor else {}))
        found += [each["name"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(found) == ["N0", "N1", "N2"]
    assert await service.refused("GET", "/v1/customers?merged=true&q=x") == (422, "invalid")


@pytest.mark.capability("C6")
async def test_the_history_names_the_rule_that_joined(service: CrmService) -> None:
    await service.ground.tell(item("a", id="1"), item("b", at=1, id="2", channel="shop"))
    mail = "anna@example.org"
    await service.ground.tell(item("c", at=2, id="1", mail=mail), item("d", at=3, id="2", channel="shop", mail=mail))
    (view,) = service.ground.customers()
    (move,) = (await service.get(f"/v1/customers/{view['customer_id']}/history"))["moves"]
    assert move["cause"].startswith("evidence: email (rules ")
    await service.ground.tell(item("d", at=3, id="2", channel="shop", withdrawn=True, revision=2))
    moves = (await service.get(f"/v1/customers/{view['customer_id']}/history"))["moves"]
    assert len(moves) == 1


@pytest.mark.capability("C6")
async def test_why_names_the_evidence(service: CrmService) -> None:
    mail = "anna@example.org"
    await service.ground.tell(item("a", id="1", mail=mail), item("b", at=1, id="2", channel="shop", mail=mail))
    (view,) = service.ground.customers()
    why = await service.get(f"/v1/customers/{view['customer_id']}/why")
    path = next(each["path"] for each in why["identifiers"] if each["value"] == "shop:2")
    assert [step["rule"] for step in path] == ["email", "email"]
    assert {step["evidence_id"] for step in path} == {item("a", id="1").feedback_id, item("b", id="2", channel="shop").feedback_id}


async def test_a_component_too_large_to_judge_believes_accounts_alone_and_is_reported(
    fresh_database: FreshDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    rules, dsn = Rules(IdentityRules(max_edges=1)), fresh_database(migrate)
    async with bench(dsn, rules) as ground, http(ground, dsn, rules) as client:
        service = CrmService(ground, client)
        mail = "anna@example.org"
        await ground.tell(item("a", id="1", mail=mail))
        (view,) = ground.customers()
        assert not (await service.get(f"/v1/customers/{view['customer_id']}/why"))["refused"]
        await ground.tell(item("b", at=1, id="2", channel="shop", mail=mail))
        views = ground.customers()
        assert [one["feedback_count"] for one in views] == [1, 1]
        for one in views:
            refused = (await service.get(f"/v1/customers/{one['customer_id']}/why"))["refused"]
            assert [(each["b"], each["reason"]) for each in refused] == [(f"email {mail}", "oversize")]
        (told,) = [each for each in caplog.records if getattr(each, "action", "") == "identity_oversize"]
        assert mail not in told.getMessage()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param(f"/v1/customers/{uuid4()}", 404, "customer-unknown", id="unknown customer"),
        pytest.param(f"/v1/feedback/{uuid4()}", 404, "feedback-unknown", id="unknown item"),
        pytest.param("/v1/customers?cursor=abcd", 422, "cursor-invalid", id="forged cursor"),
        pytest.param("/v1/customers?limit=501", 422, "invalid", id="limit"),
        pytest.param("/v1/customers?color=red", 422, "query-unknown", id="unknown parameter"),
        pytest.param("/v1/customers/me", 422, "invalid", id="no id"),
    ],
)
async def test_what_cannot_be_answered_says_why(service: CrmService, path: str, status: int, code: str) -> None:
    answer = await service.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_withdrawn_customer_is_gone(service: CrmService) -> None:
    await service.ground.tell(item("a", id="1"))
    (view,) = service.ground.customers()
    await service.ground.tell(item("a", id="1", withdrawn=True, revision=2))
    assert (await service.client.get(f"/v1/customers/{view['customer_id']}")).status_code == 410
    assert (await service.client.get(f"/v1/feedback/{item('a', id='1').feedback_id}")).status_code == 410
