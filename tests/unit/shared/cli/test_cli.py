"""The command line: exit codes, sentences, finding the system."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import psutil
import pytest

from earshot_shared.cli import main
from earshot_shared.cli.locate import find_servers, find_service
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.errors import FatalError


@click.command()
@click.option("--how", default="well")
def act(how: str) -> int | None:
    """Do something."""
    if how == "badly":
        raise FatalError("It went wrong: try it well.")
    if how == "oddly":
        raise ZeroDivisionError("secret")
    if how == "in company":
        raise ExceptionGroup("several", [FatalError("One of several went wrong.")])
    if how == "half":
        return 1
    if how == "interrupted":
        raise KeyboardInterrupt
    click.echo("done")
    return None


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "act": EntryPoint(name="act", group=main.GROUP, value=f"{__name__}:act"),
        "gone": EntryPoint(name="gone", group=main.GROUP, value="earshot_not_there.cli:commands"),
    }
    monkeypatch.setattr(main, "_points", lambda: points)
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())


def _this() -> object:
    module = type(sys)(__name__)
    module.__dict__["act"] = act
    return module


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EARSHOT_API_KEY", "EARSHOT_POSTGRES_DSN", "EARSHOT_KAFKA_BOOTSTRAP", "EARSHOT_TOPIC_PREFIX"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        pytest.param(["act"], 0, "done\n", "", id="done"),
        pytest.param(["act", "--how", "badly"], 1, "", "It went wrong: try it well.\n", id="failed"),
        pytest.param(["act", "--how", "in company"], 1, "", "One of several went wrong.\n", id="one of several"),
        pytest.param(["act", "--how", "half"], 1, "", "", id="its own code"),
        pytest.param(["act", "--how", "interrupted"], 130, "", "\nInterrupted.\n", id="interrupted"),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, out: str, err: str) -> None:
    assert main.run(arguments) == code
    assert capsys.readouterr() == (out, err)


@pytest.mark.parametrize("arguments", [["nonsense"], ["act", "--what"], ["act", "extra"], ["act", "--how"]])
def test_wrong_usage_is_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main.run(arguments) == 2
    assert "Error: " in capsys.readouterr().err


def test_what_nobody_foresaw_is_one_sentence_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["act", "--how", "oddly"]) == 1
    told = capsys.readouterr().err
    assert told == "Something unexpected happened (ZeroDivisionError): run the command again with --debug to see where.\n"


@pytest.mark.parametrize("arguments", [["--debug", "act", "--how", "oddly"], ["act", "--how", "oddly", "--debug"]])
def test_debug_shows_the_traceback(arguments: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        main.run(arguments)


def test_no_command_runs_under_a_misspelt_variable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EARSHOT_TRIAGE_MODLE_DIR", "/models")
    assert main.run(["act"]) == 1
    told = capsys.readouterr()
    assert told == ("", "Nobody knows the variable EARSHOT_TRIAGE_MODLE_DIR: did you mean EARSHOT_TRIAGE_MODEL_DIR?\n")
    assert main.run(["--help"]) == 0


def test_a_command_that_cannot_be_loaded_takes_no_other_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    assert "gone" in capsys.readouterr().out
    assert main.run(["gone", "serve", "--port", "5"]) == 1
    assert "earshot_not_there" in capsys.readouterr().err


SYSTEM: dict[str, object] = {
    "ready": True,
    "api_key": "the-key-of-the-local-system",
    "kafka": "127.0.0.1:9999",
    "postgres": "postgresql://local/earshot",
    "services": {"ingest": "http://127.0.0.1:8001/"},
    "processes": {"ingest": 2},
    "something_new": [],
}


def write_system(folder: Path, content: dict[str, object]) -> None:
    """Write the state file of a system whose supervisor is this process."""
    own = {"pid": os.getpid(), "started_at_s": psutil.Process().create_time()}
    (folder / "earshot.json").write_text(json.dumps({**own, **content}), encoding="utf-8")


def test_a_local_system_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_system(tmp_path, SYSTEM)
    found = find_service("ingest", data_dir=tmp_path, url=None)
    assert (found.url, found.api_key) == ("http://127.0.0.1:8001", "the-key-of-the-local-system")
    servers = find_servers(tmp_path)
    assert (servers.kafka(), servers.postgres(), servers.topic_prefix) == ("127.0.0.1:9999", "postgresql://local/earshot", "earshot.")
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", "postgresql://other/earshot")
    monkeypatch.setenv("EARSHOT_TOPIC_PREFIX", "acme")
    assert (find_servers(tmp_path).postgres(), find_servers(tmp_path).topic_prefix) == ("postgresql://other/earshot", "acme")


def test_a_remote_service_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_API_KEY", "the-key-of-another-system")
    found = find_service("ingest", data_dir=tmp_path, url="https://ingest.example.org/")
    assert (found.url, found.api_key) == ("https://ingest.example.org", "the-key-of-another-system")


@pytest.mark.parametrize(
    ("content", "service", "url", "sentence"),
    [
        pytest.param(None, "ingest", None, "No system runs on", id="none there"),
        pytest.param({**SYSTEM, "ready": False}, "ingest", None, "is not ready", id="not ready"),
        pytest.param(SYSTEM, "triage", None, "does not run triage", id="not that service"),
        pytest.param({"ready": True}, "ingest", None, "not a file of ours", id="half a file"),
        pytest.param({**SYSTEM, "pid": 2**22 + 1}, "ingest", None, "was killed: start it again", id="killed"),
        pytest.param(None, "ingest", "http://x", "set EARSHOT_API_KEY", id="no key"),
    ],
)
def test_what_cannot_be_found_is_said(
    tmp_path: Path, content: dict[str, object] | None, service: str, url: str | None, sentence: str
) -> None:
    if content is not None:
        write_system(tmp_path, content)
    with pytest.raises(CommandFailedError, match=sentence):
        find_service(service, data_dir=tmp_path, url=url)


def test_without_a_system_commands_ask_for_addresses(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="EARSHOT_POSTGRES_DSN"):
        find_servers(tmp_path).postgres()
    with pytest.raises(CommandFailedError, match="EARSHOT_KAFKA_BOOTSTRAP"):
        find_servers(tmp_path).kafka()


def test_the_installed_program() -> None:
    program = Path(sys.executable).parent / "earshot"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert (told.returncode, told.stdout.split()[0]) == (0, "earshot,")
