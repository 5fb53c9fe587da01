"""Fitting weights: logistic regression with many answers, for one set or for several that disagree.

Owns the loss, its gradient and the optimiser's settings. Must not know texts. The same matrix, targets and settings give
the same weights: full-batch L-BFGS from zero, no chance anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from earshot_triage.judgement.features import Floats

BIAS_DECAY: Final = 1e-4
FORBIDDEN: Final = -1e9
"""Added to the score of a class that a set does not know: its probability becomes 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One set to learn from: N rows, C classes. `targets` are probabilities (N x C), `weights` one a row.

    `beside` (N x D) are further columns, dense ones; their weights follow those of the matrix.
    """

    matrix: sp.csr_matrix
    targets: Floats
    weights: Floats
    allowed: tuple[bool, ...]  # which classes the set knows
    beside: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Weights (columns x classes) and bias (classes) that all sets share, and each set's own difference to them."""

    shared: Floats
    shared_bias: Floats
    own: list[Floats]
    own_bias: list[Floats]


def learn(lessons: Sequence[Lesson], *, shared_decay: float, own_decay: float | None = None, rounds: int = 45) -> Learned:
    """Fit one softmax over all lessons; with `own_decay` each lesson may differ from the shared weights at that price.

    `*_decay` are the strengths of the quadratic penalty (1 / C of the usual notation).
    Source: Daumé 2007, Frustratingly easy domain adaptation, as a hierarchical prior.
    """
    width, classes = lessons[0].matrix.shape[1], lessons[0].targets.shape[1]
    beside = [_beside(lesson) for lesson in lessons]
    held = _held(lessons)
    matrices = [lesson.matrix[:, held] for lesson in lessons]
    size = len(held) + beside[0].shape[1] + 1
    # A lesson's own weights are for the columns that it holds: elsewhere they would stay 0, and only make the fit slow.
    rows = [np.append(_held_by(matrix), np.arange(len(held), size)) for matrix in matrices]
    matrices = [matrix[:, row[: -beside[0].shape[1] - 1]] for matrix, row in zip(matrices, rows, strict=True)]
    across = [matrix.T.tocsr() for matrix in matrices]
    masks = [np.where(lesson.allowed, 0.0, FORBIDDEN) for lesson in lessons]
    ends = np.cumsum([0, size] + [len(row) for row in rows if own_decay is not None])
    own = [slice(start, end) for start, end in pairwise(ends[1:])]
    decays = np.full((ends[-1], 1), shared_decay)
    decays[size:] = own_decay or 0.0
    decays[ends[1:] - 1] = BIAS_DECAY

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = flat.reshape(-1, classes)
        slope = decays * theta
        total = 0.5 * float((slope * theta).sum())
        for index, lesson in enumerate(lessons):
            weights = theta[rows[index]]
            if own:
                weights += theta[own[index]]
            light, sparse = weights.astype(np.float32), matrices[index].shape[1]
            scores = matrices[index] @ light[:sparse] + beside[index] @ light[sparse:-1] + weights[-1] + masks[index]
            chances = softmax(scores)
            total -= float((lesson.weights[:, None] * lesson.targets * np.log(np.maximum(chances, 1e-12))).sum())
            push = (lesson.weights[:, None] * (chances - lesson.targets)).astype(np.float32)
            step = np.vstack([across[index] @ push, beside[index].T @ push, push.sum(axis=0, dtype=np.float64)[None, :]])
            slope[rows[index]] += step
            if own:
                slope[own[index]] += step
        return total, slope.ravel()

    settings = {"maxiter": rounds, "maxcor": 6}
    found = minimize(loss, np.zeros(ends[-1] * classes), jac=True, method="L-BFGS-B", options=settings)
    fitted = found.x.reshape(-1, classes).astype(np.float32)
    columns = np.append(held, np.arange(width, width + size - len(held)))
    theta = np.zeros((1 + len(own), columns[-1] + 1, classes), dtype=np.float32)
    theta[0, columns] = fitted[:size]
    for part, row, mine in zip(theta[1:], rows, own, strict=False):
        part[columns[row]] = fitted[mine]
    return Learned(
        shared=theta[0, :-1],
        shared_bias=theta[0, -1],
        own=[part[:-1] for part in theta[1:]],
        own_bias=[part[-1] for part in theta[1:]],
    )


