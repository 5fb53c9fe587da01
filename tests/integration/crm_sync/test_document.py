"""What crm-sync answers is what its OpenAPI document tells."""

from typing import Any

from support.crm_ground import CrmService, contact, item
from support.documents import Documented

ONE = "/v1/customers/{customer_id}"


async def test_answers_are_as_the_document_tells(cautious: CrmService) -> None:
    service = cautious
    document = Documented(await service.get("/openapi.json"))
    assert document.untold() == set()
    assert "<pre>Head with Counters</pre>" in (await service.client.get("/docs")).text
    told = (
        item("a", id="1", handle="anna", name="Anna Schmidt", mail="anna@example.org"),
        item("b", at=1, id="1", name="Anna S.", handle="anna"),
        item("c", at=2, id="2", channel="shop", name="Anna Schmidt"),
        item("d", at=3, id="3", channel="x", name="Carl C"),
    )
    await service.ground.tell(*told)
    await service.ground.fold(contact("7", name="Anna Schmidt", email="anna@example.org", fields={"city": "Ulm"}))
    owners = [await service.get(f"/v1/feedback/{each.feedback_id}") for each in told]
    anna, shop, carl = (owners[number]["customer_id"] for number in (0, 2, 3))
    misfits: list[str] = []

    async def ask(method: str, path: str, body: Any = None, *, status: int = 200, query: str = "", **named: str) -> Any:
        answer = await service.client.request(method, path.format(**named) + query, json=body)
        assert answer.status_code == status, (path, answer.text)
        misfits.extend(f"{method} {path}: {each}" for each in document.misfits(method.lower(), path, status, answer.json()))
        return answer.json()

    async def see(customer: str) -> None:
        for part in ("", "/timeline", "/why", "/history", "/export"):
            await ask("GET", f"{ONE}{part}", customer_id=customer)

    await ask("GET", "/v1/customers")
    await ask("GET", "/v1/customers", query="?merged=true")
    await ask("GET", "/v1/feedback/{feedback_id}", feedback_id=told[0].feedback_id)
    await ask("GET", "/v1/connectors")
    await ask("PUT", f"{ONE}/fields", {"fields": {"vip": "yes"}}, customer_id=anna)
    await ask("PUT", f"{ONE}/consents", {"purpose": "*", "granted": False}, customer_id=anna)
    preview = await ask("POST", f"{ONE}/merge/preview", {"other": shop}, customer_id=anna)
    assert preview["before"]
    assert preview["after"]
    await ask("POST", f"{ONE}/merge", {"other": shop}, customer_id=anna)
    await see(anna)
    await ask("POST", f"{ONE}/unmerge/preview", {"identifiers": ["shop:2"]}, customer_id=anna)
    assert (await ask("POST", f"{ONE}/unmerge", {"identifiers": ["shop:2"]}, customer_id=anna))["others"]
    await ask("POST", f"{ONE}/lock", {"locked": True}, customer_id=carl)
    await see(anna)
    record = {"connector": "crm", "record_id": "8", "updated_at": "2024-05-01T00:00:00Z"}
    await ask("POST", "/v1/contacts", record)
    assert (await ask("POST", "/v1/contacts", {"items": [record]}))["items"][0]["status"] == "unchanged"
    erasure = await ask("DELETE", ONE, status=202, customer_id=carl)
    assert (await ask("GET", "/v1/erasures/{erasure_id}", erasure_id=erasure["erasure_id"]))["receipts"]
    assert misfits == []


async def test_suggestions_are_as_the_document_tells(cautious: CrmService) -> None:
    document = Documented(await cautious.get("/openapi.json"))
    await cautious.ground.tell(
        item("a", id="1", name="Anna Schmidt", email="anna@example.org"),
        item("b", at=1, id="2", channel="shop", name="Anna Schmidt", email="anna@example.org"),
    )
    page = await cautious.get("/v1/merge-suggestions")
    (suggestion,) = page["items"]
    assert document.misfits("get", "/v1/merge-suggestions", 200, page) == []
    path = "/v1/merge-suggestions/{suggestion_id}"
    accepted = await cautious.send("POST", f"{path.format(**suggestion)}/accept")
    assert document.misfits("post", f"{path}/accept", 200, accepted) == []
