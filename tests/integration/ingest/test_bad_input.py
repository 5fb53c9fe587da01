"""Bad requests at the real door: the right 4xx with a stable word, nothing stored, nothing repeated."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from earshot_shared import ids
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, lines, migrate, running_ingest

SINGLE, BATCH = "/v1/feedback", "/v1/feedback/batch"
JSON = {"content-type": "application/json"}
SECRET_WORD = "PERSONAL"


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


def encoded(**changes: Any) -> bytes:
    return msgspec.json.encode(an_item(**changes))


SURROGATE = encoded(text="x").replace(b'"x"', b'"\\ud800 PERSONAL"')
CASES = [
    ("single: malformed", SINGLE, b"{", JSON, 400, "json-invalid"),
    ("single: empty", SINGLE, b"", JSON, 400, "json-invalid"),
    ("single: brackets", SINGLE, b"[" * 100_000, JSON, 422, "wrong-type"),
    ("single: brackets within", SINGLE, b'{"extra": {"a": ' + b"[" * 100_000, JSON, 400, "json-too-deep"),
    ("single: not UTF-8", SINGLE, b'{"source": "PERSONAL\xff"}', JSON, 400, "encoding-invalid"),
    ("single: surrogate", SINGLE, SURROGATE, JSON, 400, "json-invalid"),
    ("single: NUL", SINGLE, encoded(text="PERSONAL\x00"), JSON, 422, "text-invalid"),
    ("single: unknown field", SINGLE, encoded(mood="PERSONAL"), JSON, 422, "unknown-field"),
    ("single: unknown kind", SINGLE, encoded(kind="PERSONAL"), JSON, 422, "invalid-value"),
    ("single: absurd date", SINGLE, encoded(occurred_at="0000-00-00"), JSON, 422, "time-invalid"),
    ("single: 300 kB", SINGLE, encoded(extra={"x": "y" * 300_000}), JSON, 413, "item-too-large"),
    ("single: 30 MB", SINGLE, b"x" * 30_000_000, JSON, 413, "item-too-large"),
    ("single: compressed", SINGLE, encoded(), JSON | {"content-encoding": "gzip"}, 415, "encoding-unsupported"),
    ("single: a form", SINGLE, b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415, "media-unsupported"),
    ("single: plain text", SINGLE, encoded(), {"content-type": "text/plain"}, 415, "media-unsupported"),
    ("single: lines", SINGLE, encoded(), {"content-type": "application/x-ndjson"}, 415, "media-unsupported"),
    ("batch: plain text", BATCH, encoded(), {"content-type": "text/plain; charset=utf-8"}, 415, "media-unsupported"),
    ("single: unknown parameter", SINGLE + "?mode=x", encoded(), JSON, 422, "query-unknown"),
    ("single: no flag", SINGLE + "?backfill=maybe", encoded(), JSON, 422, "invalid"),
    ("single: repeated", SINGLE + "?backfill=1&backfill=1", encoded(), JSON, 422, "query-repeated"),
    ("batch: malformed", BATCH, b'{"items": [', JSON, 400, "json-invalid"),
    ("batch: other field", BATCH, b'{"things": []}', JSON, 422, "unknown-field"),
    ("batch: no list", BATCH, b'{"items": 3}', JSON, 422, "wrong-type"),
    ("batch: brackets", BATCH, b'{"items": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", JSON, 400, "json-too-deep"),
    ("batch: 1,001 items", BATCH, b'{"items": [' + b",".join([b"{}"] * 1001) + b"]}", JSON, 413, "batch-too-large"),
    ("batch: 6 MB", BATCH, b"x" * 6_000_000, JSON, 413, "body-too-large"),
    ("post to an item", "/v1/feedback/not-an-id", b"{}", JSON, 405, "method-not-allowed"),
]  # fmt: skip


async def test_refused_as_a_whole(ingest: IngestUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    for name, path, body, headers, status, code in CASES:  # in one test: a database of its own for each would take minutes
        answer = await ingest.http.post(path, content=body, headers=headers)
        problem = answer.json()
        assert (name, answer.status_code, problem.get("code")) == (name, status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert SECRET_WORD not in answer.text + caplog.text, name
    assert await ingest.stored() == {}
    assert await ingest.told_items() == []
    assert (await ingest.http.post(SINGLE, json=an_item())).status_code == 202


async def test_an_unknown_field_is_told_with_what_may_stand_there(ingest: IngestUnderTest) -> None:
    batch = (await ingest.http.post(BATCH, json={"items": [an_item()], "mood": 1})).json()
    assert (batch["code"], batch["detail"]) == ("unknown-field", "There is no field mood: a batch holds `items` and no more.")
    item = (await ingest.http.post(BATCH, json={"items": [an_item(mood=1)]})).json()["rejected"][0]
    assert item["detail"] == "There is no field mood: put what has no field of its own into `extra`."
    withdrawal = await ingest.http.request("DELETE", f"{SINGLE}/{ids.feedback_id('forum', '1')}", json={"mood": 1})
    assert withdrawal.json()["detail"] == "There is no field mood: a withdrawal holds `edited_at` and no more."


async def test_the_doors_take_post_alone(ingest: IngestUnderTest) -> None:
    for path in (SINGLE, BATCH):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            answer = await ingest.http.request(method, path)
            assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method-not-allowed", "POST")


async def test_allow_names_the_methods_of_all_routes_of_a_path(ingest: IngestUnderTest) -> None:
    for path, allowed in (
        ("/feedback", "GET, POST"),
        ("/v1/sources", "GET, POST"),
        ("/v1/feedback/7b9c24fc-0179-5488-9da5-ed0ab2c2bcb8", "DELETE, GET, PUT"),
    ):
        for method in ("PATCH", "OPTIONS"):
            answer = await ingest.http.request(method, path)
            assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method-not-allowed", allowed)


async def test_a_broken_byte_in_a_batch_harms_no_other_item(ingest: IngestUnderTest) -> None:
    body = b'{"items": [' + encoded() + b"," + encoded(external_id="2", text="PERSONAL").replace(b"AL", b"\xff") + b"]}"
    told = (await ingest.http.post(BATCH, content=body, headers=JSON)).json()
    assert (told["accepted"], [(each["index"], each["code"]) for each in told["rejected"]]) == (1, [(1, "encoding-invalid")])


async def test_a_broken_text_in_a_batch_harms_no_other_item(ingest: IngestUnderTest) -> None:
    body = b'{"items": [' + encoded() + b"," + SURROGATE + b"," + encoded(external_id="2") + b"]}"
    told = (await ingest.http.post(BATCH, content=body, headers=JSON)).json()
    assert (told["accepted"], [(each["index"], each["code"]) for each in told["rejected"]]) == (2, [(1, "json-invalid")])


async def test_lines_are_judged_one_by_one(ingest: IngestUnderTest) -> None:
    body = lines([an_item("1"), an_item("2")]) + b'\n\n{"broken\n\xff\xfe\n' + lines([an_item("3", extra={"x": "y" * 300_000})])
    told = (await ingest.http.post(BATCH, content=body, headers={"content-type": "application/x-ndjson"})).json()
    assert told["accepted"] == 2
    assert [(each["index"], each["code"]) for each in told["rejected"]] == [
        (2, "json-invalid"), (3, "json-invalid"), (4, "item-too-large"),
    ]  # fmt: skip
    assert await ingest.totals() == {"accepted": 2, "duplicates": 0, "rejected": 3}


async def test_small_batches(ingest: IngestUnderTest) -> None:
    for size in (0, 1):
        answer = await ingest.http.post(BATCH, json={"items": [an_item(str(n)) for n in range(size)]})
        assert (answer.status_code, answer.json()["accepted"]) == (202, size)


async def test_nobody_writes_without_a_key(ingest: IngestUnderTest) -> None:
    for authorization in ("", "Bearer wrong", "Basic x"):
        for path in (SINGLE, BATCH):
            assert (await ingest.http.post(path, json=an_item(), headers={"authorization": authorization})).status_code == 401
    assert await ingest.stored() == {}
