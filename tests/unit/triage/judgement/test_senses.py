"""Directions of texts: what is alike in other words points the same way, alone or in company."""

from pathlib import Path

import numpy as np
import pytest

from earshot_triage.judgement.features import read_all
from earshot_triage.judgement.senses import UNIT, Senses, shipped
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.training.distil import distil, words_of

TEXTS = ["please refund my money", "give me back what I paid", "the app crashes on start", "", "ärger 😀 zzzqqq", "REFUND refund refund"]


def directions(texts: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    pages = read_all(texts)
    return shipped().of(pages)[np.argsort(pages.order)]


def test_a_text_points_the_same_way_alone_and_in_company() -> None:
    together = directions(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        assert (directions([text])[0] == row).all(), text
    assert (directions(TEXTS[::-1])[::-1] == together).all()


def test_directions_are_whole_numbers_of_one_length() -> None:
    found = directions(TEXTS)
    assert (found == np.rint(found)).all()
    lengths = np.sqrt((found**2).sum(axis=1))
    assert lengths[3] == 0, "no words, no direction"
    assert np.abs(lengths[[0, 1, 2]] / UNIT - 1).max() < 0.03


def test_other_words_of_one_meaning_are_nearer_than_other_meanings() -> None:
    refund, paid, crash = directions(TEXTS)[:3] / UNIT
    assert refund @ paid > refund @ crash


def test_distilled_vectors_lie_where_texts_lie(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    topics = {"money": ["pay", "refund", "card"], "speed": ["slow", "lag", "fast"]}
    ways = {topic: generator.normal(size=160).astype(np.float32) for topic in topics}
    texts, told = [], []
    for topic, words in topics.items():
        for number in range(12):
            texts.append(f"@somebody {words[number % 3]} {words[(number + 1) % 3]}")
            told.append(ways[topic] + generator.normal(size=160).astype(np.float32) * 0.1)
    known = ["price"]
    made = distil(texts, np.array(told), known, ways["money"][None])
    assert "price" in made.words
    assert not [word for word in made.words if word.startswith("@")], "accounts of people are no words"
    again = distil(texts, np.array(told), known, ways["money"][None])
    assert (made.vectors == again.vectors).all()
    made.save(tmp_path)
    vectors = dict(zip(made.words, Senses.load(tmp_path).of(read_all(made.words)), strict=True))
    assert vectors["pay"] @ vectors["card"] > 0 > vectors["pay"] @ vectors["lag"]


def test_words_of_a_text_are_distinct_and_no_accounts() -> None:
    assert words_of("Slow @ann slow SLOOOW!!") == ["slow", "sloow", "!!"]


@pytest.mark.parametrize("missing", ["words.txt", "vectors.npy"])
def test_a_folder_that_is_not_whole_is_refused_in_words(tmp_path: Path, missing: str) -> None:
    (tmp_path / "words.txt").write_text("one\ntwo", encoding="utf-8")
    np.save(tmp_path / "vectors.npy", np.zeros((3, 4), dtype=np.int8))
    with pytest.raises(ModelError, match="do not fit"):
        Senses.load(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match="reinstall"):
        Senses.load(tmp_path)
