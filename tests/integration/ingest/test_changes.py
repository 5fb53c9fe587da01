"""Items after their acceptance: links added by duplicates, edits, withdrawals."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from earshot_shared import ids
from earshot_shared.topics import Topic
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, migrate, running_ingest


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


def edit(at: str, **changes: Any) -> dict[str, Any]:
    return an_item(edited_at=f"2026-05-02T{at}:00Z", **changes)


async def test_a_duplicate_adds_its_links_once(ingest: IngestUnderTest) -> None:
    feedback_id = (await ingest.http.post("/v1/feedback", json=an_item(conversation="a"))).json()["feedback_id"]
    for links in ({"conversation": "b", "in_reply_to": "0"}, {"conversation": "a"}, {"conversation": "b"}):
        answer = await ingest.http.post("/v1/feedback", json=an_item(text="other words", **links))
        assert answer.json()["status"] == "duplicate"
    told = await ingest.told_items()
    assert [item.revision for item in told] == [1, 2]
    assert told[1].text == told[0].text
    assert set(told[1].conversations) == {ids.conversation_node("forum", "a"), ids.conversation_node("forum", "b")}
    assert told[1].parents == (ids.feedback_id("forum", "0"),)
    assert (await ingest.http.get(f"/v1/feedback/{feedback_id}")).json()["revision"] == 2


async def test_repeats_within_one_batch_bring_their_links_to_the_first_revision(ingest: IngestUnderTest) -> None:
    batch = [an_item("1", conversation="a"), an_item("2"), an_item("1", conversation="b")]
    answer = (await ingest.http.post("/v1/feedback/batch", json={"items": batch})).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    first = next(item for item in await ingest.told_items() if item.external_id == "1")
    assert (first.revision, len(first.conversations)) == (1, 2)


async def test_links_of_a_backfilled_item_stay_on_its_topic(ingest: IngestUnderTest) -> None:
    await ingest.http.post("/v1/feedback?backfill=true", json=an_item())
    await ingest.http.post("/v1/feedback", json=an_item(conversation="late"))
    assert [item.revision for item in await ingest.told_items(Topic.FEEDBACK_BACKFILLED)] == [1, 2]
    assert await ingest.told_items(Topic.FEEDBACK_RECEIVED) == []


async def test_the_latest_edit_stands(ingest: IngestUnderTest) -> None:
    path = "/v1/feedback/" + (await ingest.http.post("/v1/feedback", json=an_item(conversation="a"))).json()["feedback_id"]
    assert (await ingest.http.put(path, json=edit("10:00", text="second"))).json()["status"] == "edited"
    assert (await ingest.http.put(path, json=edit("09:00", text="older"))).json()["status"] == "unchanged"
    gone = await ingest.http.delete(path, params={"edited_at": "2026-05-02T11:00:00Z"})
    assert (gone.status_code, gone.json()["status"]) == (202, "withdrawn")
    assert (await ingest.http.put(path, json=edit("11:00", text="of the same moment"))).json()["status"] == "unchanged"
    assert (await ingest.http.get(path)).json()["status"] == "withdrawn"
    assert (await ingest.http.put(path, json=edit("12:00", text="back again"))).json() == {
        "feedback_id": path.rsplit("/", 1)[1], "status": "edited", "revision": 4,
    }  # fmt: skip
    told = await ingest.told_items()
    assert [(item.revision, item.text, item.withdrawn) for item in told] == [
        (1, "The parcel never came.", False), (2, "second", False), (3, "", True), (4, "back again", False),
    ]  # fmt: skip
    assert all(item.conversations == told[0].conversations for item in told)
    assert (told[2].author.id, told[2].author_key) == (None, "forum:u1")
    verbs = [message for message in await ingest.said() if message.topic is Topic.ACTION_TAKEN]
    assert len(verbs) == 3


async def test_a_withdrawal_says_in_query_or_body_when_it_was(ingest: IngestUnderTest) -> None:
    path = "/v1/feedback/" + (await ingest.http.post("/v1/feedback", json=an_item())).json()["feedback_id"]
    told = {"edited_at": "2026-05-02T11:00:00Z"}
    refused = [
        await ingest.http.request("DELETE", path, json=body, params=query)
        for body, query in (([], None), ({"edited": 1}, None), ({"edited_at": "noon"}, None), (told, told))
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (422, "wrong-type"), (422, "unknown-field"), (422, "time-invalid"), (422, "given-twice"),
    ]  # fmt: skip
    assert (await ingest.http.request("DELETE", path, json=told)).json()["status"] == "withdrawn"
    assert (await ingest.http.put(path, json=edit("10:00"))).json()["status"] == "unchanged"
    assert (await ingest.http.put(path, json=edit("12:00"))).json()["status"] == "edited"


async def test_a_withdrawal_that_names_no_time_stands_above_a_clock_that_runs_ahead(ingest: IngestUnderTest) -> None:
    path = "/v1/feedback/" + (await ingest.http.post("/v1/feedback", json=an_item())).json()["feedback_id"]
    ahead = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    assert (await ingest.http.put(path, json=an_item(text="edited", edited_at=ahead))).json()["status"] == "edited"
    assert (await ingest.http.delete(path)).json()["status"] == "withdrawn"
    assert (await ingest.http.put(path, json=an_item(text="again", edited_at=ahead))).json()["status"] == "unchanged"


async def test_a_change_needs_an_item_and_its_own_ids(ingest: IngestUnderTest) -> None:
    feedback_id = ids.feedback_id("forum", "1")
    assert (await ingest.http.put(f"/v1/feedback/{feedback_id}", json=edit("10:00"))).status_code == 404
    assert (await ingest.http.delete(f"/v1/feedback/{feedback_id}")).status_code == 404
    await ingest.http.post("/v1/feedback", json=an_item())
    wrong = await ingest.http.put(f"/v1/feedback/{feedback_id}", json=edit("10:00", external_id="2"))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "id-mismatch")
    without = await ingest.http.put(f"/v1/feedback/{feedback_id}", json=an_item())
    assert (without.status_code, without.json()["code"]) == (422, "required")
    ahead = await ingest.http.delete(f"/v1/feedback/{feedback_id}", params={"edited_at": "2999-01-01T00:00:00Z"})
    assert (ahead.status_code, ahead.json()["code"]) == (422, "edited-at-out-of-range")
    assert [item.revision for item in await ingest.told_items()] == [1]


async def test_a_change_sent_again_with_its_key_is_answered_alike(ingest: IngestUnderTest) -> None:
    path = "/v1/feedback/" + (await ingest.http.post("/v1/feedback", json=an_item())).json()["feedback_id"]
    headers = {"idempotency-key": "k1", "earshot-actor": "Grace"}
    first = await ingest.http.put(path, json=edit("10:00", text="second"), headers=headers)
    again = await ingest.http.put(path, json=edit("10:00", text="second"), headers=headers)
    other = await ingest.http.put(path, json=edit("10:00", text="third"), headers=headers)
    assert (first.json(), first.status_code) == (again.json(), again.status_code)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-mismatch")


async def test_keys_bound_to_sources_write_for_those_alone(ingest: IngestUnderTest) -> None:
    mine, other = await ingest.key(sources=["forum"]), await ingest.key(sources=["mail"])
    assert (await ingest.http.post("/v1/feedback", json=an_item(), headers=mine)).status_code == 202
    refused = await ingest.http.post("/v1/feedback", json=an_item("2"), headers=other)
    assert (refused.status_code, refused.json()["code"]) == (403, "source-forbidden")
    batch = await ingest.http.post("/v1/feedback/batch", json={"items": [an_item("3")]}, headers=other)
    assert [each["code"] for each in batch.json()["rejected"]] == ["source-forbidden"]
    path = f"/v1/feedback/{ids.feedback_id('forum', '1')}"
    assert (await ingest.http.delete(path, headers=other)).status_code == 403
    assert (await ingest.http.get(path, headers=other)).status_code == 403
    assert (await ingest.http.delete(path, headers=mine)).status_code == 202
    assert (await ingest.http.post("/v1/feedback", json=an_item("4"), headers=await ingest.key(scopes=["triage:read"]))).status_code == 403
