"""From texts to ids of words that weights are added up over.

Owns the reading of many texts at once, the character n-grams inside words, the known words and pairs, and the memory of
strange ones. Must not know what the columns mean. What is added up over the ids are whole numbers, so a text's sums do not
depend on the order of the additions nor on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.text import LINK, MENTION, canonical, clean, raw_tokens, shape, shape_number, tokens_of_all

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
class Pages:
    """N texts, read together: `cleaned`, shape numbers, and all tokens in a row with a BREAK before each text's.

    The first `plain` texts are ASCII, the others follow: text i was number `order[i]` of those given.
    """

    cleaned: list[str]
    tokens: list[str]
    shapes: Ints
    order: list[int]
    plain: int


def read_all(texts: Sequence[str]) -> Pages:
    """Clean texts and take them apart, all in one go; any strings are accepted."""
    cleaned = [clean(text) for text in texts]
    order = list(range(len(cleaned)))
    plain = list(map(str.isascii, cleaned))
    if all(plain):
        tokens = tokens_of_all(cleaned) if cleaned else []
    else:
        order.sort(key=plain.__getitem__, reverse=True)
        cleaned = [cleaned[index] for index in order]
        count = sum(plain)
        tokens = (tokens_of_all(cleaned[:count]) if count else []) + tokens_of_all(cleaned[count:])
    return Pages(
        cleaned=cleaned,
        tokens=tokens,
        shapes=np.array([shape_number(text) for text in cleaned], dtype=np.int64),
        order=order,
        plain=sum(plain),
    )


class Pairs:
    """Known pairs of neighbouring words, found by hashing: keys `left * words + right`, rows of any table beside them."""

    _SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio in 64 bits: spreads neighbouring keys

    def __init__(self, keys: Ints) -> None:
        bits = max(4, int(2 * max(1, len(keys)) - 1).bit_length() + 1)
        self._shift = np.uint64(64 - bits)
        buckets = self._buckets(keys)
        self.order = np.argsort(buckets, kind="stable")
        self._keys = np.append(keys[self.order], -1)
        counts = np.bincount(buckets, minlength=1 << bits)
        self._first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._deepest = int(counts.max(initial=0))

    def _buckets(self, keys: Ints) -> Ints:
        return ((keys.astype(np.uint64) * self._SPREAD) >> self._shift).astype(np.int64)

    def find(self, keys: Ints) -> tuple[Ints, Ints]:
        """Return the places in `keys` of the known ones, and where each lies in `order`."""
        buckets = self._buckets(keys)
        slots, ends = self._first[buckets], self._first[buckets + 1]
        places = np.flatnonzero(slots < ends)
        found_places, found_slots = [], []
        for _ in range(self._deepest):
            here = slots[places]
            hit = self._keys[here] == keys[places]
            found_places.append(places[hit])
            found_slots.append(here[hit])
            slots[places] += 1
            places = places[~hit & (here + 1 < ends[places])]
            if not len(places):
                break
        if not found_places:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(found_places), np.concatenate(found_slots).astype(np.int64)


class Memory:
    """Tokens as written with the rows of their words: the known ones, and strangers met so far up to a bound."""

    def __init__(self, known: dict[str, int], size: int, room: int) -> None:
        self.rows: dict[str, int] = dict(known)
        self.size = size
        self._most_rows = size + room
        self._most_tokens = len(known) + 2 * room

    def recall(self, tokens: list[str]) -> Ints:
        """Return the row of each token, -1 for one that was never met."""
        return np.fromiter(map(self.rows.get, tokens, repeat(-1)), dtype=np.int64, count=len(tokens))

    def room_for(self, count: int) -> bool:
        """Say whether so many tokens more would fit."""
        return self.size + count <= self._most_rows and len(self.rows) + count <= self._most_tokens

    def meet(self, tokens: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """Return new tokens with the rows they are to have, and the strange words among them, whose rows are the next.

        The caller fills the rows, then publishes the tokens in `rows`: others may be reading meanwhile.
        """
        found: dict[str, int] = {}
        strangers: dict[str, int] = {}
        for token in tokens:
            word = canonical(token)
            row = self.rows.get(word)
            if row is None:
                row = strangers.setdefault(word, self.size + len(strangers))
                found[word] = row
            found[token] = row
        return found, list(strangers)
