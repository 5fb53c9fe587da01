"""What each head of the panel is taught, from which rows, with which weight.

Owns the translation of every set's labels into targets, weak labels included, and our own material against bias. Must not
fit anything. Row numbers point into the list of examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from earshot_triage.judgement import lexicon
from earshot_triage.judgement.features import Floats, Ints
from earshot_triage.judgement.panel import KINDS, KNOWN_NEEDS, NEEDS, TEAMS
from earshot_triage.judgement.text import clean, tokens
from earshot_triage.judgement.training.corpora import Example
from earshot_triage.judgement.training.fit import balanced
from earshot_triage.judgement.training.material import BRIEF, DENIALS, OWN
from earshot_triage.judgement.verdict import EMOTIONS, SENTIMENTS

NEED_OF: Final = {
    "bug_report": "bug", "problem_discovery": "bug", "bug": "bug",
    "feature_request": "idea", "feature": "idea",
    "information_seeking": "question", "question": "question",
    "rating": "rest", "user_experience": "rest", "information_giving": "rest",
}  # fmt: skip
WEAK_WEIGHT: Final = 0.3
"""Labels guessed by cue phrases count this much beside labels that people gave."""
DENIAL_WEIGHT: Final = 1.5
"""So much counts each of our denials, which are many and alike."""
_GRIEVED: Final = {"neutral": 0, "positive": 0, "negative": 1}
_TONES: Final = {BRIEF: 1.0, DENIALS: DENIAL_WEIGHT}
"""Our own texts that have a tone, with their weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Rows of examples with class numbers and weights; `allowed` names the classes the set knows."""

    rows: Ints
    classes: Ints
    weights: Floats
    allowed: tuple[bool, ...]


def heads(examples: Sequence[Example]) -> dict[str, list[Lesson]]:
    """Return the lessons of every head that the examples can teach; heads without material are left out."""
    taught = {
        "kind": _kind(examples),
        "address": _address(examples),
        "complaint": _plain(examples, {"complaints": {"not_complaint": 0, "complaint": 1}, **dict.fromkeys(_TONES, _GRIEVED)}, 2),
        "grief": _grief(examples),
        "sentiment": _sentiment(examples),
        "abuse": _abuse(examples),
        "emotion": _plain(examples, {"tweeteval_emotion": {name: index for index, name in enumerate(EMOTIONS)}}, len(EMOTIONS)),
        "need": _needs(examples),
    }
    return {name: lessons for name, lessons in taught.items() if lessons}


def _lesson(found: list[tuple[int, int, float]], count: int, *, evened: float = 1.0) -> list[Lesson]:
    """Return one lesson of (row, class, weight), with the classes evened out, or none when under two classes occur."""
    classes = np.array([item[1] for item in found], dtype=np.int64)
    if len(set(classes.tolist())) < 2:
        return []
    weights = np.array([item[2] for item in found], dtype=np.float32) * balanced(classes, strength=evened)
    rows = np.array([item[0] for item in found], dtype=np.int64)
    return [Lesson(rows=rows, classes=classes, weights=weights, allowed=(True,) * count)]


def _plain(examples: Sequence[Example], sets: dict[str, dict[str, int]], count: int) -> list[Lesson]:
    found = [
        (row, sets[example.corpus][example.label], _TONES.get(example.corpus, 1.0))
        for row, example in enumerate(examples)
        if example.corpus in sets and example.label in sets[example.corpus]
    ]
    return _lesson(found, count)


def _kind(examples: Sequence[Example]) -> list[Lesson]:
    found: list[tuple[int, int, float]] = []
    for row, example in enumerate(examples):
        common = example.corpus.startswith("tweeteval") or example.corpus == "banking77"
        if example.corpus in ("feature_search", OWN, *_TONES) or (common and row % 6):
            continue
        found.append((row, KINDS.index(example.kind), 1.0))
    return _lesson(found, len(KINDS), evened=0.5)


def _address(examples: Sequence[Example]) -> list[Lesson]:
    found: list[tuple[int, int, float]] = []
    for row, example in enumerate(examples):
        chatter = str(example.row.get("domain", "")).startswith("random")
        if example.corpus in ("ibm_conversations", "banking77") or (example.corpus == "complaints" and not chatter):
            found.append((row, 1, 1.0))
        elif example.corpus in ("complaints", "tweeteval_emotion") or (example.corpus == "tweeteval_sentiment" and row % 6 == 0):
            found.append((row, 0, 1.0))
    return _lesson(found, 2)


def _stars(example: Example) -> float | None:
    stars = example.row.get("stars")
    return None if stars is None else float(stars)


def _grief(examples: Sequence[Example]) -> list[Lesson]:
    found: list[tuple[int, int, float]] = []
    for row, example in enumerate(examples):
        stars = _stars(example)
        if stars is not None and stars != 3:
            found.append((row, int(stars < 3), 1.0))
        elif example.corpus in _TONES:
            found.append((row, _GRIEVED[example.label], _TONES[example.corpus]))
    return _lesson(found, 2)


def _sentiment(examples: Sequence[Example]) -> list[Lesson]:
    named = {name: index for index, name in enumerate(SENTIMENTS)}
    sure = _plain(examples, {"tweeteval_sentiment": named, **dict.fromkeys(_TONES, named)}, 3)
    weak: list[tuple[int, int, float]] = []
    for row, example in enumerate(examples):
        stars = _stars(example)
        if stars is not None:
            weak.append((row, 0 if stars < 3 else 1 if stars == 3 else 2, 1.0))
        elif example.corpus == "complaints" and not str(example.row.get("domain", "")).startswith("random"):
            tone = lexicon.tone(tokens(clean(example.text)))
            weak.append((row, 0 if example.label == "complaint" else 2 if tone > 0.3 else 1, 3.0))
    if not sure or not weak:
        return sure
    rows, classes, weights = (np.array(column) for column in zip(*weak, strict=True))
    return [
        Lesson(
            rows=np.concatenate([sure[0].rows, rows.astype(np.int64)]),
            classes=np.concatenate([sure[0].classes, classes.astype(np.int64)]),
            weights=np.concatenate([sure[0].weights, weights.astype(np.float32)]),
            allowed=(True, True, True),
        )
    ]


def _abuse(examples: Sequence[Example]) -> list[Lesson]:
    taught = _plain(examples, {"tweeteval_offensive": {"not_offensive": 0, "offensive": 1}}, 2)
    own = np.array([row for row, example in enumerate(examples) if example.corpus in (OWN, BRIEF)], dtype=np.int64)
    if not taught or not len(own):
        return taught
    return [
        Lesson(
            rows=np.concatenate([taught[0].rows, own]),
            classes=np.concatenate([taught[0].classes, np.zeros(len(own), dtype=np.int64)]),
            weights=np.concatenate([taught[0].weights, np.ones(len(own), dtype=np.float32)]),
            allowed=(True, True),
        )
    ]


def _needs(examples: Sequence[Example]) -> list[Lesson]:
    found: dict[str, list[tuple[int, int, float]]] = {kind: [] for kind in KINDS}
    for row, example in enumerate(examples):
        if example.label in NEED_OF:
            found[example.kind].append((row, NEEDS.index(NEED_OF[example.label]), 1.0))
        elif example.corpus in ("complaints", "ibm_conversations", "banking77", "tweeteval_emotion"):
            found["tweet"].append((row, NEEDS.index(_guess(example.text)), WEAK_WEIGHT))
        elif example.corpus == BRIEF or (example.corpus == DENIALS and example.label != "negative"):
            found["tweet"].append((row, NEEDS.index("rest"), 1.0 if example.corpus == BRIEF else WEAK_WEIGHT))
    lessons: list[Lesson] = []
    for team in TEAMS:
        # Classes are evened out over all that one team labelled: how common ideas are in each of its collections is worth knowing.
        taught = _lesson([item for kind in team for item in found[kind]], len(NEEDS), evened=0.75)
        lessons += [_of_kind(kind, examples, taught) for kind in team]
    return lessons if any(len(lesson.rows) for lesson in lessons) else []


def _of_kind(kind: str, examples: Sequence[Example], taught: list[Lesson]) -> Lesson:
    """Return what a team's lesson, if there is one, says of one kind of text."""
    if not taught:
        nothing = np.empty(0, dtype=np.int64)
        return Lesson(rows=nothing, classes=nothing, weights=np.empty(0, dtype=np.float32), allowed=KNOWN_NEEDS[kind])
    lesson = taught[0]
    mine = np.array([examples[row].kind == kind for row in lesson.rows.tolist()], dtype=np.bool_)
    return Lesson(rows=lesson.rows[mine], classes=lesson.classes[mine], weights=lesson.weights[mine], allowed=KNOWN_NEEDS[kind])


def _guess(text: str) -> str:
    """Return the need that cue phrases see in a text; "rest" when they see none."""
    cleaned = clean(text)
    found = lexicon.intents(cleaned.lower(), 0.0)
    best = max(("bug", "idea", "question"), key=lambda name: found[name])
    return best if found[best] >= 0.4 else "rest"
