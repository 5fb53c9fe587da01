"""The weights as tables on disk and in memory, and the sums over them.

Owns the model's file format (a folder of .npy arrays, word lists and `model.json`) and the arithmetic from ids to one
row of scores a text. Must not know what the columns mean. Weights are whole numbers (int8, char sums int16) held as
float32: every sum below 2**24 is exact, therefore independent of order and company.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Batch, Floats, Ints, Vocabulary, grams_of

NORM_UNITS: Final = 32.0
"""Squared lengths are stored as whole numbers of 1/32."""


class ModelError(ValueError):
    """The model folder is missing a file, or a file does not fit the others. Train anew or reinstall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All arrays of one model. Shapes: W words, P pairs, G grams, K columns."""

    words: list[str]
    grams: list[str]
    pairs: Ints  # P, sorted keys
    word_weights: NDArray[np.int8]  # W x K
    word_chars: NDArray[np.int16]  # W x K, the sums of each word's grams
    word_norms: NDArray[np.int32]  # W x 2: squared length of the word and of its grams, in 1/32
    pair_weights: NDArray[np.int8]  # P x K
    pair_norms: NDArray[np.int32]  # P
    gram_weights: NDArray[np.int8]  # G x K
    gram_norms: NDArray[np.int32]  # G
    scales: Floats  # 2 x K: one step of words and pairs, one step of grams
    bias: Floats  # K
    meta: dict[str, Any]  # what the columns mean; read by the owner of the model

    def save(self, folder: Path) -> None:
        """Write the folder; the same tables give the same bytes.

        Each file is put in its place whole: a running service has the old ones mapped, and would die if they shrank under it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            part = folder / f"{name}.npy.part"
            with part.open("wb") as file:
                np.save(file, getattr(self, name))
            part.replace(folder / f"{name}.npy")
        text = json.dumps(self.meta, indent=1, sort_keys=True, ensure_ascii=False)
        texts = {f"{name}.txt": "\n".join(getattr(self, name)) for name in LISTS} | {"model.json": text + "\n"}
        for name, content in texts.items():
            part = folder / f"{name}.part"
            part.write_text(content, encoding="utf-8")
            part.replace(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder written by `save`. Raises ModelError in words when it is not whole."""
        try:
            arrays: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS}
            lists: dict[str, Any] = {name: (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n") for name in LISTS}
            meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"the model folder {folder} cannot be read ({error}); train it anew") from error
        tables = cls(**arrays, **lists, meta=meta)
        columns = tables.bias.shape[0]
        whole = (
            tables.word_weights.shape == (len(tables.words), columns)
            and tables.word_chars.shape == tables.word_weights.shape
            and tables.pair_weights.shape == (len(tables.pairs), columns)
            and tables.gram_weights.shape[1:] == (columns,)
        )
        if not whole:
            raise ModelError(f"the files of the model folder {folder} do not fit each other; train it anew")
        return tables


ARRAYS: Final = (
    "pairs",
    "word_weights",
    "word_chars",
    "word_norms",
    "pair_weights",
    "pair_norms",
    "gram_weights",
    "gram_norms",
    "scales",
    "bias",
)
LISTS: Final = ("words", "grams")


_CHAR_VOICE: Final = np.float32(0.4)
"""How much the characters of a word count beside the word when it is named as evidence: they share longer vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Scores of N texts (N x K) and the rows of their words, in the order of the batch's word ids."""

    scores: Floats
    rows: Floats


class Scorer:
    """Tables made ready for fast sums. Immutable but for a cache of strange words; safe to use from many threads."""

    def __init__(self, tables: Tables) -> None:
        self._columns = columns = tables.bias.shape[0]
        self.vocabulary = Vocabulary(tables.words, np.array(tables.pairs))
        self._word_rows = np.empty((len(tables.words), 2 * columns + 2), dtype=np.float32)
        self._word_rows[:, :columns] = tables.word_weights
        self._word_rows[:, columns:-2] = tables.word_chars
        self._word_rows[:, -2:] = tables.word_norms
        self._pair_rows = np.empty((len(tables.pairs), columns + 1), dtype=np.float32)
        self._pair_rows[:, :columns] = tables.pair_weights
        self._pair_rows[:, columns] = tables.pair_norms
        self._grams = {gram: index for index, gram in enumerate(tables.grams)}
        self._gram_weights, self._gram_norms = tables.gram_weights, np.array(tables.gram_norms, dtype=np.float32)
        self._scales, self._bias = np.array(tables.scales), np.array(tables.bias)
        self._stranger = lru_cache(maxsize=16_384)(self._stranger_row)

    def commonness(self, word: str) -> float:
        """Return the share of the taught texts that hold a word (0..1); a strange word is as rare as the rarest."""
        place = self.vocabulary.words.get(word)
        squared = self._word_rows[place, -2] if place is not None else self._word_rows[:, -2].max()
        return float(np.exp(1 - np.sqrt(squared / NORM_UNITS)))

    def _stranger_row(self, word: str) -> Floats:
        row = np.zeros(2 * self._columns + 2, dtype=np.float32)
        get = self._grams.get
        known = [index for gram in grams_of(word) if (index := get(gram)) is not None]
        if known:
            row[self._columns : -2] = self._gram_weights[known].sum(axis=0, dtype=np.int32)
            row[-1] = self._gram_norms[known].sum()
        return row

    def _rows(self, batch: Batch) -> Floats:
        size = len(self._word_rows)
        rows = self._word_rows.take(batch.word_ids, axis=0, mode="clip")
        if batch.strangers:
            strange = np.flatnonzero(batch.word_ids >= size)
            extra = np.stack([self._stranger(word) for word in batch.strangers])
            rows[strange] = extra[batch.word_ids[strange] - size]
        return rows

    def weigh(self, batch: Batch) -> Weighed:
        """Return the scores (logits, one row a text) and what each word gave to them."""
        columns = self._columns
        rows = self._rows(batch)
        total = np.add.reduceat(rows, batch.word_offsets[:-1], axis=0)
        words, chars = total[:, :columns], total[:, columns:-2]
        word_norm, char_norm = total[:, -2], total[:, -1]
        if len(batch.pair_rows):
            starts = np.flatnonzero(np.diff(batch.pair_texts, prepend=-1))
            texts = batch.pair_texts[starts]
            found = np.add.reduceat(self._pair_rows.take(batch.pair_rows, axis=0), starts, axis=0)
            words[texts] += found[:, :-1]
            word_norm[texts] += found[:, -1]
        word_length = np.sqrt(np.maximum(word_norm, 1.0) / NORM_UNITS)[:, None]
        char_length = np.sqrt(np.maximum(char_norm, 1.0) / NORM_UNITS)[:, None]
        scores = words * (self._scales[0] / word_length) + chars * (self._scales[1] / char_length) + self._bias
        return Weighed(scores=scores, rows=rows)

    def voices(self, batch: Batch, rows: Floats, directions: Floats) -> Floats:
        """Return how loudly each word of each text speaks for its text's direction (one row of K a text)."""
        columns = self._columns
        owners = np.repeat(np.arange(len(directions)), np.diff(batch.word_offsets))
        heard = rows[:, :columns] * self._scales[0] + rows[:, columns:-2] * (_CHAR_VOICE * self._scales[1])
        loudness: Floats = (heard * directions.take(owners, axis=0)).sum(axis=1)
        return loudness
