"""The console in a real browser, and its stream as a dashboard reads it."""

import asyncio
import http.client
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from support.documents import Documented
from support.system import System


def say(system: System, number: int, text: str, **more: Any) -> str:
    """Post one item and return its id."""
    item = {
        "source": "console-test",
        "external_id": f"c{number}",
        "channel": "forum",
        "author": {"id": f"u{number}", "handle": f"user{number}", "name": f"Test Person {number}"},
        "text": text,
        "occurred_at": datetime.now(UTC).isoformat(),
        "brand": "Acme",
        **more,
    }
    status, told = system.ask("ingest", "/v1/feedback", method="POST", body=item)
    assert status == 202, told
    return str(told["feedback_id"])


@pytest.mark.browser
@pytest.mark.capability("D11")
@pytest.mark.capability("D9")
def test_what_comes_in_shows_at_once(system: System, page: Page) -> None:
    expect(page.locator("#live")).to_have_attribute("data-state", "on", timeout=30_000)
    author = {"id": "console-petronella", "handle": "petronella", "name": "Petronella Quint"}
    say(system, 1, "The <b>parcel</b> never came & nobody answers!", author=author)
    row = page.locator("#feed li", has_text="The <b>parcel</b> never came & nobody answers!")
    expect(row).to_be_visible(timeout=30_000)
    expect(page.locator("#flow rect").first).to_be_visible(timeout=30_000)
    page.fill("#query", "Petronella Quint")
    expect(page.locator("#found li").first).to_contain_text("Petronella Quint", timeout=30_000)
    page.locator("#found li").first.click()
    expect(page.locator("#timeline li").first).to_contain_text("parcel", timeout=30_000)


@pytest.mark.browser
def test_what_does_not_answer_is_named_until_it_does_and_a_refused_stream_is_opened_again(system: System, page: Page) -> None:
    live = page.locator("#live")
    expect(live).to_have_attribute("data-state", "on", timeout=30_000)
    problem = json.dumps({"detail": "crm-sync does not answer."})
    page.route("**/api/crm-sync/stats", lambda route: route.fulfill(status=503, content_type="application/problem+json", body=problem))
    expect(live).to_have_text("crm-sync does not answer.", timeout=30_000)
    expect(live).to_have_attribute("data-state", "off")
    page.unroute("**/api/crm-sync/stats")
    expect(live).to_have_text("live", timeout=30_000)

    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, body="") if len(refused) == 1 else route.continue_()

    page.route("**/v1/stream?**", refuse_once)
    page.reload()
    expect(live).to_have_attribute("data-state", "on", timeout=30_000)
    assert len(refused) > 1
    say(system, 2, "Heard on the second try")
    expect(page.locator("#feed li", has_text="Heard on the second try")).to_be_visible(timeout=30_000)


