"""A warehouse that is loaded from the topics alone, by a reader that comes when everything has happened already."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from earshot_shared.topics import DEFAULT_PREFIX, Topic
from support.system import System
from support.topics import read_topic

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"


def loaded(system: System, topic: Topic) -> dict[str, Any]:
    """Return the last body of every key; what a tombstone follows is no row."""
    rows: dict[str, Any] = {}
    for record in asyncio.run(read_topic(system.state["kafka"], DEFAULT_PREFIX, topic)):
        key = record.key.decode()
        if record.value is None:
            rows.pop(key, None)
        elif (body := json.loads(record.value)["data"])["version"] >= rows.get(key, body)["version"]:
            rows[key] = body
    return rows


def listed(system: System, service: str, path: str) -> Iterator[dict[str, Any]]:
    """Yield everything that a list holds, page by page."""
    cursor = ""
    while True:
        _, page = system.ask(service, f"{path}?limit=500{cursor}", timeout_s=60)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.capability("C13")
def test_a_warehouse_that_comes_late_loads_the_present_state_from_the_topics(system: System) -> None:
    mark = secrets.token_hex(4)
    for number, (who, channel) in enumerate((("ann", "forum"), ("ann", "shop"), ("bea", "forum"))):
        item = {
            "source": f"warehouse.{mark}", "external_id": f"{number}", "channel": channel, "kind": "question", "text": "Is it in stock?",
            "author": {"id": f"{who}-{mark}", "email": f"{who}-{mark}@example.org", "email_verified": True},
            "occurred_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        assert system.ask("ingest", "/v1/feedback", method="POST", body=item)[0] == 202
    stats = system.settle()

    customers = loaded(system, Topic.CUSTOMER_CHANGED)
    wanted = set(json.loads((SCHEMAS / "customer.changed.json").read_bytes())["anyOf"][0]["required"])
    standing = {key: body for key, body in customers.items() if "merged_into" not in body}
    assert all(wanted <= body.keys() for body in standing.values())
    assert standing == {each["customer_id"]: each for each in listed(system, "crm-sync", "/v1/customers")}
    assert all(body["merged_into"] in customers for body in customers.values() if "merged_into" in body)

    cases = {key: body for key, body in loaded(system, Topic.CASE_CHANGED).items() if body.keys().isdisjoint({"merged_into", "withdrawn"})}
    shown = {each["case_id"]: each["version"] for each in listed(system, "triage", "/v1/cases")}
    assert {key: body["version"] for key, body in cases.items()} == shown
    decided = loaded(system, Topic.FEEDBACK_TRIAGED)
    assert len(decided) == stats["triage"]["feedback"] == stats["crm-sync"]["feedback"]
    assert {body["item"]["source"] for body in decided.values()} >= {f"warehouse.{mark}"}
