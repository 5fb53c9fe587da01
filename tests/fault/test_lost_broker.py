"""Kafka's data taken away, or an older copy put in its place: the services stop with the sentence that helps, `republish` mends it."""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from fault.storm.reckoning import check_last_words, check_presence, check_replay, check_timelines
from fault.storm.weather import make_item
from support.processes import freeze
from support.system import System, running

pytestmark = pytest.mark.fault

HELPFUL = "earshot ingest republish --since"
NOTICED_S = 150.0  # a busy machine takes its time over several starts


def pour(system: System, numbers: range, acknowledged: dict[str, dict[str, Any]]) -> None:
    """Send items with links among them, and remember them by id."""
    draw = random.Random(numbers.start)
    items = [make_item(draw, number) for number in numbers]
    status, told = system.ask("ingest", "/v1/feedback/batch", method="POST", body={"items": items})
    assert (status, told["rejected"]) == (202, [])
    acknowledged |= {answer["feedback_id"]: item for answer, item in zip(told["items"], items, strict=True)}


def act(system: System) -> str:
    """Let people act: a reply, a merge, a record of a CRM; return the case that was answered."""
    _, cases = system.ask("triage", "/v1/cases?limit=1")
    case, seen = cases["items"][0]["case_id"], cases["items"][0]["version"]
    status, told = system.ask("triage", f"/v1/cases/{case}/respond", method="POST", body={"text": "We are on it.", "seen": seen})
    assert status == 200, told
    contact = {"connector": "crm", "record_id": "7", "email": "person1@example.com", "updated_at": "2026-01-02T00:00:00Z"}
    status, told = system.ask("crm-sync", "/v1/contacts", method="POST", body=contact)
    assert status in (200, 202), told
    system.settle()
    return str(case)


def until_said(log: Path, words: str) -> None:
    """Wait until a log says something."""
    deadline = time.monotonic() + NOTICED_S
    while words not in log.read_text(errors="replace"):
        assert time.monotonic() < deadline, f"{log.name} does not say so: {log.read_text(errors='replace')[-1500:]}"
        time.sleep(0.2)


def take_copy(system: System, to: Path) -> None:
    """Copy Kafka's data as it is now."""
    kafka = system.pid_of("kafka")
    assert kafka is not None
    try:
        freeze(kafka)
        shutil.copytree(system.folder / "kafka" / "storage", to)
    finally:
        os.kill(kafka, signal.SIGCONT)


def republish(system: System) -> None:
    """Run the command that mends it; every service must have begun anew."""
    told = json.loads(system.command("ingest", "republish", "--since", "1h").splitlines()[-1])
    assert told["begun_anew"]
    system.until_ready()
    system.settle()


def counts(system: System) -> dict[str, int]:
    """Return how many items each view holds."""
    return {name: system.ask(name, "/v1/stats")[1]["feedback"] for name in ("triage", "recognition", "crm-sync")}


@pytest.mark.capability("C5")
def test_a_broker_that_lost_everything_and_one_that_is_an_older_copy(tmp_path: Path) -> None:
    """The first under a running system; the second while it is stopped, so that the next start meets it."""
    tmp_path.chmod(0o755)
    folder, copy = tmp_path / "system", tmp_path / "copy"
    acknowledged: dict[str, dict[str, Any]] = {}
    with running(folder) as system:
        pour(system, range(80), acknowledged)
        system.settle()
        case = act(system)
        before = counts(system)
        kafka = system.pid_of("kafka")
        assert kafka is not None
        shutil.rmtree(folder / "kafka" / "storage")
        os.kill(kafka, signal.SIGKILL)
        until_said(folder / "logs" / "crm-sync.log", "earshot topics apply")
        system.command("topics", "apply")
        until_said(folder / "logs" / "triage.log", HELPFUL)
        assert not system.state["ready"]
        republish(system)
        assert counts(system) == before
        pour(system, range(80, 120), acknowledged)
        system.settle()
        take_copy(system, copy)
        pour(system, range(120, 160), acknowledged)
        system.settle()
        before = counts(system)

    shutil.rmtree(folder / "kafka" / "storage")
    copy.rename(folder / "kafka" / "storage")
    with running(folder, await_ready=False) as system:
        until_said(folder / "up.log", "The services wait for that")
        assert HELPFUL in system.last_words()
        assert system.state["ready"] is False
        republish(system)
        assert counts(system) == before
        pour(system, range(160, 200), acknowledged)
        check_presence(system, acknowledged, set())
        check_timelines(system, acknowledged, sample=5)
        check_last_words(system)
        check_replay(system)  # what is there now can give everything back
        status, told = system.ask("triage", f"/v1/cases/{case}")
        assert (status, told["status"]) == (200, "waiting")
