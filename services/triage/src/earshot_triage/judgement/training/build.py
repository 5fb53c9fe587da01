"""From examples to finished tables.

Owns the fitting of all heads over one matrix, the packing into whole numbers and the pruning to size. Must not read files.
The same examples give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats, read
from earshot_triage.judgement.panel import COLUMN_COUNT, KINDS, PLACES
from earshot_triage.judgement.tables import Tables
from earshot_triage.judgement.training import fit, lessons
from earshot_triage.judgement.training.corpora import Example
from earshot_triage.judgement.training.design import Laid, Space, Thresholds, lay_out, whole_norms

THRESHOLDS: Final = Thresholds(word=3, pair=3, gram=4)
DECAYS: Final = {
    "kind": 0.05,
    "address": 0.3,
    "complaint": 0.25,
    "grief": 0.25,
    "sentiment": 0.7,
    "abuse": 1.0,
    "emotion": 0.25,
}
"""Penalty of each head, chosen by cross-validation on the development part."""
NEED_DECAYS: Final = (0.08, 0.2)
KEPT_PAIRS: Final = 60_000
KEPT_GRAMS: Final = 60_000
BINARY: Final = frozenset({"address", "complaint", "grief", "abuse"})

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing."""


def train(examples: Sequence[Example], *, say: Say = silent) -> Tables:
    """Return tables taught by the examples and our own material."""
    material = [*examples, *lessons.plain_words()]
    say(f"laying out {len(material)} texts")
    laid = lay_out([read(example.text) for example in material], THRESHOLDS)
    weights = np.zeros((laid.space.width, COLUMN_COUNT), dtype=np.float32)
    bias = np.zeros(COLUMN_COUNT, dtype=np.float32)
    for name, taught in lessons.heads(material).items():
        say(f"teaching {name}: {sum(len(lesson.rows) for lesson in taught)} texts")
        _teach(name, taught, laid, weights, bias)
    names = sorted({example.corpus for example in examples})
    return pack(laid.space, weights, bias, {"sets": names})


def _teach(name: str, taught: list[lessons.Lesson], laid: Laid, weights: Floats, bias: Floats) -> None:
    prepared = [_prepare(lesson, laid.matrix) for lesson in taught]
    if name == "need":
        learned = fit.learn(prepared, shared_decay=NEED_DECAYS[0], own_decay=NEED_DECAYS[1])
        for index, kind in enumerate(KINDS):
            place = PLACES[f"need {kind}"]
            weights[:, place] = learned.shared + learned.own[index]
            bias[place] = learned.shared_bias + learned.own_bias[index]
        return
    learned = fit.learn(prepared, shared_decay=DECAYS[name])
    place = PLACES[name]
    if name in BINARY:
        weights[:, place.start] = learned.shared[:, 1] - learned.shared[:, 0]
        bias[place.start] = learned.shared_bias[1] - learned.shared_bias[0]
    else:
        weights[:, place], bias[place] = learned.shared, learned.shared_bias


def _prepare(lesson: lessons.Lesson, matrix: sp.csr_matrix) -> fit.Lesson:
    targets = np.zeros((len(lesson.rows), len(lesson.allowed)), dtype=np.float32)
    targets[np.arange(len(lesson.rows)), lesson.classes] = 1
    return fit.Lesson(matrix=matrix[lesson.rows], targets=targets, weights=lesson.weights, allowed=lesson.allowed)


def pack(
    space: Space,
    weights: Floats,
    bias: Floats,
    meta: dict[str, Any],
    *,
    kept_pairs: int = KEPT_PAIRS,
    kept_grams: int = KEPT_GRAMS,
) -> Tables:
    """Return weights as tables of whole numbers, with the pairs and n-grams that speak loudest."""
    word_count, pair_count = len(space.words), len(space.pairs)
    words = weights[:word_count] * space.word_rarity[:, None]
    pairs = weights[word_count : word_count + pair_count] * space.pair_rarity[:, None]
    grams = weights[word_count + pair_count :] * space.gram_rarity[:, None]
    scales = np.stack([_step(words, pairs), _step(grams)])
    chars = (space.gram_matrix.astype(bool).astype(np.float32) @ np.round(grams / scales[1])).astype(np.int16)
    loud_pairs = _loudest(pairs / scales[0], kept_pairs)
    loud_grams = _loudest(grams / scales[1], kept_grams)
    tables = Tables(
        words=space.words,
        grams=[space.grams[index] for index in loud_grams],
        pairs=space.pairs[loud_pairs],
        word_weights=_whole(words / scales[0]),
        word_chars=chars,
        word_norms=np.stack([whole_norms(space.word_rarity), space.word_gram_norms], axis=1),
        pair_weights=_whole(pairs[loud_pairs] / scales[0]),
        pair_norms=whole_norms(space.pair_rarity[loud_pairs]),
        gram_weights=_whole(grams[loud_grams] / scales[1]),
        gram_norms=whole_norms(space.gram_rarity[loud_grams]),
        scales=scales.astype(np.float32),
        bias=bias,
        meta=meta,
    )
    tables.meta["fingerprint"] = fingerprint(tables)
    return tables


def fingerprint(tables: Tables) -> str:
    """Return twelve hexadecimal digits that change with any weight."""
    digest = hashlib.sha256()
    for part in (tables.word_weights, tables.word_chars, tables.pairs, tables.pair_weights, tables.gram_weights):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(tables.bias.tobytes() + tables.scales.tobytes() + "\n".join(tables.words).encode())
    return digest.hexdigest()[:12]


def _step(*parts: Floats) -> Floats:
    top = np.max([np.abs(part).max(axis=0) if len(part) else np.zeros(part.shape[1]) for part in parts], axis=0)
    step: Floats = np.where(top > 0, top / 127, 1).astype(np.float32)
    return step


def _whole(steps: Floats) -> NDArray[np.int8]:
    return np.round(steps).astype(np.int8)


def _loudest(steps: Floats, most: int) -> NDArray[np.int64]:
    loudness = np.sqrt((steps.astype(np.float64) ** 2).sum(axis=1))
    order = np.argsort(-loudness, kind="stable")[:most]
    return np.sort(order).astype(np.int64)
