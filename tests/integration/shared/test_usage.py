"""What an operator sees of commands used wrongly or in vain: exit codes and one sentence, never a traceback."""

from pathlib import Path

import pytest

from earshot_shared.cli.main import run
from earshot_shared.migrations import migrate_all
from support.ground import FreshDatabase

NO_LETTER = "0b5e0e8e-0000-4000-8000-000000000000"

CASES = [
    (["dead-letters", "list", "--service", "nope"], 2, "There is no service nope"),
    (["dead-letters", "show", "x"], 2, "not a valid UUID"),
    (["dead-letters", "show", NO_LETTER], 1, "There is no dead letter"),
    (["dead-letters", "drop", NO_LETTER], 1, "There is no dead letter"),
    (["dead-letters", "replay", NO_LETTER], 1, "There is no dead letter"),
    (["dead-letters", "replay"], 2, "Name one ID, or say --all."),
    (["dead-letters", "replay", "--all", NO_LETTER], 2, "Name one ID, or say --all."),
    (["replay", "--service", "triage"], 2, "Say either --from-beginning or --since TIME."),
    (["replay", "--service", "nope", "--from-beginning"], 2, "'nope' is not one of"),
    (["replay", "--service", "triage", "--since", "yesterday"], 2, "it is not an RFC 3339 time"),
    (["replay", "--service", "triage", "--from-beginning"], 1, "Where is Kafka?"),
    (["ingest", "republish", "--since", "soon"], 2, "it is not an RFC 3339 time"),
    (["ingest", "republish", "--since", "9" * 20 + "d"], 2, "nothing was heard so long ago"),
    (["ingest", "republish", "--since", "1h"], 1, "Where is Kafka?"),
    (["topics", "apply", "--replication", "0"], 2, "not in the range"),
    (["config", "check", "--config-dir", "/nowhere"], 2, "does not exist"),
    (["keys", "revoke", "nope"], 1, "There is no such key"),
]  # fmt: skip


def test_wrong_use_is_said_in_a_sentence(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", fresh_database(migrate_all))
    for name in ("EARSHOT_KAFKA_BOOTSTRAP", "EARSHOT_TOPIC_PREFIX", "EARSHOT_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for arguments, code, sentence in CASES:
        assert (arguments, run(arguments)) == (arguments, code)
        told = capsys.readouterr().err
        assert sentence in told, arguments
        assert "Traceback" not in told
        if code == 1:
            assert told.count("\n") == 1, told


def test_what_is_used_well_succeeds(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", fresh_database(migrate_all))
    monkeypatch.chdir(tmp_path)
    assert run(["dead-letters", "list"]) == 0
    assert capsys.readouterr().out == "Nothing is set aside.\n"
    assert run(["dead-letters", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert run(["config", "check"]) == 0
    assert "triage.yaml: " in capsys.readouterr().out


def test_a_misspelt_folder_of_files_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EARSHOT_CONFIGDIR", "/etc/earshot")
    assert run(["config", "check"]) == 1
    assert "EARSHOT_CONFIG_DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [("triage", "classify"), ("triage", "train"), ("crm-sync", "resolve"), ("crm-sync", "learn")], ids="-".join
)
def test_nor_does_an_offline_command_pass_it_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, str]
) -> None:
    monkeypatch.setenv("EARSHOT_CONFIGDIR", "/etc/earshot")
    (tmp_path / "in.jsonl").write_bytes(b"")
    assert run([*command, "--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl")]) == 1
    assert "EARSHOT_CONFIG_DIR" in capsys.readouterr().err


def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sources.yaml").write_text("sources:\n  forum:\n    verifies: [everything]\n", encoding="utf-8")
    assert run(["config", "check", "--config-dir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "sources.yaml" in out
    assert "3" in out
    assert "mend and check again" in err
