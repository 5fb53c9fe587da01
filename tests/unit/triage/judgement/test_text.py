"""Rough text becomes clean text and tokens."""

import time

import pytest

from earshot_triage.judgement.features import grams_of, keys_in_words, keys_of_grams, read, read_all
from earshot_triage.judgement.text import JUDGED_CHARACTERS, LINK, MENTION, NUMBER, canonical, clean, has_words, tokens


@pytest.mark.parametrize(
    ("rough", "found"),
    [
        pytest.param("so &lt;3 good &amp; fast", ["so", "<3", "good", "&", "fast"], id="entities"),
        pytest.param("soooooo goooood", ["soo", "good"], id="elongated"),
        pytest.param("re\u200bfund \u202enow", ["refund", "now"], id="invisible characters"),
        pytest.param("see https://a.example/x?y=1 www.b.example", ["see", LINK, LINK], id="links"),
        pytest.param("ＢＡＤ ｓｅｒｖｉｃｅ", ["bad", "service"], id="full width"),
        pytest.param("don’t", ["don't"], id="typographic apostrophe"),
        pytest.param("<b>bold</b> move", ["bold", "move"], id="tags"),
        pytest.param("great!!! 😡😡", ["great", "!!", "😡", "😡"], id="marks and emoji"),
        pytest.param("#fail @JetBlue", ["#fail", "@jetblue"], id="hashtag and account"),
    ],
)
def test_tokens(rough: str, found: list[str]) -> None:
    assert tokens(clean(rough)) == found


@pytest.mark.parametrize(
    ("token", "form"),
    [
        ("1234'", NUMBER), ("@user'", MENTION), ("http'", LINK), ("htttp", LINK), ("soooo'", "soo"),
        ("x" + "ab" * 31 + "'y", "x" + "ab" * 31), ("'", "'"),
    ],
)  # fmt: skip
def test_the_form_of_a_form_is_itself(token: str, form: str) -> None:
    assert canonical(token) == form
    assert canonical(form) == form


@pytest.mark.parametrize("text", ["", "   ", "https://t.co/x1", "pic.twitter.com/abc", "@you @me", "!!!", "\u200b\ufeff", "\x00"])
def test_nothing_to_judge(text: str) -> None:
    assert not has_words(read(text).written)


def test_long_texts_keep_opening_and_closing_and_cost_little() -> None:
    text = "opening " + "x" * 19_980 + " closing"
    started = time.process_time()
    cleaned = clean(text)
    assert time.process_time() - started < 0.5
    assert len(cleaned) <= JUDGED_CHARACTERS + 1
    assert cleaned.startswith("opening")
    assert cleaned.endswith("closing")


def test_many_texts_read_together_are_read_as_alone() -> None:
    texts = ["Hello there!!", "", "Привет, как дела", "so &lt;3 good", "ΑΣ", "ok Σ", "don’t 😡", "x\x01y", "plain"]
    pages = read_all(texts)
    assert pages.plain == 5
    together = " ".join(pages.tokens).split("\x01")[1:]
    assert [part.split() for part in together] == [read(texts[number]).written for number in pages.order]


def test_keys_of_character_groups_are_those_of_the_words() -> None:
    words = ["crashes", "a", "‹start›", "ümlaut", "😡", "httplink", "x" * 70, ""]
    keys, owners = keys_in_words(words)
    for row, word in enumerate(words):
        grams = grams_of(word)
        assert sorted(keys[owners == row].tolist()) == sorted(keys_of_grams(grams).tolist() if grams else [])
