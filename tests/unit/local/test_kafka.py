"""What is decided before a broker starts."""

from pathlib import Path

import pytest

from earshot_shared.local import kafka
from earshot_shared.local.kafka import InstalledKafka, find_installed, new_cluster_id


def test_a_cluster_id_never_looks_like_an_option() -> None:
    draws = iter([b"\xf8" + b"\x00" * 15, b"\xfb" + b"\xff" * 15, b"\x00" * 16])
    assert new_cluster_id(lambda: next(draws)) == "A" * 22


def installed(home: Path, version: str) -> Path:
    (home / "libs").mkdir(parents=True)
    (home / "libs" / f"kafka_2.13-{version}.jar").touch()
    return home


def test_an_installed_kafka_is_taken_when_it_is_recent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KAFKA_HOME", str(installed(tmp_path / "new", "4.1.1")))
    home = tmp_path / "new"
    assert find_installed() == InstalledKafka(home / "libs", "4.1.1", str(home))
    assert kafka.find_or_fetch() == find_installed()


def test_an_old_kafka_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KAFKA_HOME", str(installed(tmp_path / "old", "3.9.0")))
    found = find_installed()
    assert found is None or found.origin != str(tmp_path / "old")
