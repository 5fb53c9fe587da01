"""Config files: validated with lines, versioned, read anew."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from earshot_shared.config import ConfigError, ConfigFile, check_all, fault_at, load_config
from earshot_shared.metrics import Metrics


class Target(BaseModel):
    """One target."""

    model_config = ConfigDict(extra="forbid")
    team: Literal["support", "product"]
    within_s: Annotated[int, Field(gt=0)] = 3600
    note: str = ""

    @field_validator("note")
    @classmethod
    def _no_tabs(cls, value: str) -> str:
        if "\t" in value:
            raise ValueError("Tabs are not for notes")
        return value


class Levels(BaseModel):
    """A config file."""

    model_config = ConfigDict(extra="forbid")
    name: str = "shipped"
    targets: list[Target] = []

    @model_validator(mode="after")
    def _one_each(self) -> "Levels":
        teams = [target.team for target in self.targets]
        for index, team in enumerate(teams):
            if team in teams[:index]:
                raise fault_at(f"There are two of {team}", "targets", index, "team")
        return self


GOOD = """\
# what we promise
name: ours
targets:
  - team: support
    within_s: 60
  - team: product
"""


def write(folder: Path, text: str | bytes, name: str = "levels") -> None:
    """Write a config file as editors do: a new file in the place of the old."""
    fresh = folder / ".new"
    fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.replace(fresh, folder / f"{name}.yaml")


def test_a_good_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    loaded = load_config(tmp_path, "levels", Levels)
    assert loaded.model.targets == [Target(team="support", within_s=60), Target(team="product")]
    assert not loaded.absent
    assert len(loaded.version) == 12


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "{}"])
def test_nothing_means_as_shipped(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        write(tmp_path, text)
    loaded = load_config(tmp_path, "levels", Levels)
    assert (loaded.model, loaded.absent) == (Levels(), text is None)


def test_the_version_is_that_of_the_content(tmp_path: Path) -> None:
    versions = []
    for text in (GOOD, GOOD + "\n# a remark\n", GOOD.replace("within_s: 60", "within_s:   60 "), GOOD.replace("60", "61")):
        write(tmp_path, text)
        versions.append(load_config(tmp_path, "levels", Levels).version)
    assert versions[0] == versions[1] == versions[2] != versions[3]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param(
            "targets:\n  - team: support\n    within_s: soon\n", ["3: targets.0.within_s: input should be a valid integer"], id="type"
        ),
        pytest.param(
            "targets:\n  - team: support\n  - team: sales\n", ["3: targets.1.team: input should be 'support' or 'product'"], id="choice"
        ),
        pytest.param("targets:\n\n  - within_s: 5\n", ["3: targets.0.team: is required"], id="missing"),
        pytest.param("nmae: x\n", ["1: nmae: there is no such setting"], id="unknown"),
        pytest.param("name: a\nname: b\n", ["2: the same name stands twice"], id="twice"),
        pytest.param("name: [a\ntargets: b", ["2: is not YAML"], id="not closed"),
        pytest.param("name: a\n\ttargets: []\n", ["2: is not YAML"], id="tab"),
        pytest.param("- a\n- b\n", ["1: should be lines of `name: value`"], id="a list"),
        pytest.param("just words\n", ["1: should be lines of `name: value`"], id="words"),
        pytest.param(b"name: a\n# \xff\n", ["2: is not UTF-8"], id="not UTF-8"),
        pytest.param("name: a\n# \x00\n", ["2: is not YAML"], id="NUL"),
        pytest.param("name: !!python/object:os.system x\n", ["is not YAML"], id="python tag"),
        pytest.param('targets:\n  - team: support\n    note: "a\\tb"\n', ["3: targets.0.note: tabs are not for notes"], id="our own check"),
        pytest.param(
            "targets:\n  - team: support\n  - note: x\n    team: support\n",
            ["4: targets.1.team: there are two of support"],
            id="of several",
        ),
        pytest.param("name: 5\ntargets: 6\n", ["1: name: ", "2: targets: "], id="two faults"),
        pytest.param("a: " + "[" * 5000, ["is not YAML"], id="deep"),
    ],
)
def test_faults_have_a_line_and_a_reason(tmp_path: Path, text: str | bytes, faults: list[str]) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_config(tmp_path, "levels", Levels)
    told = [str(fault) for fault in refused.value.faults]
    assert len(told) == len(faults)
    for fault, expected in zip(told, faults, strict=True):
        assert fault.startswith(str(tmp_path / "levels.yaml"))
        assert expected in fault


def test_all_files_of_a_folder_are_checked(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "x: 1", name="leevls")
    (tmp_path / "levels.yml").write_text("", encoding="utf-8")
    verdicts = check_all(tmp_path, {"levels": Levels, "absent": Levels})
    assert {verdict.name for verdict in verdicts if not verdict.faults} == {"levels", "absent"}
    faults = [str(fault) for verdict in verdicts for fault in verdict.faults]
    assert len(faults) == 2
    assert all("nobody reads this file" in fault for fault in faults)


def test_a_change_is_taken_up_and_told(tmp_path: Path) -> None:
    metrics = Metrics("test")
    write(tmp_path, GOOD)
    file = ConfigFile(tmp_path, "levels", Levels).counted_in(metrics)
    told: list[str] = []
    file.follow(lambda loaded: told.append(loaded.model.name))
    assert not file.look()
    write(tmp_path, GOOD.replace("ours", "theirs"))
    assert file.look()
    assert (file.current.model.name, told) == ("theirs", ["theirs"])
    assert not file.look()
    assert b'earshot_config_reloads_total{file="levels",outcome="accepted"} 1.0' in metrics.render()


def test_a_bad_change_leaves_the_last_good_version(tmp_path: Path) -> None:
    metrics = Metrics("test")
    write(tmp_path, GOOD)
    file = ConfigFile(tmp_path, "levels", Levels).counted_in(metrics)
    version = file.current.version
    assert b"earshot_config_refused 0.0" in metrics.render()
    write(tmp_path, "name: [")
    assert not file.look()
    assert (file.current.version, file.current.model.name) == (version, "ours")
    assert file.refused is not None
    assert b"earshot_config_refused 1.0" in metrics.render()
    write(tmp_path, GOOD)
    file.look()
    assert file.refused is None
    assert b"earshot_config_refused 0.0" in metrics.render()


def test_a_file_that_goes_away_means_as_shipped(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    file = ConfigFile(tmp_path, "levels", Levels)
    (tmp_path / "levels.yaml").unlink()
    assert file.look()
    assert file.current.model == Levels()


async def test_watching_takes_it_up_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earshot_shared.config._LOOK_EVERY_S", 0.01)
    file = ConfigFile(tmp_path, "levels", Levels)
    changed = asyncio.Event()
    file.follow(lambda _: changed.set())
    async with asyncio.timeout(10):
        watching = asyncio.create_task(file.watch())
        write(tmp_path, GOOD)
        await changed.wait()
    watching.cancel()
    assert file.current.model.name == "ours"
