"""Erasure at the door: what is there becomes skeletons, what is older comes back as one, what is later is taken whole."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from earshot_ingest import erasing
from earshot_ingest.erasing import Sweeper
from earshot_ingest.events import ErasureRequested, decode_erasure
from earshot_ingest.stage import Decoded, IngestStage
from earshot_shared import envelope
from earshot_shared.envelope import EventWriter
from earshot_shared.identifiers import ALIAS_PURPOSE, alias_of
from earshot_shared.item import encode_item
from earshot_shared.topics import Topic
from support.ground import FreshDatabase
from support.ingest import IngestUnderTest, an_item, migrate, running_ingest

AT = datetime(2026, 5, 10, tzinfo=UTC)
LATER = "2026-05-11T00:00:00Z"


@pytest.fixture
async def ingest(fresh_database: FreshDatabase) -> AsyncIterator[IngestUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as service:
        yield service


async def forget(ingest: IngestUnderTest, *shown: tuple[str, str], erasure_id: str = "e1") -> None:
    """Fold a wish, as the loop would, and go through the items until nothing is under way."""
    key = ingest.parts.secret.key(ALIAS_PURPOSE)
    asked = ErasureRequested(erasure_id, tuple(alias_of(*each, key) for each in shown), AT)
    record = EventWriter(Topic.ERASURE_REQUESTED, "crm-sync").write(erasure_id, erasure_id, asked, time=LATER)
    assert record.value is not None
    async with ingest.runtime.writer.transaction() as tx:
        await IngestStage(ingest.forgotten).fold(tx, Decoded([], [decode_erasure(record.value)], []))
    await sweep(ingest)


async def sweep(ingest: IngestUnderTest) -> None:
    sweeper = Sweeper(ingest.runtime.writer, ingest.forgotten, wanted=lambda: True)
    while await sweeper.step():
        pass


async def receipts(ingest: IngestUnderTest) -> list[dict[str, Any]]:
    told = [message for message in await ingest.said() if message.topic is Topic.ERASURE_DONE and message.value is not None]
    return [msgspec.json.decode(envelope.decode(message.value or b"").data) for message in told]


async def in_clear(ingest: IngestUnderTest) -> str:
    rows = await ingest.runtime.pool.fetch("select body from items")
    return " ".join(row["body"].decode() for row in rows).lower()


SECRET = {"id": "secret-1", "handle": "SecretAda", "name": "Ada Secret", "email": "Ada.Secret+x@example.org", "email_verified": True}


@pytest.mark.capability("G14")
async def test_items_become_skeletons_on_every_channel(ingest: IngestUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PAGE_ITEMS", 3)  # several pages
    mine = [an_item(f"s{n}", author=SECRET, text="secret words", conversation="secret-thread") for n in range(7)]
    mine.append(an_item("s-shop", channel="shop", author={"id": "9", "email": "ada.secret@example.org", "email_verified": True}))
    claimed = an_item("claimed", channel="shop", author={"id": "8", "email": "ada.secret@example.org"}, text="somebody else")
    late = an_item("late", author=SECRET, occurred_at=LATER, text="new words")
    others = [an_item(f"o{n}", author={"id": f"o{n}"}) for n in range(5)]
    await ingest.http.post("/v1/feedback/batch", json={"items": [*mine, claimed, late, *others]})
    await forget(ingest, ("account", "forum:secret-1"), ("email", "ada.secret@example.org"))
    stored = await ingest.stored()
    erased = [item for item in stored.values() if item.erased]
    assert len(erased) == 8
    assert all((item.revision, item.text, item.external_id, item.author_key) == (2, "", "", "erased") for item in erased)
    assert sum(len(item.conversations) for item in erased) == 7
    assert {item.erasure_id for item in erased} == {"e1"}
    assert {item.text for item in stored.values()} == {"", "somebody else", "new words", "The parcel never came."}
    assert len([item for item in await ingest.told_items() if item.erased]) == 8
    assert len(await receipts(ingest)) == 1
    await forget(ingest, ("account", "forum:secret-1"))  # the wish again, as a replay brings it
    assert len(await receipts(ingest)) == 1
    assert max(item.revision for item in (await ingest.stored()).values()) == 2


@pytest.mark.capability("G14")
async def test_what_is_older_comes_in_as_a_skeleton_and_what_is_later_whole(ingest: IngestUnderTest) -> None:
    await ingest.http.post("/v1/feedback", json=an_item("known", author=SECRET, text="secret words"))
    await forget(ingest, ("account", "forum:secret-1"), ("handle", "forum:@secretada"))
    again = await ingest.http.post("/v1/feedback", json=an_item("known", author=SECRET, text="secret", in_reply_to="secret-parent"))
    assert again.json()["status"] == "duplicate"
    await ingest.http.post("/v1/feedback", json=an_item("unheard", author={"handle": "@secretADA"}, text="secret", conversation="secret"))
    batch = [an_item(f"b{n}", author=SECRET, text="secret", conversation=f"secret {n}") for n in (1, 1, 2)]
    await ingest.http.post("/v1/feedback/batch", json={"items": batch})
    other = (await ingest.http.post("/v1/feedback", json=an_item("other", author={"id": "other"}))).json()["feedback_id"]
    edit = an_item("other", author=SECRET, text="secret", edited_at="2026-05-02T00:00:00Z")
    assert (await ingest.http.put(f"/v1/feedback/{other}", json=edit)).status_code == 202
    assert "secret" not in await in_clear(ingest)
    assert all(item.erased for item in (await ingest.stored()).values())
    await ingest.http.post("/v1/feedback", json=an_item("later", author=SECRET, text="hello again", occurred_at=LATER))
    assert [item.text for item in (await ingest.stored()).values() if not item.erased] == ["hello again"]


@pytest.mark.capability("G14")
async def test_who_is_forgotten_is_named_in_nobody_elses_words(ingest: IngestUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PAGE_ITEMS", 2)
    care = {"id": "care", "on_behalf_of_brand": True}
    await ingest.http.post("/v1/feedback", json=an_item("asked", author=SECRET, text="secret words"))
    await ingest.http.post(
        "/v1/feedback", json=an_item("answer", author=care, brand="acme", text="@SecretAda @ben: mail us from ada.secret@example.org!")
    )
    await ingest.http.post("/v1/feedback", json=an_item("late", author=care, brand="acme", text="@secretada hello", occurred_at=LATER))
    named = ("account", "forum:secret-1"), ("handle", "forum:@secretada"), ("email", "ada.secret@example.org")
    await forget(ingest, *named)
    answer = an_item("echo", author=care, brand="acme", text="Thank you, @secretada")
    await ingest.http.post("/v1/feedback", json=answer)
    other = (await ingest.http.post("/v1/feedback", json=an_item("other", author={"id": "other"}))).json()["feedback_id"]
    edit = an_item("other", author={"id": "other"}, text="As @SECRETada said", edited_at="2026-05-02T00:00:00Z")
    assert (await ingest.http.put(f"/v1/feedback/{other}", json=edit)).status_code == 202
    stored = {item.external_id: (item.revision, item.text) for item in (await ingest.stored()).values()}
    assert stored == {
        "": (2, ""),
        "answer": (2, "[erased] @ben: mail us from [erased]!"),
        "late": (1, "@secretada hello"),  # later than the wish: a new relationship
        "echo": (1, "Thank you, [erased]"),
        "other": (2, "As [erased] said"),
    }
    assert [receipt["counts"] for receipt in await receipts(ingest)] == [{"items": 1, "mentions": 1}]
    told = {item.external_id: item.text for item in await ingest.told_items()}
    assert told["answer"] == "[erased] @ben: mail us from [erased]!"


async def test_a_wish_carried_out_before_mentions_were_struck_is_gone_through_again(ingest: IngestUnderTest) -> None:
    await ingest.http.post(
        "/v1/feedback/batch", json={"items": [an_item("asked", author=SECRET), an_item("answer", author={"id": "other"})]}
    )
    await forget(ingest, ("account", "forum:secret-1"))
    answer = next(item for item in (await ingest.stored()).values() if not item.erased)
    body = encode_item(replace(answer, text="Thank you, @secret-1"))  # as it could be stored before
    await ingest.runtime.pool.execute("update items set body = $1 where feedback_id = $2", body, answer.feedback_id)
    script = files("earshot_ingest").joinpath("migrations/0003_pre_mentions.sql").read_text()
    await ingest.runtime.pool.execute(script[script.index("update erasures") :])
    await sweep(ingest)
    assert sorted(item.text for item in (await ingest.stored()).values()) == ["", "Thank you, [erased]"]
    assert [receipt["counts"] for receipt in await receipts(ingest)] == [{"items": 1, "mentions": 0}, {"items": 1, "mentions": 1}]


async def test_another_process_heeds_the_wish_too(ingest: IngestUnderTest) -> None:
    other = erasing.Forgotten(ingest.parts.secret.key(ALIAS_PURPOSE))
    async with ingest.runtime.writer.transaction() as tx:
        assert not await other.any(tx)
    await forget(ingest, ("account", "forum:secret-1"))
    async with ingest.runtime.writer.transaction() as tx:
        assert await other.any(tx)