@pytest.mark.browser
def test_narrow_and_dark(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("#theme")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing sticks out of a narrow window"


@pytest.mark.browser
def test_who_is_signed_out_is_offered_nothing_but_the_way_in(system: System, page: Page) -> None:
    page.click("#leave")
    expect(page.locator("#sign-in")).to_be_visible(timeout=30_000)
    for part in ("#search", "#ways", "#leave", "#board"):
        expect(page.locator(part)).to_be_hidden()


def test_a_file_that_the_page_has_not_is_a_problem_too(system: System) -> None:
    status, told = system.ask("console", "/static/nothing.js")
    assert (status, told["code"]) == (404, "not-found")


def read_events(system: System, topics: str, last_event_id: str | None, count: int) -> list[tuple[str, Any]]:
    """Return (id, event) of the next events of a stream."""
    host = str(system.state["services"]["console"]).removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = {"authorization": f"Bearer {system.state['api_key']}"} | ({"last-event-id": last_event_id} if last_event_id else {})
    query = f"/v1/stream?topics={topics}" + ("" if last_event_id else "&from_beginning=true")
    connection.request("GET", query, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    events: list[tuple[str, Any]] = []
    event_id = ""
    try:
        while len(events) < count:
            line = answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                events.append((event_id, json.loads(line[6:])))
    finally:
        connection.close()
    return events


def live_records(system: System) -> int:
    """Return how many records stand on the topic of live items once all is settled."""
    positions = system.settle()["triage"]["position"]
    return sum(offset for name, offset in positions.items() if ".feedback.received." in name)


@pytest.mark.capability("D11")
def test_a_stream_goes_on_without_gap_or_repeat(system: System) -> None:
    sent = {say(system, number, f"stream {number}") for number in range(100, 130)}
    everything = read_events(system, "feedback.received", None, live_records(system))
    middle = everything[len(everything) // 2][0]
    rest = read_events(system, "feedback.received", middle, len(everything) - len(everything) // 2 - 1)
    assert sent <= {event["subject"] for _, event in everything}
    # Across partitions the order may differ from one reading to the next; what comes after an id never does.
    missing = sorted(event["id"] for _, event in everything[len(everything) // 2 + 1 :])
    assert sorted(event["id"] for _, event in rest) == missing
    late = say(system, 131, "stream, later")
    newest = read_events(system, "feedback.received", everything[-1][0], live_records(system) - len(everything))
    assert late in {event["subject"] for _, event in newest}
    assert not {event["id"] for _, event in newest} & {event["id"] for _, event in everything}


@pytest.mark.capability("D11")
async def test_a_websocket_tells_the_same(system: System) -> None:
    address = str(system.state["services"]["console"]).replace("http://", "ws://")
    headers = {"Authorization": f"Bearer {system.state['api_key']}"}
    async with connect(f"{address}/v1/ws?topics=feedback.received", additional_headers=headers) as socket:
        sent = await asyncio.to_thread(say, system, 300, "over a socket")
        async with asyncio.timeout(30):
            while json.loads(await socket.recv()).get("event", {}).get("subject") != sent:
                pass


async def test_a_websocket_begins_at_the_beginning_or_goes_on(system: System) -> None:
    wanted = say(system, 301, "before any socket")
    live_records(system)
    address = str(system.state["services"]["console"]).replace("http://", "ws://") + "/v1/ws?topics=feedback.received"
    headers = {"Authorization": f"Bearer {system.state['api_key']}"}
    async with asyncio.timeout(30):
        async with connect(f"{address}&from_beginning=true", additional_headers=headers) as socket:
            told = json.loads(await socket.recv())
            seen = [told]
            while seen[-1]["event"]["subject"] != wanted:
                seen.append(json.loads(await socket.recv()))
        if len(seen) > 1:
            async with connect(f"{address}&last_event_id={told['id']}", additional_headers=headers) as socket:
                rest = json.loads(await socket.recv())
            assert rest["event"]["id"] != told["event"]["id"]


@pytest.mark.parametrize(
    ("query", "key", "status"),
    [
        ("topics=case.changed", "", 401),
        ("topics=case.changed", "nobody-knows-this-key", 401),
        ("topics=nothing", None, 422),
        ("topics=case.changed&filter=what", None, 422),
        ("topics=case.changed&surprise=1", None, 422),
        ("topics=case.changed&from_beginning=perhaps", None, 422),
        ("topics=case.changed&last_event_id=forged", None, 422),
    ],
)
async def test_a_handshake_is_refused_like_any_request(system: System, query: str, key: str | None, status: int) -> None:
    address = str(system.state["services"]["console"]).replace("http://", "ws://")
    key = system.state["api_key"] if key is None else key
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{address}/v1/ws?{query}", additional_headers={"Authorization": f"Bearer {key}"} if key else {}):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"")["status"] == status


def test_a_stream_says_its_place_before_any_event(system: System) -> None:
    host = str(system.state["services"]["console"]).removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", "/v1/stream?topics=feedback.received", headers={"authorization": f"Bearer {system.state['api_key']}"})
    answer = connection.getresponse()
    lines = [answer.readline().decode().strip() for _ in range(3)]
    connection.close()
    assert (lines[0], lines[1][:4], lines[2]) == ("retry: 1000", "id: ", "")
    missed = say(system, 302, "while nobody listened")
    [(_, event)] = read_events(system, "feedback.received", lines[1][4:], 1)
    assert event["subject"] == missed


def test_bad_questions_to_the_stream(system: System) -> None:
    assert system.ask("console", "/v1/stream?topics=nothing")[0] == 422
    assert system.ask("console", "/v1/stream?topics=case.changed&filter=what")[0] == 422
    host = str(system.state["services"]["console"]).removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request(
        "GET",
        "/v1/stream?topics=case.changed",
        headers={"authorization": f"Bearer {system.state['api_key']}", "last-event-id": "forged"},
    )
    assert connection.getresponse().status == 422
    connection.close()
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", "/v1/stream?topics=case.changed")
    assert connection.getresponse().status == 401
    connection.close()


def test_the_document_tells_every_answer(system: System) -> None:
    document = Documented(system.ask("console", "/openapi.json")[1])
    assert document.untold() == set()
    for path in ("/v1/session", "/v1/stats", "/admin/keys"):
        status, told = system.ask("console", path)
        assert (status, document.misfits("get", path, 200, told)) == (200, []), path
