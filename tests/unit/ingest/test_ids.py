"""Every row of docs/ids.md is true."""

import re
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from earshot_shared import ids

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "ids.md").read_text(encoding="utf-8")


def rows(*header: str) -> list[list[str]]:
    """Return the rows of the table with that header; an empty cell is empty text."""
    lines = iter(DOCUMENT.splitlines())
    found: list[list[str]] = []
    for line in lines:
        if line == f"| {' | '.join(header)} |":
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                found.append([re.sub(r"^`|`$", "", cell.strip()) for cell in row.strip("|").split("|")])
    assert found
    return found


@pytest.mark.parametrize(("source", "external_id", "wanted"), rows("source", "external_id", "feedback_id"))
def test_feedback_ids(source: str, external_id: str, wanted: str) -> None:
    clean = ids.clean_external(source), ids.clean_external(external_id)
    assert ids.feedback_id(*clean) == wanted
    assert str(uuid5(ids.NAMESPACE, "\x1f".join(clean))) == wanted


@pytest.mark.parametrize(("source", "conversation", "wanted"), rows("source", "conversation", "node"))
def test_conversations(source: str, conversation: str, wanted: str) -> None:
    assert ids.conversation_node(source, conversation) == wanted
    assert str(uuid5(ids.NAMESPACE, f"conversation\x1f{source}\x1f{conversation}")) == wanted


@pytest.mark.parametrize(("feedback_id", "name", "wanted"), rows("feedback_id", "name", "id"))
def test_events_and_cases(feedback_id: str, name: str, wanted: str) -> None:
    assert str(uuid5(UUID(feedback_id), name)) == wanted
    assert (ids.case_id(feedback_id) if name == "case" else ids.event_id(feedback_id, int(name))) == wanted


@pytest.mark.parametrize(("channel", "account_id", "handle", "wanted"), rows("channel", "id", "handle", "author key"))
def test_author_keys(channel: str, account_id: str, handle: str, wanted: str) -> None:
    assert ids.author_key(channel=channel, account_id=account_id or None, handle=handle or None, mail=None, secret=b"") == wanted


def test_a_mails_key_hangs_on_the_secret_alone() -> None:
    keys = {
        ids.author_key(channel="mail", account_id=None, handle=None, mail=mail, secret=secret)
        for mail in ("ada@example.org", " Ada@Example.ORG ")
        for secret in (b"one", b"two")
    }
    assert len(keys) == 2
    assert all(key is not None and re.fullmatch(r"mail:mail:[0-9a-f]{32}", key) for key in keys)


@pytest.mark.parametrize("value", ["", "  ", "a\x00b", "a\x1fb", "x" * 513, "é" * 257, "tab\there"])
def test_what_is_no_id(value: str) -> None:
    with pytest.raises(ValueError, match=r"is|holds"):
        ids.clean_external(value)
