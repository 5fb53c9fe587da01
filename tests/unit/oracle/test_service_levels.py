"""Two ways to the same figures: the model's folds, and the file read by itself."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from oracle import ids
from oracle.cases import Judgement
from oracle.conversations_file import Figures, figures_by_brand, read_messages
from oracle.facts import Author, Content, ItemRevision, Role
from oracle.service_levels import fold_service_levels, percentile
from oracle.world import views
from support.public_data import public_data

TARGET_S = 3600
SOURCE = "imported"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def item_of(line: dict[str, str | bool | None]) -> ItemRevision:
    name, parent, brand, author = str(line["message_id"]), line["in_reply_to"], str(line["brand"]), str(line["author"])
    at = datetime.fromisoformat(str(line["created_at"]))
    by_brand = line["author_is_brand"] is True
    return ItemRevision(
        feedback_id=ids.feedback_id(SOURCE, name),
        revision=1,
        occurred_at=at,
        received_at=at,
        channel="public",
        brand=author if by_brand and author.lower() != brand.lower() else brand,
        role=Role.BRAND if by_brand else Role.CUSTOMER,
        replies_to=frozenset({ids.feedback_id(SOURCE, str(parent))} if parent else ()),
        conversations=frozenset({ids.conversation_node(SOURCE, str(line["conversation_id"]))}),
        content=Content(source=SOURCE, external_id=name, kind="post", author=Author(handle=author), text=str(line["text"])),
    )


def items_in(path: Path) -> Iterable[ItemRevision]:
    """A message on two lines is one item with both conversations, as the second one's links are added."""
    found: dict[str, ItemRevision] = {}
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        item = item_of(line)
        known = found.setdefault(line["message_id"], item)
        if known is not item:
            links = known.conversations | item.conversations
            found[line["message_id"]] = ItemRevision(
                feedback_id=known.feedback_id,
                revision=known.revision + 1,
                occurred_at=known.occurred_at,
                received_at=known.received_at,
                channel=known.channel,
                brand=known.brand,
                role=known.role,
                replies_to=known.replies_to | item.replies_to,
                conversations=links,
                content=known.content,
            )
    return found.values()


def figures_by_the_model(path: Path) -> dict[str, Figures]:
    cases = views(items_in(path), lambda item: Judgement(intent="other")).cases.values()
    rows = fold_service_levels(cases, by="brand", target_s=Fraction(TARGET_S))
    return {
        row.key: Figures(
            cases=row.cases,
            answered=row.answered,
            median_first_response_s=None if row.median_first_response_s is None else float(row.median_first_response_s),
            p90_first_response_s=None if row.p90_first_response_s is None else float(row.p90_first_response_s),
            within_target=float(row.within_target),
        )
        for row in rows
    }


def write_conversations(path: Path, seed: int, messages: int) -> None:
    """A made-up file of the format: several brands, messages in two conversations, missing parents, foreign brands, brand openings."""
    draw = random.Random(seed)
    brands = ["Acme", "Bolt", "Corp"]
    lines = []
    for number in range(messages):
        talk = draw.randrange(messages // 4 + 1)
        brand = brands[talk % len(brands)]
        by_brand = draw.random() < 0.4
        author = draw.choice([brand, brand, brand, draw.choice(brands)]) if by_brand else f"customer-{draw.randrange(40)}"
        line = {
            "conversation_id": f"talk-{talk}",
            "message_id": f"m{number}",
            "author": author,
            "author_is_brand": by_brand,
            "brand": brand,
            "in_reply_to": draw.choice([None, f"m{max(0, number - draw.randrange(1, 4))}", f"gone-{number}"])
            if draw.random() < 0.3
            else None,
            "created_at": (DAY + timedelta(milliseconds=draw.randrange(10**8))).isoformat(),
            "text": "words",
        }
        lines.append(line)
        if draw.random() < 0.03:
            lines.append({**line, "conversation_id": f"talk-{draw.randrange(messages // 4 + 1)}"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.mark.capability("D2")
@pytest.mark.parametrize("seed", range(8))
def test_the_file_and_the_model_agree(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "made-up.jsonl"
    write_conversations(path, seed, 60)
    figures = figures_by_brand(read_messages(path, SOURCE), TARGET_S)
    assert figures == figures_by_the_model(path)
    assert sum(each.answered for each in figures.values()) > 0


@pytest.mark.public_data
@pytest.mark.parametrize(("name", "brands", "cases"), [("ibm_conversations", 23, 417), ("twcs_sample", None, None)])
def test_the_public_files_agree(name: str, brands: int | None, cases: int | None) -> None:
    path = public_data(name, "dev.jsonl")
    figures = figures_by_brand(read_messages(path, SOURCE), TARGET_S)
    assert figures == figures_by_the_model(path)
    if brands is not None:
        assert (len(figures), sum(each.cases for each in figures.values())) == (brands, cases)


@pytest.mark.parametrize(
    ("values", "p", "expected"),
    [
        pytest.param([7], Fraction(9, 10), Fraction(7), id="one value is every percentile"),
        pytest.param([1, 2], Fraction(1, 2), Fraction(3, 2), id="half-way between two"),
        pytest.param([0, 10, 20], Fraction(9, 10), Fraction(18), id="nine tenths of the ranks"),
    ],
)
def test_percentiles(values: list[int], p: Fraction, expected: Fraction) -> None:
    assert percentile([Fraction(value) for value in values], p) == expected


def test_the_model_folds_twenty_thousand_items_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    write_conversations(path, 0, 20_000)
    assert sum(each.cases for each in figures_by_the_model(path).values()) > 0
