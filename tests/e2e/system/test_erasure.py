"""A person is forgotten by the whole system: every table, the last record of every key, and whatever is sent again."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from earshot_shared.topics import DEFAULT_PREFIX, Topic
from support.system import System
from support.topics import read_topic

SERVICES = {"ingest", "triage", "recognition", "crm-sync"}
DEADLINE_S = 60.0


def said(mark: str, number: int, channel: str, *, minutes: float = -60, **author: Any) -> dict[str, Any]:
    """Return an item in which everything that is the person's bears the mark."""
    return {
        "source": "erasure-test",
        "external_id": f"{number}-{secrets.token_hex(4)}",
        "channel": channel,
        "author": {"id": f"{mark}-{channel}", "name": f"Nora {mark}", "email": f"{mark}@example.org", "email_verified": True, **author},
        "text": f"Please add a {mark} export to the app, I miss it every single day",
        "conversation": f"{mark}-talk",
        "occurred_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(),
        "brand": "Acme",
    }


def post(system: System, item: dict[str, Any]) -> dict[str, Any]:
    status, told = system.ask("ingest", "/v1/feedback", method="POST", body=item)
    assert status == 202, told
    return dict(told)


async def _tables_with(dsn: str, mark: str) -> set[str]:
    """Return the tables in which any row holds the mark; what waits to be published is gone once the system has settled."""
    conn = await asyncpg.connect(dsn)
    try:
        tables = await conn.fetch("select schemaname, tablename from pg_tables where schemaname like 'earshot%' and tablename <> 'outbox'")
        found = set()
        for schema, table in tables:
            for row in await conn.fetch(f'select * from "{schema}"."{table}"'):
                shown = (value if isinstance(value, bytes) else str(value).encode() for value in row.values())
                if any(mark.encode() in value.lower() for value in shown):
                    found.add(f"{schema}.{table}")
        return found
    finally:
        await conn.close()


async def _topics_with(bootstrap: str, mark: str) -> set[str]:
    """Return the topics on which the last record of any key holds the mark; a tombstone goes, key and all, when the broker cleans up."""
    found = set()
    for topic in Topic:
        last = {record.key: record.value for record in await read_topic(bootstrap, DEFAULT_PREFIX, topic)}
        if any(value is not None and mark.encode() in key.lower() + value.lower() for key, value in last.items()):
            found.add(topic.value.noun)
    return found


def tables_with(system: System, mark: str) -> set[str]:
    return asyncio.run(_tables_with(system.state["postgres"], mark))


def topics_with(system: System, mark: str) -> set[str]:
    return asyncio.run(_topics_with(system.state["kafka"], mark))


def until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait for a condition; AssertionError with what there is instead when it does not come true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.3)


def is_forgotten(system: System, mark: str) -> None:
    system.settle()
    until(lambda: not tables_with(system, mark), lambda: tables_with(system, mark))
    assert topics_with(system, mark) == set()


@pytest.mark.capability("G14")
def test_a_person_is_forgotten_everywhere_and_does_not_come_back(system: System) -> None:
    mark = f"zq{secrets.token_hex(5)}"
    forum, shop = said(mark, 1, "forum", handle=f"{mark}Handle"), said(mark, 2, "shop", minutes=-30, phone="+49 30 12345678")
    first = post(system, forum)["feedback_id"]
    second = post(system, shop)["feedback_id"]
    other = {"author": {"id": f"other-{secrets.token_hex(4)}"}, "text": "I would like that too", "conversation": None}
    post(system, said(mark, 3, "forum", minutes=-20) | other | {"in_reply_to": forum["external_id"]})
    answer = other | {"text": f"@{mark}Handle: thank you! Write to us from {mark}@example.org", "in_reply_to": forum["external_id"]}
    answered = post(system, said(mark, 6, "forum", minutes=-10) | answer)["feedback_id"]
    system.settle()
    case = system.ask("triage", f"/v1/feedback/{first}")[1]["case_id"]
    words = {"text": f"We are on it, @{mark}handle.", "seen": system.ask("triage", f"/v1/cases/{case}")[1]["version"]}
    assert system.ask("triage", f"/v1/cases/{case}/respond", method="POST", body=words)[0] == 200
    system.settle()
    customer = system.ask("crm-sync", f"/v1/feedback/{first}")[1]["customer_id"]
    assert system.ask("crm-sync", f"/v1/feedback/{second}")[1]["customer_id"] == customer
    assert {each.split(".")[0] for each in tables_with(system, mark)} >= {
        "earshot_ingest", "earshot_triage", "earshot_recognition", "earshot_crm_sync",
    }  # fmt: skip

    status, told = system.ask("crm-sync", f"/v1/customers/{customer}", method="DELETE")
    assert status == 202, told
    path = f"/v1/erasures/{told['erasure_id']}"

    def receipts() -> dict[str, Any]:
        return {each["service"]: each["counts"] for each in system.ask("crm-sync", path)[1]["receipts"]}

    until(lambda: receipts().keys() == SERVICES, receipts)
    assert {service: counts["items"] for service, counts in receipts().items()} == dict.fromkeys(SERVICES, 2)
    assert receipts()["ingest"]["mentions"] == 2
    is_forgotten(system, mark)
    who = system.ask("crm-sync", f"/v1/feedback/{answered}")[1]["customer_id"]
    timeline = system.ask("crm-sync", f"/v1/customers/{who}/timeline")[1]["items"]
    assert "[erased]: thank you! Write to us from [erased]" in [each["text"] for each in timeline]

    assert post(system, forum)["status"] == "duplicate"
    unheard = post(system, said(mark, 4, "shop", minutes=-90))["feedback_id"]
    is_forgotten(system, mark)
    assert system.ask("crm-sync", f"/v1/feedback/{unheard}")[0] == 410
    assert system.ask("crm-sync", f"/v1/customers/{customer}")[0] == 410

    later = post(system, said(mark, 5, "forum", minutes=5))["feedback_id"]
    system.settle()
    reborn = system.ask("crm-sync", f"/v1/feedback/{later}")[1]["customer_id"]
    status, view = system.ask("crm-sync", f"/v1/customers/{reborn}")
    assert (status, view["feedback_count"]) == (200, 1)
