"""What the doctor says."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from earshot_shared.local import findings, kafka, postgres
from earshot_shared.local.doctor import doctor
from earshot_shared.local.files import DataFolder
from earshot_shared.local.findings import Finding, Grade, examine
from earshot_shared.local.ports import LOOPBACK, free_ports


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EARSHOT_KAFKA_BOOTSTRAP", "EARSHOT_POSTGRES_DSN"):
        monkeypatch.delenv(name, raising=False)


def test_a_misspelt_variable_and_a_taken_port_are_found_with_the_mending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EARSHOT_KAFKA_BOOTSTRP", "x")
    [base] = free_ports(1)
    with socket.socket() as holder:
        holder.bind((LOOPBACK, base + 1))
        holder.listen()
        told = CliRunner().invoke(doctor, ["--data-dir", str(tmp_path), "--port-base", str(base)])
    assert told.exit_code == 1
    assert "EARSHOT_KAFKA_BOOTSTRAP?" in told.output
    assert f"{base + 1} (ingest)" in told.output
    assert "2 things need mending." in told.output


def test_a_variable_that_no_service_could_use_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_LOG_LEVEL", "loud")
    [found] = findings._variables()
    assert (found.grade, "EARSHOT_LOG_LEVEL" in found.what, "loud" in found.what) == (Grade.BAD, True, False)


@pytest.mark.parametrize("key", [None, "a-key-of-our-own-entirely", "the example's"])
def test_the_key_that_everybody_knows_is_doubtful(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    lines = (Path(__file__).parents[3] / ".env.example").read_text().splitlines()
    shown = next(line.partition("=")[2] for line in lines if line.startswith("EARSHOT_API_KEY="))
    monkeypatch.delenv("EARSHOT_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("EARSHOT_API_KEY", shown if key == "the example's" else key)
    assert [each.grade for each in findings._variables()] == ([Grade.DOUBTFUL] if key == "the example's" else [])


def test_a_server_that_does_not_answer_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "kafka_answers", lambda *_, **__: False)
    monkeypatch.setattr(postgres, "postgres_answers", lambda *_, **__: False)
    found = list(findings._addresses("127.0.0.1:1", "postgresql://u:secret@h/d"))
    assert [each.grade for each in found] == [Grade.BAD, Grade.BAD]
    assert "secret" not in str(found)


def test_no_room_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(findings, "DISK_NEEDED_BYTES", 10**18)
    assert any(each.grade is Grade.BAD and "free for" in each.what for each in examine(DataFolder(tmp_path / "deep" / "er"), 1))


class Point:
    """Stands for an entry point."""

    name = "config"

    @staticmethod
    def load() -> object:
        return lambda _folder: iter([Finding(Grade.BAD, "config/teams.yaml, line 3: no such team", "correct it")])


def test_other_parts_add_their_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(findings, "entry_points", lambda **_: [Point()])
    assert list(examine(DataFolder(tmp_path), 1))[-1].what == "config/teams.yaml, line 3: no such team"


def test_a_wrong_configuration_is_found_with_its_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text("routes: 7\n", encoding="utf-8")
    monkeypatch.setenv("EARSHOT_CONFIG_DIR", str(tmp_path))
    bad = [each for each in examine(DataFolder(tmp_path), 1) if each.grade is Grade.BAD and "triage.yaml" in each.what]
    assert bad
    assert "config check" in bad[0].mend


def test_of_a_folder_that_is_none_no_file_is_called_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EARSHOT_CONFIG_DIR", str(tmp_path / "none"))
    found = list(examine(DataFolder(tmp_path), 1))
    assert any(each.grade is Grade.BAD and "EARSHOT_CONFIG_DIR" in each.what for each in found)
    assert not [each for each in found if "configuration file" in each.what]


def test_where_both_servers_are_named_nothing_of_a_local_system_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kafka, "kafka_answers", lambda *_, **__: True)
    monkeypatch.setattr(postgres, "postgres_answers", lambda *_, **__: True)
    monkeypatch.setattr(findings, "_schemas", lambda _dsn: iter([]))
    monkeypatch.setenv("EARSHOT_KAFKA_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", "postgresql://earshot@postgres:5432/earshot")
    with socket.socket() as holder:  # a service that listens, as the container's own does
        holder.bind((LOOPBACK, 0))
        holder.listen()
        found = list(examine(DataFolder(tmp_path), holder.getsockname()[1]))
    told = [each.what for each in found]
    assert {"Kafka answers at kafka:9092", "Postgres answers"} <= set(told)
    assert not [each for each in told if "Java" in each or "Ports" in each or "GB free" in each or "PostgreSQL" in each]
