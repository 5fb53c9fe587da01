"""The weights as tables on disk and in memory, and the sums over them.

Owns the model's file format (a folder of .npy arrays, word lists and `model.json`) and the arithmetic from ids to one
row of scores a text. Must not know what the columns mean. Weights are whole numbers (int8, char sums int16), added up in
float32: every sum below 2**24 is exact, therefore independent of order and company.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.denial import Denials
from earshot_triage.judgement.features import Floats, Ints, Keys, Memory, Pages, keys_in_words, keys_of_grams
from earshot_triage.judgement.summing import sums_of_rows
from earshot_triage.judgement.text import LENGTHS, MARKS

NORM_UNITS: Final = 32.0
"""Squared lengths are stored as whole numbers of 1/32."""
NORM_SPLIT: Final = 128
"""... and added up as two numbers, so that no sum in a text of the longest kind passes 2**24, those of a pair are bytes and those of a
word fit in two."""


class ModelError(ValueError):
    """The model folder is missing a file, or a file does not fit the others. Train anew or reinstall."""


def put_array(folder: Path, name: str, array: NDArray[np.generic]) -> None:
    """Write `folder/NAME.npy` whole: a running service has the old file mapped, and would die if it shrank under it."""
    part = folder / f"{name}.npy.part"
    with part.open("wb") as file:
        np.save(file, array)
    part.replace(folder / f"{name}.npy")


def get_array(folder: Path, name: str) -> NDArray[Any]:
    """Return what `put_array` wrote. Raises ModelError in words when it cannot be read."""
    try:
        found: NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"the model folder {folder} cannot be read ({error}); train it anew") from error
    return found


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
        """Write the folder; the same tables give the same bytes. Each file is put in its place whole, as `put_array` does."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            put_array(folder, name, getattr(self, name))
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


CHAR_VOICE: Final = np.float32(0.4)
"""How much the characters of a word count beside the word when it is named as evidence: they share longer vectors."""
ROOM: Final = 6_000
"""So many strange words are remembered before the memory starts anew."""
_MOST: Final = np.float32(np.iinfo(np.int16).max)
Flags = Callable[[Sequence[str]], NDArray[np.uint8]]
Extras = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """N texts weighed: their `scores` (N x K), and the distinct words of each text.

    `words` are rows of `recalled`, sorted by text; `offsets` (N + 1) tell where each text's begin, `places` where among the
    pages' tokens each stood first. `starts` (N + 1) are the places of the BREAKs. `flags` (one a token) are what the
    scorer's `flags` say of its word, `extras` (N rows) the sums over the distinct words of what its `extras` say.
    """

    scores: Floats
    extras: Floats
    starts: Ints
    recalled: _Recalled
    words: Ints
    offsets: Ints
    places: Ints
    flags: NDArray[np.uint8]


class _Rows:
    """Rows of numbers, 2K + 4 + extras each: weights of the word, of its characters, squared lengths, extras.

    Those of the known words, which all memories share, and behind them room for strange ones.
    """

    def __init__(self, known: NDArray[np.int16], room: int) -> None:
        self.known = known
        self.strange = np.zeros((room, known.shape[1]), dtype=np.int16)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.known) + len(self.strange), self.known.shape[1]

    def take(self, rows: Ints, /, axis: int = 0) -> NDArray[np.int16]:
        """Return chosen rows, as an array would."""
        chosen = self.known.take(rows, axis=axis, mode="clip")
        strange = (rows >= len(self.known)).nonzero()[0]
        if len(strange):
            chosen[strange] = self.strange[rows[strange] - len(self.known)]
        return chosen


class _Recalled:
    """A memory of words with their rows of numbers. Rows are filled before their words are published, never changed."""

    def __init__(self, memory: Memory, numbers: _Rows, flags: NDArray[np.uint8]) -> None:
        self.memory = memory
        self.numbers = numbers
        self.flags = flags


