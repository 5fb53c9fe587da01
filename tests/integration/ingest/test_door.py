"""The door on a real Postgres: what is accepted is stored and told once, what is refused leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, lines, migrate, running_ingest


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    """An ingest alone on its database, without a broker."""
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


async def test_a_single_item_is_stored_and_told_once(ingest: IngestUnderTest) -> None:
    first = await ingest.http.post("/v1/feedback", json=an_item())
    again = await ingest.http.post("/v1/feedback", json=an_item(text="something else"))
    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    assert (again.status_code, again.json()["status"]) == (202, "duplicate")
    assert first.json()["feedback_id"] == again.json()["feedback_id"]
    told = await ingest.told_items()
    assert [(item.text, item.revision) for item in told] == [("The parcel never came.", 1)]
    assert await ingest.totals() == {"accepted": 1, "duplicates": 1, "rejected": 0}


@pytest.mark.capability("L14")
@pytest.mark.capability("L12")
async def test_a_review_is_a_rating_of_a_product_with_or_without_words(ingest: IngestUnderTest) -> None:
    said = {"kind": "review", "product": "Kettle 2", "rating": {"value": 1.5, "best": 5}}
    for number, text in enumerate(("Leaks.", "")):
        assert (await ingest.http.post("/v1/feedback", json=an_item(str(number), text=text, **said))).status_code == 202
    for item, text in zip(await ingest.told_items(), ("Leaks.", ""), strict=True):
        assert item.rating is not None
        assert (item.kind, item.product, item.rating.value, item.rating.best, item.text) == ("review", "Kettle 2", 1.5, 5, text)
    for wrong in ({"value": 6, "best": 5}, {"best": 5}, 3):
        assert (await ingest.http.post("/v1/feedback", json=an_item("x", **said | {"rating": wrong}))).status_code == 422


async def test_a_batch_keeps_the_good_and_names_the_bad(ingest: IngestUnderTest) -> None:
    batch = [an_item("1"), {"source": "forum"}, an_item("2"), an_item("1"), an_item("3", surprise=1), an_item("4", text="\x00")]
    answer = await ingest.http.post("/v1/feedback/batch", json={"items": batch})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["accepted"], told["duplicates"]) == (2, 1)
    assert [(each["index"], each["status"]) for each in told["items"]] == [(0, "accepted"), (2, "accepted"), (3, "duplicate")]
    assert [(each["index"], each["code"]) for each in told["rejected"]] == [(1, "required"), (4, "unknown-field"), (5, "text-invalid")]
    assert len(await ingest.stored()) == 2
    assert await ingest.totals() == {"accepted": 2, "duplicates": 1, "rejected": 3}


async def test_a_large_batch_with_known_items_among_new_ones(ingest: IngestUnderTest) -> None:
    await ingest.http.post("/v1/feedback/batch", content=lines([an_item(str(n)) for n in range(0, 500, 7)]))
    answer = await ingest.http.post("/v1/feedback/batch?quiet=true", content=lines([an_item(str(n)) for n in range(500)]))
    assert answer.json() == {"accepted": 500 - 72, "duplicates": 72, "rejected": []}
    assert len(await ingest.stored()) == len(await ingest.told_items()) == 500


async def test_concurrent_posts_share_commits(ingest: IngestUnderTest) -> None:
    answers = await asyncio.gather(*(ingest.http.post("/v1/feedback", json=an_item(str(n % 50))) for n in range(100)))
    assert sorted(answer.json()["status"] for answer in answers) == ["accepted"] * 50 + ["duplicate"] * 50
    assert len(await ingest.told_items()) == 50
    commits = await ingest.runtime.pool.fetchval("select last_value from versions")
    assert commits < 50


async def test_a_request_sent_again_with_its_key_gets_its_answer_again(ingest: IngestUnderTest) -> None:
    key = {"idempotency-key": "one"}
    first = await ingest.http.post("/v1/feedback", json=an_item(), headers=key)
    again = await ingest.http.post("/v1/feedback", json=an_item(), headers=key)
    other = await ingest.http.post("/v1/feedback", json=an_item("2"), headers=key)
    assert first.json() == again.json()
    assert again.json()["status"] == "accepted"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-mismatch")
    for _ in range(2):
        batch = await ingest.http.post("/v1/feedback/batch", json={"items": [an_item("3"), {}]}, headers=key)
        assert (batch.json()["accepted"], len(batch.json()["rejected"])) == (1, 1)
    assert await ingest.totals() == {"accepted": 2, "duplicates": 0, "rejected": 1}


async def test_the_document_tells_of_the_hot_routes(ingest: IngestUnderTest) -> None:
    paths = (await ingest.http.get("/openapi.json")).json()["paths"]
    item = paths["/v1/feedback"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(item["required"]) == {"source", "external_id", "channel", "author", "text", "occurred_at"}
    assert "handle" in item["properties"]["author"]["properties"]
    assert "application/x-ndjson" in paths["/v1/feedback/batch"]["post"]["requestBody"]["content"]
    assert "application/problem+json" in paths["/v1/feedback"]["post"]["responses"]["4XX"]["content"]
    assert {"get", "put", "delete"} == set(paths["/v1/feedback/{feedback_id}"])
    assert (await ingest.http.get("/docs")).status_code == 200


async def test_the_document_tells_of_bodies_that_the_routes_read_themselves(ingest: IngestUnderTest) -> None:
    paths = (await ingest.http.get("/openapi.json")).json()["paths"]
    item = paths["/v1/feedback/{feedback_id}"]
    edit = item["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"edited_at", "text", "author"} <= set(edit["required"])
    assert set(item["put"]["responses"]["202"]["content"]["application/json"]["schema"]["properties"]) == {
        "feedback_id",
        "status",
        "revision",
    }
    assert item["delete"]["requestBody"]["required"] is False
    assert "Idempotency-Key" in {each["name"] for each in item["put"]["parameters"]} & {
        each["name"] for each in item["delete"]["parameters"]
    }
    told = [each["name"] for each in (*item["put"]["parameters"], *item["delete"]["parameters"])]
    assert told.count("Idempotency-Key") == 2, "once for each"
    delivery = paths["/v1/webhooks/{source}"]["post"]
    assert {"source", "webhook-id", "webhook-timestamp", "webhook-signature"} == {each["name"] for each in delivery["parameters"]}
    one, several = delivery["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert ("source" in one["required"], several["required"]) == (False, ["items"])
    form = paths["/feedback"]
    assert set(form["get"]["responses"]["200"]["content"]) == set(form["post"]["responses"]["200"]["content"]) == {"text/html"}
    assert "application/x-www-form-urlencoded" in form["post"]["requestBody"]["content"]
