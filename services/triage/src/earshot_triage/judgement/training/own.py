"""Teaching an installation's own labels from examples.

Owns what counts as a usable lesson, the settings for small and large lessons, and the folder they are written to. Must not
know what the labels mean. Taught twice from the same lines, the folder holds the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from earshot_triage.judgement.features import read
from earshot_triage.judgement.tables import Tables
from earshot_triage.judgement.taught import FOLDER, NAME
from earshot_triage.judgement.text import has_words
from earshot_triage.judgement.training.build import pack
from earshot_triage.judgement.training.design import Thresholds, lay_out
from earshot_triage.judgement.training.fit import Lesson, balanced, learn_margins, softmax

THRESHOLDS: Final = Thresholds(word=1, pair=1, gram=2)
DECAYS: Final = (1.0, 4.0)
ROUNDS: Final = 60
HELD_BACK: Final = 5
SHARPNESS: Final = (0.5, 12.0)
EVENED: Final = 0.7
MOST_LABELS: Final = 1_000


class BadLessonError(ValueError):
    """The examples cannot teach; the message says what to change and, where it is one line, which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtExample:
    """One text with the label that people gave it."""

    text: str
    label: str


def parse_lessons(lines: Iterable[str]) -> list[TaughtExample]:
    """Return the examples of JSON lines `{"text", "label"}`. Raises BadLessonError naming the first bad line."""
    found: list[TaughtExample] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadLessonError(f"line {number} is not JSON ({error}); mend or drop it") from error
        text, label = (record.get("text"), record.get("label")) if isinstance(record, dict) else (None, None)
        if not isinstance(text, str) or not isinstance(label, str):
            raise BadLessonError(f"line {number} needs a text and a label, both strings")
        if not label.strip() or len(label) > 200:
            raise BadLessonError(f"line {number} has an empty label or one of more than 200 characters")
        if not has_words(read(text).written):
            raise BadLessonError(f"line {number} has a text without words; drop it")
        found.append(TaughtExample(text=text, label=label.strip()))
    return found


def check(name: str, examples: Sequence[TaughtExample]) -> None:
    """Raise BadLessonError when the examples cannot teach labels called `name`."""
    if not NAME.fullmatch(name):
        raise BadLessonError(f"“{name}” cannot name labels; use up to 64 of a-z, 0-9, _ and -, starting with a letter")
    if not examples:
        raise BadLessonError("there is no example; give lines with a text and a label")
    counts = Counter(example.label for example in examples)
    if len(counts) < 2:
        raise BadLessonError(f"all examples have the label “{next(iter(counts))}”; two labels or more are needed")
    if len(counts) > MOST_LABELS:
        raise BadLessonError(f"{len(counts)} labels are more than {MOST_LABELS}; teach them in groups")
    lonely = sorted(label for label, count in counts.items() if count < 2)
    if lonely:
        shown = ", ".join(f"“{label}”" for label in lonely[:3])
        raise BadLessonError(f"{len(lonely)} labels have a single example ({shown}); give two or more of each")


def teach(name: str, examples: Sequence[TaughtExample]) -> Tables:
    """Return tables whose columns are the labels, in alphabetical order."""
    check(name, examples)
    ordered = sorted({(example.label, example.text) for example in examples})
    labels = sorted({label for label, _ in ordered})
    number = {label: index for index, label in enumerate(labels)}
    classes = np.array([number[label] for label, _ in ordered], dtype=np.int64)
    laid = lay_out([read(text) for _, text in ordered], THRESHOLDS)
    lesson = Lesson(
        matrix=laid.matrix,
        targets=np.eye(len(labels), dtype=np.float32)[classes],
        weights=balanced(classes, strength=EVENED),
        allowed=(True,) * len(labels),
    )
    decay, sharpness = _settings(lesson, classes)
    weights, bias = learn_margins(lesson, decay=decay, rounds=ROUNDS)
    meta = {"labels": labels, "examples": len(ordered)}
    return pack(laid.space, weights * sharpness, bias * sharpness, meta, kept_pairs=40_000, kept_grams=40_000)


def _settings(lesson: Lesson, classes: NDArray[np.int64]) -> tuple[float, np.float32]:
    """Return the decay, and by what margins are multiplied so that their softmax tells true probabilities.

    Both are those that surprise least on every fifth example, held back for that; the examples lie in the order of
    their labels.
    """
    held = np.arange(len(classes)) % HELD_BACK == HELD_BACK - 1
    part = Lesson(matrix=lesson.matrix[~held], targets=lesson.targets[~held], weights=lesson.weights[~held], allowed=lesson.allowed)
    right = classes[held]
    tried: list[tuple[float, float, float]] = []
    for decay in DECAYS:
        weights, bias = learn_margins(part, decay=decay, rounds=ROUNDS // 3)
        margins = (lesson.matrix[held] @ weights + bias).astype(np.float64)
        found = minimize_scalar(_surprise, bounds=SHARPNESS, args=(margins, right), method="bounded")
        tried.append((float(found.fun), decay, float(found.x)))
    _, decay, sharpness = min(tried)
    return decay, np.float32(sharpness)


def _surprise(sharpness: float, margins: NDArray[np.float64], right: NDArray[np.int64]) -> float:
    """Return the mean surprise (natural units) at the right labels when margins are so sharp."""
    if not len(right):
        return 0.0
    return -float(np.log(np.maximum(softmax(margins * sharpness)[np.arange(len(right)), right], 1e-12)).mean())


def write(name: str, examples: Sequence[TaughtExample], model_dir: Path) -> Tables:
    """Teach and write `model_dir/labels/NAME`, replacing what was there; a failed lesson leaves the old one."""
    tables = teach(name, examples)
    tables.save(model_dir / FOLDER / name)
    return tables
