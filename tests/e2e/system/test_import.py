"""Real conversations through the whole system: figures equal those computed straight from the file."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oracle.conversations_file import Figures, figures_by_brand, read_messages
from support.public_data import public_data
from support.system import System


def imported(system: System, file: Path, source: str, form: str = "conversations") -> dict[str, Any]:
    """Import a file and return what the command counts."""
    told = system.command("import", str(file), "--format", form, "--source", source, "--backfill")
    return dict(json.loads(told.strip().splitlines()[-1]))


def service_levels(system: System) -> dict[str, Any]:
    """Return the service levels of every brand."""
    found: dict[str, Any] = {}
    cursor = ""
    while True:
        _, page = system.ask("triage", f"/v1/metrics/service-levels?by=brand&limit=5{cursor}")
        found |= {item["key"]: item for item in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def check(told: dict[str, Any], expected: dict[str, Figures]) -> None:
    """Every brand's figures, to the millisecond."""
    for brand, figures in expected.items():
        item = told[brand]
        assert (item["cases"], item["answered"]) == (figures.cases, figures.answered), brand
        for name in ("median_first_response_s", "p90_first_response_s"):
            wanted = getattr(figures, name)
            assert (item[name] is None) == (wanted is None)
            if wanted is not None:
                assert item[name] == pytest.approx(wanted, abs=0.001), (brand, name)
        assert item["within_target"] == pytest.approx(figures.within_target)


def made_up(file: Path, seed: int, tag: str) -> None:
    """Write a made-up file of conversations: several brands, branches, messages that belong to two conversations."""
    draw = random.Random(seed)
    lines: list[dict[str, Any]] = []
    for number in range(40):
        brand = f"{tag}Brand{draw.randrange(5)}"
        at = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=number)
        earlier: str | None = None
        for turn in range(draw.randrange(1, 7)):
            at += timedelta(seconds=draw.randrange(1, 40_000), milliseconds=draw.randrange(1000))
            by_brand = turn > 0 and draw.random() < 0.5
            message_id = f"{tag}{number}-{turn}"
            lines.append(
                {
                    "conversation_id": f"{tag}C{number}",
                    "message_id": message_id,
                    "author": brand if by_brand else f"{tag}user{number}",
                    "author_is_brand": by_brand,
                    "brand": brand,
                    "in_reply_to": earlier,
                    "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "text": f"message {turn} of {number}",
                }
            )
            earlier = message_id
    lines.append({**lines[0], "conversation_id": f"{tag}C1"})  # one message in two conversations: one thread
    lines.sort(key=lambda line: str(line["created_at"]))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.capability("D2")
@pytest.mark.capability("T7")
@pytest.mark.capability("L8")
def test_made_up_conversations(system: System, tmp_path: Path) -> None:
    file = tmp_path / "made-up.jsonl"
    made_up(file, seed=3, tag="m")
    first = imported(system, file, "madeup")
    lines = len(file.read_text().splitlines())
    assert first == {"read": lines, "accepted": lines - 1, "duplicates": 1, "rejected": 0}
    system.settle()
    check(service_levels(system), figures_by_brand(read_messages(file, "madeup"), 3600.0))
    again = imported(system, file, "madeup")
    assert again == {"read": lines, "accepted": 0, "duplicates": lines, "rejected": 0}
    system.settle()
    check(service_levels(system), figures_by_brand(read_messages(file, "madeup"), 3600.0))


@pytest.mark.public_data
@pytest.mark.capability("D2")
@pytest.mark.capability("C4")
def test_real_care_conversations(system: System) -> None:
    file = public_data("ibm_conversations", "dev.jsonl")
    told = imported(system, file, "ibm")
    assert told["read"] == told["accepted"] + told["duplicates"]
    system.settle()
    messages = read_messages(file, "ibm")
    check(service_levels(system), figures_by_brand(messages, 3600.0))
    authors = {message.author for message in messages}
    for handle in sorted(authors)[:40]:
        _, found = system.ask("crm-sync", f"/v1/customers?identifier=twitter:@{handle.lower()}")
        assert found["items"], f"{handle} is no customer"
        customer = found["items"][0]["customer_id"]
        _, timeline = system.ask("crm-sync", f"/v1/customers/{customer}/timeline?limit=500")
        assert timeline["items"]
    # The other public file on top of it, not in a test of its own: both speak of some brands.
    sample = public_data("twcs_sample", "dev.jsonl")
    told = imported(system, sample, "twcs", form="twcs")
    assert told["read"] == 93
    assert told["rejected"] == 0
    stats = system.settle()
    check(service_levels(system), figures_by_brand([*messages, *read_messages(sample, "twcs")], 3600.0))
    assert stats["triage"]["feedback"] == stats["ingest"]["accepted"] == stats["crm-sync"]["feedback"]
