"""What people do about members over HTTP, and that a rebuild from the topics comes to the same."""

import random
from urllib.parse import quote

import msgspec
import pytest

from earshot_recognition.repository import read_counts
from earshot_shared.topics import Topic
from support.documents import Documented
from support.recognition import RecognitionUnderTest, record_of, said

ANN, BEA = quote("forum:ann"), quote("forum:bea")
EVIDENCE = {"evidence": [{"kind": "blog", "what": "writes about us weekly", "url": "https://example.com/ann"}]}


async def a_helper(recognition: RecognitionUnderTest, answers: int = 2) -> None:
    """Bea asks, Ann answers so often."""
    for number in range(answers):
        await recognition.fold(said(f"q{number}", "bea", kind="question"), said(f"a{number}", "ann", at=1, to=f"q{number}", handle="ann"))


@pytest.mark.capability("R5")
async def test_a_badge_is_given_by_hand_with_a_reason_once(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition, 1)
    listed = await recognition.get("/v1/badges")
    assert [(each["name"], each["by_hand"]) for each in listed["items"]] == [("first-answer", False), ("ambassador", True)]
    first = await recognition.get("/v1/badges?limit=1")
    second = await recognition.get(f"/v1/badges?limit=1&cursor={first['next_cursor']}")
    assert [*first["items"], *second["items"]] == listed["items"]
    assert second["next_cursor"] is None
    given = {"badge": "ambassador", "reason": "spoke at our meeting"}
    member = await recognition.do(f"/v1/members/{ANN}/badges", given, headers={"earshot-actor": "Cleo"})
    assert member["badges"] == ["first-answer", "ambassador"]
    assert member == await recognition.get(f"/v1/members/{ANN}")
    assert any("given by Cleo" in reason and "spoke at our meeting" in reason for reason in member["reasons"])
    assert (await recognition.standing("forum:ann"))["badges"] == ["first-answer", "ambassador"]
    assert (await recognition.do(f"/v1/members/{ANN}/badges", given, status=409))["code"] == "badge-given"
    by_rule = {"badge": "first-answer", "reason": "why not"}
    assert (await recognition.do(f"/v1/members/{ANN}/badges", by_rule, status=422))["code"] == "badge-unknown"
    assert (await recognition.do("/v1/members/forum:nobody/badges", given, status=404))["code"] == "member-unknown"
    await recognition.do(f"/v1/members/{ANN}/badges", given, status=403, headers=await recognition.key("recognition:read"))
    (action,) = await recognition.told(Topic.ACTION_TAKEN)
    assert (action["service"], action["verb"], action["subject"], action["arguments"]) == ("recognition", "badge", "forum:ann", given)


@pytest.mark.parametrize("account", ["a/b", "https://forum.example/u/1", "a b", "a%2Fb", "ledger", "ü?#"])
async def test_a_member_is_found_whatever_the_account_is_called(recognition: RecognitionUnderTest, account: str) -> None:
    await recognition.fold(said("a", account))
    for path in (quote(f"forum:{account}", safe=""), quote(f"forum:{account}", safe="/")):
        assert (await recognition.get(f"/v1/members/{path}"))["author_key"] == f"forum:{account}"
        assert len((await recognition.get(f"/v1/members/{path}/ledger"))["items"]) == 1
    member = await recognition.do(f"/v1/members/{quote(f'forum:{account}', safe='')}/badges", {"badge": "ambassador", "reason": "kind"})
    assert member["badges"] == ["ambassador"]
    assert (await recognition.do(f"/v1/advocates/{quote(f'forum:{account}', safe='')}/invite", EVIDENCE))["stage"] == "invited"
    assert (await recognition.get("/v1/members/forum:nobody/at/all", status=404))["code"] == "member-unknown"