def _held(lessons: Sequence[Lesson]) -> NDArray[np.int64]:
    """Return the columns that some row holds: the others' weights stay 0, and would only make the fit slow."""
    return np.unique(np.concatenate([_held_by(lesson.matrix) for lesson in lessons]))


def _held_by(matrix: sp.csr_matrix) -> NDArray[np.int64]:
    return np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))


def _beside(lesson: Lesson) -> Floats:
    return lesson.beside if lesson.beside is not None else np.zeros((len(lesson.weights), 0), dtype=np.float32)


def learn_margins(lesson: Lesson, *, decay: float, rounds: int = 60, beside: Floats | None = None) -> tuple[Floats, Floats]:
    """Fit one linear boundary a class against all others; return weights (columns x classes) and bias (classes).

    The loss is the squared hinge, which stops caring for a text once it lies a margin of 1 on its side: with many
    classes and few texts each that reads better than a shared softmax. `decay` is 1 / C of the usual notation.
    `beside` are dense columns (N x D), which follow those of the matrix.
    Source: Fan et al. 2008, LIBLINEAR, L2-regularised L2-loss.
    """
    matrix, across = lesson.matrix, lesson.matrix.T.tocsr()
    dense = beside if beside is not None else np.zeros((matrix.shape[0], 0), dtype=np.float32)
    columns, classes = matrix.shape[1], lesson.targets.shape[1]
    width = columns + dense.shape[1]
    sides = (2 * lesson.targets - 1).astype(np.float32)
    weights = lesson.weights[:, None].astype(np.float32)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = flat.reshape(width + 1, classes)
        told = theta.astype(np.float32)
        scores = matrix @ told[:columns] + dense @ told[columns:width] + told[width]
        short = np.maximum(0, 1 - sides * scores)
        push = -2 * weights * sides * short
        slope = np.vstack([across @ push, dense.T @ push, push.sum(axis=0, dtype=np.float64)[None, :]]) + decay * theta
        total = float((weights * short**2).sum(dtype=np.float64)) + 0.5 * decay * float((theta**2).sum())
        return total, slope.ravel()

    settings = {"maxiter": rounds, "maxcor": 6}
    found = minimize(loss, np.zeros((width + 1) * classes), jac=True, method="L-BFGS-B", options=settings)
    theta = found.x.reshape(width + 1, classes).astype(np.float32)
    return theta[:-1], theta[-1]


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return probabilities along the last axis."""
    shifted = scores.astype(np.float64) - scores.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    chances: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return chances


def balanced(labels: NDArray[np.int64], *, strength: float = 1.0) -> Floats:
    """Return a weight a row that evens out the classes; `strength` 0 leaves them as they are, 1 makes them equal."""
    counts = np.bincount(labels)
    present = int((counts > 0).sum())
    weights: Floats = ((len(labels) / present / np.maximum(counts, 1)) ** strength)[labels].astype(np.float32)
    return weights


def fit_logistic(odds: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and offset of `P(right) = logistic(slope * odds + offset)`.

    Source: Platt 1999, with a weak pull towards slope 1 and offset 0.
    """

    def loss(pair: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = pair[0] * odds + pair[1]
        chances = 1 / (1 + np.exp(-scores))
        total = float(np.logaddexp(0, scores).sum() - (right * scores).sum())
        push = chances - right
        slope = np.array([float((push * odds).sum()) + (pair[0] - 1), float(push.sum()) + pair[1]])
        return total + 0.5 * float((pair[0] - 1) ** 2 + pair[1] ** 2), slope

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return float(found[0]), float(found[1])
