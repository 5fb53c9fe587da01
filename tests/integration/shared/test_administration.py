"""The routes by which an installation is kept: who may, what is refused, pages; what commands make of them is tested on a whole system."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from earshot_shared.access import new_key
from earshot_shared.pipeline import dead_letters
from earshot_shared.pipeline.records import Poison, StoredRecord
from support.documents import Documented
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, migrate, running_ingest


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


def wanted(**changes: Any) -> tuple[str, dict[str, Any]]:
    """Return the id of a new key and what a service is asked to keep of it."""
    _, key = new_key(name="forum", scopes=["ingest:write"])
    return key.key_id, {"secret_sha256": key.secret_sha256.hex(), "name": "forum", "scopes": ["ingest:write"], **changes}


async def test_keys_are_kept_once_and_ended(ingest: IngestUnderTest) -> None:
    key_id, body = wanted(sources=["forum"])
    first = await ingest.http.put(f"/admin/keys/{key_id}", json=body)
    again = await ingest.http.put(f"/admin/keys/{key_id}", json=body)
    other = await ingest.http.put(f"/admin/keys/{key_id}", json=body | {"scopes": ["admin"]})
    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 409]
    assert first.json() == again.json()
    assert "secret_sha256" not in first.json()
    assert (await ingest.http.delete(f"/admin/keys/{key_id}")).status_code == 204
    assert (await ingest.http.delete("/admin/keys/aaaaaaaaaaaa")).status_code == 404
    page = (await ingest.http.get("/admin/keys", params={"limit": 1})).json()
    assert [(key["id"], key["revoked_at"] is None) for key in page["items"]] == [(key_id, False)]
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"scopes": ["nope"]}, "key-request", id="unknown scope"),
        pytest.param({"scopes": []}, "key-request", id="no scope"),
        pytest.param({"secret_sha256": "abc"}, "invalid", id="no hash"),
        pytest.param({"secret": "x"}, "unknown-field", id="a secret"),
        pytest.param({"sources": []}, "invalid", id="bound to nothing"),
    ],
)
async def test_keys_that_cannot_be(ingest: IngestUnderTest, changes: dict[str, Any], code: str) -> None:
    key_id, body = wanted(**changes)
    refused = await ingest.http.put(f"/admin/keys/{key_id}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_only_an_unbound_administrator_keeps_an_installation(ingest: IngestUnderTest) -> None:
    bound = await ingest.key(scopes=["admin"], sources=["forum"])
    plain = await ingest.key(scopes=["ingest:write", "triage:write"])
    for path in ("/admin/keys", "/admin/dead-letters"):
        assert (await ingest.http.get(path, headers=bound)).json()["code"] == "key-bound"
        assert (await ingest.http.get(path, headers=plain)).json()["code"] == "scope-missing"
        assert (await ingest.http.get(path, headers={"authorization": ""})).status_code == 401
    key_id, body = wanted(scopes=["admin"])
    assert (await ingest.http.put(f"/admin/keys/{key_id}", json=body, headers=bound)).status_code == 403


async def test_what_was_set_aside_comes_by_pages_and_goes_one_by_one(ingest: IngestUnderTest) -> None:
    poison = [Poison(StoredRecord("earshot.action.taken.v1", 0, n, b"k", b"\xff"), "undecodable", "No event.") for n in range(3)]
    await dead_letters.add(ingest.runtime.pool, poison, service="ingest")
    path = "/admin/dead-letters"
    first = (await ingest.http.get(path, params={"limit": 2})).json()
    second = (await ingest.http.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    ids = [letter["id"] for letter in first["items"] + second["items"]]
    assert (len(set(ids)), second["next_cursor"]) == (3, None)
    whole = (await ingest.http.get(f"{path}/{ids[0]}")).json()
    document = Documented((await ingest.http.get("/openapi.json")).json())
    assert document.misfits("get", path, 200, first) == document.misfits("get", f"{path}/{{letter_id}}", 200, whole) == []
    assert (whole["service"], whole["key"], whole["value"]) == ("ingest", "k", "base64:/w==")
    assert (await ingest.http.post(f"{path}/{ids[0]}/replay")).json() == {"service": "ingest", "asked": [ids[0]]}
    assert sorted((await ingest.http.post(f"{path}/replay")).json()["asked"]) == sorted(ids[1:])
    assert (await ingest.http.delete(f"{path}/{ids[0]}")).status_code == 204
    for answer in (await ingest.http.delete(f"{path}/{ids[0]}"), await ingest.http.get(f"{path}/{ids[0]}")):
        assert (answer.status_code, answer.json()["code"]) == (404, "letter-unknown")
    assert (await ingest.http.post(f"{path}/{ids[0]}/replay")).status_code == 404
    assert (await ingest.http.post("/admin/replay", json={})).status_code == 404, "ingest has no view to make anew"
