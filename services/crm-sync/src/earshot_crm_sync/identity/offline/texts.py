"""Many texts in little room: one run of bytes and two numbers a text, where a list of strings would take three times that.

Owns the storage and the coding of texts. Must not spell nor compare them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Objects = NDArray[np.object_]
_AT_ONCE = 10_000
_SURROGATES = "surrogatepass"  # what JSON may escape and UTF-8 may not say


class Texts:
    """Texts by number, in the order they were kept; those that are gone from the order still lie in the bytes."""

    __slots__ = ("_blob", "_ends", "_starts")

    def __init__(self, blob: bytearray, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self._blob, self._starts, self._ends = blob, starts, ends

    def __len__(self) -> int:
        return self._starts.size

    def __getitem__(self, number: int) -> str:
        return self._blob[self._starts[number] : self._ends[number]].decode(errors=_SURROGATES)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self.take(np.arange(start, min(start + _AT_ONCE, len(self))))

    def take(self, numbers: NDArray[np.integer]) -> list[str]:
        """Return these texts."""
        blob = self._blob
        spans = zip(self._starts[numbers].tolist(), self._ends[numbers].tolist(), strict=True)
        return [blob[start:end].decode(errors=_SURROGATES) for start, end in spans]

    def checksums(self) -> NDArray[np.uint64]:
        """Return a checksum of each text, the same in every process."""
        blob, spans = memoryview(self._blob), zip(self._starts.tolist(), self._ends.tolist(), strict=True)
        return np.fromiter((crc32(blob[start:end]) for start, end in spans), np.uint64, len(self))

    def chosen(self, numbers: NDArray[np.integer]) -> Texts:
        """Return these texts in this order."""
        return Texts(self._blob, self._starts[numbers], self._ends[numbers])

    def begin_with(self, letter: str) -> NDArray[np.bool_]:
        """Return which texts begin with an ASCII letter."""
        if not len(self):
            return np.zeros(0, np.bool_)
        first = np.frombuffer(self._blob, np.uint8)[np.minimum(self._starts, len(self._blob) - 1)]
        return np.asarray((first == ord(letter)) & (self._starts < self._ends))

    def without_first(self, chosen: NDArray[np.bool_]) -> Texts:
        """Return the texts with the first letter of the chosen ones left out; it must be ASCII."""
        return Texts(self._blob, self._starts + chosen, self._ends)


class Interner:
    """Takes texts and gives each a number; equal texts get equal numbers when all have come.

    It remembers a hash of each text, not the text: 64 bits, keyed anew in each process, so that two of a million texts
    share one with a chance of one in ten million.
    """

    __slots__ = ("_blob", "_ends", "_hashes")

    def __init__(self) -> None:
        self._blob, self._ends, self._hashes = bytearray(), array("q"), array("q")

    def add(self, text: str) -> int:
        """Return a number for the text until `settle`, -1 for ""."""
        if not text:
            return -1
        number = len(self._hashes)
        self._hashes.append(hash(text))
        self._blob += text.encode() if text.isascii() else text.encode(errors=_SURROGATES)
        self._ends.append(len(self._blob))
        return number

    def extend(self, other: Interner) -> int:
        """Take over all of another's texts; return what to add to its numbers."""
        before = len(self._hashes)
        self._hashes.extend(other._hashes)
        self._ends.frombytes((np.array(other._ends, np.int64) + len(self._blob)).tobytes())
        self._blob += other._blob
        return before

    def all(self) -> Texts:
        """Return every text that came, repeats included; the number given out is its place."""
        ends = np.array(self._ends, np.int64)
        return Texts(self._blob, np.concatenate((np.zeros(1, np.int64), ends[:-1])) if ends.size else ends, ends)

    def settle(self) -> tuple[Texts, Codes]:
        """Return the distinct texts in the order of their first coming, and the code of each number given out."""
        codes, first = _ranked(np.array(self._hashes, np.int64))
        return self.all().chosen(first), codes


def _ranked(hashes: NDArray[np.int64]) -> tuple[Codes, NDArray[np.int64]]:
    """Return for each hash the rank of its first coming, and where each rank came first."""
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(order.size, np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    return rank[inverse.reshape(-1)], first[order]


def shifted(codes: array[int], by: int) -> array[int]:
    """Return codes with a number added to all but the missing ones."""
    found = np.array(codes, np.int32)
    return array("i", np.where(found >= 0, found + by, found).astype(np.int32).tobytes())


def looked_up(codes: Codes, table: Codes) -> Codes:
    """Return `table` at each code, -1 at -1."""
    if not table.size:
        return np.full(codes.size, -1, np.int32)
    return np.where(codes >= 0, table[np.maximum(codes, 0)], -1).astype(np.int32)


def texts_at(texts: Texts, codes: Codes) -> list[str]:
    """Return the text at each code, "" at -1."""
    if not len(texts):
        return [""] * codes.size
    return [text if code >= 0 else "" for text, code in zip(texts.take(np.maximum(codes, 0)), codes.tolist(), strict=True)]


def coded(texts: Iterable[str]) -> Codes:
    """Return a code for each text, equal for equal ones, -1 for ""; which code says nothing."""
    hashes = np.fromiter((hash(text) for text in texts), np.int64)
    if not hashes.size:
        return np.full(1, -1, np.int32)
    _, inverse = np.unique(hashes, return_inverse=True)
    return np.where(hashes == hash(""), -1, inverse.reshape(-1)).astype(np.int32)


def objects(texts: Sequence[str]) -> Objects:
    """Return texts as an array of objects, never of fixed-width strings."""
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def on_used(
    texts: Texts, prepare: Callable[[list[str]], Callable[[Codes, Codes], NDArray[np.int8]]]
) -> Callable[[Codes, Codes], NDArray[np.int8]]:
    """Return a comparison of coded texts that prepares those alone that it is asked about, a batch at a time."""

    def compare(left: Codes, right: Codes) -> NDArray[np.int8]:
        used, back = np.unique(np.concatenate((left, right)), return_inverse=True)
        places: Codes = back.reshape(-1).astype(np.int32)
        return prepare(texts.take(used))(places[: left.size], places[left.size :])

    return compare
