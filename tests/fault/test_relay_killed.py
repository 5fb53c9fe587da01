"""kill -9 at the relay's moment: the records are on the topic, the outbox row is not marked yet."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from earshot_shared.topics import Topic
from fault.test_two_owners import TRIAGE, at_rest, tell
from support.replicas import Plain, until

pytestmark = pytest.mark.fault


async def test_what_was_sent_and_not_marked_is_sent_again_and_seen_once(plain: Plain) -> None:
    triage, recognition = plain.start("triage"), plain.start("recognition")
    for each in (triage, recognition):
        await asyncio.to_thread(each.until_ready)
    ours = await plain.connect("triage")

    async def leads() -> bool:
        return bool(await ours.fetchval("select exists (select from relay where expected is not null)"))

    await until(leads, "a relay")
    async with ours.transaction():
        await ours.fetch("select from relay for update")  # the mark cannot be made; nothing else waits for it
        await tell(plain, TRIAGE, range(40))
        # The relay stops at its first mark, and its first round may hold any number of the 40: as many as the first slices read.
        sent: list[Any] = await until(lambda: plain.read_all(Topic.FEEDBACK_TRIAGED), "records are on the topic")
        assert await ours.fetchval("select count(*) from outbox") > 0
        triage.kill()
        # The statement that waits for our lock would be carried out for a client that is gone; it dies with it.
        await ours.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = current_schema")
    assert await ours.fetchval("select count(*) from outbox") > 0, "sent, and not marked"

    again = plain.start("triage")
    await asyncio.to_thread(again.until_ready)
    await until(lambda: at_rest([again, recognition]), "at rest")
    assert await ours.fetchval("select count(*) from outbox") == 0
    assert await ours.fetchval("select count(*) from feedback") == 40

    records: list[Any] = await plain.read_all(Topic.FEEDBACK_TRIAGED)
    assert not Counter(record.key for record in sent * 2) - Counter(record.key for record in records), "what was sent was sent again"
    assert len(await plain.last_words(Topic.FEEDBACK_TRIAGED)) == 40
    assert len(await plain.last_words(Topic.CASE_CHANGED)) == 40
    reader = await plain.connect("recognition")
    assert await reader.fetchval("select count(*) from items") == 40
    assert await reader.fetchval("select count(*) from ledger where rule = 'item'") == 40
