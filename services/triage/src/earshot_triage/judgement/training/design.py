"""From texts to a sparse matrix for fitting.

Owns the choice of words, pairs and n-grams, their weights by rarity, and the layout of the matrix; mirrors to the letter
what `tables.Scorer` adds up at run time. Must not know labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from earshot_triage.judgement.denial import denied
from earshot_triage.judgement.features import Floats, Ints, Read, grams_of
from earshot_triage.judgement.tables import NORM_UNITS
from earshot_triage.judgement.text import START, canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """In how many texts a word, a pair and an n-gram must occur to be kept."""

    word: int = 2
    pair: int = 2
    gram: int = 3
    handle: int = 10  # accounts that many people write to are brands; nobody else's handle enters a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The features that are kept. Columns of the matrix: words, then pairs, then grams."""

    words: list[str]
    pairs: Ints  # keys over `words`, sorted
    grams: list[str]
    word_rarity: Floats
    pair_rarity: Floats
    gram_rarity: Floats
    gram_matrix: sp.csr_matrix  # words x grams: rarity times count, for every kept word
    word_gram_norms: NDArray[np.int32]  # the squared length of each kept word's grams, in the tables' units

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.words) + len(self.pairs) + len(self.grams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A fitted space and the matrix of the texts it was fitted on (float32, rows of unit length a group)."""

    space: Space
    matrix: sp.csr_matrix


def lay_out(texts: Sequence[Read], thresholds: Thresholds, *, denials: bool = False) -> Laid:
    """Choose the features of `texts` and return them with the matrix of `texts`; with `denials` denied words are words of their own."""
    everything, sequences, text_of, paired = _number(texts, denials=denials)
    count = len(texts)
    names = list(everything)
    word_pairs = np.unique(text_of * len(names) + sequences)
    owners, ids = word_pairs // len(names), word_pairs % len(names)
    frequency = np.bincount(ids, minlength=len(names))
    least = np.array([thresholds.handle if name[0] == "@" else thresholds.word for name in names])
    kept = np.flatnonzero(frequency >= least)
    order = sorted(kept.tolist(), key=lambda index: (names[index] != START, -frequency[index], names[index]))
    new_id = np.full(len(names), -1, dtype=np.int64)
    new_id[order] = np.arange(len(order))
    words = [names[index] for index in order]
    word_rarity = _rarity(frequency[order], count)

    inside = new_id[ids] >= 0
    word_block = _block(owners[inside], new_id[ids[inside]], np.ones(int(inside.sum())), (count, len(words)))
    pairs, pair_rarity, pair_block = _pairs(new_id[sequences[paired]], text_of[paired], len(words), count, thresholds.pair)
    all_words = _block(owners, ids, np.ones(len(ids)), (count, len(names)))
    grams, gram_rarity, gram_counts = _grams(names, all_words, count, thresholds.gram)
    gram_matrix = (gram_counts @ sp.diags(gram_rarity)).tocsr()

    by_word = sp.hstack([word_block @ sp.diags(word_rarity), pair_block @ sp.diags(pair_rarity)]).tocsr()
    norms = _stored(word_block @ _whole(word_rarity) + pair_block @ _whole(pair_rarity))
    by_gram = all_words @ gram_matrix
    gram_norms = _stored(all_words @ (gram_counts @ _whole(gram_rarity)))
    matrix = sp.hstack([sp.diags(1 / norms) @ by_word, sp.diags(1 / gram_norms) @ by_gram]).tocsr().astype(np.float32)
    space = Space(
        words=words,
        pairs=pairs,
        grams=grams,
        word_rarity=word_rarity,
        pair_rarity=pair_rarity,
        gram_rarity=gram_rarity,
        gram_matrix=gram_matrix[order],
        word_gram_norms=(gram_counts[order] @ _whole(gram_rarity)).astype(np.int32),
    )
    return Laid(space=space, matrix=matrix)


def _number(texts: Sequence[Read], *, denials: bool) -> tuple[dict[str, int], Ints, Ints, NDArray[np.bool_]]:
    """Return numbers of all tokens, the tokens in order, their texts, and which of them may stand in a pair."""
    numbers: dict[str, int] = {START: 0}
    sequence: list[int] = []
    sizes: list[int] = []
    paired: list[bool] = []
    for text in texts:
        marks = [numbers.setdefault(mark, len(numbers)) for mark in text.marks[1:]]
        written = [canonical(token) for token in text.written]
        words = [numbers.setdefault(word, len(numbers)) for word in (denied(written) if denials else written)]
        sequence += [*marks, 0, *words]
        paired += [False] * len(marks) + [True] * (1 + len(words))
        sizes.append(len(marks) + 1 + len(words))
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), sizes)
    return numbers, np.array(sequence, dtype=np.int64), owners, np.array(paired, dtype=np.bool_)


def _pairs(sequence: Ints, text_of: Ints, size: int, count: int, least: int) -> tuple[Ints, Floats, sp.csr_matrix]:
    left, right = sequence[:-1], sequence[1:]
    inside = (left >= 0) & (right > 0) & (text_of[:-1] == text_of[1:])
    owners, keys = text_of[:-1][inside], left[inside] * size + right[inside]
    distinct, slots = np.unique(keys, return_inverse=True)
    once = np.unique(owners * len(distinct) + slots)
    frequency = np.bincount(once % max(1, len(distinct)), minlength=len(distinct))
    kept = frequency >= least
    new_slot = np.cumsum(kept) - 1
    here = kept[slots]
    block = _block(owners[here], new_slot[slots[here]], np.ones(int(here.sum())), (count, int(kept.sum())))
    return distinct[kept].astype(np.int64), _rarity(frequency[kept], count), block


def _grams(names: list[str], all_words: sp.csr_matrix, count: int, least: int) -> tuple[list[str], Floats, sp.csr_matrix]:
    numbers: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for index, word in enumerate(names):
        for gram in grams_of(word):
            rows.append(index)
            columns.append(numbers.setdefault(gram, len(numbers)))
    matrix = _block(np.array(rows), np.array(columns), np.ones(len(rows)), (len(names), len(numbers)))
    present = all_words @ matrix
    frequency = np.asarray((present > 0).sum(axis=0)).ravel()
    kept = np.flatnonzero(frequency >= least)
    rarity = _rarity(frequency[kept], count)
    grams = list(numbers)
    return [grams[index] for index in kept], rarity, matrix[:, kept].tocsr()


def _rarity(frequency: NDArray[np.int64], count: int) -> Floats:
    rarity: Floats = (np.log((1 + count) / (1 + frequency)) + 1).astype(np.float32)
    return rarity


def whole_norms(rarity: Floats) -> NDArray[np.int32]:
    """Return squared lengths as the whole numbers that the tables store."""
    return np.round(rarity.astype(np.float64) ** 2 * NORM_UNITS).astype(np.int32)


def _whole(rarity: Floats) -> NDArray[np.float64]:
    return whole_norms(rarity).astype(np.float64)


def _stored(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.sqrt(np.maximum(norms, 1.0) / NORM_UNITS)
    return lengths


def _block(rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64], shape: tuple[int, int]) -> sp.csr_matrix:
    return sp.coo_matrix((values.astype(np.float32), (rows, columns)), shape=shape).tocsr()
