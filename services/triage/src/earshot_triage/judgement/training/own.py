"""Teaching an installation's own labels from examples.

Owns what counts as a usable lesson, the settings for small and large lessons, and the folder they are written to. Must not
know what the labels mean. Taught twice from the same lines, the folder holds the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from earshot_triage.judgement import senses
from earshot_triage.judgement.features import Floats, read, read_all
from earshot_triage.judgement.judge import Judge
from earshot_triage.judgement.second import SecondLook, meanings_of, titled
from earshot_triage.judgement.semantic import UNIT, Encoder, meanings_as_floats
from earshot_triage.judgement.taught import FOLDER, NAME, Taught, cells, leaning
from earshot_triage.judgement.text import clean, has_words
from earshot_triage.judgement.training.build import pack
from earshot_triage.judgement.training.design import Thresholds, lay_out
from earshot_triage.judgement.training.fit import Lesson, balanced, learn, learn_margins, softmax

THRESHOLDS: Final = Thresholds(word=1, pair=1, gram=2)
ROUNDS: Final = 60
HELD_BACK: Final = 5
SMALL: Final = 3_000
"""Up to so many examples every fifth is held back in turn: one alone would choose by chance."""
CENTRE: Final = 2.5
FEW: Final = 10
"""Examples a label up to which its centre counts in full beside the boundary."""
SHARPNESS: Final = (0.5, 12.0)
EVENED: Final = 1.0
"""Labels with few examples count as much as those with many: what is wanted is every label found."""
LEANS: Final = (0.0, 0.25, 0.5)
"""How much the judge's opinion of needs and tones may count. No more: it may have been taught by the very texts of the lesson, as when
public sets are measured, and then looks surer on examples held back than it is."""
PRIOR: Final = 0.5
"""Of how common a label is, so much is taken off the opinion: the words have told it already."""
DOUBT: Final = 2.0
"""So many texts of no telling label are added to each need and tone."""
CHUNK: Final = 512
TOGETHER: Final = 32
MOST_LABELS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to learn: by boundaries between each label and all others, or by probabilities of all labels at once."""

    boundaries: bool
    decay: float


WAYS: Final = (Way(boundaries=True, decay=2.0), Way(boundaries=True, decay=6.0))
SMALL_WAYS: Final = (*WAYS, Way(boundaries=False, decay=1.0))
"""Of a few labels that overlap, as types of reviews do, each way learns something else, and all are heard; of many labels the way is heard
that surprises least on examples held back: there probabilities learn less, and take minutes."""
SMALL_COUNT: Final = 20
"""Up to so many labels, and SMALL examples, all SMALL_WAYS are heard."""
MEANING_WAYS: Final = (Way(boundaries=True, decay=1.0),)
SMALL_MEANING_WAYS: Final = (*MEANING_WAYS, Way(boundaries=False, decay=1.0))
"""The same for what meanings say, beside the words."""


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


def teach(name: str, examples: Sequence[TaughtExample], judge: Judge, encoder: Encoder | None = None) -> Taught:
    """Return labels in alphabetical order, taught by the examples and by what the judge holds of them.

    Only what `judge` says of needs and tones is used, so a later judge of the same kind may stand in its place.
    With an encoder a second look is taught too, for texts that stay unsure.
    """
    check(name, examples)
    ordered = sorted({(example.label, example.text) for example in examples})
    labels = sorted({label for label, _ in ordered})
    number = {label: index for index, label in enumerate(labels)}
    texts = [text for _, text in ordered]
    laid = lay_out([read(text) for text in texts], THRESHOLDS)
    lesson = _lay(texts, laid.matrix, np.array([number[label] for label, _ in ordered], dtype=np.int64), judge)
    found = _settings(lesson)
    sharp, bias = _learn_all(lesson, found.voices)
    width = laid.space.width
    known = senses.shipped()
    meta = {"labels": labels, "examples": len(ordered), "senses": known.fingerprint}
    steps, step = _stepped(sharp[width:] / np.float32(senses.UNIT))
    odds, common = _odds(lesson.share, lesson.classes)
    lean = _lean(found.lean, common)
    meta["heard"] = hashlib.sha256(steps.tobytes() + step.tobytes() + odds.tobytes() + lean.tobytes()).hexdigest()[:12]
    tables = pack(laid.space, sharp[:width], bias, meta, kept_pairs=40_000, kept_grams=40_000)
    tables.meta["fingerprint"] = hashlib.sha256(f"{tables.meta['fingerprint']} {meta['heard']}".encode()).hexdigest()[:12]
    second = None if encoder is None else _second(lesson, _meanings(texts, encoder), found.margins)
    return Taught(tables=tables, sense_weights=steps, sense_step=step, odds=odds, lean=lean, second=second)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """N examples of L labels: their words, the directions of their senses, and the judge's opinion in cells."""

    matrix: sp.csr_matrix
    beside: Floats  # N x D
    share: Floats  # N x CELLS
    classes: NDArray[np.int64]

    def part(self, rows: NDArray[np.bool_]) -> Lesson:
        """Return some examples as the fit wants them."""
        classes = self.classes[rows]
        count = int(self.classes.max()) + 1
        return Lesson(
            matrix=self.matrix[rows],
            targets=np.eye(count, dtype=np.float32)[classes],
            weights=balanced(classes, strength=EVENED),
            allowed=(True,) * count,
        )


