"""What the judge is measured beside: VADER, and TF-IDF with logistic regression trained for each set alone.

Owns the baselines. Both need packages of the development set-up; where one is absent its column stays empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement import lexicon
from earshot_triage.judgement.evaluation.folds import FOLDS, fold_of
from earshot_triage.judgement.text import clean, tokens


def _pipeline() -> Any:  # scikit-learn ships no types
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union
    except ImportError:
        return None
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3)
    head = LogisticRegression(C=4, class_weight="balanced", max_iter=100, tol=1e-3)
    return make_pipeline(make_union(words, chars), head)


def tfidf_alone(texts: Sequence[str], truth: NDArray[np.int64], *, folds: int) -> NDArray[np.int64] | None:
    """Return cross-validated answers of words and character n-grams with logistic regression; -1 where not asked."""
    fold = np.array([fold_of(text) for text in texts])
    answers = np.full(len(texts), -1, dtype=np.int64)
    for number in range(min(folds, FOLDS)):
        model = _pipeline()
        if model is None:
            return None
        taught, asked = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        model.fit([texts[row] for row in taught.tolist()], truth[taught])
        answers[asked] = model.predict([texts[row] for row in asked.tolist()])
    return answers


def tfidf_seconds(texts: Sequence[str], truth: NDArray[np.int64]) -> float | None:
    """Return the CPU seconds in which the TF-IDF pipeline with one head answers the texts, the best of three."""
    model = _pipeline()
    if model is None:
        return None
    model.fit(list(texts), truth)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        model.predict_proba(list(texts))
        best = min(best, time.process_time() - start)
    return best


def vader(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Return VADER's label of each text: 0 negative, 1 neutral, 2 positive, by its authors' thresholds of ±0.05."""
    try:
        from vaderSentiment.vaderSentiment import (
            SentimentIntensityAnalyzer,
        )
    except ImportError:
        return None
    analyzer = SentimentIntensityAnalyzer()
    tones = np.array([analyzer.polarity_scores(text)["compound"] for text in texts])
    found: NDArray[np.int64] = np.where(tones <= -0.05, 0, np.where(tones >= 0.05, 2, 1)).astype(np.int64)
    return found


def lexicon_alone(task: str, texts: Sequence[str]) -> list[str] | None:
    """Return the answers of our own cue phrases and word lists, without any learned weight."""
    read_out = _READ_OUT.get(task, _need if "reviews" in task or task == "issue reports" else None)
    if read_out is None:
        return None
    found: list[str] = []
    for text in texts:
        cleaned = clean(text)
        tone = lexicon.tone(tokens(cleaned))
        found.append(read_out(cleaned.lower(), tone))
    return found


def _need(lowered: str, tone: float) -> str:
    chances = lexicon.intents(lowered, tone)
    best = max(("bug", "idea", "question"), key=lambda name: chances[name])
    return best if chances[best] >= 0.4 else "rest"


def _complaint(lowered: str, tone: float) -> str:
    return "complaint" if lexicon.intents(lowered, tone)["complaint"] >= 0.3 else "not_complaint"


def _tone(_: str, tone: float) -> str:
    return "negative" if tone < -0.2 else "positive" if tone > 0.2 else "neutral"


def _abuse(lowered: str, _: float) -> str:
    return "offensive" if lexicon.conduct(lowered) == "abusive" else "not_offensive"


def _idea(lowered: str, tone: float) -> str:
    return "suggestion" if _need(lowered, tone) == "idea" else "not_suggestion"


_READ_OUT: Final[dict[str, Callable[[str, float], str]]] = {
    "complaints": _complaint,
    "tweet sentiment": _tone,
    "airline sentiment": _tone,
    "offensive tweets": _abuse,
    "suggestions": _idea,
}
