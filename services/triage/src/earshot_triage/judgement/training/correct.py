"""Learning from corrections: a person said that an item's intent or conduct was another one.

Owns the reading of corrections and the fitting of the layer over the shipped judgement. Must not touch the shipped
weights. Taught twice from the same lines, the layer holds the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from earshot_triage.judgement.features import Floats, read
from earshot_triage.judgement.judge import Judge
from earshot_triage.judgement.learning import ABUSE, COLUMNS, HELD, LIKENESS, Layer, held, odds_of
from earshot_triage.judgement.training.build import pack
from earshot_triage.judgement.training.design import Laid, Thresholds, lay_out
from earshot_triage.judgement.training.material import plain_words
from earshot_triage.judgement.training.own import BadLessonError
from earshot_triage.judgement.verdict import CONDUCTS, INTENTS, SENTIMENTS, Judgement

THRESHOLDS: Final = Thresholds(word=2, pair=2, gram=3)
DECAY: Final = 0.15
LEAN_DECAY: Final = 1.0
"""Penalty on what the judge's own odds add: eight numbers a column, which a few hundred corrections settle well."""
STRONGEST_TELL: Final = 3.0
"""Log odds that one word may add to a text's likeness to the corrected domain."""
LEAST_SPREAD: Final = 0.3
"""Part of the likeness of the domain over which it fades, at least: corrections that are all alike must not end it at a step."""
INSIDE, HALF_WAY = 30, 12
"""Percentiles of the corrected texts: from the upper one on a text counts as one of the domain, at the lower one half."""

