"""A person asked to be forgotten: skeletons take the place of what was held, everywhere, and the receipt waits for the last of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from earshot_shared import envelope, ids
from earshot_shared.actions import decode_action
from earshot_shared.item import Author, Item
from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.receipts import ReceiptWriter
from earshot_shared.replies import reply_item
from earshot_shared.topics import Topic
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import DAY, plain_item

MARK = "zqsecret"


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, clock=lambda: DAY + timedelta(days=1)) as running:
        yield running


def skeleton(item: Item) -> Item:
    """Return what ingest makes of an item."""
    return replace(
        item,
        revision=item.revision + 1,
        author_key="erased",
        author=Author(),
        text="",
        title=None,
        external_id="",
        erased=True,
        erasure_id="e1",
    )


async def receipt(triage: TriageUnderTest, service: str, items: int, *, replaying: bool = False) -> None:
    message = ReceiptWriter(service).tell_erased("e1", {"items": items}, now="2026-03-02T00:00:00Z")
    await triage.fold_records(Topic.ERASURE_DONE, [StoredRecord("done", 0, 0, message.key, message.value)], replaying=replaying)


async def told(triage: TriageUnderTest) -> list[Any]:
    return [envelope.decode(each.value or b"").data for each in await triage.said() if each.topic is Topic.ERASURE_DONE]


async def tables_with_mark(triage: TriageUnderTest) -> set[str]:
    pool = triage.runtime.pool
    found = set()
    for (table,) in await pool.fetch("select tablename from pg_tables where schemaname = 'earshot_triage' and tablename <> 'outbox'"):
        for row in await pool.fetch(f'select * from "{table}"'):
            shown = (value if isinstance(value, bytes) else str(value).encode() for value in row.values())
            if any(MARK.encode() in value.lower() for value in shown):
                found.add(table)
    return found


async def gather(triage: TriageUnderTest) -> None:
    gatherer = triage.wiring.gatherer(triage.runtime)
    while await gatherer.gather():
        pass


async def remark(triage: TriageUnderTest, *, case_id: str) -> None:
    """Let colleagues write about a case."""
    for verb, words in (("note", {"text": f"They are {MARK}."}), ("route", {"team": "product", "reason": f"About {MARK}."})):
        headers = {"earshot-actor": "amelie", "idempotency-key": verb}
        answer = await triage.http.post(f"/v1/cases/{case_id}/{verb}", json=words, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.mark.capability("G14")
async def test_no_word_of_an_erased_item_stays_and_the_receipt_waits_for_the_last(triage: TriageUnderTest) -> None:
    asks = [plain_item(f"ask{n}", n, f"idea 1 add {MARK} export") for n in range(2)]
    bug = replace(plain_item("bug", 5, f"bug 3 {MARK} crashes"), parents=(asks[0].feedback_id,))
    await triage.fold(*asks, bug)
    await gather(triage)
    await remark(triage, case_id=ids.case_id(asks[0].feedback_id))
    assert {"feedback", "threads", "theme_items", "actions", "facts"} <= await tables_with_mark(triage)
    acts_told = [StoredRecord("acts", 0, 0, each.key, each.value) for each in await triage.said() if each.topic is Topic.ACTION_TAKEN]
    await receipt(triage, "ingest", 3)  # the topics come in any order
    await receipt(triage, "recognition", 3)
    await triage.fold(*map(skeleton, asks))
    assert await told(triage) == []
    await triage.fold(skeleton(bug))
    await gather(triage)
    assert await tables_with_mark(triage) == set()
    acts = await triage.runtime.pool.fetch("select convert_from(body, 'utf8')::jsonb as act from actions")
    assert sorted(json.loads(row["act"])["verb"] for row in acts) == ["note", "route"], "what was done is still known, and by whom"
    assert len(await told(triage)) == 1
    last = {(each.topic, each.key): each.value for each in await triage.said()}
    assert not [key for key, value in last.items() if value is not None and MARK.encode() in value.lower()]
    assert last[Topic.FEEDBACK_PRODUCT, bug.feedback_id.encode()] is None
    await triage.runtime.pool.execute("truncate actions")
    await triage.fold_records(Topic.ACTION_TAKEN, acts_told, replaying=True)  # the log has not forgotten them yet
    assert await tables_with_mark(triage) == set()
    await triage.fold(*map(skeleton, asks), skeleton(bug), replaying=True)
    await receipt(triage, "ingest", 3, replaying=True)
    assert len(await told(triage)) == 1


async def test_what_people_were_answered_about_it_is_forgotten_and_nothing_is_done_twice(triage: TriageUnderTest) -> None:
    idea = replace(plain_item("ask", 0, f"idea 1 add {MARK} export"), author_key=f"forum:{MARK}", author=Author(id=MARK))
    other = plain_item("other", 1, "complaint 2 late")
    await triage.fold(idea, other)
    await gather(triage)
    wishes = {
        f"/v1/cases/{ids.case_id(idea.feedback_id)}/escalate": {},
        f"/v1/feedback/{idea.feedback_id}/correct": {"intent": "bug"},
        f"/v1/cases/{ids.case_id(other.feedback_id)}/escalate": {},
    }

    async def ask() -> list[Any]:
        return [await triage.http.post(path, json=body, headers={"idempotency-key": path}) for path, body in wishes.items()]

    before = await ask()
    assert [answer.status_code for answer in before] == [200] * 3, [answer.text for answer in before]
    assert "idempotency" in await tables_with_mark(triage)
    await triage.fold(skeleton(idea))
    await receipt(triage, "ingest", 1)
    await gather(triage)
    assert await tables_with_mark(triage) == set()
    after = await ask()
    assert [answer.json() for answer in after] == [{"erased": True}, {"erased": True}, before[2].json()]
    assert {answer.headers["idempotency-replayed"] for answer in after} == {"true"}


async def test_a_service_that_held_nothing_answers_too(triage: TriageUnderTest) -> None:
    await receipt(triage, "ingest", 0)
    assert len(await told(triage)) == 1


@pytest.mark.capability("G14")
async def test_a_reply_of_ours_that_named_who_is_erased_says_so_no_more(triage: TriageUnderTest) -> None:
    other = plain_item("other", 1, "complaint 2 late")
    await triage.fold(other)
    path = f"/v1/cases/{ids.case_id(other.feedback_id)}/respond"
    for words in (f"As @{MARK} said: it is on its way.", "It is here."):
        answer = await triage.http.post(path, json={"text": words})
        assert answer.status_code == 200, answer.text
    acts = [StoredRecord("acts", 0, 0, each.key, each.value) for each in await triage.said() if each.topic is Topic.ACTION_TAKEN]
    replies = [reply_item(decode_action(envelope.decode(each.value or b"").data)) for each in acts]
    naming = next(reply for reply in replies if MARK in reply.text)
    assert {"feedback", "actions", "facts"} <= await tables_with_mark(triage)
    linked = replace(naming, revision=2, conversations=(naming.feedback_id,))  # nothing was struck yet
    await triage.fold(linked)
    assert "actions" in await tables_with_mark(triage)
    await triage.fold(replace(linked, revision=3, text="As [erased] said: it is on its way."))
    assert await tables_with_mark(triage) == set()
    last = {(each.topic, each.key): each.value for each in await triage.said()}
    assert not [key for key, value in last.items() if value is not None and MARK.encode() in value.lower()]
    await triage.runtime.pool.execute("truncate actions")
    await triage.fold_records(Topic.ACTION_TAKEN, acts, replaying=True)  # the log has not forgotten them yet
    assert await tables_with_mark(triage) == set()
    texts = {json.loads(row["body"])["arguments"]["text"] for row in await triage.runtime.pool.fetch("select body from actions")}
    assert texts == {"As [erased] said: it is on its way.", "It is here."}
