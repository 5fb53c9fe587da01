"""Erasure: nothing of the person is left in clear, what is older does not come back, what is later is a new relationship."""

from typing import Any

import pytest

from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.events import ErasureRequested, tell_erasure
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.stage import ID_PURPOSE
from earshot_shared.access import Secret
from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.topics import Topic
from support.crm_ground import KEY, START, Bench, CrmService, empty, item, record_of, snapshot, triaged

MAIL = "anna.secret@example.org"
ANNA = item("a", at=-60, id="anna-secret-1", handle="annasecret", name="Anna Secret", mail=MAIL, url="https://x.com/annasecret")
OTHER = item("b", at=-50, id="2", name="Bert")
PROOF = {"purpose": "news", "granted": True, "identifier": MAIL, "proof": "said by anna secret"}


async def _clear_text(ground: Bench) -> str:
    """Every row of every table of the service, as text and with bytes read as text."""
    tables = await ground.rows("select relname from pg_class where relnamespace = 'earshot_crm_sync'::regnamespace and relkind = 'r'")
    rows: list[Any] = []
    for (table,) in tables:
        if table != "outbox":  # published and deleted at once by a relay, which does not run here
            rows += await ground.rows(f'select * from "{table}"')
    return " ".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for row in rows for value in row.values()
    ).lower()


async def _erase(service: CrmService) -> tuple[str, dict[str, Any]]:
    await service.ground.tell(ANNA, OTHER)
    record = {"connector": "crm", "record_id": "secret-31", "updated_at": "2024-05-01T10:00:00Z", "name": "Anna Secret", "email": MAIL}
    await service.send("POST", "/v1/contacts", record, idempotency_key="k")
    anna = (await service.get(f"/v1/feedback/{ANNA.feedback_id}"))["customer_id"]
    await service.send("PUT", f"/v1/customers/{anna}/consents", PROOF, idempotency_key="k")
    await service.send("PUT", f"/v1/customers/{anna}/fields", {"fields": {"name": "Anna Secret-Schmidt"}})
    assert "secret" in await _clear_text(service.ground)
    answer = await service.client.delete(f"/v1/customers/{anna}")
    assert answer.status_code == 202
    return anna, answer.json()


@pytest.mark.capability("G14")
async def test_nothing_of_the_person_is_left_in_clear(service: CrmService) -> None:
    anna, told = await _erase(service)
    assert "secret" not in await _clear_text(service.ground)
    assert (await service.client.get(f"/v1/customers/{anna}")).status_code == 410
    assert (await service.client.get(f"/v1/feedback/{ANNA.feedback_id}")).status_code == 410
    assert [view["name"] for view in (await service.get("/v1/customers"))["items"]] == ["Bert"]
    (receipt,) = told["receipts"]
    assert (receipt["service"], receipt["counts"]["items"], receipt["counts"]["contacts"]) == ("crm-sync", 1, 1)
    assert (await service.get(f"/v1/erasures/{told['erasure_id']}"))["receipts"] == told["receipts"]


@pytest.mark.capability("G14")
async def test_the_topics_are_told_to_forget_and_who_asked_is_named_by_hashes_alone(service: CrmService) -> None:
    anna, told = await _erase(service)
    last = {(message.topic, message.key.decode()): message.value for message in await service.ground.published_by_routes()}
    asked = last[Topic.ERASURE_REQUESTED, told["erasure_id"]]
    assert asked is not None
    assert b"secret" not in asked.lower()
    assert last[Topic.CUSTOMER_CHANGED, anna] is None
    assert all(b"secret" not in (value or b"").lower() for value in last.values())


async def test_what_is_older_does_not_come_back_and_what_is_later_is_somebody_new(service: CrmService) -> None:
    await _erase(service)
    late = item("late", at=-100, channel="shop", id="s1", mail=MAIL, name="Anna Secret")
    await service.ground.tell(late)
    assert "secret" not in await _clear_text(service.ground)
    assert (await service.client.get(f"/v1/feedback/{late.feedback_id}")).status_code == 410
    for record_id in ("secret-31", "secret-32"):
        record = {"connector": "crm", "record_id": record_id, "updated_at": "2024-05-01T11:00:00Z", "name": "Ann Secret", "email": MAIL}
        assert (await service.send("POST", "/v1/contacts", record))["customer_id"] is None
    assert "secret" not in await _clear_text(service.ground)
    told = [message for message in await service.ground.published_by_routes() if message.topic is Topic.CONTACT_RECEIVED]
    assert all(b"secret" not in (message.value or b"").lower() for message in told[-2:]), "nor do the topics hear of it"
    again = item("again", at=60, id="anna-secret-1", name="A.")
    await service.ground.tell(again)
    reborn = (await service.get(f"/v1/feedback/{again.feedback_id}"))["customer_id"]
    view = await service.get(f"/v1/customers/{reborn}")
    assert (view["feedback_count"], view["name"]) == (1, "A.")
    await service.ground.tell(item("old", at=-70, id="anna-secret-1", name="A."))
    assert (await service.get(f"/v1/customers/{reborn}"))["feedback_count"] == 1


def _wish() -> StoredRecord:
    shown = [("account", "forum:anna-secret-1"), ("handle", "forum:@annasecret"), ("email", MAIL)]
    aliases = tuple(alias_of(Identifier(*each), Secret(KEY).key(ID_PURPOSE)) for each in shown)
    asked = ErasureRequested("0b8a3d3e-6f0a-4b1c-9d55-0c1f7c1f0001", aliases, START, "Pat")
    return record_of(tell_erasure(asked, now="2024-05-01T12:00:00Z"))


async def test_it_does_not_matter_when_the_wish_is_read(ground: Bench) -> None:
    records = [triaged(ANNA), triaged(OTHER), triaged(item("c", at=5, id="anna-secret-1", name="New"))]
    seen = []
    for slices in ([records, [_wish()]], [[_wish()], records], [[*records, _wish()]], [records[:1], [_wish(), *records[1:]], records]):
        await empty(ground)
        for part in slices:
            await ground.fold(*part)
        seen.append(await snapshot(ground))
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert sorted(view["name"] for view in seen[0]["views"].values()) == ["Bert", "New"]
