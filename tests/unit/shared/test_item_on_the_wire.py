"""What the topics may hold of an item: nothing that a table or an index of ours could not."""

import json
from typing import Any

import msgspec
import pytest

from earshot_shared.item import decode_item, holds_nul

GOOD: dict[str, Any] = {
    "feedback_id": "7b9c24fc-0179-5488-9da5-ed0ab2c2bcb8", "revision": 1, "source": "forum", "channel": "forum", "author_key": "forum:a",
    "occurred_at": "2026-01-01T00:00:00Z", "received_at": "2026-01-01T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        {"revision": 0},
        {"revision": 2**31},
        {"occurred_at": "2026-01-01T00:00:00"},
        {"received_at": "2026-01-01T00:00:00"},
        {"brand": "b" * 301},
        {"author_key": "k" * 579},
        {"text": "x" * 20_001},
        {"author": {"followers": 2**63}},
    ],
    ids=str,
)
def test_what_ingest_never_says_is_no_item(odd: dict[str, Any]) -> None:
    assert decode_item(json.dumps(GOOD).encode()).revision == 1
    with pytest.raises(msgspec.ValidationError):
        decode_item(json.dumps(GOOD | odd).encode())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\x00b", True),
        ("\x00", True),
        ("\\\x00", True),
        ("\\u0000", False),
        ("\\\\u0000", False),
        ("plain", False),
        ("\\u0000 and \x00", True),
    ],
)
def test_a_nul_is_told_from_the_words_that_spell_it(text: str, found: bool) -> None:
    assert holds_nul(json.dumps({"text": text}).encode()) is found
