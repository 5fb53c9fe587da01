"""What is denied: told apart from what is said, alike in words and in numbers of words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_triage.judgement.denial import DENIABLE, DENIED, FURTHEST, Denials, denied, part_of
from earshot_triage.judgement.judge import Judge


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("not bad", "not not_bad"),
        ("not a single crash", "not a single not_crash"),
        ("it never crashed on me", "it never not_crashed on me"),
        ("no problems", "no not_problems"),
        ("no real problems", "no real not_problems"),
        ("no it is bad", "no it is bad"),  # an answer
        ("not only bad", "not only bad"),
        ("can't stop crashing", "can't stop crashing"),
        ("not great not terrible", "not not_great not not_terrible"),
        ("i don't think that it is a good idea", "i don't think that it is a good idea"),  # too far behind
        ("i don't think it is good", "i don't think it is not_good"),
        ("bad", "bad"),
        ("", ""),
    ],
)
def test_a_word_behind_one_that_denies_is_another(words: str, told: str) -> None:
    assert " ".join(denied(words.split())) == told


_SOME = sorted(["not", "no", "never", "a", "the", "single", "real", "so", "wait", "only", *sorted(DENIABLE)[:6]])


@given(st.lists(st.lists(st.sampled_from([*_SOME, "strange"]), max_size=12), min_size=1, max_size=4))
def test_numbers_of_words_are_denied_like_words(texts: list[list[str]]) -> None:
    known = ["‹start›", *_SOME, *(DENIED + word for word in sorted(DENIABLE)[:6])]
    numbers = {word: row for row, word in enumerate(known)} | {"strange": len(known) + 3}
    rows = np.array([number for words in texts for number in (0, *(numbers[word] for word in words))], dtype=np.int64)
    Denials(known).apply(rows)
    assert rows.tolist() == [number for words in texts for number in (0, *(numbers[word] for word in denied(words)))]


def test_no_word_both_denies_and_is_denied() -> None:
    assert not [word for word in DENIABLE if part_of(word)]
    assert FURTHEST > 1


RELIEVED = (
    "not bad", "Not bad at all, thanks", "I can't complain about the support", "no complaints", "couldn't be happier with my new phone",
    "Been using it for two years and never had a problem", "never disappoints", "there is nothing wrong with it", "works without problems",
    "This app never crashes", "it doesn't crash anymore, thank you", "no regrets buying this", "never had any trouble with the delivery",
    "it isn't terrible", "not a bug", "The staff weren't rude at all",
)  # fmt: skip


@pytest.mark.parametrize("text", RELIEVED)
def test_what_is_denied_is_no_complaint(judge: Judge, text: str) -> None:
    said = judge.judge([text])[0]
    assert said.intents["complaint"] < 0.5
    assert said.intent != "complaint"
    assert said.sentiment > -0.5


DENIED_PRAISE = (
    "not happy", "I'm not happy with this", "not good", "the support was not helpful", "the food was not good",
    "It was not a good experience", "I am not satisfied", "never works", "I would not recommend this shop", "won't stop crashing",
    "it never stops crashing", "not only slow but also buggy", "Not bad, but it crashes all the time and nobody answers",
)  # fmt: skip


@pytest.mark.parametrize("text", DENIED_PRAISE)
def test_praise_denied_is_none(judge: Judge, text: str) -> None:
    said = judge.judge([text])[0]
    assert said.sentiment_label == "negative"
    assert said.intent != "praise"