async def test_an_account_may_be_called_as_a_route_ends(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(said("a", "x"), said("b", "x/ledger"), said("c", "x/badges"))
    assert (await recognition.get("/v1/members/forum%3Ax%2Fledger"))["author_key"] == "forum:x/ledger"
    assert [each["cause"] for each in (await recognition.get("/v1/members/forum:x/ledger"))["items"]] == [said("a", "x").feedback_id]
    own = await recognition.get("/v1/members/forum:x%2Fledger/ledger")
    assert [each["cause"] for each in own["items"]] == [said("b", "x/ledger").feedback_id]
    given = {"badge": "ambassador", "reason": "kind"}
    await recognition.do("/v1/members/forum:x%2Fbadges", given, status=405)
    assert (await recognition.do("/v1/members/forum:x%2Fbadges/badges", given))["author_key"] == "forum:x/badges"


async def test_a_request_sent_again_gives_one_badge(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition, 1)
    given, once = {"badge": "ambassador", "reason": "kind"}, {"idempotency-key": "k1"}
    first = await recognition.do(f"/v1/members/{ANN}/badges", given, headers=once)
    assert await recognition.do(f"/v1/members/{ANN}/badges", given, headers=once) == first
    assert len(await recognition.told(Topic.ACTION_TAKEN)) == 1


@pytest.mark.capability("R22")
async def test_staff_stand_apart_from_badges_and_advocates(recognition: RecognitionUnderTest) -> None:
    item = said("a", "ann")
    await recognition.fold(msgspec.structs.replace(item, author=msgspec.structs.replace(item.author, is_staff=True)))
    body = {"badge": "ambassador", "reason": "kind"}
    assert (await recognition.do(f"/v1/members/{ANN}/badges", body, status=409))["code"] == "member-excluded"
    assert (await recognition.do(f"/v1/advocates/{ANN}/invite", EVIDENCE, status=409))["code"] == "member-excluded"


@pytest.mark.capability("R3")
@pytest.mark.capability("R11")
async def test_the_path_of_an_advocate(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition, 1)
    await recognition.do(f"/v1/advocates/{ANN}/invite", {"evidence": []}, status=422)
    assert (await recognition.do(f"/v1/advocates/{ANN}/accept", status=409))["code"] == "stage-conflict"
    invited = await recognition.do(f"/v1/advocates/{ANN}/invite", EVIDENCE)
    assert (invited["stage"], invited["evidence"][0]["what"]) == ("invited", "writes about us weekly")
    (outreach,) = await recognition.told(Topic.OUTREACH_REQUESTED)
    assert (outreach["author_key"], outreach["purpose"], outreach["template"]) == (
        "forum:ann",
        "advocate-invitation",
        "advocate-invitation",
    )
    accepted = await recognition.do(f"/v1/advocates/{ANN}/accept", {"topics": ["billing"]})
    assert (accepted["stage"], accepted["topics"], accepted["disclosure"]) == ("advocate", ["billing"], None)
    disclosed = await recognition.do(f"/v1/advocates/{ANN}/disclose", {"statement": "I get early access."})
    assert disclosed["disclosure"]["statement"] == "I get early access."
    assert (await recognition.standing("forum:ann"))["advocate_stage"] == "advocate"
    assert (await recognition.get(f"/v1/members/{ANN}"))["advocate_stage"] == "advocate"
    await recognition.do(f"/v1/advocates/{ANN}/leave", {}, status=422)  # a stated reason
    assert (await recognition.do(f"/v1/advocates/{ANN}/leave", {"reason": "moved on"}))["stage"] == "left"
    assert (await recognition.do(f"/v1/advocates/{ANN}/invite", EVIDENCE))["disclosure"] is None
    assert (await recognition.do(f"/v1/advocates/{ANN}/decline"))["stage"] == "declined"
    assert len(await recognition.told(Topic.OUTREACH_REQUESTED)) == 2


async def test_advocates_are_listed_by_page_and_stage(recognition: RecognitionUnderTest) -> None:
    names = ["ann", "bea", "cleo", "dora", "eve"]
    await recognition.fold(*(said(name, name) for name in names))
    for name in names:
        await recognition.do(f"/v1/advocates/forum:{name}/invite", EVIDENCE)
    for name in names[::2]:
        await recognition.do(f"/v1/advocates/forum:{name}/accept")
    found, path = [], "/v1/advocates?stage=advocate&limit=2"
    while path:
        page = await recognition.get(path)
        assert len(page["items"]) <= 2
        found += [each["author_key"] for each in page["items"]]
        path = f"/v1/advocates?stage=advocate&limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == ["forum:ann", "forum:cleo", "forum:eve"]
    assert len((await recognition.get("/v1/advocates"))["items"]) == 5


async def test_an_advocate_named_by_handle_and_by_account_is_listed_once(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(said("a", "@ann"), said("b", "@bea"), said("c", "1"))
    for key in ("forum:@ann", "forum:@bea", "forum:1"):
        await recognition.do(f"/v1/advocates/{quote(key)}/invite", EVIDENCE)
    await recognition.fold(said("d", "1", at=1, handle="ann"), said("e", "2", at=1, handle="bea"))
    found: list[str] = []
    path = "/v1/advocates?limit=1"
    while path and len(found) < 9:
        page = await recognition.get(path)
        found += [each["author_key"] for each in page["items"]]
        path = f"/v1/advocates?limit=1&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == ["forum:1", "forum:2"]


@pytest.mark.capability("R7")
async def test_a_cause_is_thanked_once(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition)
    assert (await recognition.standing("forum:ann"))["thank_you_due"] is True
    due = (await recognition.get("/v1/thank-yous"))["items"]
    assert [(each["author_key"], each["cause"], each["done"]) for each in due] == [
        ("forum:ann", "first-answer", None),
        ("forum:ann", "two-answers", None),
    ]
    (outreach,) = await recognition.told(Topic.OUTREACH_REQUESTED)  # only the cause that names a template
    assert outreach["outreach_id"] == due[1]["thank_you_id"]
    assert (outreach["author_key"], outreach["purpose"], outreach["cause"]) == ("forum:ann", "thank-you", "two-answers")
    path = f"/v1/thank-yous/{due[0]['thank_you_id']}/done"
    done = await recognition.do(path, {"how": "public", "what": "a post"}, headers={"earshot-actor": "Cleo"})
    assert (done["done"]["by"], done["done"]["how"], done["done"]["what"]) == ("Cleo", "public", "a post")
    assert (await recognition.do(path, {"how": "offline"}, status=409))["code"] == "already-thanked"
    await recognition.do(path, {"how": "money"}, status=422)
    await recognition.do("/v1/thank-yous/7f1c0a52-2f0f-4a43-9d3e-0c5d2c6f3d11/done", {"how": "public"}, status=404)
    assert [each["cause"] for each in (await recognition.get("/v1/thank-yous"))["items"]] == ["two-answers"]
    assert [each["cause"] for each in (await recognition.get("/v1/thank-yous?done=true"))["items"]] == ["first-answer"]
    assert (await recognition.standing("forum:ann"))["thank_you_due"] is True
    await recognition.do(f"/v1/thank-yous/{due[1]['thank_you_id']}/done", {"how": "offline"})
    assert not (await recognition.standing("forum:ann")).get("thank_you_due")


async def test_a_cause_ceases_with_its_ground(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition)
    await recognition.fold(said("a1", "ann", at=1, to="q1", handle="ann", withdrawn=True), version=2)
    assert [each["cause"] for each in (await recognition.get("/v1/thank-yous"))["items"]] == ["first-answer"]


@pytest.mark.parametrize("way", ["imported", "replayed"])
async def test_the_past_asks_nobody_to_be_written_to(recognition: RecognitionUnderTest, way: str) -> None:
    items = [said(f"{kind}{n}", who, at=n, to=to, kind=what, backfill=way == "imported")
             for n in range(2) for kind, who, to, what in (("q", "bea", None, "question"), ("a", "ann", f"q{n}", "reply"))]  # fmt: skip
    await recognition.fold(*items, replaying=way == "replayed")
    assert len((await recognition.get("/v1/thank-yous"))["items"]) == 2
    assert await recognition.told(Topic.OUTREACH_REQUESTED) == []


async def test_an_act_on_a_handle_is_its_accounts_once_they_are_one(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(said("h", "@ann"))
    await recognition.do(f"/v1/members/{quote('forum:@ann')}/badges", {"badge": "ambassador", "reason": "kind"})
    await recognition.fold(said("i", "7", at=1, handle="ann"))
    assert (await recognition.get("/v1/members/forum:7"))["badges"] == ["ambassador"]
    assert (await recognition.standing("forum:7"))["badges"] == ["ambassador"]
    assert (await recognition.standing("forum:@ann"))["merged_into"] == "forum:7"


async def test_a_rebuild_in_any_order_comes_to_the_same_and_asks_nothing(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition)
    await recognition.do(f"/v1/members/{ANN}/badges", {"badge": "ambassador", "reason": "kind"})
    await recognition.do(f"/v1/advocates/{ANN}/invite", EVIDENCE)
    await recognition.do(f"/v1/advocates/{ANN}/accept")
    due = (await recognition.get("/v1/thank-yous"))["items"]
    await recognition.do(f"/v1/thank-yous/{due[0]['thank_you_id']}/done", {"how": "public"})
    await recognition.fold(said("w", "eve"))
    await recognition.fold(said("w", "eve", withdrawn=True), version=2)
    acts = [record_of(message) for message in await recognition.said(Topic.ACTION_TAKEN)]
    before, member = await recognition.rows(), await recognition.get(f"/v1/members/{ANN}")
    await recognition.fold_records(Topic.ACTION_TAKEN, acts)  # the copies that come round
    assert await recognition.rows() == before
    for seed in range(3):
        await recognition.empty()
        records = [(Topic.ACTION_TAKEN, each) for each in acts] + [(Topic.FEEDBACK_TRIAGED, each) for each in recognition.heard]
        random.Random(seed).shuffle(records)  # an order, not a secret
        for topic, record in records:
            await recognition.fold_records(topic, [record], replaying=True)
        assert await recognition.rows() == before
        assert await recognition.get(f"/v1/members/{ANN}") == member
        assert await recognition.told(Topic.OUTREACH_REQUESTED) == []
        assert await recognition.told(Topic.ACTION_TAKEN) == []


async def test_the_network_shows_clusters_and_who_connects_them(recognition: RecognitionUnderTest) -> None:
    number = 0
    for one, other, times in (("ann", "bea", 3), ("bea", "ann", 2), ("cleo", "dora", 3), ("dora", "cleo", 2), ("ann", "cleo", 1)):
        for _ in range(times):
            number += 1
            await recognition.fold(said(f"q{number}", other, kind="question"), said(f"a{number}", one, to=f"q{number}"))
    network = await recognition.get("/v1/network")
    assert [({each["author_key"] for each in one["members"]}, one["size"], one["times"]) for one in network["clusters"]] == [
        ({"forum:ann", "forum:bea"}, 2, 5),
        ({"forum:cleo", "forum:dora"}, 2, 5),
    ]
    assert [(each["author_key"], each["name"], each["clusters"]) for each in network["connectors"]] == [
        ("forum:ann", "Ann", 1),
        ("forum:cleo", "Cleo", 1),
    ]
    first = await recognition.get("/v1/network?limit=1")
    second = await recognition.get(f"/v1/network?limit=1&cursor={first['next_cursor']}")
    assert (network["next_cursor"], second["next_cursor"]) == (None, None)
    assert first["clusters"] + second["clusters"] == network["clusters"]
    assert first["connectors"] + second["connectors"] == network["connectors"]
    forged = await recognition.http.get("/v1/network?cursor=forged")
    assert (forged.status_code, forged.json()["code"]) == (422, "cursor-invalid")


async def test_nobody_has_no_ledger(recognition: RecognitionUnderTest) -> None:
    for path in ("/v1/members/forum:nobody", "/v1/members/forum:nobody/ledger"):
        answer = await recognition.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "member-unknown")


async def test_a_ledger_is_paged_over_items_help_and_handles(recognition: RecognitionUnderTest) -> None:
    await a_helper(recognition, 3)
    await recognition.fold(said("h", "@ann", at=9))
    found, path = [], f"/v1/members/{ANN}/ledger?limit=2"
    while path:
        page = await recognition.get(path)
        found += [(each["rule"], each["beneficiary"], each["cause"]) for each in page["items"]]
        path = f"/v1/members/{ANN}/ledger?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert len(found) == len(set(found)) == 7
    assert [rule for rule, _, _ in found].count("help") == 3
    async with recognition.runtime.pool.acquire() as conn:
        counts = await read_counts(conn)
    assert counts == {"feedback": 7, "entries": 10, "points": 37, "members": 2}


async def test_the_document_tells_every_answer(recognition: RecognitionUnderTest) -> None:
    assert Documented(await recognition.get("/openapi.json")).untold() == set()
