"""Whatever people type, the judge answers, quickly, and the same in any company."""

import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from earshot_triage.judgement import Judge, Judgement
from earshot_triage.judgement.text import canonical, clean, raw_tokens
from earshot_triage.judgement.verdict import CONDUCTS, INTENTS

PIECES = st.sampled_from(
    ["😡", "#fail", "soooo", "&amp;", "&#x1F600;", "\u200b", "\u202e", "مرحبا", "שלום", "漢字", "http://x.y/z", "@you", "\x00",
     "\ud800", "ＡＢＣ", "é", "\n\n", "`code`", "!!!", "...", ":(", "<b>", "<", "refund", "crash", "ﷺ", "a" * 300]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
    st.text(st.characters(), max_size=200),
)


@given(st.one_of(TEXTS, st.from_regex(r"[@#]?\w{1,70}'{0,2}\w?'?", fullmatch=True)))
@settings(deadline=None)
def test_the_form_of_a_form_is_itself(text: str) -> None:
    """Forms are remembered beside tokens as written: one that had another form would answer for that token from then on."""
    forms = [canonical(token) for token in raw_tokens(clean(text))]
    assert [canonical(form) for form in forms] == forms


@given(TEXTS)
@settings(deadline=None, max_examples=150)
def test_any_text_is_judged(judge: Judge, text: str) -> None:
    said = judge.judge([text])[0]
    assert said.intents[said.intent] == max(said.intents.values())
    assert said.intents.keys() == set(INTENTS)
    assert said.conduct in CONDUCTS
    assert all(0 <= chance <= 1 for chance in said.intents.values())
    assert -1 <= said.sentiment <= 1
    assert 1 <= said.severity <= 4
    assert 0 <= said.urgency <= 1
    assert 0 <= said.confidence <= 1


@given(st.lists(TEXTS, min_size=1, max_size=12), st.integers(0, 11))
@settings(deadline=None, max_examples=60)
def test_company_changes_nothing(judge: Judge, texts: list[str], place: int) -> None:
    chosen = texts[place % len(texts)]
    alone = judge.judge([chosen])[0]
    together = judge.judge([*texts, *texts[::-1], chosen])
    assert together[-1] == alone
    assert together[place % len(texts)] == alone


def test_twenty_thousand_characters_of_anything_are_quick(judge: Judge) -> None:
    for piece in ("word ", "😡", "a", "é", "漢", "&amp;", "<b>", "<", "http://x ", "!?", "'", "a'", "@", "ﷺ", "\u200b", "\n", "aA1_"):
        text = (piece * 20_000)[:20_000]
        started = time.process_time()
        judge.judge([text])
        assert time.process_time() - started < 1.5, piece


def test_many_threads_get_the_same_answers(judge: Judge) -> None:
    texts = [f"the app number {number} crashes, pls fix {'x' * (number % 7)}" for number in range(200)]
    expected = judge.judge(texts)
    answers: list[list[Judgement]] = []
    threads = [threading.Thread(target=lambda: answers.append(judge.judge(texts))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert answers == [expected] * 4
