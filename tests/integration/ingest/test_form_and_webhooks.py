"""The two ways in without an API key: the public form, and deliveries that a system signs."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from earshot_ingest.webhooks import sign
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, migrate, running_ingest


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


@pytest.mark.capability("L10")
async def test_what_the_form_brings_is_private_and_unverified(ingest: IngestUnderTest) -> None:
    ingest.http.headers.pop("authorization")
    page = await ingest.http.get("/feedback", params={"brand": 'Ac"me'})
    assert page.status_code == 200
    assert 'value="Ac&quot;me"' in page.text
    form_id = re.search(r'name="form_id" value="([^"]+)"', page.text)
    assert form_id is not None
    given = {"form_id": form_id[1], "text": "Please call me.", "name": "Ada", "email": "ada@example.org", "brand": "Acme", "website": ""}
    for _ in range(2):
        assert "Thank you" in (await ingest.http.post("/feedback", data=given)).text
    (item,) = await ingest.told_items()
    assert (item.visibility, item.kind, item.source, item.brand) == ("private", "message", "form", "Acme")
    assert (item.author.email, item.author.email_verified) == ("ada@example.org", False)


async def test_a_form_without_words_is_shown_again_and_machines_are_thanked_for_nothing(ingest: IngestUnderTest) -> None:
    again = await ingest.http.post("/feedback", data={"text": "", "name": "<b>", "form_id": '"><script>'})
    assert again.status_code == 422
    assert "&lt;b&gt;" in again.text
    assert "<script>" not in again.text
    assert (await ingest.http.post("/feedback", data={"text": "buy", "website": "x"})).status_code == 200
    assert (await ingest.http.post("/feedback", json={"text": "x"})).status_code == 415
    assert await ingest.stored() == {}
    anonymous = await ingest.http.post("/feedback", data={"text": "no name"})
    assert anonymous.status_code == 200
    assert [item.author_key.startswith("form:visitor:") for item in await ingest.told_items()] == [True]


class Sender:
    """A system that signs what it delivers."""

    def __init__(self, http: httpx.AsyncClient, secret: str) -> None:
        self._http = http
        self.secret = base64.b64decode(secret.removeprefix("whsec_"))

    async def send(self, body: Any, *, at: float | None = None, tampered: bytes = b"") -> httpx.Response:
        content = msgspec.json.encode(body)
        timestamp = int(time.time() if at is None else at)
        headers = {
            "authorization": "", "webhook-id": "m1", "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,AAAA {sign(self.secret, 'm1', timestamp, content)}",
        }  # fmt: skip
        return await self._http.post("/v1/webhooks/shop", content=content + tampered, headers=headers)


async def new_secret(ingest: IngestUnderTest, **rotation: int) -> Sender:
    answer = await ingest.http.post("/v1/sources/shop/webhook-secret", json=rotation)
    assert answer.status_code == 201
    return Sender(ingest.http, answer.json()["secret"])


async def test_signed_deliveries_come_in(ingest: IngestUnderTest) -> None:
    assert (await ingest.http.post("/v1/sources/shop/webhook-secret", json={})).status_code == 404
    await ingest.http.put("/v1/sources/shop", json={"verifies": ["email"]})
    first = await new_secret(ingest)
    item = an_item(author={"email": "ada@example.org", "email_verified": True})
    del item["source"]
    answer = await first.send(item)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    told = (await ingest.told_items())[0]
    assert (told.source, told.author.email_verified) == ("shop", True)
    other = (await first.send({"items": [an_item("9")]})).json()
    assert [each["code"] for each in other["rejected"]] == ["source-forbidden"]
    await first.send({"text": "no item at all"})
    assert (await ingest.http.get("/v1/sources/shop")).json()["health"] | {"last_seen_at": "", "last_occurred_at": ""} == {
        "accepted": 1, "duplicates": 0, "rejected": 2, "last_seen_at": "", "last_occurred_at": "", "silent": False,
    }  # fmt: skip


async def test_two_secrets_live_while_one_replaces_the_other(ingest: IngestUnderTest) -> None:
    await ingest.http.put("/v1/sources/shop", json={})
    first = await new_secret(ingest)
    second = await new_secret(ingest, keep_previous_s=3600)
    assert [(await sender.send([])).status_code for sender in (first, second)] == [422, 422]
    third = await new_secret(ingest, keep_previous_s=0)
    assert [(await sender.send([])).status_code for sender in (first, second, third)] == [401, 401, 422]


async def test_a_source_that_is_forgotten_signs_no_more(ingest: IngestUnderTest) -> None:
    await ingest.http.put("/v1/sources/shop", json={})
    sender = await new_secret(ingest)
    assert (await ingest.http.delete("/v1/sources/shop")).status_code == 204
    assert (await sender.send(an_item(source="shop"))).json()["code"] == "signature-wrong"
    assert (await ingest.http.get("/v1/sources/shop")).status_code == 404


async def test_what_is_not_signed_or_stale_is_refused(ingest: IngestUnderTest) -> None:
    item = an_item(source="shop")
    assert (await Sender(ingest.http, "whsec_" + base64.b64encode(b"x" * 32).decode()).send(item)).json()["code"] == "signature-wrong"
    await ingest.http.put("/v1/sources/shop", json={})
    sender = await new_secret(ingest)
    assert (await sender.send(item, tampered=b" ")).json()["code"] == "signature-wrong"
    assert (await sender.send(item, at=time.time() - 301)).json()["code"] == "signature-stale"
    assert (await sender.send(item, at=time.time() + 310)).json()["code"] == "signature-stale"
    bare = await ingest.http.post("/v1/webhooks/shop", json=item)
    assert (bare.status_code, bare.json()["code"]) == (401, "signature-missing")
    assert await ingest.stored() == {}
