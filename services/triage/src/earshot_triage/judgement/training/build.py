"""From examples to finished tables.

Owns the fitting of all heads over one matrix, the packing into whole numbers and the pruning to size. Must not read files.
The same examples give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from math import log
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats, Ints, read
from earshot_triage.judgement.panel import COLUMN_COUNT, KINDS, PLACES, REVIEWS, TEAMS
from earshot_triage.judgement.senses import Senses
from earshot_triage.judgement.tables import Tables
from earshot_triage.judgement.text import SHAPES
from earshot_triage.judgement.training import fit, lessons
from earshot_triage.judgement.training.corpora import Example
from earshot_triage.judgement.training.design import Space, Thresholds, lay_out, whole_norms
from earshot_triage.judgement.training.kin import Kin
from earshot_triage.judgement.training.material import plain_words
from earshot_triage.judgement.training.telling import telling

THRESHOLDS: Final = Thresholds(word=3, pair=3, gram=4)
DECAYS: Final = {
    "kind": 0.3,
    "address": 0.3,
    "complaint": 0.25,
    "grief": 0.25,
    "sentiment": 0.7,
    "abuse": 8.0,
    "emotion": 0.25,
}
"""Penalty of each head, chosen by cross-validation on the development part."""
TOLD_APART: Final = {"abuse": 0.7}
"""Heads for which words that tell the classes apart speak louder, and by how much of the factor (`telling`)."""
NEED_DECAYS: Final = (0.24, 0.6)
"""Of what all kinds of text share, and of what each has of its own."""
SHAPELY: Final = {"kind": 8.0}
"""Heads for which marks of how a text is made speak louder than words, and by what factor: kinds of text differ in their making."""
NEED_KIN: Final = {"tweet": 0.7, **dict.fromkeys(REVIEWS, 0.85), "issue": 0.6}
"""How loudly directions speak beside words about needs; about all else as loudly. Issue reports say more in their own words than
reviews do."""
UNGUESSED: Final = [-log(len(team)) for team in TEAMS for _ in team]
"""Log odds of the kinds where no gate was taught: every team is heard alike."""
KEPT_PAIRS: Final = 60_000
KEPT_GRAMS: Final = 60_000
BINARY: Final = frozenset({"address", "complaint", "grief", "abuse"})

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing."""


def train(examples: Sequence[Example], *, meanings: Senses | None, say: Say = silent) -> Tables:
    """Return tables taught by the examples and our own material; with `meanings`, words of like meaning learn together."""
    material = [*examples, *plain_words()]
    say(f"laying out {len(material)} texts")
    laid = lay_out([read(example.text) for example in material], THRESHOLDS, denials=True)
    kin = Kin.of(laid, meanings) if meanings else None
    weights = np.zeros((laid.space.width, COLUMN_COUNT), dtype=np.float32)
    bias = np.zeros(COLUMN_COUNT, dtype=np.float32)
    bias[PLACES["kind"]] = UNGUESSED
    for name, taught in lessons.heads(material).items():
        say(f"teaching {name}: {sum(len(lesson.rows) for lesson in taught)} texts")
        heard = [kin.heard(NEED_KIN[kind]) for kind in KINDS] if kin and name == "need" else [kin] * len(taught)
        matrices = [laid.matrix[lesson.rows] for lesson in taught]
        louder = _louder(name, laid.space, matrices[0], taught[0].classes)
        if louder is not None:
            matrices = [(matrix @ sp.diags(louder)).tocsr() for matrix in matrices]
        prepared = [_prepare(*each) for each in zip(taught, matrices, heard, strict=True)]
        for (place, part, part_bias), voice in zip(_teach(name, prepared), heard, strict=True):
            if louder is not None:
                part[: laid.space.width] *= louder[:, None]
            weights[:, place] = voice.spread(part, laid.space) if voice else part
            bias[place] = part_bias
    meta = {"sets": sorted({example.corpus for example in examples}), "senses": meanings.fingerprint if meanings else None, "denials": True}
    return pack(laid.space, weights, bias, meta)


def _louder(name: str, space: Space, matrix: sp.csr_matrix, classes: Ints) -> Floats | None:
    """Return how much louder than usual each column speaks while a head is fitted; None where all speak alike."""
    if name in TOLD_APART:
        return telling(matrix, classes, share=TOLD_APART[name])
    if name in SHAPELY:
        louder = np.ones(space.width, dtype=np.float32)
        louder[: len(space.words)][[word in SHAPES for word in space.words]] = SHAPELY[name]
        return louder
    return None


def _teach(name: str, prepared: list[fit.Lesson]) -> list[tuple[slice, Floats, Floats]]:
    """Return the place, weights and bias of each part of a head."""
    if name == "need":
        learned = fit.learn(prepared, shared_decay=NEED_DECAYS[0], own_decay=NEED_DECAYS[1])
        return [
            (PLACES[f"need {kind}"], learned.shared + learned.own[index], learned.shared_bias + learned.own_bias[index])
            for index, kind in enumerate(KINDS)
        ]
    learned = fit.learn(prepared, shared_decay=DECAYS[name])
    shared, bias = learned.shared, learned.shared_bias
    if name in BINARY:
        shared, bias = shared[:, 1:] - shared[:, :1], bias[1:] - bias[:1]
    return [(PLACES[name], shared, bias)]


def _prepare(lesson: lessons.Lesson, matrix: sp.csr_matrix, kin: Kin | None) -> fit.Lesson:
    targets = np.zeros((len(lesson.rows), len(lesson.allowed)), dtype=np.float32)
    targets[np.arange(len(lesson.rows)), lesson.classes] = 1
    return fit.Lesson(
        matrix=matrix,
        targets=targets,
        weights=lesson.weights,
        allowed=lesson.allowed,
        beside=kin.directions[lesson.rows] if kin else None,
    )


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
