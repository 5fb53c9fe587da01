"""Commands that are given an address and a key instead of a data folder: a service's own address, or the console's for all of them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from earshot_shared.cli.main import run
from support.system import System

Told = tuple[int, str, str]
Command = Callable[..., Told]


@pytest.fixture
def command(system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Gives commands that know nothing of the system but an address and a key: exit code, output, errors."""
    for name in os.environ:
        if name.startswith("EARSHOT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def give(service: str, *arguments: str, key: str | None = None) -> Told:
        monkeypatch.setenv("EARSHOT_API_KEY", key or system.state["api_key"])
        capsys.readouterr()
        code = run([*arguments, "--url", system.state["services"].get(service, service)])
        return (code, *capsys.readouterr())

    return give


@pytest.mark.parametrize("service", ["ingest", "console"])
def test_a_key_is_made_listed_and_ended(system: System, command: Command, service: str) -> None:
    made = command(service, "keys", "create", "--scope", "ingest:write", "--source", "forum", "--name", "by url")[1]
    token = made.splitlines()[-1]
    key_id = token.split("_")[1]
    listed = [json.loads(line) for line in command(service, "keys", "list", "--json")[1].splitlines()]
    mine = next(key for key in listed if key["id"] == key_id)
    assert (mine["name"], mine["scopes"], mine["sources"], mine["revoked_at"]) == ("by url", ["ingest:write"], ["forum"], None)
    refused = command(service, "keys", "list", key=token)
    assert (refused[0], refused[2]) == (1, "This key lacks the scope admin.\n")
    assert command(service, "keys", "revoke", token)[1] == f"Key {key_id} is revoked.\n"
    refused = command(service, "keys", "revoke", "aaaaaaaaaaaa")
    assert (refused[0], refused[2]) == (1, "There is no key of that id.\n")


@pytest.mark.capability("C16")
def test_a_key_bound_to_a_brand_sees_no_people_of_others(system: System, command: Command) -> None:
    scopes = "triage:read,recognition:read,recognition:write,crm-sync:read,crm-sync:write"
    token = command("ingest", "keys", "create", "--scope", scopes, "--brand", "Acme")[1].splitlines()[-1]
    paths = {
        "crm-sync": ("GET /v1/customers", "GET /v1/stats", "POST /v1/contacts"),
        "recognition": ("GET /v1/leaderboards/active", "GET /v1/network", "POST /v1/advocates/forum:u1/invite"),
        "triage": ("GET /v1/cases",),
    }
    for service, wishes in paths.items():
        for method, path in (wish.split() for wish in wishes):
            headers = {"authorization": f"Bearer {token}"}
            answer = httpx.request(method, system.state["services"][service] + path, headers=headers, timeout=20)
            assert (answer.status_code, answer.json().get("code")) == ((200, None) if service == "triage" else (403, "key-bound")), path


@pytest.mark.parametrize("service", ["triage", "console"])
def test_a_view_is_made_anew(system: System, command: Command, service: str) -> None:
    item = {
        "source": "forum", "external_id": f"replayed by {service}", "channel": "forum", "author": {"id": "u1"},
        "text": "Where is my parcel?", "occurred_at": "2026-05-01T12:00:00Z",
    }  # fmt: skip
    assert system.ask("ingest", "/v1/feedback", method="POST", body=item)[0] == 202
    before: dict[str, Any] = system.settle()["triage"]
    told = json.loads(command(service, "replay", "--service", "triage", "--from-beginning")[1].splitlines()[-1])
    assert told["service"] == "triage"
    assert told["events"] >= 1
    after = system.settle()["triage"]
    assert (after["feedback"], after["cases"]) == (before["feedback"], before["cases"])


def test_a_replay_wants_the_right_address(system: System, command: Command) -> None:
    address = system.state["services"]["ingest"]
    wrong = command("ingest", "replay", "--service", "triage", "--from-beginning")
    assert (wrong[0], wrong[2]) == (1, f"{address} is the address of ingest: give the one of triage, or the console's.\n")
    nobody = command("http://127.0.0.1:9", "keys", "list")
    assert (nobody[0], nobody[2].count("\n")) == (1, 1)
    assert "does not answer" in nobody[2]


@pytest.mark.parametrize("service", ["triage", "console"])
def test_what_was_set_aside_is_listed_shown_tried_and_dropped(system: System, command: Command, service: str) -> None:
    # An event in form, as the tests of other readers of this system's topics expect; no item.
    stranger = json.dumps({"specversion": "1.0", "id": f"stranger-{service}", "subject": service, "data": {"feedback_id": 7}})
    producer = Producer({"bootstrap.servers": system.state["kafka"], "log_level": 0})
    producer.produce("earshot.feedback.received.v1", value=stranger.encode(), key=service.encode())
    producer.flush(20)
    system.settle()
    listed = [json.loads(line) for line in command(service, "dead-letters", "list", "--json")[1].splitlines()]
    letter = [each for each in listed if each["service"] == "triage"][-1]  # a replay brings those of other tests again
    assert set(letter) == {"id", "service", "topic", "partition", "offset", "code", "detail", "at"}
    shown = json.loads(command(service, "dead-letters", "show", letter["id"])[1])
    assert (shown["value"], shown["key"]) == (stranger, service)
    tried = command(service, "dead-letters", "replay", letter["id"])
    assert tried[:2] == (1, "0 applied, 1 set aside again.\n")
    tried = command(service, "dead-letters", "replay", "--all", "--service", "triage")
    assert tried[0] == 1
    assert tried[1].startswith("0 applied, ")
    assert command(service, "dead-letters", "drop", letter["id"])[1] == "Dropped.\n"
    assert letter["id"] not in command(service, "dead-letters", "list", "--json")[1]
    gone = command(service, "dead-letters", "show", letter["id"])
    assert (gone[0], gone[2].count("\n")) == (1, 1)
