"""Like items gather, whatever the order in which they come."""

import random

import pytest

from earshot_triage.judgement.themes import Rarity, ThemeBook, ThemeItem, relevance

TEXTS = {
    "dark": ["please add dark mode", "dark mode would be great", "add a dark mode for the night", "we need dark mode"],
    "export": ["export to csv please", "csv export of my invoices", "exporting invoices as csv fails"],
    "login": ["login fails with password", "cannot login, password refused", "login password error"],
    "alone": ["zebra umbrella quantum"],
}
ITEMS = [
    ThemeItem(occurred_at=f"2026-01-{day:02d}", item_id=f"i{day:02d}", text=text)
    for day, text in enumerate((text for texts in TEXTS.values() for text in texts), start=1)
]
RARITY = Rarity.of(item.text for item in ITEMS)


def gathered(items: list[ThemeItem]) -> ThemeBook:
    book = ThemeBook(Rarity({}, 3.0))
    for item in items:
        book.add(item)
    return book


@pytest.mark.capability("C15")
def test_like_asks_become_one_demand() -> None:
    themes = gathered(ITEMS).themes()
    assert [theme.theme_id for theme in themes] == ["i01", "i05", "i08"]
    assert themes[0].item_ids == ("i01", "i02", "i03", "i04")
    assert "dark" in themes[0].words


def test_order_of_arrival_does_not_matter_and_ids_stay() -> None:
    expected = gathered(ITEMS).themes()
    for seed in range(10):
        shuffled = ITEMS * 2
        random.Random(seed).shuffle(shuffled)
        assert gathered(shuffled).themes() == expected


def test_an_item_taken_out_leaves_no_trace() -> None:
    book = gathered(ITEMS)
    book.remove("i02")
    book.remove("nobody")
    assert book.themes() == gathered([item for item in ITEMS if item.item_id != "i02"]).themes()


def test_people_merge_and_split() -> None:
    book = gathered(ITEMS)
    book.merge("i01", "i05")
    assert book.themes()[0].item_ids == ("i01", "i02", "i03", "i04", "i05", "i06", "i07")
    book.split(["i03", "i04"])
    parted = {theme.theme_id: theme.item_ids for theme in book.themes()}
    assert parted["i03"] == ("i03", "i04")
    assert "i03" not in parted["i01"]


def test_relevance_ranks_what_is_about_the_query_first() -> None:
    ranked = sorted(ITEMS, key=lambda item: -relevance("export invoices", item.text, RARITY))
    assert {item.item_id for item in ranked[:2]} == {"i06", "i07"}
