"""The door: keys, bodies, problems, whatever a client sends."""

import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from earshot_shared.http.bodies import Budget
from earshot_shared.http.call import Call
from earshot_shared.http.door import HotRoute
from earshot_shared.http.problems import Answer
from earshot_shared.http.rules import PathRule
from earshot_shared.testing import Client, open_app
from support.http import echo_door


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_app(echo_door()) as opened:
        yield opened


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:earshot:problem:{code}"
    assert body["title"]
    assert str(body["detail"]).endswith(".")
    return body


async def test_serves_a_request_with_a_key(client: Client) -> None:
    answer = await client.get("/v1/notes", params={"limit": 3, "tag": ["a", "b"]})
    assert answer.status_code == 200
    assert answer.json() == {"limit": 3, "tags": ["a", "b"], "key": "first"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_open_paths_need_no_key(path: str) -> None:
    async with open_app(echo_door(), key=None) as client:
        assert (await client.get(path)).status_code == 200


async def test_head_is_for_health_alone(client: Client) -> None:
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 405), ("/v1/notes", 405)):
        assert (await client.request("HEAD", path)).status_code == status, path


@pytest.mark.parametrize("path", ["/v1/notes", "/v1/broken", "/nowhere", "/docs/", "/metrics/x"])
async def test_every_other_path_needs_a_key(path: str) -> None:
    async with open_app(echo_door(), key=None) as client:
        answer = await client.get(path)
        problem(answer, 401, "key-missing")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/nowhere", 404, "not-found", id="unknown path"),
        pytest.param("GET", "/v1/notes/", 404, "not-found", id="no redirect for a slash"),
        pytest.param("DELETE", "/v1/notes", 405, "method-not-allowed", id="unknown method"),
        pytest.param("GET", "/v1/notes?limit=0", 422, "invalid", id="limit too small"),
        pytest.param("GET", "/v1/notes?limit=501", 422, "invalid", id="limit too large"),
        pytest.param("GET", "/v1/notes?limit=x", 422, "invalid", id="limit no number"),
        *(
            pytest.param("GET", f"/v1/notes?limit={spelt}", 422, "invalid", id=f"limit spelt {spelt}")
            for spelt in ("5.0", "%205", "5%20", "%2B5", "1_0", "%D9%A5", "")
        ),
        pytest.param("GET", "/v1/notes?limits=5", 422, "query-unknown", id="unknown parameter"),
        pytest.param("GET", "/v1/broken?x", 422, "query-unknown", id="parameter without value"),
        pytest.param("GET", "/v1/notes?limit=5&limit=6", 422, "query-repeated", id="parameter twice"),
        pytest.param("GET", "/v1/notes?tag=%00", 400, "text-invalid", id="NUL in the query"),
        pytest.param("GET", "/v1/%00", 400, "text-invalid", id="NUL in the path"),
        pytest.param("GET", "/healthz?x=1", 422, "query-unknown", id="open paths are strict too"),
        pytest.param("GET", "/v1/busy", 503, "postgres-unreachable", id="the world is not ready"),
        pytest.param("GET", "/v1/broken", 500, "unexpected", id="our fault"),
    ],
)
async def test_problems(client: Client, method: str, path: str, status: int, code: str) -> None:
    problem(await client.request(method, path), status, code)


async def test_405_names_what_is_allowed(client: Client) -> None:
    assert (await client.delete("/v1/notes")).headers["allow"] in {"GET", "POST", "GET, POST"}


async def test_503_says_when_to_come_again(client: Client) -> None:
    assert (await client.get("/v1/busy")).headers["retry-after"] == "3"


