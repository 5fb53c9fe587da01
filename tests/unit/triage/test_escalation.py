"""Ladders: which rungs have come, and which ladders are refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from earshot_shared.config import ConfigFile, check_all, load_config
from earshot_triage.config import TriageConfig
from earshot_triage.domain.escalation import Ladder, Rung

BREACH = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = (0, 600, 3600)
LADDER = Ladder(tuple(Rung(number=n, after_s=at, people=(f"p{n}",), roles=(), team=None) for n, at in enumerate(TIMES, 1)))


def later(seconds: int) -> datetime:
    return BREACH + timedelta(seconds=seconds)


@pytest.mark.capability("T9")
@pytest.mark.parametrize(
    ("told_s", "now_s", "reached", "next_s"),
    [
        pytest.param(-1, -1, [], 0, id="before the breach"),
        pytest.param(-1, 0, [1], 600, id="at the breach"),
        pytest.param(0, 599, [], 600, id="between two"),
        pytest.param(0, 600, [2], 3600, id="the next"),
        pytest.param(-1, 700, [1, 2], 3600, id="two at once, after a stop of ours"),
        pytest.param(600, 9999, [3], None, id="the last"),
        pytest.param(3600, 9999, [], None, id="at the top"),
        pytest.param(300, 9999, [2, 3], None, id="told by a ladder that has changed since"),
    ],
)
def test_which_rungs_have_come(told_s: int, now_s: int, reached: list[int], next_s: int | None) -> None:
    climb = LADDER.climb(told_s=told_s, now=later(now_s), at=later)
    assert [each.rung.number for each in climb.reached] == reached
    assert [each.at for each in climb.reached] == [later(TIMES[number - 1]) for number in reached]
    assert climb.next_at == (None if next_s is None else later(next_s))


FIRST = "escalation:\n  ladders:\n    - team: [support]\n      rungs:\n        - {after_s: 0, people: [Ann Lee]}\n"


@pytest.mark.capability("T9")
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param(FIRST + "        - {after_s: 60, people: []}\n", 6, "names people or roles", id="nobody"),
        pytest.param(FIRST + "        - {after_s: 0, roles: [lead]}\n", 6, "later than the one before", id="times do not grow"),
        pytest.param(FIRST + "        - {after_s: -5, roles: [lead]}\n", 6, "greater than or equal", id="before the breach"),
        pytest.param(FIRST + "        - {after_s: 5, roles: [lead], team: legal}\n", 6, "'legal' is not among", id="no such team"),
        pytest.param("escalation:\n  ladders:\n    - rungs: []\n", 3, "at least one rung", id="no rungs"),
        pytest.param(FIRST.replace("support", "legal"), 3, "'legal'", id="of no team"),
        pytest.param(FIRST + "  required: [support, product]\n", 6, "team 'product'", id="a team without a ladder"),
        pytest.param(
            FIRST.replace("[support]", "[support]\n      priority: [4]") + "  required: [support]\n", 7, "every case", id="of some cases"
        ),
    ],
)  # fmt: skip
def test_an_incomplete_ladder_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    (tmp_path / "triage.yaml").write_text(text, encoding="utf-8")
    faults = check_all(tmp_path, {"triage": TriageConfig})[0].faults
    assert [(fault.line, said in fault.reason) for fault in faults] == [(line, True)], faults


@pytest.mark.capability("T9")
def test_a_ladder_that_turns_incomplete_changes_nothing(tmp_path: Path) -> None:
    text = FIRST + "  required: [support]\n"
    (tmp_path / "triage.yaml").write_text(text, encoding="utf-8")
    file = ConfigFile(tmp_path, "triage", TriageConfig)
    (tmp_path / "triage.yaml").write_text(text.replace("Ann Lee", ""), encoding="utf-8")
    assert not file.look()
    assert file.refused is not None
    assert "triage.yaml:5" in str(file.refused)
    ladder = file.current.model.rules("r").ladder_of(priority=1, brand=None, team="support")
    assert ladder is not None
    assert ladder.rungs[0].people == ("Ann Lee",)


def test_the_first_ladder_that_is_met_decides(tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text(
        "escalation:\n  ladders:\n"
        "    - {priority: [4], rungs: [{after_s: 0, roles: [wolf]}]}\n"
        "    - {team: [support], brand: [Acme], rungs: [{after_s: 60, roles: [lead], team: product}]}\n",
        encoding="utf-8",
    )
    rules = load_config(tmp_path, "triage", TriageConfig).model.rules("r")

    def roles(priority: int, brand: str | None, team: str | None) -> tuple[str, ...] | None:
        ladder = rules.ladder_of(priority=priority, brand=brand, team=team)
        return None if ladder is None else ladder.rungs[0].roles

    assert roles(4, None, None) == ("wolf",)
    assert roles(2, "Acme", "support") == ("lead",)
    assert roles(2, "Bolt", "support") is None


def test_without_ladders_nobody_is_called() -> None:
    assert TriageConfig().rules("r").ladder_of(priority=4, brand="Acme", team="support") is None
