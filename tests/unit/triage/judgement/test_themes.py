"""What a text is about: its stems, and how it ranks for a query."""

import json
from collections import defaultdict

import pytest

from earshot_triage.judgement.themes import Rarity, relevance, stems_of
from support.public_data import public_data

TEXTS = ["please add dark mode", "export to csv please", "csv export of my invoices", "exporting invoices as csv fails", "login fails"]


def test_stems_carry_meaning_and_are_counted() -> None:
    assert stems_of("Exporting the EXPORTS, and exported 😀 again!!") == {"export": 3, "again": 1}
    assert stems_of("the of and") == {}
    assert stems_of("") == {}


@pytest.mark.capability("C15")
def test_relevance_ranks_what_is_about_the_query_first() -> None:
    rarity = Rarity.of(TEXTS)
    ranked = sorted(TEXTS, key=lambda text: -relevance("export invoices", text, rarity))
    assert set(ranked[:2]) == {TEXTS[2], TEXTS[3]}


@pytest.mark.public_data
def test_reviews_about_a_feature_rank_first_on_a_public_set() -> None:
    pools: dict[tuple[str, str], list[tuple[str, bool]]] = defaultdict(list)
    for line in public_data("feature_search", "dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        pools[row["app"], row["query"]].append((row["text"], row["label"] == "relevant"))
    rarity = Rarity.of(text for pool in pools.values() for text, _ in pool)
    precisions = []
    for (_, query), pool in sorted(pools.items()):
        ranked = sorted(pool, key=lambda each: (-relevance(query, each[0], rarity), each[0]))
        hits = [place for place, (_, relevant) in enumerate(ranked, start=1) if relevant]
        precisions.append(sum(number / place for number, place in enumerate(hits, start=1)) / len(hits))
    assert sum(precisions) / len(precisions) >= 0.74
