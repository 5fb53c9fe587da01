"""What words mean, as short vectors: words that are used alike point the same way.

Owns the shipped vectors (`word_senses/`) and the direction of a text. Must not know labels. The vectors were taught to point where MiniLM
points, text by text (`training/distil.py`), so lessons in few words reach texts in other words. Everything is added up in whole numbers:
the direction of a text does not depend on its company.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Ints, Pages
from earshot_triage.judgement.summing import sums_of_rows
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.text import BREAK, canonical

Wholes = NDArray[np.float64]
"""Whole numbers, small enough for sums and products of float64 to be exact."""

SHIPPED: Final = Path(__file__).parent / "word_senses"
UNIT: Final = 256
"""The length of a direction, about: its parts are whole numbers."""
_REMEMBERED: Final = 20_000
_UNKNOWN, _BREAK, _NEW = -1, -2, -3


class Senses:
    """Vectors of known words. Immutable but for its memory of spellings; safe to use from many threads."""

    def __init__(self, words: list[str], vectors: NDArray[np.int8]) -> None:
        """`vectors`: W x D, weighed by rarity."""
        self._vectors = vectors
        self._known = {word: row for row, word in enumerate(words)} | {BREAK: _BREAK}
        self._rows = dict(self._known)
        self._most = len(self._known) + _REMEMBERED
        self.width: int = vectors.shape[1]
        self.fingerprint = hashlib.sha256(vectors.tobytes()).hexdigest()[:12]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder of `words.txt` and `vectors.npy`. Raises ModelError in words when it is not whole."""
        try:
            words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
            vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ModelError(f"the vectors of words in {folder} cannot be read ({error}); reinstall the package") from error
        if vectors.ndim != 2 or vectors.dtype != np.int8 or len(vectors) != len(words):
            raise ModelError(f"the files in {folder} do not fit each other; reinstall the package")
        return cls(words, vectors)

    def vectors(self, words: Sequence[str]) -> NDArray[np.int8]:
        """Return the vector of each word in its common form (N x D), weighed by rarity; zeroes for a word that is not known."""
        rows = np.array([self._known.get(word, _UNKNOWN) for word in words], dtype=np.int64)
        found: NDArray[np.int8] = np.where(rows[:, None] >= 0, self._vectors[np.maximum(rows, 0)], np.int8(0))
        return found

    def of(self, pages: Pages) -> Wholes:
        """Return the direction of each text (N x D, in the pages' order); zeroes where no word is known."""
        rows = self._recall(pages.tokens)
        owners = np.cumsum(rows == _BREAK) - 1
        known = rows >= 0
        keys = owners[known] * len(self._vectors) + rows[known]
        keys.sort()
        once = np.ones(len(keys), dtype=np.bool_)
        once[1:] = keys[1:] != keys[:-1]
        return self._directions(keys[once], len(pages.cleaned))

    def _directions(self, keys: Ints, count: int) -> Wholes:
        """Return the directions of texts, given text * W + row for each word in it, sorted."""
        size = len(self._vectors)
        ends = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) * size)
        rows, slots = np.unique(keys % size, return_inverse=True)
        sums = sums_of_rows(slots, ends, self._vectors[rows].astype(np.float32)).astype(np.float64)  # below 2**24, so exact
        lengths = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
        directions: Wholes = np.rint(sums * (UNIT / np.maximum(lengths, 1)))
        return directions

    def _recall(self, tokens: list[str]) -> Ints:
        """Return the row of each token: of a known word, of none, or that of a break."""
        rows = np.fromiter(map(self._rows.get, tokens, repeat(_NEW)), dtype=np.int64, count=len(tokens))
        for place in (rows == _NEW).nonzero()[0].tolist():
            rows[place] = self._meet(tokens[place])
        return rows

    def _meet(self, token: str) -> int:
        rows = self._rows
        row = rows.get(canonical(token), _UNKNOWN)
        if len(rows) >= self._most:
            self._rows = rows = dict(self._known)
        rows[token] = row
        return row


@cache
def shipped() -> Senses:
    """Return the vectors in the package, read when they are first asked for."""
    return Senses.load(SHIPPED)