# Everyday sentences of other domains, our own: what corrections must leave alone.
_ELSEWHERE: Final = (
    "my flight was delayed again and nobody told us", "love this app, use it every day", "the update crashes on start",
    "how do I change my password?", "please add a dark theme", "happy birthday to my best friend", "what a game last night",
    "I was charged twice for one order", "your staff were so kind to us today", "can't wait for the weekend",
    "error when opening the settings page", "where is my parcel?", "worst service I ever had", "the new song is great",
    "thanks for the quick reply", "it would be nice to sort the list by date", "the screen goes black after the login",
    "is there a way to export my data?", "good morning everyone", "I want my money back", "my card was declined abroad",
    "battery drains too fast since the update", "the concert was amazing", "why was my transfer rejected?",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One text with what a person said it is; None is left as it was."""

    text: str
    intent: str | None = None
    conduct: str | None = None


def parse_corrections(lines: Iterable[str]) -> list[Correction]:
    """Return the corrections of JSON lines `{"text", "intent"?, "conduct"?}`. Raises BadLessonError naming a bad line."""
    found: list[Correction] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadLessonError(f"line {number} is not JSON ({error}); mend or drop it") from error
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise BadLessonError(f"line {number} needs a text")
        intent, conduct = record.get("intent"), record.get("conduct")
        if intent is None and conduct is None:
            raise BadLessonError(f"line {number} corrects nothing; give an intent or a conduct")
        if intent is not None and intent not in INTENTS:
            raise BadLessonError(f"line {number}: “{intent}” is no intent; use one of {', '.join(INTENTS)}")
        if conduct is not None and conduct not in CONDUCTS:
            raise BadLessonError(f"line {number}: “{conduct}” is no conduct; use one of {', '.join(CONDUCTS)}")
        found.append(Correction(text=record["text"], intent=intent, conduct=conduct))
    return found


def learn_corrections(judge: Judge, corrections: Sequence[Correction]) -> Layer:
    """Return the layer that brings `judge` nearer to the corrections. Raises BadLessonError when there are too few."""
    if len(corrections) < 10:
        raise BadLessonError(f"{len(corrections)} corrections are too few to learn from; ten or more are needed")
    ordered = sorted(corrections, key=lambda item: (item.text, item.intent or "", item.conduct or ""))
    anchors = [*_ELSEWHERE, *(example.text for example in plain_words()[::8])]
    texts = [item.text for item in ordered] + anchors
    said = judge.judge(texts, explain=False)
    laid = lay_out([read(text) for text in texts], THRESHOLDS)
    opinion = _opinion(said)
    weights = np.zeros((laid.space.width, COLUMNS), dtype=np.float32)
    bias = np.zeros(COLUMNS, dtype=np.float32)
    lean = np.zeros((HELD, ABUSE + 1))
    for column in range(ABUSE + 1):
        targets, before, known = _column(column, ordered, _chances(said, column))
        found = _residual(laid.matrix[known], opinion[known], before[known], targets[known])
        weights[:, column], lean[:, column], bias[column] = found
    weights[: len(laid.space.words), LIKENESS], bias[LIKENESS] = _likeness(judge, laid, len(ordered))
    heard = hashlib.sha256(lean.tobytes()).hexdigest()[:12]
    tables = pack(laid.space, weights, bias, {"corrections": len(ordered), "heard": heard}, kept_pairs=20_000, kept_grams=20_000)
    tables.meta["fingerprint"] = hashlib.sha256(f"{tables.meta['fingerprint']} {heard}".encode()).hexdigest()[:12]
    return Layer(tables=tables, lean=lean)


def _opinion(said: Sequence[Judgement]) -> NDArray[np.float64]:
    intents = np.array([[item.intents[name] for name in INTENTS] for item in said])
    return held(intents, np.array([[item.sentiment_probabilities[name] for name in SENTIMENTS] for item in said]))


def _likeness(judge: Judge, laid: Laid, count: int) -> tuple[Floats, float]:
    """Return weights of words and a bias whose logistic says how much a text is of the corrected domain.

    A word tells as much as it is commoner among the corrections than among the texts that taught the judge. The scale
    is set on texts that did not choose the words: every other correction chooses, the rest measure.
    """
    words = laid.matrix[:count, : len(laid.space.words)]
    held = (words > 0).astype(np.float64)

    def telling(rows: slice) -> NDArray[np.float64]:
        part = held[rows]
        share = (np.asarray(part.sum(axis=0)).ravel() + 0.2) / (part.shape[0] + 1)
        common = np.array([judge.commonness(word) for word in laid.space.words])
        told: NDArray[np.float64] = np.clip(np.log(share / common), -1.0, STRONGEST_TELL)
        told[[word.startswith("‹") for word in laid.space.words]] = 0
        return told / laid.space.word_rarity

    measured = words[1::2] @ telling(slice(0, None, 2))
    low, high = np.percentile(measured, [HALF_WAY, INSIDE])
    spread = max(float(high - low), LEAST_SPREAD * abs(float(high)), 1e-3)
    steep = 3.0 / spread
    return (steep * telling(slice(None))).astype(np.float32), -steep * (float(high) - spread)


def _chances(said: Sequence[Judgement], column: int) -> NDArray[np.float64]:
    """Return the judge's probability of one column for each judgement; of abuse it tells only yes or no."""
    if column < ABUSE:
        return np.array([item.intents[INTENTS[column]] for item in said], dtype=np.float64)
    return np.array([0.9 if item.conduct == "abusive" else 0.1 for item in said], dtype=np.float64)


def _column(
    column: int, corrections: Sequence[Correction], chances: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return targets, the odds before and the rows that the column learns from; anchors stay what they were."""
    targets = chances.copy()
    known = list(range(len(corrections), len(chances)))
    for row, item in enumerate(corrections):
        if column < ABUSE and item.intent is not None:
            targets[row] = float(item.intent == INTENTS[column])
            known.append(row)
        elif column == ABUSE and item.conduct is not None:
            targets[row] = float(item.conduct == "abusive")
            known.append(row)
    return targets, odds_of(chances), np.sort(np.array(known, dtype=np.int64))


def _residual(
    matrix: sp.csr_matrix, opinion: NDArray[np.float64], before: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[Floats, NDArray[np.float64], float]:
    """Fit weights of words, of the judge's own odds and a bias, added to odds already held: logistic regression with an offset."""
    across, width = matrix.T.tocsr(), matrix.shape[1]
    decay = np.full(width + HELD + 1, DECAY)
    decay[width:-1] = LEAN_DECAY

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = before + matrix @ flat[:width] + opinion @ flat[width:-1] + flat[-1]
        push = 1 / (1 + np.exp(-scores)) - targets
        slope = np.concatenate([across @ push, opinion.T @ push, [push.sum()]]) + decay * flat
        total = float(np.logaddexp(0, scores).sum() - (targets * scores).sum())
        return total + 0.5 * float((decay * flat**2).sum()), slope

    found = minimize(loss, np.zeros(width + HELD + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
    return found[:width].astype(np.float32), np.round(found[width:-1], 6), float(found[-1])