class _Voice(NamedTuple):
    """One way to learn, and by what its margins are multiplied before they are added to those of the others."""

    way: Way
    loudness: np.float32


class _Tried(NamedTuple):
    """A way to learn with the sharpness that surprises least, how much that still does, and what it says of the examples held back."""

    voice: _Voice
    surprise: float
    margins: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What examples held back were least surprised by."""

    voices: tuple[_Voice, ...]
    lean: float
    margins: NDArray[np.float64]  # of the examples held back (`_asked`), sharpened


def _lay(texts: Sequence[str], matrix: sp.csr_matrix, classes: NDArray[np.int64], judge: Judge) -> _Lesson:
    directions, shares = [], []
    for start in range(0, len(texts), CHUNK):
        pages = read_all(texts[start : start + CHUNK])
        back = np.argsort(pages.order)
        directions.append((senses.shipped().of(pages)[back] / senses.UNIT).astype(np.float32))
        shares.append(cells(judge.consult(pages))[back])
    return _Lesson(matrix=matrix, beside=np.concatenate(directions), share=np.concatenate(shares), classes=classes)


def _learn(lesson: _Lesson, *, way: Way, rounds: int, rows: NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
    """Return weights (words, then senses) and bias: what was learned, and beside it each label's centre."""
    taken = rows if rows is not None else np.ones(len(lesson.classes), dtype=np.bool_)
    part, beside = lesson.part(taken), lesson.beside[taken]
    if way.boundaries:
        weights, bias = learn_margins(part, decay=way.decay, rounds=rounds, beside=beside)
    else:
        learned = learn([replace(part, beside=beside)], shared_decay=way.decay, rounds=rounds)
        weights, bias = learned.shared, learned.shared_bias
    return weights + _centres(part, beside), bias


def _learn_all(lesson: _Lesson, voices: Sequence[_Voice]) -> tuple[Floats, Floats]:
    """Return the weights and bias of all voices together, as loud as they are heard."""
    learned = [_learn(lesson, way=voice.way, rounds=ROUNDS) for voice in voices]
    weights: Floats = np.sum([part * voice.loudness for voice, (part, _) in zip(voices, learned, strict=True)], axis=0)
    bias: Floats = np.sum([part * voice.loudness for voice, (_, part) in zip(voices, learned, strict=True)], axis=0)
    return weights, bias


def _settings(lesson: _Lesson) -> _Settings:
    """Return the ways to learn, by what margins are multiplied so that their softmax tells true probabilities, and what the opinion counts.

    All are those that surprise least where every fifth example is held back; of a small lesson every fifth has its turn. Ways and
    loudness are chosen without the opinion, which may have been taught by these very texts.
    """
    right = lesson.classes[_asked(lesson.classes)]
    small = _is_small(lesson.classes)
    tried = _try(lesson, SMALL_WAYS if small else WAYS)
    heard = tried if small else [min(tried, key=lambda each: each.surprise)]
    margins = np.mean([each.margins for each in heard], axis=0)
    sharpness = _sharpest(margins, right)[1]
    margins = margins * sharpness
    said = np.zeros_like(margins)
    for turn, held in _turns(lesson.classes):
        odds, common = _odds(lesson.share[~held], lesson.classes[~held], count=margins.shape[1])
        said[turn] = leaning(lesson.share[held], odds, _lean(1.0, common))
    leans = [(_surprise(1.0, margins + lean * said, right), lean) for lean in LEANS]
    return _Settings(voices=_together(heard, sharpness), lean=min(leans)[1], margins=margins)


def _is_small(classes: NDArray[np.int64]) -> bool:
    return len(classes) <= SMALL and int(classes.max()) < SMALL_COUNT


def _try(lesson: _Lesson, ways: Sequence[Way]) -> list[_Tried]:
    """Return what each way says of the examples held back, as sharp as it surprises least."""
    right = lesson.classes[_asked(lesson.classes)]
    tried = []
    for way in ways:
        told = _told(lesson, way=way)
        surprise, sharpness = _sharpest(told, right)
        tried.append(_Tried(_Voice(way, np.float32(sharpness)), surprise, told * sharpness))
    return tried


def _together(heard: Sequence[_Tried], loud: float) -> tuple[_Voice, ...]:
    """Return the voices whose margins add up to the mean of these, made ``loud``."""
    share = np.float32(loud / len(heard))
    return tuple(_Voice(each.voice.way, each.voice.loudness * share) for each in heard)


