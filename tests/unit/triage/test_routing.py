"""Where items go, how they are treated and by when they are answered, rule by rule."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from earshot_shared.config import ConfigError, load_config
from earshot_triage.config import Route, TriageConfig, When
from earshot_triage.config_timing import Target
from earshot_triage.domain.message import Role, Stance
from earshot_triage.domain.routing import Router, Rules, Subject, route

CHECKOUT = Path(__file__).parents[3]
RULES = TriageConfig().rules("v1")


def subject(**changes: Any) -> Subject:
    plain = Subject(
        role=Role.CUSTOMER, kind="post", channel="forum", source="forum", visibility="public", brand="Acme", language="en", conduct="ok",
        severity=2, sentiment=0.0, rating=None, intents={},
    )  # fmt: skip
    return plain._replace(**changes)


@pytest.mark.capability("T4")
@pytest.mark.capability("T27")
@pytest.mark.parametrize(
    ("changes", "routes", "stance"),
    [
        pytest.param({"intents": {"complaint": 0.8}}, ("support",), Stance.RESPOND, id="complaint"),
        pytest.param({"intents": {"question": 0.5}}, ("support",), Stance.RESPOND, id="question at the bound"),
        pytest.param({"intents": {"question": 0.49}}, (), Stance.WATCH, id="question below the bound"),
        pytest.param({"intents": {"idea": 0.9}}, ("product",), Stance.RESPOND, id="idea"),
        pytest.param({"intents": {"bug": 0.9}}, ("support", "product"), Stance.RESPOND, id="bug"),
        pytest.param({"intents": {"idea": 0.9, "complaint": 0.7}}, ("support", "product"), Stance.RESPOND, id="idea and complaint"),
        pytest.param({"kind": "vote"}, ("product",), Stance.WATCH, id="vote"),
        pytest.param({"rating": 0.2}, ("support", "product"), Stance.RESPOND, id="one star"),
        pytest.param({"rating": 1.0, "intents": {"praise": 0.9}}, (), Stance.WATCH, id="praise"),
        pytest.param({"conduct": "spam", "intents": {"complaint": 0.9}}, (), Stance.LEAVE, id="spam"),
        pytest.param({"conduct": "off_topic"}, (), Stance.LEAVE, id="off topic"),
        pytest.param({"conduct": "abusive", "intents": {"complaint": 0.9}}, ("community",), Stance.WATCH, id="abuse"),
        pytest.param({"role": Role.BRAND, "intents": {"question": 0.9}}, (), Stance.WATCH, id="our own words"),
        pytest.param({"role": Role.STAFF, "intents": {"bug": 0.9}}, ("support", "product"), Stance.RESPOND, id="staff"),
    ],
)
def test_the_shipped_rules(changes: dict[str, Any], routes: tuple[str, ...], stance: Stance) -> None:
    found = route(subject(**changes), RULES)
    assert (found.routes, found.stance) == (routes, stance)
    assert found.reasons, "every decision says why"
    assert Router(RULES).route(subject(**changes)) == found


@pytest.mark.capability("T3")
def test_negative_and_bad_part_ways() -> None:
    negative = route(subject(intents={"complaint": 0.9}, sentiment=-0.9), RULES)
    bad = route(subject(intents={"complaint": 0.9}, sentiment=-0.9, conduct="abusive"), RULES)
    assert negative.routes == ("support",)
    assert bad.routes == ("community",)


@pytest.mark.capability("G8")
@pytest.mark.parametrize("sentiment", [-1.0, 0.0, 1.0])
def test_angry_and_friendly_customers_get_the_same_time(sentiment: float) -> None:
    found = route(subject(intents={"question": 0.9}, sentiment=sentiment), RULES)
    assert found == route(subject(intents={"question": 0.9}), RULES)
    assert RULES.target_of(priority=2, brand="Acme", team="support").within_s == 3600


def test_reasons_name_rule_and_ground() -> None:
    found = route(subject(intents={"bug": 0.9}, severity=3), RULES)
    assert found.reasons == (
        "route support, product: bugs concern both (bug at least 0.5)",
        "stance respond: who asks or complains is answered (bug at least 0.5)",
    )


def rules_with(*routes: Route, targets: tuple[Target, ...] = ()) -> Rules:
    return TriageConfig(routes=routes, targets=targets).rules("v2")


@pytest.mark.parametrize(
    ("when", "met", "missed"),
    [
        pytest.param(When(channel=frozenset({"mail"})), {"channel": "mail"}, {}, id="channel"),
        pytest.param(When(source=frozenset({"shop"})), {"source": "shop"}, {}, id="source"),
        pytest.param(When(brand=frozenset({"Bolt"})), {"brand": "Bolt"}, {"brand": None}, id="brand"),
        pytest.param(When(language=frozenset({"de"})), {"language": "de"}, {}, id="language"),
        pytest.param(When(visibility=frozenset({"private"})), {"visibility": "private"}, {}, id="visibility"),
        pytest.param(When(severity_from=3), {"severity": 3}, {"severity": 2}, id="severity"),
        pytest.param(When(sentiment_to=-0.5), {"sentiment": -0.5}, {"sentiment": -0.4}, id="sentiment"),
        pytest.param(When(rating_to=0.4), {"rating": 0.4}, {"rating": None}, id="rating"),
        pytest.param(When(intent={"bug": 0.3}), {"intents": {"bug": 0.3}}, {"intents": {"bug": 0.29}}, id="intent"),
        pytest.param(
            When(channel=frozenset({"mail"}), severity_from=3), {"channel": "mail", "severity": 4}, {"channel": "mail"}, id="all agree"
        ),
    ],
)
def test_a_condition_is_met_when_all_it_asks_agrees(when: When, met: dict[str, Any], missed: dict[str, Any]) -> None:
    router = Router(rules_with(Route(name="it", when=when, to=("product",))))
    assert router.route(subject(**met)).routes == ("product",)
    assert router.route(subject(**missed)).routes == ()
    assert router.route(subject(**met)).routes == ("product",)


def test_targets_make_exceptions_in_their_order() -> None:
    rules = rules_with(
        targets=(Target(within_s=900, priority=frozenset({4})), Target(within_s=60, brand=frozenset({"Acme"}), team=frozenset({"support"})))
    )
    assert rules.target_of(priority=4, brand="Acme", team="support").within_s == 900
    assert rules.target_of(priority=1, brand="Acme", team="support").within_s == 60
    assert rules.target_of(priority=1, brand="Acme", team="product").within_s == 3600


def test_the_shipped_file_says_the_defaults() -> None:
    loaded = load_config(CHECKOUT / "config", "triage", TriageConfig)
    assert loaded.model == TriageConfig()


@pytest.mark.parametrize(
    "text",
    [
        "routes: [{name: x, to: [nowhere]}]",
        "routes: [{name: x, to: [product], when: {intent: {anger: 0.5}}}]",
        "first_response_s: 0",
        "stances: [{name: x, stance: shout}]",
        "colour: red",
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "triage.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(tmp_path, "triage", TriageConfig)


def test_rules_are_immutable() -> None:
    with pytest.raises(ValidationError):
        TriageConfig().teams = ()  # type: ignore[misc]  # that this fails is the point
