"""Actions on the wire, keyed hashes, and the rules of paths."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest

from earshot_shared import envelope
from earshot_shared.access import Secret
from earshot_shared.actions import ActionWriter, Actor, decode_action, new_action
from earshot_shared.http.rules import PathRule, PathRules
from earshot_shared.topics import Topic

ID = UUID("5d8a4f6e-3f3c-4a53-9d1b-1f2f3a4b5c6d")
AT = datetime(2024, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))


def test_an_action_comes_back_as_it_was() -> None:
    arguments: dict[str, object] = {"seen": 17, "text": "Danke"}
    action = new_action(
        action_id=ID, service="triage", actor=Actor("desk", "Zoë"), verb="respond", subject="f1", at=AT, arguments=arguments
    )
    arguments["seen"] = 18  # too late
    message = ActionWriter("triage").write(action, traceparent="00-x")
    assert (message.topic, message.key) == (Topic.ACTION_TAKEN, str(ID).encode())
    assert message.value is not None
    event = envelope.decode(message.value)
    assert (event.id, event.subject, event.time, event.traceparent) == (str(ID), str(ID), "2024-05-01T12:00:00Z", "00-x")
    back = decode_action(event.data)
    assert (back.action_id, back.actor, back.verb, back.subject, back.at) == (ID, Actor("desk", "Zoë"), "respond", "f1", AT.astimezone(UTC))
    assert msgspec.json.decode(back.arguments) == {"seen": 17, "text": "Danke"}
    assert str(back.actor) == "Zoë"
    assert str(Actor("desk")) == "desk"


def test_what_is_no_action_is_said() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_action(b'{"action_id": "5d8a4f6e-3f3c-4a53-9d1b-1f2f3a4b5c6d"}')


def test_hashes_hang_on_purpose_value_and_installation() -> None:
    hashes = {
        Secret(secret * 32).hash_text(purpose, value)
        for secret in (b"a", b"b")
        for purpose in ("mail", "customer")
        for value in ("anna@example.org", "bert@example.org")
    }
    assert len(hashes) == 8
    assert Secret(b"a" * 32).hash_text("mail", "x") == Secret(b"a" * 32).hash_text("mail", "x")


def test_a_secret_never_shows_itself() -> None:
    assert "a" * 8 not in repr(Secret(b"a" * 32))
    with pytest.raises(ValueError, match="32 bytes"):
        Secret(b"short")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/feedback", "form", id="that very path"),
        pytest.param("/feedback/", "strict", id="not another spelling"),
        pytest.param("/v1/webhooks/shop", "hooks", id="a prefix"),
        pytest.param("/v1/webhooks/big/x", "big", id="the longest prefix"),
        pytest.param("/v1/webhooks", "strict", id="not the prefix itself"),
        pytest.param("/", "page", id="the root alone"),
        pytest.param("/v1/anything", "strict", id="everything else"),
        pytest.param("/healthz", "open", id="common"),
    ],
)
def test_rules_of_paths(path: str, expected: str) -> None:
    named = {
        "form": PathRule(open=True, body="raw"),
        "hooks": PathRule(open=True, body_limit_bytes=1),
        "big": PathRule(body_limit_bytes=2),
        "page": PathRule(open=True, body_limit_bytes=3),
        "strict": PathRule(),
        "open": PathRule(open=True, body_limit_bytes=0),
    }
    rules = PathRules({"/feedback": named["form"], "/v1/webhooks/": named["hooks"], "/v1/webhooks/big/": named["big"], "/": named["page"]})
    assert rules.of(path) == named[expected]
