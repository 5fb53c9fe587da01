"""From texts to rows of numbers that weights are added up over.

Owns the vocabulary (words, neighbouring pairs, character n-grams inside words) and the way in which one batch of texts
becomes ids. Must not know what the columns mean. Everything that is added up is a whole number, so a text's sums do not
depend on the order of the additions nor on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.text import canonical, clean, raw_tokens, shape

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

SHORTEST_GRAM: Final = 2
LONGEST_GRAM: Final = 5
_MARKED: Final = "‹"  # marks of our own have no characters worth counting


@lru_cache(maxsize=65_536)
def grams_of(word: str) -> tuple[str, ...]:
    """Return the character n-grams of a word with its borders, shortest first, repeats kept."""
    if word.startswith(_MARKED):
        return ()
    bordered = f"<{word}>"
    size = len(bordered)
    return tuple(
        bordered[start : start + length]
        for length in range(SHORTEST_GRAM, min(LONGEST_GRAM, size) + 1)
        for start in range(size - length + 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One text, read: its cleaned form, its tokens as written and its marks of shape."""

    cleaned: str
    written: list[str]
    marks: list[str]


def read(text: str) -> Read:
    """Clean one text and take it apart; any string is accepted."""
    cleaned = clean(text)
    return Read(cleaned=cleaned, written=raw_tokens(cleaned), marks=shape(cleaned))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Texts as ids. `word_ids[word_offsets[i]:word_offsets[i+1]]` are the distinct words of text i.

    Ids of `len(vocabulary)` and above are words of `strangers`, in order. `pair_rows` are rows of the pair table with
    the texts they belong to in `pair_texts`.
    """

    word_ids: Ints
    word_offsets: Ints
    pair_rows: Ints
    pair_texts: Ints
    strangers: list[str]


class Vocabulary:
    """The known words, and the known pairs as sorted keys `left * len(words) + right`."""

    def __init__(self, words: Sequence[str], pairs: Ints) -> None:
        self.names = list(words)
        self.words: dict[str, int] = {word: index for index, word in enumerate(words)}
        self.pairs = pairs

    def batch(self, texts: Sequence[Read]) -> Batch:
        """Return the ids of a batch of read texts."""
        known = self.words
        size = len(known)
        strangers: dict[str, int] = {}

        def meet(token: str) -> int:
            word = canonical(token)
            index = known.get(word)
            return index if index is not None else strangers.setdefault(word, size + len(strangers))

        distinct: list[int] = []
        sequence: list[int] = []
        offsets, ends = [0], [0]
        get = known.get
        for text in texts:
            ids = [get(mark, 0) for mark in text.marks]
            inner = [found if (found := get(token)) is not None else meet(token) for token in text.written]
            sequence.append(ids[0])
            sequence.extend(inner)
            distinct.extend({*ids, *inner})
            offsets.append(len(distinct))
            ends.append(len(sequence))
        row = np.array(sequence, dtype=np.int64)
        rows, places = self._pairs_in(row, size)
        owners = np.searchsorted(np.array(ends[1:], dtype=np.int64), places, side="right").astype(np.int64)
        return Batch(
            word_ids=np.array(distinct, dtype=np.int64),
            word_offsets=np.array(offsets, dtype=np.int64),
            pair_rows=rows,
            pair_texts=owners,
            strangers=list(strangers),
        )

    def _pairs_in(self, row: Ints, size: int) -> tuple[Ints, Ints]:
        left, right = row[:-1], row[1:]
        if not len(self.pairs) or not len(left):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        keys = np.where((left < size) & (right < size), left * size + right, -1)
        slots = np.searchsorted(self.pairs, keys)
        slots[slots == len(self.pairs)] = 0
        places = np.flatnonzero(self.pairs[slots] == keys)
        return slots[places].astype(np.int64), places.astype(np.int64)