class Scorer:
    """Tables made ready for fast sums. Immutable but for its memory of strange words; safe to use from many threads."""

    def __init__(self, tables: Tables, flags: Flags | None = None, extras: Extras | None = None, room: int = ROOM) -> None:
        self.columns = columns = tables.bias.shape[0]
        # Nothing of the tables is kept: their files and strings are as large as all else.
        self.known: Final = tables.words
        """The words that were taught, by their rows."""
        self._flags, self._extras = flags or _no_flags, extras or _no_extras
        self._size = len(tables.words)
        self._pairs, order = Keys.numbered(np.array(tables.pairs).astype(np.uint64))
        self._pair_numbers = np.empty((len(order), columns + 2), dtype=np.int8)
        self._pair_numbers[:, :columns] = tables.pair_weights[order]
        self._pair_numbers[:, columns:] = _split(tables.pair_norms[order])
        self._grams, order = Keys.numbered(keys_of_grams(tables.grams))
        self._gram_weights, self._gram_norms = tables.gram_weights[order], tables.gram_norms[order]
        self.scales, self._bias = np.array(tables.scales), np.array(tables.bias)
        self._denials = Denials(tables.words) if tables.meta.get("denials") else None
        self._strangest = float(tables.word_norms[:, 0].max(initial=0))
        self._lock = Lock()
        self._room = room
        self._recalled = self._first(tables, room)
        marks = np.zeros((len(LENGTHS) + len(MARKS), columns + 2), dtype=np.int16)
        for index, mark in enumerate((*LENGTHS, *MARKS)):
            row = self._row(mark)
            if row is not None:
                marks[index, :columns] = tables.word_weights[row]
                marks[index, columns:] = _split(tables.word_norms[row : row + 1, 0])
        self._shape_numbers = _of_shapes(marks)

    def commonness(self, word: str) -> float:
        """Return the share of the taught texts that hold a word (0..1); a strange word is as rare as the rarest."""
        row = self._row(word)
        squared = self._strangest if row is None else self._squared_length(row)
        return exp(1 - sqrt(squared / NORM_UNITS))

    def _squared_length(self, row: int) -> float:
        """Return the squared length of a known word, in 1/32."""
        high, low = self._recalled.numbers.known[row, 2 * self.columns : 2 * self.columns + 2].tolist()
        return float(high * NORM_SPLIT + low)

    def _row(self, word: str) -> int | None:
        """Return the row of a known word."""
        row = self._recalled.memory.rows.get(word)
        return row if row is not None and row < self._size else None

    def weigh(self, pages: Pages) -> Weighed:
        """Return the scores (logits, one row a text) and the words they come from."""
        columns = self.columns
        recalled, rows = self._recall(pages.tokens)
        if self._denials is not None:
            self._denials.apply(rows)
        starts = np.array([*(rows == 0).nonzero()[0].tolist(), len(rows)], dtype=np.int64)
        words, places, offsets = _distinct(rows, starts)
        total = sums_of_rows(words, offsets, recalled.numbers)
        by_word, by_gram = total[:, :columns], total[:, columns : 2 * columns]
        norms, extras = total[:, 2 * columns : 2 * columns + 4].astype(np.float64), total[:, 2 * columns + 4 :]
        beside = self._shape_numbers[pages.shapes].astype(np.float32)
        found, slots = self._pairs_in(rows)
        if len(found):
            beside += sums_of_rows(slots, np.searchsorted(found, starts), self._pair_numbers)
        by_word += beside[:, :columns]
        norms[:, :2] += beside[:, columns:]
        squared = norms[:, ::2] * NORM_SPLIT + norms[:, 1::2]
        lengths = np.sqrt(np.maximum(squared, 1.0) / NORM_UNITS).astype(np.float32)
        scores = by_word * (self.scales[0] / lengths[:, :1]) + by_gram * (self.scales[1] / lengths[:, 1:]) + self._bias
        return Weighed(
            scores=scores,
            extras=extras,
            starts=starts,
            recalled=recalled,
            words=words,
            offsets=offsets,
            places=places,
            flags=recalled.flags[rows],
        )

    def of_strangers(self, weighed: Weighed, column: int) -> Floats:
        """Return what the words that nobody was taught say in one column of `extras` (one a text)."""
        said = np.zeros(len(weighed.words), dtype=np.int16)
        places = (weighed.words >= self._size).nonzero()[0]
        said[places] = weighed.recalled.numbers.strange[weighed.words[places] - self._size, column]
        summed: Floats = np.add.reduceat(said, weighed.offsets[:-1], dtype=np.float32)
        return summed

    def voices(self, weighed: Weighed, ways: Floats) -> Floats:
        """Return how loudly each distinct word of each text speaks in each of D directions (K x D): words x D."""
        alone = len(weighed.offsets) == 2  # the words of one text are distinct
        distinct, inverse = (weighed.words, None) if alone else np.unique(weighed.words, return_inverse=True)
        rows, columns = weighed.recalled.numbers.take(distinct), self.columns
        heard = rows[:, :columns] * self.scales[0] + rows[:, columns : 2 * columns] * (CHAR_VOICE * self.scales[1])
        # Rounded far above the last digits, which depend on how many words are multiplied together.
        loudness: Floats = np.round(heard.astype(np.float64) @ ways, 4).astype(np.float32)
        return loudness if inverse is None else loudness[inverse]

    def _pairs_in(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return where known pairs begin among the tokens, in order, and their rows in the pair table."""
        left, right = rows[:-1], rows[1:]
        size = self._size
        keys = left * size
        keys += right
        if (rows >= size).any():
            keys[(left >= size) | (right >= size)] = -1
        return self._pairs.find(keys.view(np.uint64))

    def _recall(self, tokens: list[str]) -> tuple[_Recalled, Ints]:
        recalled = self._recalled
        rows = recalled.memory.recall(tokens)
        missing = (rows < 0).nonzero()[0].tolist()
        if missing:
            with self._lock:
                # Another thread may have begun a new memory meanwhile, which knows nothing of the strangers of this one.
                asked = tokens if self._recalled is not recalled else [tokens[place] for place in missing]
                met = self._meet(tokens, asked)
            if met is recalled:
                rows[missing] = recalled.memory.recall([tokens[place] for place in missing])
            else:  # the places of strange words are others now
                recalled, rows = met, met.memory.recall(tokens)
        return recalled, rows

    def _meet(self, tokens: list[str], asked: list[str]) -> _Recalled:
        """Return a memory that knows every token, given those that it may not know.

        The present one grows, or gives way to a new one when it is full.
        """
        recalled = self._recalled
        new = {token: None for token in asked if token not in recalled.memory.rows}
        if not recalled.memory.room_for(len(new)):
            recalled = self._anew(self._room)
            new = {token: None for token in tokens if token not in recalled.memory.rows}
            if recalled.memory.room_for(len(new)):
                self._recalled = recalled
            else:
                recalled = self._anew(len(new))  # for this once
        memory = recalled.memory
        found, strangers = memory.meet(new)
        if strangers:
            place = slice(memory.size, memory.size + len(strangers))
            self._fill(recalled, place, strangers)
            memory.size += len(strangers)
        memory.rows.update(found)
        return recalled

    def _fill(self, recalled: _Recalled, place: slice, strangers: list[str]) -> None:
        keys, owners = keys_in_words(strangers)
        found, grams = self._grams.find(keys)
        order = np.argsort(owners[found], kind="stable")
        grams, ends = grams[order], np.searchsorted(owners[found][order], np.arange(len(strangers) + 1))
        columns, numbers = self.columns, recalled.numbers.strange[place.start - self._size : place.stop - self._size]
        numbers[:, columns : 2 * columns] = np.clip(sums_of_rows(grams, ends, self._gram_weights), -_MOST, _MOST)
        norms = sums_of_rows(grams, ends, self._gram_norms[:, None])[:, 0].astype(np.int64)
        numbers[:, 2 * columns + 2 : 2 * columns + 4] = _split(norms)
        numbers[:, 2 * columns + 4 :] = self._extras(strangers)
        recalled.flags[place] = self._flags(strangers)

    def _first(self, tables: Tables, room: int) -> _Recalled:
        """Return the memory of the taught words, with room for so many strange ones."""
        size, columns = self._size, self.columns
        extras = self._extras(self.known)
        numbers = np.empty((size, 2 * columns + 4 + extras.shape[1]), dtype=np.int16)
        numbers[:, :columns], numbers[:, columns : 2 * columns] = tables.word_weights, tables.word_chars
        numbers[:, 2 * columns : 2 * columns + 2] = _split(tables.word_norms[:, 0])
        numbers[:, 2 * columns + 2 : 2 * columns + 4] = _split(tables.word_norms[:, 1])
        numbers[:, 2 * columns + 4 :] = extras
        flags = np.zeros(size + room, dtype=np.uint8)
        flags[:size] = self._flags(self.known)
        return _Recalled(Memory.of(self.known, room), _Rows(numbers, room), flags)

    def _anew(self, room: int) -> _Recalled:
        """Return the memory as it was before anything strange was met."""
        before = self._recalled
        flags = np.zeros(self._size + room, dtype=np.uint8)
        flags[: self._size] = before.flags[: self._size]
        return _Recalled(before.memory.anew(room), _Rows(before.numbers.known, room), flags)


def _no_flags(words: Sequence[str]) -> NDArray[np.uint8]:
    return np.zeros(len(words), dtype=np.uint8)


def _no_extras(words: Sequence[str]) -> Floats:
    return np.zeros((len(words), 0), dtype=np.float32)


def _of_shapes(marks: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the sums for every shape number, given the rows of LENGTHS and MARKS: a dozen of bytes each."""
    bits = (np.arange(1 << len(MARKS))[:, None] >> np.arange(len(MARKS)) & 1).astype(np.int16)
    sums: NDArray[np.int16] = (marks[: len(LENGTHS), None] + (bits @ marks[len(LENGTHS) :])[None]).reshape(-1, marks.shape[1])
    return sums


def _distinct(rows: Ints, starts: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the distinct rows of each text, where in the row of tokens each stood first, and where each text's begin."""
    keys = (rows << 24) | np.arange(len(rows))
    alone = len(starts) == 2
    if not alone:
        keys |= np.repeat(np.arange(len(starts) - 1) << 46, np.diff(starts))
    keys.sort()
    words = keys >> 24
    first = np.empty(len(keys), dtype=np.bool_)
    first[:1] = True
    np.not_equal(words[1:], words[:-1], out=first[1:])
    kept, words = keys[first], words[first]
    if alone:
        return words, kept & 0xFFFFFF, np.array([0, len(kept)])
    offsets = np.searchsorted(kept, np.arange(len(starts), dtype=np.int64) << 46)
    return words & 0x3FFFFF, kept & 0xFFFFFF, offsets


def _split(norms: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return N whole numbers as N x 2 small ones, whose float32 sums stay exact in the longest texts."""
    return np.stack([norms // NORM_SPLIT, norms % NORM_SPLIT], axis=1)
