"""The locked jars: nothing else is ever run."""

import hashlib
from pathlib import Path

import pytest

from earshot_shared.local import kafka_jars
from earshot_shared.local.errors import NotToBeHadError
from earshot_shared.local.kafka_jars import KAFKA_VERSION, Jar, cache_folder, fetch_kafka, locked_jars, missing


def jar(file: str, content: bytes) -> Jar:
    return Jar("group", file.removesuffix(".jar"), "1", file, len(content), hashlib.sha256(content).hexdigest())


def test_the_lock_names_every_jar_once_with_its_digest_and_no_address() -> None:
    jars = locked_jars()
    assert len({each.file for each in jars}) == len(jars) == 46
    assert all(len(bytes.fromhex(each.sha256)) == 32 and each.size_bytes > 0 for each in jars)
    assert {each.version for each in jars if each.group == "org.apache.kafka"} == {KAFKA_VERSION}
    assert {"kafka_2.13", "kafka-server", "kafka-clients", "log4j-core", "log4j-slf4j-impl"} <= {each.artifact for each in jars}
    assert "://" not in Path(kafka_jars.__file__).with_name(kafka_jars.LOCK).read_text()


def test_what_is_absent_or_altered_is_missing(tmp_path: Path) -> None:
    good, altered, absent = jar("good.jar", b"good"), jar("altered.jar", b"right"), jar("absent.jar", b"x")
    (tmp_path / "good.jar").write_bytes(b"good")
    (tmp_path / "altered.jar").write_bytes(b"wrong")
    assert missing(tmp_path, [good, altered, absent]) == [altered, absent]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"EARSHOT_CACHE_DIR": "/a"}, f"/a/kafka/{KAFKA_VERSION}", id="named by us"),
        pytest.param({"XDG_CACHE_HOME": "/b"}, f"/b/earshot/kafka/{KAFKA_VERSION}", id="named by the desktop"),
        pytest.param({"HOME": "/c"}, f"/c/.cache/earshot/kafka/{KAFKA_VERSION}", id="the home"),
    ],
)
def test_the_cache_lies_outside_the_repository(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str) -> None:
    for name in ("EARSHOT_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


class Repository:
    """Stands for the public repository: gives what it holds, and counts what it was asked for."""

    def __init__(self, holds: dict[str, bytes]) -> None:
        self.holds = holds
        self.asked: list[str] = []

    def download(self, wanted: Jar, scratch: Path) -> Path:
        self.asked.append(wanted.file)
        scratch.mkdir()
        path = scratch / wanted.file
        path.write_bytes(self.holds[wanted.file])
        return path


def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Repository, jars: list[Jar]) -> None:
    monkeypatch.setenv("EARSHOT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kafka_jars, "locked_jars", lambda: jars)
    monkeypatch.setattr(kafka_jars, "_download", repository.download)


def test_only_what_is_missing_is_fetched_and_progress_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jars = [jar(f"{name}.jar", name.encode()) for name in ("one", "two", "three")]
    repository = Repository({each.file: each.artifact.encode() for each in jars})
    use(monkeypatch, tmp_path, repository, jars)
    told: list[tuple[int, int]] = []
    folder = fetch_kafka(lambda there, total: told.append((there, total)))
    assert missing(folder, jars) == []
    assert told[0] == (0, 11)
    assert told[-1] == (11, 11)
    (folder / "two.jar").unlink()
    fetch_kafka()
    assert sorted(repository.asked) == ["one.jar", "three.jar", "two.jar", "two.jar"]
    assert sorted(path.name for path in folder.iterdir()) == ["one.jar", "three.jar", "two.jar"]


def test_a_jar_that_differs_from_the_lock_is_never_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = [jar("one.jar", b"right")]
    use(monkeypatch, tmp_path, Repository({"one.jar": b"wrong"}), wanted)
    with pytest.raises(NotToBeHadError, match=r"one\.jar is not the file that was locked"):
        fetch_kafka()
    assert missing(cache_folder(), wanted) == wanted


def test_the_first_jar_that_is_not_to_be_had_ends_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jars = [jar(f"{number}.jar", b"x") for number in range(100)]
    repository = Repository({})
    use(monkeypatch, tmp_path, repository, jars)
    with pytest.raises(NotToBeHadError, match=r"KAFKA_HOME"):
        fetch_kafka()
    assert len(set(repository.asked)) < 20
