"""First-response figures, exact: against the oracle on made-up cases, and against an independent reading of real conversations."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from earshot_shared import ids
from earshot_shared.item import Author, Item
from earshot_shared.topics import Topic
from oracle.conversations_file import figures_by_brand, read_messages
from support.public_data import public_data
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import case_of, plain_item

HOUR_S = 3600


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn) as running:
        yield running


async def levels(triage: TriageUnderTest, **params: Any) -> dict[str, Any]:
    """Every row by its key, read by small pages."""
    found: dict[str, Any] = {}
    asked = {"limit": 3, **params}
    while True:
        answer = await triage.http.get("/v1/metrics/service-levels", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert not found.keys() & {row["key"] for row in page["items"]}
        found |= {row["key"]: row for row in page["items"]}
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


def exchange(name: str, minute: float, wait_s: float | None, brand: str | None = "Acme") -> list[Item]:
    items = [plain_item(name, minute, brand=brand)]
    if wait_s is not None:
        items.append(plain_item(f"{name}-reply", minute + wait_s / 60, brand=brand, brand_speaks=True, to=name))
    return items


@pytest.mark.capability("T7")
@pytest.mark.capability("D2")
async def test_figures_by_brand_channel_and_team(triage: TriageUnderTest) -> None:
    await triage.fold(
        *exchange("a", 0, 60),
        *exchange("b", 1, HOUR_S),
        *exchange("c", 2, HOUR_S + 0.000001),
        *exchange("d", 3, None),
        *exchange("e", 4, 10, brand=None),
        plain_item("ours", 5, brand_speaks=True),
        plain_item("late", 6, to="ours"),
    )
    rows = await levels(triage)
    assert rows.keys() == {"", "Acme"}
    acme = rows["Acme"]
    assert (acme["cases"], acme["answered"], acme["target_s"]) == (4, 3, HOUR_S)
    assert acme["median_first_response_s"] == HOUR_S
    assert acme["p90_first_response_s"] == pytest.approx(HOUR_S + 0.0000008, abs=1e-7)
    assert acme["within_target"] == 0.5
    assert rows[""]["median_first_response_s"] == 10
    assert (await levels(triage, by="channel"))["forum"]["cases"] == 5
    assert (await levels(triage, by="team"))["support"]["cases"] == 5
    sliced = await levels(triage, **{"from": "2026-03-01T00:01:00Z", "to": "2026-03-01T00:03:00Z"})
    assert sliced["Acme"]["cases"] == 2


async def test_a_person_makes_a_case_but_no_figure_of_a_brands_thread(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("ours", 0, brand_speaks=True))
    await triage.http.post(f"/v1/cases/{case_of('ours')}/note", json={"text": "Look."})
    assert len((await triage.http.get("/v1/cases")).json()["items"]) == 1
    assert await levels(triage) == {}


@pytest.mark.parametrize("params", [{"from": "yesterday"}, {"by": "colour"}, {"cursor": "forged"}, {"limit": 501}])
async def test_a_wrong_question_is_refused(triage: TriageUnderTest, params: dict[str, Any]) -> None:
    assert (await triage.http.get("/v1/metrics/service-levels", params=params)).status_code == 422


@pytest.mark.public_data
@pytest.mark.capability("D2")
@pytest.mark.parametrize("order", ["as it stands", "any"])
async def test_real_conversations_give_the_figures_of_the_file(triage: TriageUnderTest, order: str) -> None:
    file = public_data("ibm_conversations", "dev.jsonl")
    items = conversation_items(file)
    if order == "any":
        random.Random(7).shuffle(items)
    for start in range(0, len(items), 1000):
        await triage.fold(*items[start : start + 1000], topic=Topic.FEEDBACK_BACKFILLED)
    wanted = figures_by_brand(read_messages(file, "file"), HOUR_S)
    rows = await levels(triage)
    assert rows.keys() == wanted.keys()
    for brand, figures in wanted.items():
        row = rows[brand]
        assert (row["cases"], row["answered"]) == (figures.cases, figures.answered)
        assert row["within_target"] == pytest.approx(figures.within_target, abs=1e-12)
        for name in ("median_first_response_s", "p90_first_response_s"):
            mine, theirs = row[name], getattr(figures, name)
            assert (mine is None and theirs is None) or mine == pytest.approx(theirs, abs=1e-6)


def conversation_items(file: Path) -> list[Item]:
    """The file as ingest tells it: one item a message; a message on two lines belongs to both conversations."""
    items: dict[str, Item] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        talk = ids.conversation_node("file", said["conversation_id"])
        parent = said["in_reply_to"]
        parents = (ids.feedback_id("file", parent),) if parent else ()
        known = items.get(said["message_id"])
        if known is not None:
            parents, talks = tuple({*known.parents, *parents}), tuple({*known.conversations, talk})
        else:
            talks = (talk,)
        at = datetime.fromisoformat(said["created_at"])
        own = said["author"] if said["author_is_brand"] and said["author"].lower() != said["brand"].lower() else said["brand"]
        items[said["message_id"]] = Item(
            feedback_id=ids.feedback_id("file", said["message_id"]), revision=1, source="file", external_id=said["message_id"],
            channel="twitter", author_key=f"twitter:@{said['author'].lower()}",
            author=Author(handle=said["author"], on_behalf_of_brand=said["author_is_brand"]), occurred_at=at, received_at=at,
            text=said["text"], brand=own if known is None else known.brand, parents=parents, conversations=talks, backfill=True,
        )  # fmt: skip
    return list(items.values())
