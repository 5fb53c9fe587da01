"""Small scenes answered as a sensible person would: alone, all in one file, and in company of thousands of others."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest

from earshot_crm_sync.identity.offline.columns import columns_of
from earshot_crm_sync.identity.offline.engine import resolve_columns
from support.identity_scenarios import SCENARIOS, Row, Scene
from support.identity_scenarios_more import MORE_SCENARIOS
from support.identity_stranger import SCENES, fill
from support.identity_stranger.world import World

ALL = SCENARIOS | MORE_SCENARIOS


def answered(rows: list[Row]) -> list[int]:
    """Return whose each record is, after the way through JSON that a file takes."""
    read = [msgspec.json.decode(msgspec.json.encode({"id": place, **row})) for place, row in enumerate(rows)]
    return [*resolve_columns(columns_of(read)).label.tolist()]


def mistakes(scene: Scene, label: list[int]) -> list[tuple[int, int]]:
    """Return the pairs of records that are answered wrongly; one that may be either person's counts for nothing."""
    sure = [place for place, (who, _) in enumerate(scene) if "?" not in who]
    return [(a, b) for a, b in combinations(sure, 2) if (scene[a][0] == scene[b][0]) != (label[a] == label[b])]


@pytest.mark.capability("C1")
@pytest.mark.parametrize("name", ALL)
def test_a_scene_alone(name: str) -> None:
    scene = ALL[name]
    assert mistakes(scene, answered([row for _, row in scene])) == []


@pytest.mark.capability("C1")
@pytest.mark.parametrize("others", [0, 40], ids=["among each other", "among strangers"])
def test_all_scenes_in_one_file(others: int) -> None:
    world = World(77)
    for name in SCENES if others else ():
        fill(world, name, others)
    label = answered([row for scene in ALL.values() for _, row in scene] + world.records)
    wrong, place = {}, 0
    for name, scene in ALL.items():
        wrong[name] = mistakes(scene, label[place : place + len(scene)])
        place += len(scene)
    assert {name: pairs for name, pairs in wrong.items() if pairs} == {}
