"""From texts to rows of numbers that weights are added up over.

Owns the vocabulary (words, neighbouring pairs, character n-grams inside words) and the way in which one batch of texts
becomes ids. Must not know what the columns mean. Everything that is added up is a whole number, so a text's sums do not
depend on the order of the additions nor on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.text import LINK, MENTION, START, canonical, clean, raw_tokens, shape

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

SHORTEST_GRAM: Final = 2
LONGEST_GRAM: Final = 5
_MARKED: Final = ("‹", LINK, MENTION)  # marks of our own have no characters worth counting


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


class Read(NamedTuple):
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
        size = len(self.words)
        flat = [token for text in texts for token in (START, *text.written)]
        counts = np.array([1 + len(text.written) for text in texts])
        strangers: dict[str, int] = {}
        row = self._ids(flat, strangers)
        owners = np.repeat(np.arange(len(texts)), counts)
        rows, places = self._pairs_in(row, size)
        distinct, offsets = self._distinct(texts, row.tolist())
        return Batch(
            word_ids=distinct,
            word_offsets=offsets,
            pair_rows=rows,
            pair_texts=owners[places],
            strangers=list(strangers),
        )

    def _distinct(self, texts: Sequence[Read], ids: list[int]) -> tuple[Ints, Ints]:
        """Return each text's distinct words and marks, one text after the other, and where each text begins."""
        get = self.words.get
        distinct: list[int] = []
        offsets = [0]
        start = 0
        for text in texts:
            stop = start + 1 + len(text.written)
            found = set(ids[start:stop])
            found.update([get(mark, 0) for mark in text.marks])
            distinct.extend(found)
            offsets.append(len(distinct))
            start = stop
        return np.array(distinct, dtype=np.int64), np.array(offsets, dtype=np.int64)

    def _ids(self, tokens: list[str], strangers: dict[str, int]) -> Ints:
        """Return the ids of tokens as written; a word that is not known joins the strangers."""
        known, size = self.words, len(self.words)
        row = np.fromiter(map(known.get, tokens, repeat(-1)), dtype=np.int64, count=len(tokens))
        for place in np.flatnonzero(row < 0).tolist():
            word = canonical(tokens[place])
            index = known.get(word)
            row[place] = index if index is not None else strangers.setdefault(word, size + len(strangers))
        return row

    def _pairs_in(self, row: Ints, size: int) -> tuple[Ints, Ints]:
        left, right = row[:-1], row[1:]
        if not len(self.pairs) or not len(left):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        keys = np.where((left < size) & (right < size), left * size + right, -1)
        slots = np.searchsorted(self.pairs, keys)
        slots[slots == len(self.pairs)] = 0
        places = np.flatnonzero(self.pairs[slots] == keys)
        return slots[places].astype(np.int64), places.astype(np.int64)
