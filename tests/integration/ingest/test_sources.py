"""Sources: what each may assert, kept by file and by HTTP, and how each is doing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.documents import Documented
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, migrate, running_ingest

FILE = """
sources:
  "*": {}
  mail: {title: Support mail, verifies: [email], speaks_for: [Acme], silent_after_s: 60}
"""
CLAIMS: dict[str, Any] = {
    "id": "u1", "email": "ada@example.org", "email_verified": True, "phone": "+49 30 1", "phone_verified": True,
    "is_staff": True, "on_behalf_of_brand": True,
}  # fmt: skip


@pytest.fixture
async def ingest(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    (tmp_path / "sources.yaml").write_text(FILE)
    async with running_ingest(dsn, config_dir=tmp_path) as service:
        yield service


async def send(ingest: IngestUnderTest, headers: dict[str, str], source: str, **changes: Any) -> Any:
    """Send an item with every claim there is; return the author as told."""
    answer = await ingest.http.post("/v1/feedback", json=an_item(source=source, author=CLAIMS, brand="ACME", **changes), headers=headers)
    assert answer.status_code == 202
    return (await ingest.told_items())[-1].author


@pytest.mark.capability("L21")
async def test_claims_beyond_a_sources_rights_are_kept_as_claims(ingest: IngestUnderTest) -> None:
    key = await ingest.key()
    mail = await send(ingest, key, "mail")
    assert (mail.email_verified, mail.on_behalf_of_brand, mail.phone_verified, mail.is_staff) == (True, True, False, False)
    assert set(mail.claimed) == {"phone_verified", "is_staff", "account"}
    forum = await send(ingest, key, "forum")
    assert not (forum.email_verified)
    assert not (forum.on_behalf_of_brand)
    assert not (forum.phone_verified)
    assert not (forum.is_staff)
    assert set(forum.claimed) == {"email_verified", "phone_verified", "is_staff", "on_behalf_of_brand", "account"}
    admin = await send(ingest, {}, "anything")
    assert admin.email_verified
    assert admin.on_behalf_of_brand
    assert admin.phone_verified
    assert admin.is_staff
    assert admin.claimed == ()


async def test_a_source_kept_by_http_counts_at_once(ingest: IngestUnderTest) -> None:
    key = await ingest.key()
    assert (await ingest.http.put("/v1/sources/crm", json={"staff": True}, headers=key)).status_code == 403
    assert (await ingest.http.put("/v1/sources/crm", json={"staff": True, "surprise": 1})).json()["code"] == "unknown-field"
    assert (await ingest.http.put("/v1/sources/crm", json={"staff": "no"})).json()["code"] == "invalid"
    assert (await ingest.http.put("/v1/sources/crm", json={"staff": True})).json()["managed_by"] == "http"
    assert (await send(ingest, key, "crm", external_id="a")).is_staff
    assert (await ingest.http.put("/v1/sources/mail", json={})).json()["code"] == "managed-by-file"
    assert (await ingest.http.delete("/v1/sources/crm")).status_code == 204
    assert (await ingest.http.delete("/v1/sources/crm")).status_code == 404
    assert not (await send(ingest, key, "crm", external_id="b")).is_staff


@pytest.mark.capability("L9")
async def test_health_of_all_sources_by_pages(ingest: IngestUnderTest) -> None:
    await ingest.http.post("/v1/feedback/batch", json={"items": [an_item("1"), an_item("1"), an_item("2", text="")]})
    first = (await ingest.http.get("/v1/sources", params={"limit": 1})).json()
    second = (await ingest.http.get("/v1/sources", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert second["next_cursor"] is None
    forum, mail = first["items"][0], second["items"][0]
    assert (forum["name"], mail["name"]) == ("forum", "mail")
    assert {key: forum["health"][key] for key in ("accepted", "duplicates", "rejected", "silent")} == {
        "accepted": 1, "duplicates": 1, "rejected": 1, "silent": False,
    }  # fmt: skip
    assert mail["health"]["silent"]
    assert (await ingest.http.get("/v1/sources/mail")).json() == mail
    assert (await ingest.http.get("/v1/sources/nobody")).status_code == 404
    assert (await ingest.http.get("/v1/sources", params={"cursor": "forged"})).json()["code"] == "cursor-invalid"


async def test_a_source_is_made_once(ingest: IngestUnderTest) -> None:
    key = await ingest.key()
    crm = {"name": "crm.2", "title": "The CRM", "staff": True}
    assert (await ingest.http.post("/v1/sources", json=crm, headers=key)).status_code == 403
    made = await ingest.http.post("/v1/sources", json=crm, headers={"idempotency-key": "once"})
    assert (made.status_code, made.headers["location"], made.json()["managed_by"]) == (201, "/v1/sources/crm.2", "http")
    assert (await ingest.http.get(made.headers["location"])).json() == made.json()
    assert (await send(ingest, key, "crm.2")).is_staff
    again = await ingest.http.post("/v1/sources", json=crm, headers={"idempotency-key": "once"})
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, made.json(), "true")
    refused = {
        "source-exists": crm,
        "managed-by-file": {"name": "mail"},
        "invalid": {"title": "no name"},
        "unknown-field": {"name": "x", "surprise": 1},
    }
    for code, body in refused.items():
        told = await ingest.http.post("/v1/sources", json=body)
        assert (told.status_code, told.json()["code"]) == (409 if code in ("source-exists", "managed-by-file") else 422, code)
    assert (await ingest.http.post("/v1/sources", json={"name": "a/b"})).status_code == 422
    assert (await ingest.http.post("/v1/sources", json={"name": "forum"})).status_code == 201, "heard of or not, it was not kept"


async def test_answers_are_as_the_document_tells(ingest: IngestUnderTest) -> None:
    document = Documented((await ingest.http.get("/openapi.json")).json())
    assert document.untold() == set()
    sent = (await ingest.http.post("/v1/feedback", json=an_item("1"))).json()
    await ingest.http.put("/v1/sources/web", json={"verifies": ["phone", "email"], "silent_after_s": 60})
    for path, named in (
        ("/v1/feedback/{feedback_id}", {"feedback_id": sent["feedback_id"]}),
        ("/v1/sources", {}),
        ("/v1/sources/{name}", {"name": "web"}),
        ("/admin/keys", {}),
    ):
        answer = await ingest.http.get(path.format(**named))
        assert (answer.status_code, document.misfits("get", path, 200, answer.json())) == (200, []), path
    added = await ingest.http.post("/v1/sources", json={"name": "shop", "visibility": "private"})
    assert document.misfits("post", "/v1/sources", 201, added.json()) == []
    assert document.misfits("post", "/v1/sources", 201, added.json() | {"of": "its own"}) == ["$.of is not described"]
