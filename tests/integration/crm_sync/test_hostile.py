"""What must not be taken: absurd times, forged versions, bodies that are none; and that a refusal leaves nothing behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.crm_ground import CrmService, item, snapshot

SOON = (datetime.now(UTC) + timedelta(days=2)).isoformat()
RECORD = {"connector": "crm", "record_id": "1", "name": "Anna"}
OPT_OUT = {"purpose": "news", "granted": False}


async def _anna(service: CrmService) -> str:
    told = item("a", id="1", name="Anna")
    await service.ground.tell(told)
    return str((await service.get(f"/v1/feedback/{told.feedback_id}"))["customer_id"])


MOMENTS = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", "1989-12-31T00:00:00Z", SOON, "2024-05-01T12:00:00",
    "2016-12-31T23:59:60Z", "2024-05-01", "1714564800", 1714564800,
)  # fmt: skip


async def test_times_at_which_nothing_can_have_happened(service: CrmService) -> None:
    anna = await _anna(service)
    before = await snapshot(service.ground)
    for moment in MOMENTS:
        assert await service.refused("POST", "/v1/contacts", {**RECORD, "updated_at": moment}) == (422, "invalid"), moment
        assert await service.refused("PUT", f"/v1/customers/{anna}/consents", {**OPT_OUT, "at": moment}) == (422, "invalid"), moment
    assert await snapshot(service.ground) == before


@pytest.mark.parametrize(
    ("tag", "refusal"),
    [
        pytest.param('"9999999999999999999"', (412, "version-mismatch"), id="larger than any"),
        pytest.param('"0"', (412, "version-mismatch"), id="older than all"),
        pytest.param("abc", (422, "if-match-invalid"), id="none of ours"),
        pytest.param('"-1"', (422, "if-match-invalid"), id="negative"),
    ],
)
async def test_versions_nobody_gave(service: CrmService, tag: str, refusal: tuple[int, str]) -> None:
    anna = await _anna(service)
    assert await service.refused("POST", f"/v1/customers/{anna}/lock", {"locked": True}, if_match=tag) == refusal
    assert await service.refused("DELETE", f"/v1/customers/{anna}", if_match=tag) == refusal
    assert (await service.get(f"/v1/customers/{anna}"))["locked"] is False


async def test_a_yes_is_true_and_nothing_else(service: CrmService) -> None:
    anna = f"/v1/customers/{await _anna(service)}"
    for word in ("true", "no", 1, 0):
        assert await service.refused("PUT", f"{anna}/consents", {**OPT_OUT, "granted": word}) == (422, "invalid"), word
        assert await service.refused("POST", f"{anna}/lock", {"locked": word}) == (422, "invalid"), word
        contact = {**RECORD, "updated_at": "2024-05-01T12:00:00Z", "deleted": word}
        assert await service.refused("POST", "/v1/contacts", contact) == (422, "invalid"), word


BODIES = {
    "cut off": b'{"other":',
    "bad UTF-8": b'{"other":"\xff"}',
    "lone surrogate": b'{"other":"\\ud800"}',
    "NUL": b'{"other":"\\u0000"}',
    "nested": b"[" * 100_000,
    "no object": b"[]",
    "nothing": b"",
}


async def test_bodies_that_are_none(service: CrmService) -> None:
    anna = await _anna(service)
    before = await snapshot(service.ground)
    headers = {"content-type": "application/json"}
    for path in ("merge", "merge/preview", "unmerge", "unmerge/preview"):
        for name, body in BODIES.items():
            answer = await service.client.post(f"/v1/customers/{anna}/{path}", content=body, headers=headers)
            assert answer.status_code in (400, 422), (path, name)
            assert answer.json()["code"] not in ("unexpected", "postgres-data"), (path, name)
    assert await snapshot(service.ground) == before


async def test_one_bad_record_among_many_leaves_nothing(service: CrmService) -> None:
    good: dict[str, Any] = {**RECORD, "updated_at": "2024-05-01T12:00:00Z"}
    assert await service.refused("POST", "/v1/contacts", {"items": [good, {**good, "record_id": " "}]}) == (422, "invalid")
    assert await service.refused("POST", "/v1/contacts", {**good, "nme": "x"}) == (422, "unknown-field")
    assert (await service.get("/v1/connectors"))["items"] == []


async def test_suggestions_come_by_pages_and_both_sides_are_told(cautious: CrmService) -> None:
    for n in range(3):
        both = (
            item(f"{side}{n}", at=n, id=f"{side}{n}", channel=side, name=f"Anna Number{n}", email=f"a{n}@example.org")
            for side in ("x", "y")
        )
        await cautious.ground.tell(*both)
    seen: list[Any] = []
    cursor = None
    while cursor or not seen:
        page = await cautious.get("/v1/merge-suggestions", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += page["items"]
        cursor = page["next_cursor"]
    assert len({each["suggestion_id"] for each in seen}) == 3
    assert [each["weight"] for each in seen] == sorted((each["weight"] for each in seen), reverse=True)
    path = f"/v1/merge-suggestions/{seen[0]['suggestion_id']}"
    answer = await cautious.send("POST", f"{path}/accept", earshot_actor="Pat", idempotency_key="k")
    assert await cautious.send("POST", f"{path}/accept", earshot_actor="Pat", idempotency_key="k") == answer
    assert answer["customer"]["feedback_count"] == 2
    history = await cautious.get(f"/v1/customers/{answer['customer']['customer_id']}/history")
    assert [(act["verb"], act["actor"]) for act in history["acts"]] == [("same", "Pat")]
    assert await cautious.refused("GET", "/v1/merge-suggestions?cursor=forged") == (422, "cursor-invalid")


async def test_old_ids_lead_through_chains_of_merges_and_back_when_they_are_undone(service: CrmService) -> None:
    told = [item(f"i{n}", at=n, id=f"{n}", channel=f"c{n}", name=f"N{n}") for n in range(5)]
    await service.ground.tell(*told)
    ids = [str((await service.get(f"/v1/feedback/{each.feedback_id}"))["customer_id"]) for each in told]
    for later, earlier in ((4, 3), (3, 2), (2, 1), (1, 0)):
        await service.send("POST", f"/v1/customers/{ids[later]}/merge", {"other": ids[earlier]}, earshot_actor="Pat")
    assert {(await service.get(f"/v1/customers/{each}"))["customer_id"] for each in ids} == {ids[0]}
    moves = (await service.get(f"/v1/customers/{ids[4]}/history"))["moves"]
    assert {move["cause"] for move in moves} == {"same by Pat"}
    for n in (4, 3, 2, 1):
        await service.send("POST", f"/v1/customers/{ids[0]}/unmerge", {"identifiers": [f"c{n}:{n}"]})
    assert [(await service.get(f"/v1/customers/{each}"))["customer_id"] for each in ids] == ids
