"""An installation's own labels in the pipeline: used as soon as they are taught, in decisions and in routing, also for old items."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from earshot_shared.item import Item
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.replay import Replay, run_replay
from earshot_shared.topics_admin import apply_topics
from earshot_triage.cli import commands
from integration.triage.test_published import eventually, produce
from support.triage import TriageUnderTest, running_triage
from support.triage_world import DAY, plain_item, rows_of

DEPARTMENTS = {
    "billing": ["I was charged twice", "refund my money please", "the invoice is wrong", "my card was charged", "wrong amount billed"],
    "delivery": ["where is my parcel", "the parcel arrived broken", "delivery is late", "courier lost my box", "package not arrived"],
    "account": ["cannot log in", "reset my password", "my account is locked", "change my email address", "login code missing"],
}
RULES = """
teams: [product, support, community, accounts]
routes:
  - {name: money matters, when: {labels: {department: {billing: 0.3}}}, to: [accounts]}
  - {name: the rest, to: [support]}
"""


def run(*arguments: str) -> str:
    done = CliRunner().invoke(commands, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def teach(folder: Path, labels: dict[str, list[str]]) -> None:
    source = folder.with_suffix(".jsonl")
    source.write_text("\n".join(json.dumps({"text": text, "label": name}) for name, texts in labels.items() for text in texts))
    run("train", "--labels", "department", "--input", str(source), "--model-dir", str(folder))


async def decision(triage: TriageUnderTest, item: Item) -> Any:
    return (await triage.http.get(f"/v1/feedback/{item.feedback_id}")).json()


@pytest.mark.capability("T4")
@pytest.mark.capability("T33")
async def test_labels_taught_while_it_runs_route_new_and_old_items(
    kafka_bootstrap: str, topic_prefix: str, fresh_database: Any, tmp_path: Path
) -> None:
    dsn = await asyncio.to_thread(fresh_database, lambda address: migrate_all(address, topic_prefix))
    await apply_topics(kafka_bootstrap, topic_prefix)
    (tmp_path / "triage.yaml").write_text(RULES, encoding="utf-8")
    folder = tmp_path / "model"
    old, new = plain_item("old", 0, "you charged my card twice"), plain_item("new", 1, "the amount billed is wrong")
    async with running_triage(
        dsn, kafka=kafka_bootstrap, prefix=topic_prefix, config_dir=tmp_path, learned=True, model_dir=folder, clock=lambda: DAY
    ) as triage:

        async def applied(*items: Item) -> bool:
            stats = (await triage.http.get("/v1/stats")).json()
            return bool(stats["feedback"] >= len(items) and stats["lag"] == 0 and stats["unpublished"] == 0)

        async def replay() -> None:
            wanted = Replay(service="triage", package="earshot_triage", since=DAY)
            await run_replay(wanted, dsn=dsn, bootstrap=kafka_bootstrap, prefix=topic_prefix, progress=lambda done, of: None)
            await eventually(lambda: applied(old, new), "all told again")

        await produce(kafka_bootstrap, topic_prefix, [old])
        await eventually(lambda: applied(old), "the item before anybody taught")
        plain = await decision(triage, old)
        assert (plain["routes"], "labels" in plain) == (["support"], False)
        await triage.http.post(f"/v1/feedback/{old.feedback_id}/correct", json={"intent": "complaint"})

        await asyncio.to_thread(teach, folder, DEPARTMENTS)
        decider = triage.wiring.book.decider
        await eventually(lambda: _true(bool(decider.judge.label_versions)), "labels in use without a restart")
        await produce(kafka_bootstrap, topic_prefix, [new])
        await eventually(lambda: applied(old, new), "the item after it")
        labelled = await decision(triage, new)
        assert labelled["labels"]["department"]["label"] == "billing"
        assert labelled["topics"] == ["billing"]
        assert labelled["routes"] == ["accounts", "support"]
        assert "department-" in labelled["model_version"]
        assert (await decision(triage, old))["routes"] == ["support"]

        await replay()
        again = await decision(triage, old)
        assert (again["routes"], again["intent"]) == (["accounts", "support"], "complaint"), "people's word stands"
        told = await rows_of(triage.runtime.pool)
        await replay()
        assert await rows_of(triage.runtime.pool) == told
        stats = (await triage.http.get("/v1/stats")).json()
        assert (stats["feedback"], stats["by_route"]["accounts"]) == (2, 2)

        used = decider.judge
        arguments = ("--model-dir", str(folder), "--labels", "department")
        await asyncio.to_thread(run, "labels", "rename", *arguments, "--from", "billing", "--to", "money")
        await eventually(lambda: _true(decider.judge is not used), "the new name in use")
        await replay()
        assert (await decision(triage, old))["labels"]["department"]["label"] == "money"
        assert (await decision(triage, old))["routes"] == ["support"], "the rule names a label that is no more"
        used = decider.judge
        await asyncio.to_thread(run, "labels", "remove", *arguments, "--label", "money")
        await eventually(lambda: _true(decider.judge is not used), "it is gone")
        await replay()
        assert (await decision(triage, old))["labels"]["department"]["label"] in ("account", "delivery")
        assert run("labels", "list", "--model-dir", str(folder)).split() == ["department", "account", "department", "delivery"]


async def _true(value: bool) -> bool:
    return value


async def test_a_broken_model_folder_changes_nothing(fresh_database: Any, tmp_path: Path) -> None:
    dsn = await asyncio.to_thread(fresh_database, migrate_all)
    folder = tmp_path / "model"
    await asyncio.to_thread(teach, folder, DEPARTMENTS)
    async with running_triage(dsn, learned=True, model_dir=folder) as triage:
        models, decider = triage.wiring.models, triage.wiring.book.decider
        assert models is not None
        used = decider.judge
        (folder / "labels" / "department" / "bias.npy").write_bytes(b"nonsense")
        assert not await models.look(), "still being written, as far as one look can tell"
        assert not await models.look()
        assert decider.judge is used
        await asyncio.to_thread(teach, folder, DEPARTMENTS)
        assert [await models.look() for _ in range(3)] == [False, True, False]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["rename", "--from", "x", "--to", "y"], "no label “x”", id="unknown"),
        pytest.param(["rename", "--from", "billing", "--to", "account"], "taken", id="taken"),
        pytest.param(["remove", "--label", "x"], "no label “x”", id="remove unknown"),
    ],
)
def test_labels_that_cannot_be_changed_are_refused_in_words(tmp_path: Path, arguments: list[str], said: str) -> None:
    teach(tmp_path / "model", DEPARTMENTS)
    done = CliRunner().invoke(commands, ["labels", *arguments, "--model-dir", str(tmp_path / "model"), "--labels", "department"])
    assert done.exit_code != 0
    assert said in f"{done.output}{done.exception}"


def test_the_last_two_labels_stay(tmp_path: Path) -> None:
    teach(tmp_path / "model", {name: DEPARTMENTS[name] for name in ("billing", "account")})
    done = CliRunner().invoke(
        commands, ["labels", "remove", "--label", "billing", "--model-dir", str(tmp_path / "model"), "--labels", "department"]
    )
    assert "two are the least" in str(done.exception)
