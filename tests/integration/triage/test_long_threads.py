"""A thread of thousands stays bounded: what comes later continues it, and is told with its latest twenty messages."""

import asyncio
import json
from collections.abc import Collection
from typing import Any

import pytest

from earshot_shared.topics import Topic
from earshot_triage import repository
from support.triage import migrate, running_triage
from support.triage_world import case_of, plain_item

MESSAGES = 5_000


@pytest.mark.capability("T13")
async def test_five_thousand_messages_are_one_case(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []
    load_members = repository.load_members

    async def counting(conn: Any, labels: Collection[str]) -> list[repository.Held]:
        found = await load_members(conn, labels)
        loaded.append(len(found))
        return found

    monkeypatch.setattr(repository, "load_members", counting)
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn) as triage:
        items = [plain_item("n0", 0, talk="x")]
        items += [plain_item(f"n{n}", n, brand_speaks=n % 2 == 1, to=f"n{n - 1}", talk="x") for n in range(1, MESSAGES)]
        for start in range(0, MESSAGES, 500):
            await triage.fold(*items[start : start + 500])
        assert loaded == [], "no thread was loaded again"
        await triage.fold(plain_item("more", MESSAGES, to="n17"))
        told = [message for message in await triage.said() if message.topic is Topic.CASE_CHANGED]
        last = json.loads(told[-1].value or b"")["data"]
        assert last["message_count"] == MESSAGES + 1
        assert len(last["messages"]) == 20
        assert len(told) == MESSAGES // 500 + 1
        case = (await triage.http.get(f"/v1/cases/{case_of('n4999')}")).json()
        assert case["case_id"] == case_of("n0")
        assert len(case["messages"]) == MESSAGES + 1
        await triage.fold(plain_item("n3", 3, brand_speaks=True, to="n2", talk="x", revision=2, withdrawn=True))
        assert loaded[-1] == MESSAGES + 1, "what changes the past is folded anew, once"
        assert (await triage.http.get(f"/v1/cases/{case_of('n0')}")).json()["message_count"] == MESSAGES