async def test_our_faults_are_logged_without_what_they_say(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/v1/broken")
    assert "secret" not in answer.text
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


async def test_what_passes_is_a_warning_and_our_own_errors_are_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    await client.get("/v1/busy")
    problem(await client.get("/v1/wrong"), 500, "other-cluster")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "request refused"),
        ("ERROR", "request failed"),
    ]


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        pytest.param(b"{", JSON, 400, "json-invalid", id="cut off"),
        pytest.param(b"{'text': 'x'}", JSON, 400, "json-invalid", id="single quotes"),
        pytest.param(b'{"text": NaN}', JSON, 400, "json-invalid", id="NaN"),
        pytest.param(b'{"text": "\xff\xfe"}', JSON, 400, "encoding-invalid", id="bad UTF-8"),
        pytest.param(b'{"text": "\xed\xa0\x80"}', JSON, 400, "encoding-invalid", id="surrogate in UTF-8"),
        pytest.param(b'{"text": "\\ud800"}', JSON, 400, "json-invalid", id="lone high surrogate"),
        pytest.param(b'{"text": "\\udc00 x"}', JSON, 400, "json-invalid", id="lone low surrogate"),
        pytest.param(b'{"text": "a\\u0000b"}', JSON, 400, "text-invalid", id="escaped NUL"),
        pytest.param(b'{"text": "a\x00b"}', JSON, 400, "json-invalid", id="raw NUL"),
        pytest.param(b"[" * 100_000, JSON, 400, "json-too-deep", id="100,000 brackets"),
        pytest.param(b'{"a":' * 100_000, JSON, 400, "json-too-deep", id="100,000 braces"),
        pytest.param(b"9" * 5000, JSON, 400, "json-invalid", id="a number without end"),
        pytest.param(b"[1, 2]", JSON, 422, "invalid", id="a list for an object"),
        pytest.param(b'"text"', JSON, 422, "invalid", id="a text for an object"),
        pytest.param(b"null", JSON, 422, "invalid", id="null for an object"),
        pytest.param(b"{}", JSON, 422, "invalid", id="field missing"),
        pytest.param(b"", JSON, 422, "invalid", id="nothing at all"),
        pytest.param(b'{"text": 5}', JSON, 422, "invalid", id="wrong type"),
        pytest.param(b'{"text": "x", "txet": 1}', JSON, 422, "unknown-field", id="unknown field"),
        pytest.param(b'{"text": "x"}', {"content-type": "text/plain"}, 415, "media-unsupported", id="no JSON"),
        pytest.param(b'{"text": "x"}', {"content-type": ""}, 415, "media-unsupported", id="no type"),
        pytest.param(b'{"text": "x"}', {**JSON, "content-encoding": "gzip"}, 415, "encoding-unsupported", id="compressed"),
        pytest.param(b'{"text": "x"}', {**JSON, "content-encoding": "x, br"}, 415, "encoding-unsupported", id="twice compressed"),
        pytest.param(b'{"text": "x"}', {**JSON, "earshot-actor": ""}, 422, "actor-invalid", id="empty actor"),
        pytest.param(b'{"text": "x"}', {**JSON, "earshot-actor": "x" * 201}, 422, "actor-invalid", id="long actor"),
        pytest.param(b'{"text": "x"}', {**JSON, "earshot-actor": b"\xff"}, 422, "actor-invalid", id="actor not UTF-8"),
        pytest.param(b'{"text": "x"}', {**JSON, "content-length": "1e3"}, 400, "body-unreadable", id="length no number"),
        pytest.param(b" " * 1_048_577, JSON, 413, "body-too-large", id="a byte too much"),
    ],
)
async def test_bad_bodies(client: Client, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    told = problem(await client.post("/v1/notes", content=body, headers=headers), status, code)
    assert "txet" not in str(told["detail"]) or code == "unknown-field"


async def test_good_bodies(client: Client) -> None:
    headers = {**JSON, "earshot-actor": "Zoë".encode()}
    answer = await client.post("/v1/notes", content=b'{"text": "C:\\\\u0000 \\ud83d\\ude00"}', headers=headers)  # type: ignore[arg-type]  # httpx takes bytes
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"text": "C:\\u0000 😀", "person": "Zoë"}


async def test_json_with_a_suffix_is_json(client: Client) -> None:
    answer = await client.post(
        "/v1/notes", content=b'{"text": "x"}', headers={"content-type": "application/merge-patch+JSON; charset=utf-8"}
    )
    assert answer.status_code == 201, answer.text


