"""The made-up community: repeatable, accepted at the door, and true to its truth."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from earshot_ingest.domain.normalise import Normaliser
from earshot_ingest.domain.sources import Grant, SourceBook
from earshot_ingest.events import decode_item_in
from earshot_ingest.simulation.command import body_of, simulate_command
from earshot_ingest.simulation.community import Community, Event
from earshot_shared import ids
from earshot_shared.item import Item

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)


def watched(count: int, *, seed: int = 1, customers: int = 80) -> tuple[Community, list[Event]]:
    community = Community(customers=customers, seed=seed, rate=10, answer_s=10, tag=f"s{seed}-")
    return community, list(itertools.islice(community.events(), count))


def test_the_same_seed_brings_the_same_world() -> None:
    assert watched(300)[1] == watched(300)[1]
    assert watched(300)[1] != watched(300, seed=2)[1]


def test_the_same_people_come_back_with_new_items() -> None:
    first = Community(customers=20, seed=3, rate=1, tag="a")
    second = Community(customers=20, seed=3, rate=1, tag="b")
    assert [person.truth() for person in first.people()] == [person.truth() for person in second.people()]
    assert next(first.events()).item["external_id"] != next(second.events()).item["external_id"]


def test_the_door_takes_everything_and_links_hold() -> None:
    _, events = watched(1500)
    normaliser = Normaliser(grant=Grant(everything=True), book=SourceBook(), mail_secret=b"s", received_at=BEGIN)
    items: dict[str, Item] = {}
    for event in events:
        item = normaliser.item(decode_item_in(body_of(event, BEGIN)))
        assert item.feedback_id == ids.feedback_id(event.truth["source"], event.truth["external_id"])
        assert set(item.parents) <= items.keys()
        items[item.feedback_id] = item
    assert len(items) == 1500
    assert sum(len(item.parents) for item in items.values()) > 300
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)


def test_the_truth_is_about_what_happens() -> None:
    community, events = watched(4000)
    people = {person.person_id: person for person in community.people()}
    seen = {(event.truth["source"], event.truth["external_id"]): event for event in events}
    for event in events:
        truth, item = event.truth, event.item
        assert item["author"] == people[truth["person_id"]].authors[item["channel"]]
        assert truth["role"] == people[truth["person_id"]].role
        assert bool(item["author"].get("on_behalf_of_brand")) is (truth["role"] == "brand")
        if truth["helps"] is not None:
            answered = seen[item["source"], item["in_reply_to"]]
            assert answered.truth["thread"] == truth["thread"]
            assert truth["helps"] != truth["person_id"]
    for name, wanted in {
        "intent": {"complaint", "bug", "question", "idea", "praise", "other"},
        "conduct": {"ok", "spam", "abusive"},
        "role": {"customer", "brand", "staff"},
        "language": {"en", "de", "fr", "es"},
    }.items():
        assert {event.truth[name] for event in events} == wanted
    assert any(event.truth["helps"] for event in events)
    assert any(len(person.authors) > 1 for person in community.customers)


def test_texts_are_many_and_have_no_open_slots() -> None:
    _, events = watched(3000)
    texts = [event.item["text"] for event in events if event.item["text"]]
    assert not [text for text in texts if "{" in text or "}" in text]
    assert len(set(texts)) > 0.8 * len(texts)


def test_items_and_truth_go_to_files(tmp_path: Path) -> None:
    items, truth = tmp_path / "items.jsonl", tmp_path / "truth.jsonl"
    arguments = ["--customers", "10", "--rate", "50", "--seconds", "2", "--output", str(items), "--truth", str(truth)]
    result = CliRunner().invoke(simulate_command, [*arguments, "--start", "2026-05-01T00:00:00Z"])
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout.splitlines()[-1])["sent"] == 100
    sent = [json.loads(line) for line in items.read_text().splitlines()]
    known = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [each["external_id"] for each in sent] == [each["external_id"] for each in known if each["type"] == "item"]
    assert sent[0]["occurred_at"] == "2026-05-01T00:00:00Z"
