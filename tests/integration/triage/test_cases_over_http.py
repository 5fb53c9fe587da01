"""What people read and do about cases, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from earshot_shared import envelope, ids
from earshot_shared.actions import decode_action
from earshot_shared.item import encode_item
from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.replies import reply_item
from earshot_shared.topics import Topic
from support.documents import Documented
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import case_of, plain_item


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn) as running:
        yield running


async def get_case(triage: TriageUnderTest, name: str, status: int = 200) -> Any:
    answer = await triage.http.get(f"/v1/cases/{case_of(name)}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def act(triage: TriageUnderTest, name: str, verb: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer = await triage.http.post(f"/v1/cases/{case_of(name)}/{verb}", json={} if body is None else body, headers=named)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.capability("G13")
async def test_a_decision_says_what_why_and_by_which_versions(triage: TriageUnderTest) -> None:
    item = plain_item("a", 0, "bug 3 it crashes")
    await triage.fold(item)
    found = (await triage.http.get(f"/v1/feedback/{item.feedback_id}")).json()
    assert found["feedback_id"] == item.feedback_id
    assert found["routes"] == ["support", "product"]
    assert found["case_id"] == case_of("a")
    assert found["model_version"] == "plain-1"
    assert found["rules_version"]
    assert found["reasons"] == [
        "as it says",
        "route support, product: bugs concern both (bug at least 0.5)",
        "stance respond: who asks or complains is answered (bug at least 0.5)",
    ]
    assert (await triage.http.get(f"/v1/feedback/{ids.feedback_id('forum', 'none')}")).status_code == 404


@pytest.mark.capability("L18")
async def test_the_language_is_found_and_kept_for_whoever_answers(fresh_database: Any) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, learned=True) as triage:
        said = {
            "de": plain_item("de", 0, "Die App stürzt immer ab, wenn ich sie öffne"),
            "es": plain_item("es", 1, "¿Dónde está mi pedido?"),
            "pt": msgspec.structs.replace(plain_item("pt", 2, "ok"), language="pt"),  # as its source says
        }
        await triage.fold(*said.values())
        for language, item in said.items():
            assert (await triage.http.get(f"/v1/feedback/{item.feedback_id}")).json()["language"] == language
        told = [json.loads(each.value or b"")["data"] for each in await triage.said() if each.topic is Topic.FEEDBACK_TRIAGED]
        assert {body["item"]["external_id"]: body["language"] for body in told} == {language: language for language in said}


@pytest.mark.capability("T8")
@pytest.mark.capability("T13")
async def test_people_work_on_a_case(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, "complaint 2 late"))
    first = await get_case(triage, "a")
    assert (first["status"], first["team"], first["priority"], first["assignee"]) == ("open", "support", 2, None)
    assert first["clocks"]["overdue"] is True
    assert (await act(triage, "a", "assign", {"assignee": "ann"}, earshot_actor="Bea"))["assignee"] == "ann"
    await act(triage, "a", "note", {"text": "We know him."})
    assert (await act(triage, "a", "route", {"team": "product"}))["team"] == "product"
    assert (await act(triage, "a", "escalate"))["priority"] == 3, "one higher, when nobody says how high"
    assert (await act(triage, "a", "escalate", {"priority": 4}))["priority"] == 4
    assert (await act(triage, "a", "escalate", {}))["priority"] == 4, "there is none higher"
    answered = await act(triage, "a", "respond", {"text": "We are on it."})
    assert answered["status"] == "waiting"
    case = await get_case(triage, "a")
    assert case["version"] == answered["version"]
    assert [message["text"] for message in case["messages"]] == ["complaint 2 late", "We are on it."]
    assert case["messages"][1]["is_brand"] is True
    assert [entry["verb"] for entry in case["history"]] == ["assign", "note", "route", *["escalate"] * 3, "respond"]
    assert (case["history"][0]["actor"], case["history"][0]["key_id"]) == ("Bea", "first")
    assert case["history"][1]["text"] == "We know him."
    assert (await act(triage, "a", "resolve"))["status"] == "resolved"
    assert (await act(triage, "a", "reopen"))["status"] == "open"


async def test_an_action_is_an_event_that_names_facts_and_its_copy_changes_nothing(triage: TriageUnderTest) -> None:
    item = plain_item("a", 0)
    await triage.fold(item)
    await act(triage, "a", "assign", {"assignee": "ann"})
    answered = await act(triage, "a", "respond", {"text": "Sorry."})
    told = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    actions = [decode_action(envelope.decode(message.value or b"").data) for message in told]
    assert [action.verb for action in actions] == ["assign", "respond"]
    assert {action.subject for action in actions} == {item.feedback_id}
    before = await get_case(triage, "a")
    copies = [StoredRecord("actions", 0, n, message.key, message.value) for n, message in enumerate(told)]
    await triage.fold_records(Topic.ACTION_TAKEN, copies)
    assert await get_case(triage, "a") == before
    reply = reply_item(actions[1])
    assert reply.feedback_id == answered["feedback_id"]
    said = len(await triage.said())
    await triage.fold(reply)  # the copy that ingest makes of it
    assert len(await triage.said()) == said
    stored = await triage.runtime.pool.fetchval("select item from feedback where key = $1", ids.case_id(reply.feedback_id))
    assert msgspec.json.decode(stored) == msgspec.json.decode(encode_item(reply))


@pytest.mark.capability("T36")
@pytest.mark.capability("L20")
async def test_a_private_word_is_answered_in_private_on_its_channel(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0, channel="mail", visibility="private"))
    answered = await act(triage, "a", "respond", {"text": "Sorry."})
    stored = await triage.runtime.pool.fetchval("select item from feedback where key = $1", ids.case_id(answered["feedback_id"]))
    reply = msgspec.json.decode(stored)
    assert (reply["channel"], reply["visibility"], reply["brand"]) == ("mail", "private", "Acme")


async def test_a_message_that_was_not_seen_keeps_the_case_open_whatever_its_time(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 10))
    looked_at = (await get_case(triage, "a"))["version"]
    await triage.fold(plain_item("b", 5, brand_speaks=True, to="a"), plain_item("c", 12, to="a"))
    assert (await act(triage, "a", "resolve", {"seen": looked_at}))["status"] == "open"
    now = (await get_case(triage, "a"))["version"]
    assert (await act(triage, "a", "resolve", {"seen": now}))["status"] == "resolved"
    assert (await act(triage, "a", "resolve", {"seen": 10**9}, status=422))["code"] == "seen-unknown"


async def test_a_message_older_than_the_case_keeps_it_open_though_its_id_changes(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 10), plain_item("b", 11, to="a"))
    looked_at = (await get_case(triage, "a"))["version"]
    await triage.fold(plain_item("old", 1), plain_item("a", 10, to="old", revision=2))
    assert (await get_case(triage, "a"))["case_id"] == case_of("old")
    assert (await act(triage, "a", "resolve", {"seen": looked_at}))["status"] == "open"
    assert (await act(triage, "a", "respond", {"text": "Sorry.", "seen": looked_at}))["status"] == "open"
    await triage.fold(plain_item("old", 1, revision=2, withdrawn=True))
    assert (await get_case(triage, "a"))["case_id"] == case_of("a")
    assert (await act(triage, "a", "resolve", {"seen": looked_at}))["status"] == "resolved"


async def test_joined_cases_answer_by_both_ids_and_part_again(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 5))
    looked_at = (await get_case(triage, "b"))["version"]
    joining = plain_item("c", 7, to="a", talk="x")
    await triage.fold(joining, plain_item("b", 5, talk="x", revision=2))
    assert (await get_case(triage, "b"))["case_id"] == case_of("a")
    assert (await act(triage, "b", "resolve", {"seen": looked_at}, status=412))["code"] == "version-mismatch"
    await triage.fold(plain_item("c", 7, to="a", talk="x", revision=2, withdrawn=True))
    assert (await get_case(triage, "b"))["case_id"] == case_of("b")
    assert (await get_case(triage, "c", status=410))["code"] == "case-withdrawn"
    await triage.fold(plain_item("a", 0, revision=2, withdrawn=True))
    await get_case(triage, "a", status=410)
    await get_case(triage, "nobody", status=404)


async def test_an_old_id_is_answered_after_a_rebuild_as_before(triage: TriageUnderTest) -> None:
    withdrawn, answer = plain_item("a", 0, revision=2, withdrawn=True), plain_item("b", 5, brand_speaks=True, to="a")
    await triage.fold(withdrawn, answer, replaying=True)  # what the log still holds of a question that was withdrawn after an answer
    assert (await get_case(triage, "a", status=410))["code"] == "case-withdrawn"
    await get_case(triage, "b", status=404)
    decision = (await triage.http.get(f"/v1/feedback/{withdrawn.feedback_id}")).json()
    assert (decision["withdrawn"], decision["case_id"]) == (True, None)


async def test_a_decision_on_what_was_withdrawn_names_no_case_over_http_as_on_the_topic(triage: TriageUnderTest) -> None:
    withdrawn = plain_item("b", 5, to="a", revision=2, withdrawn=True)
    await triage.fold(plain_item("a", 0), plain_item("b", 5, to="a"), plain_item("c", 6, to="b", talk="x"), plain_item("d", 7, talk="x"))
    await triage.fold(withdrawn)
    assert (await triage.http.get(f"/v1/feedback/{withdrawn.feedback_id}")).json()["case_id"] is None
    assert (await get_case(triage, "b"))["case_id"] == case_of("c")  # its replies hold it still


async def test_after_a_rebuild_too_the_last_word_on_a_case_that_had_joined_another_is_true(triage: TriageUnderTest) -> None:
    joining = plain_item("c", 7, to="a", talk="x")
    await triage.fold(
        plain_item("a", 0), joining, plain_item("b", 5, talk="x", revision=2), replaying=True
    )  # `b` was a case of its own once
    assert (await get_case(triage, "b"))["case_id"] == case_of("a")
    await triage.fold(plain_item("b", 5, revision=3, withdrawn=True))
    await get_case(triage, "b", status=410)
    told = [message for message in await triage.said() if (message.topic, message.key) == (Topic.CASE_CHANGED, case_of("b").encode())]
    assert [msgspec.json.decode(envelope.decode(each.value or b"").data).get("withdrawn") for each in told] == [True]


async def test_the_same_request_twice_is_one_act(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    one = await act(triage, "a", "respond", {"text": "Sorry."}, idempotency_key="k1")
    assert await act(triage, "a", "respond", {"text": "Sorry."}, idempotency_key="k1") == one
    assert (await act(triage, "a", "respond", {"text": "No."}, status=409, idempotency_key="k1"))["code"] == "idempotency-mismatch"
    assert len((await get_case(triage, "a"))["messages"]) == 2


async def test_if_match_says_who_changed_what(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0))
    answer = await triage.http.get(f"/v1/cases/{case_of('a')}")
    tag = answer.headers["etag"]
    await act(triage, "a", "assign", {"assignee": "ann"}, if_match=tag, earshot_actor="Bea")
    refused = await act(triage, "a", "assign", {"assignee": "bob"}, status=412, if_match=tag)
    assert [(change["actor"], change["verb"]) for change in refused["changes"]] == [("Bea", "assign")]
    assert (await get_case(triage, "a"))["assignee"] == "ann"


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        pytest.param("note", {"text": ""}, "invalid", id="empty note"),
        pytest.param("note", {"text": "x", "more": 1}, "unknown-field", id="unknown field"),
        pytest.param("assign", {}, "invalid", id="no assignee"),
        pytest.param("route", {"team": "nowhere"}, "team-unknown", id="unknown team"),
        pytest.param("escalate", {"priority": 5}, "invalid", id="no such priority"),
        pytest.param("escalate", {"priority": "3"}, "invalid", id="a priority as text"),
        pytest.param("resolve", {"seen": "1"}, "invalid", id="a version as text"),
        pytest.param("resolve", {"seen": True}, "invalid", id="a version that is true"),
        pytest.param("respond", {"text": "x" * 20_001}, "invalid", id="too long"),
    ],
)
async def test_a_wrong_act_is_refused_and_leaves_nothing(triage: TriageUnderTest, verb: str, body: Any, code: str) -> None:
    await triage.fold(plain_item("a", 0))
    before = await get_case(triage, "a")
    assert (await act(triage, "a", verb, body, status=422))["code"] in (code, "invalid")
    assert await get_case(triage, "a") == before


async def test_lists_filter_and_page_through_every_case_once(triage: TriageUnderTest) -> None:
    items = [plain_item(f"n{minute}", minute, f"complaint {1 + minute % 4} word{minute}") for minute in range(7)]
    await triage.fold(*items, plain_item("bolt", 3, "idea 1", brand="Bolt"), plain_item("ours", 1, brand_speaks=True))
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = (await triage.http.get("/v1/cases", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [case["case_id"] for case in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 8

    async def ids_of(**params: Any) -> set[str]:
        answer = await triage.http.get("/v1/cases", params=params)
        assert answer.status_code == 200, answer.text
        return {case["case_id"] for case in answer.json()["items"]}

    assert await ids_of(team="product") == {case_of("bolt")}
    assert await ids_of(brand="Bolt") == {case_of("bolt")}
    assert await ids_of(priority=4) == {case_of("n3")}
    for path in ("/v1/cases?priority=4.0", "/v1/cases?priority=%2B4", "/v1/themes?least=2.0"):
        refused = await triage.http.get(path)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid"), path
    assert await ids_of(q="WORD5") == {case_of("n5")}
    assert await ids_of(q="") == await ids_of()
    assert await ids_of(q="channel") == set()
    assert len(await ids_of(overdue="true")) == 8
    assert await ids_of(overdue="false") == set()
    await act(triage, "n2", "assign", {"assignee": "ann"})
    assert await ids_of(assignee="ann") == {case_of("n2")}
    await act(triage, "n2", "resolve")
    assert await ids_of(status="resolved") == {case_of("n2")}
    assert (await triage.http.get("/v1/cases", params={"status": "odd"})).status_code == 422
    assert (await triage.http.get("/v1/cases", params={"cursor": "forged"})).status_code == 422
    assert (await triage.http.get("/v1/cases", params={"limit": 0})).status_code == 422
    assert (await triage.http.get("/v1/cases", params={"colour": "red"})).status_code == 422


@pytest.mark.capability("C16")
async def test_a_key_bound_to_brands_sees_and_touches_those_alone(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 1, brand="Bolt"))
    bound = await triage.key(scopes=("triage:read", "triage:write"), brands=["Bolt"])
    listed = (await triage.http.get("/v1/cases", headers=bound)).json()["items"]
    assert [case["case_id"] for case in listed] == [case_of("b")]
    assert (await triage.http.get(f"/v1/cases/{case_of('a')}", headers=bound)).status_code == 404
    assert (await triage.http.post(f"/v1/cases/{case_of('a')}/resolve", json={}, headers=bound)).status_code == 404
    reading = await triage.key(scopes=("triage:read",))
    assert (await triage.http.post(f"/v1/cases/{case_of('a')}/resolve", json={}, headers=reading)).status_code == 403
    assert (await triage.http.get("/v1/cases", headers={"authorization": "Bearer no"})).status_code == 401


async def test_an_act_makes_a_case_of_a_brands_thread(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("ours", 0, brand_speaks=True), plain_item("a", 1, to="ours"))
    await get_case(triage, "ours", status=404)
    await act(triage, "ours", "note", {"text": "Look."})
    assert (await get_case(triage, "ours"))["case_id"] == case_of("a")


@pytest.mark.capability("T6")
async def test_questions_that_nobody_answered_are_listed_by_age(triage: TriageUnderTest) -> None:
    await triage.fold(
        plain_item("new", 9, "question 2"), plain_item("old", 1, "question 2"), plain_item("b", 2, "bug 3"),
        plain_item("done", 3, "question 2"), plain_item("reply", 4, brand_speaks=True, to="done"),
    )  # fmt: skip

    async def asked(**params: Any) -> list[str]:
        return [case["case_id"] for case in (await triage.http.get("/v1/questions", params=params)).json()["items"]]

    assert await asked(unanswered="true") == [case_of("old"), case_of("new")]
    assert await asked() == [case_of("old"), case_of("done"), case_of("new")]


async def test_texts_are_classified_and_nothing_is_kept(triage: TriageUnderTest) -> None:
    answer = await triage.http.post("/v1/classify", json={"texts": ["bug 3 x", "hello"]})
    assert [each["intent"] for each in answer.json()["items"]] == ["bug", "other"]
    assert await triage.said() == []
    rules = (await triage.http.get("/v1/rules")).json()
    assert rules["rules"]["teams"] == ["product", "support", "community"]


@pytest.mark.capability("G11")
@pytest.mark.capability("T33")
async def test_rules_change_without_a_restart_and_every_version_is_kept(fresh_database: Any, tmp_path: Path) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path) as triage:
        book, pool = triage.wiring.book, triage.runtime.pool
        await book.keep(pool)
        await triage.fold(plain_item("a", 0, "bug 3"))
        (tmp_path / "triage.yaml").write_text("routes: [{name: all, to: [product]}]", encoding="utf-8")
        book.look()
        await book.keep(pool)
        await triage.fold(plain_item("b", 1, "bug 3"))
        before, after = [
            (await triage.http.get(f"/v1/feedback/{ids.feedback_id('forum', name)}")).json() for name in ("a", "b")
        ]  # fmt: skip
        assert (before["routes"], after["routes"]) == (["support", "product"], ["product"])
        assert before["rules_version"] != after["rules_version"]
        rules = (await triage.http.get("/v1/rules")).json()
        assert rules["version"] == after["rules_version"]
        assert [each["version"] for each in rules["versions"]] == [after["rules_version"], before["rules_version"]]
        (tmp_path / "triage.yaml").write_text("routes: [{name: all, to: [nowhere]}]", encoding="utf-8")
        book.look()
        await triage.fold(plain_item("c", 2, "bug 3"))
        last = (await triage.http.get(f"/v1/feedback/{ids.feedback_id('forum', 'c')}")).json()
        assert last["rules_version"] == after["rules_version"], "a bad file changes nothing"
        metrics = (await triage.http.get("/metrics")).text
        for outcome in ("accepted", "refused"):
            assert f'earshot_config_reloads_total{{file="triage",outcome="{outcome}"}} 1.0' in metrics


async def test_the_document_tells_every_answer_and_the_headers_that_acts_take(triage: TriageUnderTest) -> None:
    document = (await triage.http.get("/openapi.json")).json()
    operations = {(method, path): each for path, its in document["paths"].items() for method, each in its.items()}
    assert Documented(document).untold() == set()
    taken = {each["name"] for each in operations["post", "/v1/cases/{case_id}/respond"]["parameters"] if each["in"] == "header"}
    assert taken == {"Idempotency-Key", "Earshot-Actor", "If-Match"}
    assert operations["get", "/v1/cases/{case_id}"]["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/CaseView"
    }
    await triage.fold(plain_item("a", 0), plain_item("b", 5, brand_speaks=True, to="a"))
    case = await get_case(triage, "a")
    assert case["messages"]
    assert Documented(document).misfits("get", "/v1/cases/{case_id}", 200, case) == []
    decision = (await triage.http.get(f"/v1/feedback/{plain_item('a', 0).feedback_id}")).json()
    assert Documented(document).misfits("get", "/v1/feedback/{feedback_id}", 200, decision) == []
