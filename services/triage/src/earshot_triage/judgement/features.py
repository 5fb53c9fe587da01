"""From texts to ids of words that weights are added up over.

Owns the reading of many texts at once, the character n-grams inside words, the known words and pairs, and the memory of
strange ones. Must not know what the columns mean. What is added up over the ids are whole numbers, so a text's sums do not
depend on the order of the additions nor on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.denial import DENIED
from earshot_triage.judgement.text import BREAK, LINK, MENTION, canonical, clean, raw_tokens, shape, shape_number, tokens_of_all

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

SHORTEST_GRAM: Final = 2
LONGEST_GRAM: Final = 5
_MARKED: Final = ("‹", LINK, MENTION, DENIED)  # what we made of words has no characters worth counting


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


_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio in 64 bits: spreads neighbouring keys


FEW_KEYS: Final = 64
"""Up to so many keys, halving the sorted ones again and again takes fewer steps of numpy than hashing: one text alone."""


class Keys:
    """Known keys (any distinct numbers of 64 bits), found by hashing."""

    def __init__(self, spread: NDArray[np.uint64]) -> None:
        """``spread``: keys as `numbered` spreads and sorts them."""
        bits = max(4, int(2 * max(1, len(spread)) - 1).bit_length() + 1)
        self._shift = np.uint64(64 - bits)
        self._spread = spread  # in the order of their buckets, which are their first bits
        counts = np.bincount(self._buckets(self._spread), minlength=1 << bits)
        self._first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._deepest = int(counts.max(initial=0))

    @classmethod
    def numbered(cls, keys: NDArray[np.uint64]) -> tuple[Self, Ints]:
        """Return known keys, and the order in which they are numbered."""
        spread = keys * _SPREAD
        order = np.argsort(spread)
        return cls(spread[order]), order

    def _buckets(self, spread: NDArray[np.uint64]) -> Ints:
        return (spread >> self._shift).astype(np.int64)

    def find(self, keys: NDArray[np.uint64]) -> tuple[Ints, Ints]:
        """Return the places in `keys` of the known ones, in order, and the number of each."""
        spread = keys * _SPREAD
        if len(keys) <= FEW_KEYS and len(self._spread):
            return self._find_few(spread)
        buckets = self._buckets(spread)
        slots, ends = self._first[buckets], self._first[buckets + 1]
        places = (slots < ends).nonzero()[0]
        numbers = np.full(len(keys), -1, dtype=np.int32)
        for _ in range(self._deepest):
            here = slots[places]
            hit = self._spread[here] == spread[places]
            numbers[places[hit]] = here[hit]
            slots[places] += 1
            places = places[~hit & (here + 1 < ends[places])]
            if not len(places):
                break
        found = (numbers >= 0).nonzero()[0]
        return found, numbers[found].astype(np.int64)

    def _find_few(self, spread: NDArray[np.uint64]) -> tuple[Ints, Ints]:
        numbers = self._spread[:-1].searchsorted(spread)
        found = (self._spread[numbers] == spread).nonzero()[0]
        return found, numbers[found]


_PLACES: Final = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], dtype=np.uint64
)
"""One odd number for each place in an n-gram: the sum of letters times places is the n-gram's key."""


def keys_of_grams(grams: Sequence[str]) -> NDArray[np.uint64]:
    """Return the key of each n-gram of LONGEST_GRAM characters at most."""
    letters = np.array(grams, dtype=f"U{LONGEST_GRAM}").view(np.uint32).reshape(len(grams), LONGEST_GRAM).astype(np.uint64)
    keys: NDArray[np.uint64] = (letters * _PLACES).sum(axis=1, dtype=np.uint64)
    return keys


def keys_in_words(words: Sequence[str]) -> tuple[NDArray[np.uint64], Ints]:
    """Return the keys of all n-grams of the words, as `grams_of` has them, and the word of each."""
    bordered = ["" if word.startswith(_MARKED) else f"<{word}>" for word in words]
    letters = np.frombuffer("".join(bordered).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    sizes = np.fromiter(map(len, bordered), dtype=np.int64, count=len(bordered))
    owners = np.repeat(np.arange(len(words)), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(letters))  # letters from here to the end of the word
    sums = letters * _PLACES[0]
    keys, of_words = [], []
    for length in range(2, LONGEST_GRAM + 1):
        sums = sums[:-1] + letters[length - 1 :] * _PLACES[length - 1]
        whole = np.flatnonzero(left[: len(sums)] >= length)
        if length >= SHORTEST_GRAM:
            keys.append(sums[whole])
            of_words.append(owners[whole])
    return np.concatenate(keys), np.concatenate(of_words)


class Memory:
    """Tokens as written with the rows of their words: the known ones, and strangers met so far up to a bound."""

    def __init__(self, rows: dict[str, int], known: int, room: int) -> None:
        """``rows``: of the known words, which are ``known`` in number; the memory's own from now on."""
        self.rows = rows
        self.size = self._known = known
        self._began = len(rows)
        self._most_rows = known + room
        self._most_tokens = known + 3 * room

    @classmethod
    def of(cls, words: Sequence[str], room: int) -> Self:
        """Return a memory of known words, whose rows are in their order."""
        return cls({word: row for row, word in enumerate(words)} | {BREAK: 0}, len(words), room)

    def anew(self, room: int) -> Memory:
        """Return the memory as it was before it met any stranger. Nobody may publish in this one meanwhile."""
        return Memory(dict(islice(self.rows.items(), self._began)), self._known, room)

    def recall(self, tokens: list[str]) -> Ints:
        """Return the row of each token, -1 for one that was never met."""
        return np.fromiter(map(self.rows.get, tokens, repeat(-1)), dtype=np.int64, count=len(tokens))

    def room_for(self, count: int) -> bool:
        """Say whether so many tokens more would fit."""
        return self.size + count <= self._most_rows and len(self.rows) + 2 * count <= self._most_tokens

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
