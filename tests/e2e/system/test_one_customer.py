"""What every source brings and what somebody does add to one customer, through the whole system."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from support.system import System

# source, channel, kind, text, rating
HEARD = (
    ("hotline", "phone", "note", "Called about a late parcel; was told Friday.", None),
    ("mailbox", "mail", "message", "Where is my parcel?", None),
    ("newsletter", "newsletter", "reply", "Your last issue did not open on my phone.", None),
    ("signature", "mail-signature", "rating", "", {"value": 4, "best": 5}),
    ("survey", "survey", "rating", "Answers take too long.", {"value": 2, "best": 5}),
    ("branch", "shop-floor", "note", "Told us that she sings while the kettle boils.", None),
)
START = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.capability("L15")
@pytest.mark.capability("L17")
def test_notes_of_calls_mail_newsletters_signatures_and_surveys_are_sources_like_any_other(system: System) -> None:
    mark = secrets.token_hex(4)
    address = f"{mark}@example.org"
    token = system.command("keys", "create", "--scope", "ingest:write", "--name", "sources").splitlines()[-1]
    ids: dict[str, str] = {}
    for number, (name, channel, kind, text, rating) in enumerate(HEARD):
        kept = {"name": f"{name}.{mark}", "verifies": ["email"]}
        assert system.ask("ingest", "/v1/sources", method="POST", body=kept)[0] == 201
        item = {
            "source": kept["name"], "external_id": f"{number}", "channel": channel, "kind": kind, "text": text, "rating": rating,
            "author": {"email": address, "email_verified": True}, "occurred_at": (START + timedelta(minutes=number)).isoformat(),
        }  # fmt: skip
        answer = httpx.post(
            f"{system.state['services']['ingest']}/v1/feedback", json=item, headers={"authorization": f"Bearer {token}"}, timeout=20
        )
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted"), answer.text
        ids[name] = answer.json()["feedback_id"]
    system.settle()

    for name, channel, *_ in HEARD:
        health = system.ask("ingest", f"/v1/sources/{name}.{mark}")[1]["health"]
        assert (health["accepted"], health["rejected"]) == (1, 0)
        decision = system.ask("triage", f"/v1/feedback/{ids[name]}")[1]
        assert (decision["source"], decision["channel"]) == (f"{name}.{mark}", channel)
        assert decision["reasons"]

    (customer,) = system.ask("crm-sync", f"/v1/customers?identifier={address}")[1]["items"]
    assert customer["feedback_count"] == len(HEARD)
    timeline = system.ask("crm-sync", f"/v1/customers/{customer['customer_id']}/timeline")[1]["items"]
    told = [(each["feedback_id"], each["channel"], each["kind"], each["text"]) for each in timeline]
    assert told == [(ids[name], channel, kind, text) for name, channel, kind, text, _ in reversed(HEARD)]


@pytest.mark.capability("C8")
def test_what_somebody_does_enriches_the_profile(system: System) -> None:
    mark = secrets.token_hex(4)

    def say(number: int, who: str, text: str, **more: Any) -> str:
        item = {
            "source": f"behaviour.{mark}", "external_id": f"{number}", "channel": f"forum-{mark}", "author": {"id": who}, "text": text,
            "occurred_at": (START + timedelta(minutes=number)).isoformat(), **more,
        }  # fmt: skip
        status, told = system.ask("ingest", "/v1/feedback", method="POST", body=item)
        assert status == 202, told
        return str(told["feedback_id"])

    def profile(feedback_id: str) -> dict[str, Any]:
        system.settle()
        customer = system.ask("crm-sync", f"/v1/feedback/{feedback_id}")[1]["customer_id"]
        return dict(system.ask("crm-sync", f"/v1/customers/{customer}")[1])

    first = say(0, "ann", "Hello, I am new here.", kind="post")
    say(1, "bea", "How do I reset my password?", kind="question")
    say(2, "cleo", "Where do I find my invoices?", kind="question")
    before = profile(first)
    assert [(each["author_key"], each["badges"]) for each in before["recognition"]] == [(f"forum-{mark}:ann", [])]

    say(3, "ann", "Press the link in the mail.", kind="reply", in_reply_to="1")
    say(4, "ann", "Under your account, on the right.", kind="reply", in_reply_to="2")
    after = profile(first)
    (standing,) = after["recognition"]
    assert standing["badges"] == ["first-answer"]
    assert (before["recognition"][0]["tier"], standing["tier"]) == ("newcomer", "member")
    member = system.ask("recognition", f"/v1/members/forum-{mark}:ann")[1]
    assert (standing["tier"], standing["badges"]) == (member["tier"], member["badges"])
    assert (before["feedback_count"], after["feedback_count"]) == (1, 3)
    assert (before["first_seen_at"], before["last_seen_at"]) == (after["first_seen_at"], after["first_seen_at"])
    assert datetime.fromisoformat(after["last_seen_at"]) == START + timedelta(minutes=4)
