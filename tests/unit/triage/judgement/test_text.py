"""Rough text becomes clean text and tokens."""

import time

import pytest

from earshot_triage.judgement.features import read
from earshot_triage.judgement.text import JUDGED_CHARACTERS, LINK, clean, has_words, tokens


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
