"""`config/triage.yaml`: monitors and labels in it, and what is wrong named by its line; the shipped file is the defaults."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from earshot_shared.config import ConfigError, load_config
from earshot_triage.config import TriageConfig
from earshot_triage.config_timing import Target
from earshot_triage.domain.message import Role
from earshot_triage.domain.routing import Router, Subject, route
from earshot_triage.rulebook import named, written

OFFICE = "{name: office, zone: Europe/Berlin, week: {monday: [09:00-17:00]}}"
WEEK = timedelta(days=7)
CALENDAR = "calendars:\n  - name: x\n    zone: UTC\n    week:\n      monday: {}\n"
SHIPPED = Path(__file__).resolve().parents[3] / "config"


def load(folder: Path, text: str) -> TriageConfig:
    (folder / "triage.yaml").write_text(text, encoding="utf-8")
    return load_config(folder, "triage", TriageConfig).model


def test_the_shipped_file_says_the_defaults() -> None:
    assert load_config(SHIPPED, "triage", TriageConfig).model == TriageConfig()


def test_rules_have_one_name_however_they_are_written(tmp_path: Path) -> None:
    one = load(tmp_path, "routes: [{name: x, when: {kind: [idea, vote, bug], intent: [bug, idea]}, to: [product]}]")
    other = load(tmp_path, "routes:\n  - {to: [product], name: x, when: {intent: {idea: 0.5, bug: 0.5}, kind: [vote, bug, idea]}}")
    assert named(one).version == named(other).version
    assert TriageConfig.model_validate(written(one)) == one


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("teams: [a]\nmonitors:\n  - name: x\n", 3, "no condition", id="no condition"),
        pytest.param("monitors:\n  - {name: x, any_of: [a]}\n  - {name: y, pattern: '('}\n", 3, "cannot be used", id="no pattern"),
        pytest.param("monitors:\n  - {name: x, any_of: [a],\n     intent: rage}\n", 3, "complaint", id="no intent"),
        pytest.param("monitors:\n  - {name: x, any_of: [' ']}\n", 2, "without letters", id="no letters"),
        pytest.param("monitors:\n  - {name: x, pattern: 'a)'}\n", 2, "(unexpected )", id="RE2's own words"),
        pytest.param("teams: [a]\nroutes:\n  - name: x\n    to: [a, b]\n", 4, "'b', which is not among", id="route to nobody"),
        pytest.param(
            "teams: [a]\nroutes: []\nmonitors:\n  - name: x\n    any_of: [y]\n    routes: [b]\n", 6, "monitor 'x'", id="monitor to nobody"
        ),
        pytest.param("targets:\n  - within_s: 5\n    team: [sales]\n", 3, "'sales', which is not among", id="target of nobody"),
        pytest.param("monitors:\n  - {name: x, any_of: [y]}\n  - {name: x, any_of: [z]}\n", 3, "must differ", id="one name twice"),
        pytest.param("teams: [a, B C]\n", 1, "should match", id="no name of a team"),
        pytest.param(
            "routes:\n  - name: x\n    to: []\n    when: {labels: {department: {billing: 2}}}\n", 4, "less than or equal", id="share"
        ),
        pytest.param("routes:\n  - {name: x, to: []}\n  - {name: y,\n     to: [nowhere]}\n", 4, "not among the teams", id="no team"),
        pytest.param("monitors:\n  - {name: x, any_of: [a]}\n  - {name: x, any_of: [b]}\n", 3, "names must differ", id="one name"),
        pytest.param(f"calendars:\n  - {OFFICE}\n  - {OFFICE}\n", 3, "names must differ", id="one calendar's name"),
        pytest.param(
            f"calendars:\n  - {OFFICE}\ntargets:\n  - within_s: 60\n    calendar: shop\n", 5, "no calendar 'shop'", id="no calendar"
        ),
        pytest.param("silence:\n  - {source: a, within_s: 60}\n  - {source: a, within_s: 90}\n", 3, "stands twice", id="one source"),
        pytest.param("silence:\n  - {source: a, within_s: 60, calendar: shop}\n", 2, "no calendar 'shop'", id="no calendar of silence"),
        pytest.param("spikes:\n  window_s: 400\n", 2, "multiple of 300", id="no multiple"),
        pytest.param("spikes:\n  known_s: 900\n", 1, "at least 8 windows", id="too little known"),
        pytest.param("calendars:\n  - name: x\n    zone: Europe/Bern\n    week: {}\n", 3, "no time zone", id="no zone"),
        pytest.param("calendars:\n  - name: x\n    zone: ../etc\n    week: {}\n", 3, "no time zone", id="a path is no zone"),
        pytest.param("calendars:\n  - {name: x, zone: UTC, week: {monday: []}}\n", 2, "at least one weekday", id="no hours"),
        pytest.param(CALENDAR.format("[9-17]"), 5, "written as", id="not hours"),
        pytest.param(CALENDAR.format("[17:00-09:00]"), 5, "begin before they end", id="hours backwards"),
        pytest.param(CALENDAR.format("[09:00-24:30]"), 5, "begin before they end", id="hours beyond the day"),
        pytest.param(CALENDAR.format("[13:00-17:00, 09:00-13:01]"), 5, "must not overlap", id="hours that overlap"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    fault = caught.value.faults[0]
    assert (fault.line, said in fault.reason) == (line, True), fault


@pytest.mark.capability("T7")
@pytest.mark.capability("G8")
def test_a_target_may_name_a_calendar(tmp_path: Path) -> None:
    office = OFFICE.replace("}}", "}, holidays: [2026-12-28]}")
    config = load(tmp_path, f"calendars:\n  - {office}\ntargets:\n  - {{within_s: 3600, brand: [Acme], calendar: office}}")
    assert TriageConfig.model_validate(written(config)) == config
    rules = config.rules("r")
    friday = datetime(2026, 12, 18, 12, tzinfo=UTC)
    assert rules.target_of(priority=1, brand="Acme", team=None).due(friday) == datetime(2026, 12, 21, 9, tzinfo=UTC)
    assert rules.target_of(priority=1, brand="Acme", team=None).due(friday + WEEK) == datetime(2027, 1, 4, 9, tzinfo=UTC)
    assert rules.target_of(priority=1, brand="Bolt", team=None).due(friday) == friday + timedelta(hours=1)
    assert "tone" not in Target.model_fields
    assert "sentiment" not in Target.model_fields


def subject(**labels: tuple[str, float]) -> Subject:
    return Subject(Role.CUSTOMER, "post", "forum", "forum", "public", None, "en", "ok", 1, 0.0, None, {}, labels)


@pytest.mark.capability("T4")
@pytest.mark.parametrize(
    ("labels", "to"),
    [
        pytest.param({}, (), id="no labels"),
        pytest.param({"department": ("billing", 0.6)}, ("support",), id="at least a half"),
        pytest.param({"department": ("billing", 0.4)}, (), id="too unsure"),
        pytest.param({"department": ("cards", 0.9)}, ("support",), id="another of the list"),
        pytest.param({"department": ("delivery", 0.9)}, (), id="another label"),
        pytest.param({"product": ("app", 0.8)}, ("product",), id="another set"),
        pytest.param({"product": ("app", 0.7)}, (), id="below its bound"),
        pytest.param({"product": ("app", 0.9), "department": ("cards", 0.9)}, ("support", "product", "community"), id="both agree"),
    ],
)
def test_routes_match_labels(tmp_path: Path, labels: dict[str, tuple[str, float]], to: tuple[str, ...]) -> None:
    config = load(
        tmp_path,
        """
routes:
  - {name: money, when: {labels: {department: [billing, cards]}}, to: [support]}
  - {name: app, when: {labels: {product: {app: 0.75}}}, to: [product]}
  - {name: both, when: {labels: {product: [app], department: [cards]}}, to: [community]}
""",
    )
    rules = config.rules("r")
    router = Router(rules)
    for _ in range(2):  # asked, then remembered
        assert router.route(subject(**labels)).routes == to
    assert route(subject(**labels), rules).routes == to


def test_a_met_label_is_named_in_the_reasons(tmp_path: Path) -> None:
    config = load(tmp_path, "routes: [{name: money, when: {labels: {department: [billing]}}, to: [support]}]")
    found = route(subject(department=("billing", 0.9)), config.rules("r"))
    assert found.reasons[0] == "route support: money (department “billing”)"
