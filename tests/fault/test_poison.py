"""Records that cannot be applied, on the topic of a real triage: set aside whole, neighbours unharmed; and what an operator does then."""

import asyncio
import http.client
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from earshot_shared.cli.main import run
from earshot_shared.pipeline.loop import UNEXPECTED_IN_A_ROW
from earshot_shared.topics import Topic, partition_of
from fault.test_two_owners import received
from support.crm_ground import item
from support.replicas import Plain, Replica, until

pytestmark = pytest.mark.fault


@pytest.fixture
def operator(plain: Plain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plain:
    """The environment in which an operator gives commands."""
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", plain.dsn)
    monkeypatch.setenv("EARSHOT_KAFKA_BOOTSTRAP", plain.kafka)
    monkeypatch.setenv("EARSHOT_TOPIC_PREFIX", plain.prefix)
    monkeypatch.chdir(tmp_path)
    return plain


async def test_poison_is_set_aside_whole_and_shown_tried_again_or_dropped(operator: Plain, capsys: pytest.CaptureFixture[str]) -> None:
    plain = operator
    triage = plain.start("triage")
    await asyncio.to_thread(triage.until_ready)
    good = [received(item(f"good-{n}", id=f"a{n}")) for n in range(20)]
    no_column_holds_it = received(msgspec.structs.replace(item("nul", id="a"), brand="a\x00b"))
    bad = [(b"1", b"\xff\xfe\x00"), (b"2", b'{"specversion": "1.0"'), (b"3", b'{"data": {"feedback_id": 7}}'), no_column_holds_it]
    await plain.produce(Topic.FEEDBACK_RECEIVED, good[:10])
    await plain.produce(Topic.FEEDBACK_RECEIVED, bad, headers=[("x-from", b"elsewhere"), ("x-raw", b"\xff")])
    await plain.produce(Topic.FEEDBACK_RECEIVED, [*good[10:], (b"4", None)])
    conn = await plain.connect("triage")

    async def all_through() -> bool:
        stats = (await asyncio.to_thread(triage.ask, "/v1/stats"))[1]
        buried = await conn.fetchval("select count(*) from dead_letters")
        return bool(stats["lag"] == 0 and stats["feedback"] == 20 and buried == len(bad))

    await until(all_through, "the neighbours, and what is set aside")
    rows = await conn.fetch("select id, key, value, code, headers from dead_letters order by key")
    assert [(row["key"], row["value"]) for row in rows] == sorted(bad)
    assert {row["code"] for row in rows} == {"undecodable"}
    assert triage.ask("/readyz")[0] == 200

    letters = [json.loads(line) for line in said(capsys, "dead-letters", "list", "--json").splitlines()]
    assert {letter["service"] for letter in letters} == {"triage"}
    assert set(letters[0]) == {"id", "service", "topic", "partition", "offset", "code", "detail", "at"}
    of_nul = next(str(row["id"]) for row in rows if row["key"] == no_column_holds_it[0])
    shown = json.loads(said(capsys, "dead-letters", "show", of_nul))
    assert shown["value"] == no_column_holds_it[1].decode()
    assert shown["headers"] == [["x-from", "elsewhere"], ["x-raw", "base64:/w=="]]
    assert await asyncio.to_thread(run, ["dead-letters", "replay", of_nul]) == 1
    assert capsys.readouterr() == ("0 applied, 1 set aside again.\n", "Some failed again: `earshot dead-letters list` says why.\n")
    assert await conn.fetchval("select headers from dead_letters where id = $1::text::uuid", of_nul) is not None
    assert said(capsys, "dead-letters", "drop", of_nul) == "Dropped.\n"
    assert len(said(capsys, "dead-letters", "list", "--json").splitlines()) == 3


async def test_many_failures_of_our_own_stop_the_partition_and_nothing_is_skipped(operator: Plain) -> None:
    plain = operator
    triage = plain.start("triage")
    await asyncio.to_thread(triage.until_ready)
    conn = await plain.connect("triage")
    question = item("question", id="asker")
    await plain.produce(Topic.FEEDBACK_RECEIVED, [received(question)])

    async def heard() -> bool:
        return bool(await conn.fetchval("select count(*) from threads") == 1)

    await until(heard, "the question")
    # A fault of our own, as a bad deploy would make it: the thread's row can be read no more, so every reply to it fails.
    await conn.execute("create table saved as select thread, state from threads")
    await conn.execute("update threads set state = 'x'")
    replies = replies_on_one_partition(question.feedback_id, UNEXPECTED_IN_A_ROW + 5)
    await plain.produce(Topic.FEEDBACK_RECEIVED, replies)
    others = [received(item(f"other-{n}", id=f"o{n}")) for n in range(60)]
    await plain.produce(Topic.FEEDBACK_RECEIVED, others)

    async def paused() -> bool:
        return readiness(triage)[0] == 503

    await until(paused, "it says that it is not ready")
    assert "paused" in json.dumps(readiness(triage)[1])
    blocked = partition_of(replies[0][0], Topic.FEEDBACK_RECEIVED.value.partitions)
    neighbours = [each for each in others if partition_of(each[0], Topic.FEEDBACK_RECEIVED.value.partitions) != blocked]

    async def neighbours_came() -> bool:
        return bool(await conn.fetchval("select count(*) from feedback") >= 1 + len(neighbours))

    await until(neighbours_came, "the other partitions go on")
    assert await conn.fetchval("select count(*) from dead_letters") == UNEXPECTED_IN_A_ROW
    assert triage.ask("/v1/stats")[1]["lag"] > 0

    triage.kill()
    await conn.execute("update threads set state = saved.state from saved where saved.thread = threads.thread")
    mended = plain.start("triage")
    await asyncio.to_thread(mended.until_ready)
    assert await asyncio.to_thread(run, ["dead-letters", "replay", "--all"]) == 0

    async def all_there() -> bool:
        return bool(await conn.fetchval("select count(*) from feedback") == 1 + len(replies) + len(others))

    await until(all_there, "nothing was skipped")
    assert await conn.fetchval("select count(*) from dead_letters") == 0


STATES = {
    "ingest": (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_BACKFILLED),
    "triage": (Topic.FEEDBACK_TRIAGED, Topic.FEEDBACK_SUPPORT, Topic.CASE_CHANGED),
    "recognition": (Topic.RECOGNITION_CHANGED,),
    "crm-sync": (Topic.CUSTOMER_CHANGED, Topic.CONTACT_RECEIVED),
}
STRANGE_KEYS = (b"poison", b"\xff\xfe", b"a\x00b", b"", b"z" * 36, b"0" * 32, b"k" * 10_000)


async def test_a_stranger_may_write_under_any_key_and_no_service_stumbles(operator: Plain, capsys: pytest.CaptureFixture[str]) -> None:
    plain = operator
    services = {name: plain.start(name) for name in STATES}
    for replica in services.values():
        await asyncio.to_thread(replica.until_ready)

    async def all_publish() -> bool:
        return all("relay_lease" in replica.log.read_text() for replica in services.values())

    await until(all_publish, "every service knows what to expect on its topics")
    for topics in STATES.values():
        for topic in topics:
            await plain.produce(topic, [(key, value) for key in STRANGE_KEYS for value in (b"garbage", None)])
    good = item("after", id="a")
    await plain.produce(Topic.FEEDBACK_RECEIVED, [received(good)])

    async def all_came_past() -> bool:
        for replica in services.values():
            assert replica.process.poll() is None, replica.log.read_text()[-1500:]
        heard = (await asyncio.to_thread(services["crm-sync"].ask, "/v1/stats"))[1]["feedback"] == 1
        return heard and all("relay_repair" in replica.log.read_text() for replica in services.values())

    await until(all_came_past, "every service came past the strangers")
    assert [readiness(replica)[0] for replica in services.values()] == [200] * 4

    async def all_set_aside() -> list[dict[str, Any]]:
        letters = [json.loads(line) for line in said(capsys, "dead-letters", "list", "--json").splitlines()]
        return letters if {letter["service"] for letter in letters} == {"triage", "recognition", "crm-sync"} else []

    letters: list[dict[str, Any]] = await until(all_set_aside, "each reader set its strangers aside")
    assert len({letter["id"] for letter in letters}) == len(letters), "each service has its own letter of a record"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must succeed and return what it says."""
    capsys.readouterr()
    assert run_apart(list(arguments)) == 0
    return capsys.readouterr().out


def run_apart(arguments: list[str]) -> int:
    """Run a command with an event loop of its own, from inside a test that has one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run, arguments).result()


def readiness(replica: Replica) -> tuple[int, Any]:
    try:
        return replica.ask("/readyz")
    except (OSError, http.client.HTTPException):
        return 0, None


def replies_on_one_partition(parent: str, count: int) -> list[tuple[bytes, bytes]]:
    """Return replies to an item that all go to one partition."""
    replies: list[tuple[bytes, bytes]] = []
    number = 0
    while len(replies) < count:
        number += 1
        reply = msgspec.structs.replace(item(f"reply-{number}", at=number, id="asker"), parents=(parent,))
        if partition_of(reply.feedback_id.encode(), Topic.FEEDBACK_RECEIVED.value.partitions) == 0:
            replies.append(received(reply))
    return replies