def _sharpest(margins: NDArray[np.float64], right: NDArray[np.int64]) -> tuple[float, float]:
    """Return the least surprise that margins can be brought to, and by what they are multiplied for it."""
    found = minimize_scalar(_surprise, bounds=SHARPNESS, args=(margins, right), method="bounded")
    return float(found.fun), float(found.x)


def _asked(classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which examples are held back at some time: every fifth, or all of a small lesson. They lie in the order of their labels."""
    asked: NDArray[np.bool_] = np.arange(len(classes)) % HELD_BACK < (HELD_BACK if len(classes) <= SMALL else 1)
    return asked


def _turns(classes: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield which of the asked, and which of all examples, are held back in each turn."""
    place, asked = np.arange(len(classes)) % HELD_BACK, _asked(classes)
    for turn in range(HELD_BACK if asked.all() else 1):
        yield place[asked] == turn, place == turn


def _told(lesson: _Lesson, *, way: Way) -> NDArray[np.float64]:
    """Return the margins of the asked examples, each by weights that were not taught it."""
    told = np.zeros((int(_asked(lesson.classes).sum()), int(lesson.classes.max()) + 1))
    width = lesson.matrix.shape[1]
    for turn, held in _turns(lesson.classes):
        weights, bias = _learn(lesson, way=way, rounds=ROUNDS // 3, rows=~held)
        told[turn] = lesson.matrix[held] @ weights[:width] + lesson.beside[held] @ weights[width:] + bias
    return told


def _meanings(texts: Sequence[str], encoder: Encoder) -> NDArray[np.float64]:
    cleaned = [clean(text) for text in texts]
    return meanings_of(cleaned, encoder, titles=titled(cleaned), together=TOGETHER)


def _second(lesson: _Lesson, meanings: NDArray[np.float64], margins: NDArray[np.float64]) -> SecondLook:
    """Return what meanings say of the labels, as loud as it surprises least beside the margins of the words."""
    none = sp.csr_matrix((len(meanings), 0), dtype=np.float32)
    looked = replace(lesson, matrix=none, beside=meanings_as_floats(meanings))
    right = lesson.classes[_asked(lesson.classes)]
    heard = _try(looked, SMALL_MEANING_WAYS if _is_small(lesson.classes) else MEANING_WAYS)
    told = np.mean([each.margins for each in heard], axis=0)

    def surprise(loud: float) -> float:
        return _surprise(1.0, margins + loud * told, right)

    loud = float(minimize_scalar(surprise, bounds=(0.0, SHARPNESS[1]), method="bounded").x)
    weights, bias = _learn_all(looked, _together(heard, loud))
    steps, step = _stepped(weights / np.float32(UNIT))
    return SecondLook(weights=steps, step=step, bias=np.round(bias, 6).astype(np.float64))


def _lean(lean: float, common: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the opinion counts, and what is taken off each label."""
    return np.concatenate([[lean], lean * PRIOR * common])


def _odds(share: Floats, classes: NDArray[np.int64], count: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often texts of each need and tone have each label (CELLS x L), and the logarithm of how common labels are."""
    total = np.bincount(classes, minlength=count or 0)
    common = (total + 0.5) / (total + 0.5).sum()
    sums = np.stack([share[classes == label].sum(axis=0, dtype=np.float64) for label in range(len(total))], axis=1)
    sums += DOUBT * common
    return np.round(sums / sums.sum(axis=1, keepdims=True), 6), np.round(np.log(common), 6)


def _centres(lesson: Lesson, beside: Floats) -> Floats:
    """Return each label's mean text, of a length that falls with the examples: of a few, the mean tells what boundaries miss."""
    examples, count = lesson.targets.shape
    sums = np.vstack([lesson.matrix.T @ lesson.targets, beside.T @ lesson.targets]).astype(np.float32)
    sums /= np.maximum(np.sqrt((sums**2).sum(axis=0)), 1e-6)
    share = CENTRE * min(1.0, FEW * count / examples)
    centres: Floats = share * (sums - sums.mean(axis=1, keepdims=True))
    return centres


def _stepped(weights: Floats) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Return weights as whole steps, and the step."""
    step = max(float(np.abs(weights).max(initial=0)), 1e-9) / 32_000
    return np.rint(weights / step).astype(np.int16), np.array([step])


def _surprise(sharpness: float, margins: NDArray[np.float64], right: NDArray[np.int64]) -> float:
    """Return the mean surprise (natural units) at the right labels when margins are so sharp."""
    if not len(right):
        return 0.0
    return -float(np.log(np.maximum(softmax(margins * sharpness)[np.arange(len(right)), right], 1e-12)).mean())


def write(name: str, examples: Sequence[TaughtExample], model_dir: Path, judge: Judge, encoder: Encoder | None = None) -> Taught:
    """Teach and write `model_dir/labels/NAME`, replacing what was there; a failed lesson leaves the old one."""
    taught = teach(name, examples, judge, encoder)
    taught.save(model_dir / FOLDER / name)
    return taught
