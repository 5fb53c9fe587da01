"""`earshot import` against a served ingest: everything once, whatever the form, however often, killed or not."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from earshot_ingest.importing import command
from earshot_ingest.importing.command import import_command
from earshot_ingest.importing.progress import Progress, ProgressFile, Tally
from earshot_ingest.importing.reading import Line
from earshot_shared import ids
from support.ground import FreshDatabase
from support.ingest import FIRST_KEY, IngestUnderTest, an_item, migrate, running_ingest, served
from support.public_data import public_data


class Importer:
    """Runs the command against a served ingest."""

    def __init__(self, ingest: IngestUnderTest, url: str, data_dir: Path) -> None:
        self.ingest = ingest
        self._url = url
        self._data_dir = data_dir

    async def run(self, *arguments: str) -> Result:
        runner = CliRunner(env={"EARSHOT_API_KEY": FIRST_KEY})
        full = [*arguments, "--url", self._url, "--data-dir", str(self._data_dir)]
        return await asyncio.to_thread(runner.invoke, import_command, full)

    async def tally(self, *arguments: str) -> dict[str, int]:
        result = await self.run(*arguments)
        assert result.exit_code == 0, result.exception
        told: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
        return told


@pytest.fixture
async def importer(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Importer]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_ingest(dsn) as ingest, served(ingest) as url:
        yield Importer(ingest, url, tmp_path / "data")


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


async def test_items_come_in_once_and_bad_lines_are_named(importer: Importer, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [an_item(str(n % 700)) for n in range(1200)])
    with file.open("a") as more:
        more.write('\nno json\n{"source": "forum"}\n' + json.dumps(an_item("x", text="")) + "\n")
    wanted = {"read": 1203, "accepted": 700, "duplicates": 500, "rejected": 3}
    assert await importer.tally(str(file)) == wanted
    rejects = [json.loads(line) for line in (tmp_path / "a.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [(each["line"], each["code"]) for each in rejects] == [(1202, "json-invalid"), (1203, "required"), (1204, "text-empty")]
    assert await importer.tally(str(file)) == wanted | {"accepted": 0, "duplicates": 1200}
    assert len(await importer.ingest.told_items()) == 700


async def test_what_cannot_be_read_twice_is_refused(importer: Importer, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        result = await importer.run(str(path))
        assert (result.exit_code, "no plain file" in result.output) == (2, True)


async def test_an_import_that_was_stopped_goes_on(importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.jsonl", [an_item(str(n)) for n in range(2000)])
    sent = 0
    send = command.Import._send

    def dying(self: command.Import, batch: list[Line], tally: Tally) -> list[dict[str, Any]]:
        nonlocal sent
        sent += 1
        if sent == 3:
            raise KeyboardInterrupt
        return send(self, batch, tally)

    monkeypatch.setattr(command.Import, "_send", dying)
    assert (await importer.run(str(file))).exit_code != 0
    assert len(await importer.ingest.stored()) == 1000
    result = await importer.run(str(file))
    assert json.loads(result.stdout.splitlines()[-1]) == {"read": 2000, "accepted": 2000, "duplicates": 0, "rejected": 0}
    assert "going on after 1,000" in result.stderr
    assert len(await importer.ingest.told_items()) == 2000


async def test_what_is_refused_is_written_once_wherever_an_import_was_stopped(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.jsonl", [an_item(str(n), text="" if n % 400 == 0 else "x") for n in range(1600)])
    save = ProgressFile.save
    saved = 0

    def dying(self: ProgressFile, progress: Progress) -> None:
        nonlocal saved
        saved += 1
        if saved in (2, 4):
            raise KeyboardInterrupt  # the batch is sent and what it lacks is written, but nobody knows
        save(self, progress)

    monkeypatch.setattr(ProgressFile, "save", dying)
    for _ in range(2):
        assert (await importer.run(str(file))).exit_code != 0
    told = await importer.tally(str(file))
    assert (told["read"], told["accepted"] + told["duplicates"], told["rejected"]) == (1600, 1596, 4)
    rejects = [json.loads(line) for line in (tmp_path / "a.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [each["line"] for each in rejects] == [1, 401, 801, 1201]


async def test_rows_of_a_table(importer: Importer, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(
        "external_id,channel,author_email,text,occurred_at,rating,tags,shelf\n"
        '1,shop,ada@example.org,"Two\nlines, quoted",2026-01-01T00:00:00Z,4,a|b,7\n'
        "2,shop,,no author,2026-01-01T00:00:00Z,4,,\n"
        "3,shop,eve@example.org,,2026-01-01T00:00:00Z,5,,,surplus\n"
        "4,shop,eve@example.org,,2026-01-01T00:00:00Z,5,,\n"
    )
    assert await importer.tally(str(file), "--source", "shop") == {"read": 4, "accepted": 2, "duplicates": 0, "rejected": 2}
    item = (await importer.ingest.stored())[ids.feedback_id("shop", "1")]
    assert (item.text, item.tags, bytes(item.extra["shelf"])) == ("Two\nlines, quoted", ("a", "b"), b'"7"')
    assert item.rating is not None
    assert item.rating.value == 4
    rejects = [json.loads(line) for line in (tmp_path / "reviews.csv.rejects.jsonl").read_text().splitlines()]
    assert [(each["line"], each["code"]) for each in rejects] == [(4, "author-unknown"), (5, "record-invalid")]


async def test_tweets_of_the_original_table(importer: Importer, tmp_path: Path) -> None:
    file = tmp_path / "twcs.csv"
    file.write_text(
        "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
        "1,sprintcare,False,Tue Oct 31 22:10:47 +0000 2017,@115712 I understand.,2,3\n"
        "3,115712,True,Tue Oct 31 22:08:27 +0000 2017,@sprintcare is the worst,1,\n"
    )
    assert (await importer.tally(str(file), "--backfill"))["accepted"] == 2
    stored = await importer.ingest.stored()
    answer, question = stored[ids.feedback_id("twcs", "1")], stored[ids.feedback_id("twcs", "3")]
    assert answer.parents == (question.feedback_id,)
    assert (answer.brand, question.brand, answer.author.on_behalf_of_brand) == ("sprintcare", "sprintcare", True)
    assert answer.backfill
    assert not question.author.on_behalf_of_brand


async def test_another_brand_that_joins_in_speaks_for_itself(importer: Importer, tmp_path: Path) -> None:
    base = {"conversation_id": "c", "in_reply_to": None, "created_at": "2020-01-01T00:00:00.5Z", "text": "hello", "brand": "AcmeHelp"}
    messages = [
        base | {"message_id": "1", "author": "ada", "author_is_brand": False},
        base | {"message_id": "2", "author": "OtherBrand", "author_is_brand": True, "in_reply_to": "1"},
        base | {"message_id": "3", "author": "acmehelp", "author_is_brand": True, "in_reply_to": "1"},
    ]
    file = write(tmp_path / "c.jsonl", messages)
    assert (await importer.tally(str(file)))["accepted"] == 3
    stored = await importer.ingest.stored()
    assert [stored[ids.feedback_id("conversations", n)].brand for n in "123"] == ["AcmeHelp", "OtherBrand", "AcmeHelp"]


@pytest.mark.public_data
async def test_real_conversations_with_messages_in_two_of_them(importer: Importer) -> None:
    file = public_data("ibm_conversations", "dev.jsonl")
    assert await importer.tally(str(file), "--format", "conversations", "--backfill") == {
        "read": 976, "accepted": 972, "duplicates": 4, "rejected": 0,
    }  # fmt: skip
    stored = await importer.ingest.stored()
    assert sorted(len(item.conversations) for item in stored.values())[-5:] == [1, 2, 2, 2, 2]
    assert await importer.tally(str(file), "--backfill") == {"read": 976, "accepted": 0, "duplicates": 976, "rejected": 0}
    assert await importer.ingest.stored() == stored


@pytest.mark.public_data
async def test_the_sample_of_tweets(importer: Importer) -> None:
    file = public_data("twcs_sample", "dev.jsonl")
    assert (await importer.tally(str(file), "--format", "twcs", "--backfill"))["accepted"] == 93