async def test_field_errors_name_fields_not_values(client: Client) -> None:
    answer = await client.post("/v1/notes", json={"text": "my secret " * 10, "priority": "tomorrow"})
    told = problem(answer, 422, "invalid")
    assert "my secret" not in answer.text
    assert "tomorrow" not in answer.text
    errors = told["errors"]
    assert isinstance(errors, list)
    assert {error["field"] for error in errors} == {"text", "priority"}


async def test_a_chunked_body_over_the_limit_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 65_536
            yield b" " * 65_536

    async with open_app(echo_door(rules={"/v1/notes": PathRule(body_limit_bytes=100_000)})) as client:
        answer = await client.post("/v1/notes", content=endless(), headers=JSON)
    problem(answer, 413, "body-too-large")
    assert sent < 80 * 1024 * 1024  # what is thrown away after the refusal has a limit too


async def test_bodies_of_all_requests_share_a_budget() -> None:
    door = echo_door()
    door.budget = Budget(limit_bytes=1000)
    async with open_app(door) as client:
        problem(await client.post("/v1/notes", content=b" " * 2000, headers=JSON), 503, "busy")
        assert (await client.post("/v1/notes", json={"text": "x"})).status_code == 201
    assert door.budget.held_bytes == 0


async def test_too_many_requests_are_told_to_come_again_but_health_answers() -> None:
    door = echo_door(max_connections=1)
    door.in_flight = 1
    async with open_app(door) as client:
        answer = await client.get("/v1/notes")
        problem(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert (await client.get("/healthz")).status_code == 200
    assert door.in_flight == 1


async def hot_echo(call: Call) -> Answer:
    told = {"key": call.principal.key_id if call.principal else None, "bytes": len(call.body), "trace": call.traceparent}
    return Answer(status=202, body=json.dumps(told).encode())


HOT = {("POST", "/v1/hot"): HotRoute(handler=hot_echo, scope="ingest:write", body_limit_bytes=2_000_000)}


async def test_hot_routes_have_key_limit_and_trace() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with open_app(echo_door(hot=HOT)) as client:
        answer = await client.post("/v1/hot", content=b"x" * 1_500_000, headers={"traceparent": trace})
        assert answer.status_code == 202
        assert answer.headers["x-content-type-options"] == "nosniff"
        told = answer.json()
        assert told["key"] == "first"
        assert told["bytes"] == 1_500_000
        assert told["trace"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
        assert told["trace"] != trace
        problem(await client.post("/v1/hot", content=b"x" * 2_000_001), 413, "body-too-large")
        wrong = await client.delete("/v1/hot")
        problem(wrong, 405, "method-not-allowed")
        assert wrong.headers["allow"] == "POST"
    async with open_app(echo_door(hot=HOT), key=None) as client:
        problem(await client.post("/v1/hot", content=b"x"), 401, "key-missing")


async def test_metrics_name_routes_never_paths() -> None:
    door = echo_door(hot=HOT)
    async with open_app(door) as client:
        await client.get("/v1/notes?limit=3")
        await client.get("/v1/anna@example.org")
        await client.post("/v1/hot", content=b"x")
        shown = (await client.get("/metrics")).text
    assert 'earshot_http_requests_total{method="GET",route="/v1/notes",status="200"} 1.0' in shown
    assert 'earshot_http_requests_total{method="POST",route="/v1/hot",status="202"} 1.0' in shown
    assert 'earshot_http_requests_total{method="GET",route="none",status="404"} 1.0' in shown
    assert "anna" not in shown


async def test_docs_need_no_network(client: Client) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "/v1/notes" in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert "<script" not in page.text


async def test_the_document_names_scheme_and_problems(client: Client) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/notes"]["get"]
    assert document["security"] == [{"API key": []}]
    assert "security" not in operation
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    (limit,) = [each["schema"] for each in operation["parameters"] if each["name"] == "limit"]
    assert (limit["type"], limit["minimum"], limit["maximum"]) == ("integer", 1, 500)
