"""Cross-validation of the whole judge: train on four fifths of every set, judge the rest as strangers.

Owns the split (by the text itself, so that twins stay on one side), the runs and the fitting of the confidence. Must not
write reports.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement import senses
from earshot_triage.judgement.calibration import Calibration
from earshot_triage.judgement.evaluation.tasks import TASKS, leading_besides_complaint
from earshot_triage.judgement.judge import Judge
from earshot_triage.judgement.panel import KINDS
from earshot_triage.judgement.tables import Tables
from earshot_triage.judgement.training import build
from earshot_triage.judgement.training.corpora import NON_COMMERCIAL, Example, rows
from earshot_triage.judgement.training.fit import fit_logistic
from earshot_triage.judgement.verdict import Judgement

FOLDS: Final = 5
FLOOR: Final = 0.5
"""Below an even chance of being right, a person is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One example with what a judge that never saw it says."""

    example: Example
    judgement: Judgement


def fold_of(text: str) -> int:
    """Return the fold of a text; copies that differ in case or spaces fall into one fold."""
    return zlib.crc32(" ".join(text.lower().split()).encode("utf-8", "replace")) % FOLDS


def cross_validate(
    examples: Sequence[Example],
    *,
    data: Path | None = None,
    folds: int = FOLDS,
    say: Callable[[str], None],
    also: Callable[[int, Judge], None] | None = None,
) -> list[Answer]:
    """Return the answers of `folds` judges, each on the fold it was not taught; sets never taught go to the first.

    `also` is shown each fold with its judge.
    """
    answers: list[Answer] = []
    for fold in range(folds):
        say(f"fold {fold + 1} of {folds}")
        tables = build.train([item for item in examples if fold_of(item.text) != fold], meanings=senses.shipped(), say=say)
        judge = Judge(tables)
        held_out = [item for item in examples if fold_of(item.text) == fold]
        if fold == 0 and data is not None:
            held_out += strangers(data)
        answers += ask(judge, held_out)
        if also is not None:
            also(fold, judge)
    return answers


def strangers(data: Path) -> list[Example]:
    """Return the examples of the sets that are never taught."""
    asked = {task.corpus for task in TASKS if not task.trained_on}
    return [
        Example(corpus=name, kind="", text=row["text"], row=row)
        for name in NON_COMMERCIAL
        if name in asked and (data / name / "dev.jsonl").is_file()
        for row in rows(data / name / "dev.jsonl")
    ]


def ask(judge: Judge, examples: Sequence[Example]) -> list[Answer]:
    """Return the judge's answers to the examples, all texts shuffled together as far as it can tell."""
    judgements = judge.judge([item.text for item in examples], explain=False)
    return [Answer(example=item, judgement=said) for item, said in zip(examples, judgements, strict=True)]


def leading(answer: Answer) -> tuple[float, bool] | None:
    """Return the leading probability and whether the set's people agree; None where the set cannot tell."""
    example, said = answer.example, answer.judgement
    task = next((task for task in TASKS if task.corpus == example.corpus and task.name in CONFIRMED), None)
    truth = task.truth(example) if task else None
    if task is None or truth is None or not said.confidence:
        return None
    if example.corpus == "complaints":
        agreed = (said.intents["complaint"] >= 0.5) == (truth == "complaint")
        return max(said.intents.values()), agreed
    best = leading_besides_complaint(said)
    return max(chance for name, chance in said.intents.items() if name != "complaint"), best == truth


CONFIRMED: Final = frozenset({"complaints", "app reviews, Maalej", "app reviews, Google Play", "app reviews, Panichella", "issue reports"})


def fit_confidence(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return slope and offset of the confidence for each kind of text, fitted on answers about unseen texts."""
    slopes, offsets = [1.0] * len(KINDS), [0.0] * len(KINDS)
    for index, kind in enumerate(KINDS):
        told = [found for item in answers if item.example.kind == kind and (found := leading(item)) is not None]
        if len(told) < 50:
            continue
        chances = np.clip(np.array([chance for chance, _ in told]), 1e-4, 1 - 1e-4)
        right: NDArray[np.float64] = np.array([float(held) for _, held in told])
        slopes[index], offsets[index] = fit_logistic(np.log(chances / (1 - chances)), right)
    return {
        "slopes": [round(slope, 4) for slope in slopes],
        "offsets": [round(offset, 4) for offset in offsets],
        "floor": FLOOR,
    }


def confidence_of(kind: str, chance: float, fitted: dict[str, Any]) -> float:
    """Return the confidence of a leading probability when the kind of text is sure."""
    index = KINDS.index(kind)
    kinds = np.zeros((1, len(KINDS)), dtype=np.float32)
    kinds[0, index] = 1
    return float(Calibration.of({"confidence": fitted}).confidence(kinds, np.array([chance], dtype=np.float32))[0])


def with_confidence(tables: Tables, confidence: dict[str, Any]) -> Tables:
    """Return the tables with a fitted confidence in their description."""
    tables.meta["confidence"] = confidence
    return tables
