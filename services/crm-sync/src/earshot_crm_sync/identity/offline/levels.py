"""How alike two records are, field by field, as levels: many pairs at a time.

Owns the definition of the levels. Must not weigh them. A level is a small integer; MISSING says that either side lacks the field.
Texts are compared once for each distinct pair of texts, however many records carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel, JaroWinkler

from . import spelling
from .columns import Codes, Columns, Vocabulary

Levels = NDArray[np.int8]
Floats = NDArray[np.float64]
_Texts = NDArray[np.object_]


class Level(IntEnum):
    """From nothing known, over different, to equal."""

    MISSING = 0
    DIFFERENT = 1
    ROUGH = 2  # some resemblance: heavy misspelling, or chance
    CLOSE = 3  # one or two slips
    ALIAS = 4  # another form of the same: nickname, initial, how it sounds, part of it
    EXACT = 5


@dataclass(frozen=True, slots=True)
class NameTable:
    """What is known of each text of the name vocabulary."""

    texts: _Texts
    sorted_letters: _Texts
    sounds: Codes
    firm_sounds: Codes  # with vowels: what must agree for two names that both exist
    groups: tuple[frozenset[int], ...]
    is_known: NDArray[np.bool_]
    lengths: NDArray[np.int32]
    has_parts: NDArray[np.bool_]


def name_table(columns: Columns) -> NameTable:
    """Prepare the names of one file. A name is known when it is on the list or borne by many in this file."""
    texts = columns.names.texts
    groups, common = spelling.nicknames(), spelling.common_given_names()
    borne = np.bincount(columns.codes["given"][columns.codes["given"] >= 0], minlength=len(texts))
    often = max(4, columns.count // 2000)
    sounds, firm = Vocabulary(), Vocabulary()
    return NameTable(
        texts=np.asarray([*texts, ""], dtype=object),
        sorted_letters=np.asarray(["".join(sorted(text)) for text in texts] + [""], dtype=object),
        sounds=np.asarray([sounds.code(spelling.sound(text)) for text in texts] + [-1], np.int32),
        firm_sounds=np.asarray([firm.code(spelling.firm_sound(text)) for text in texts] + [-1], np.int32),
        groups=tuple(groups.get(text, frozenset()) for text in texts),
        is_known=np.asarray([text in common or text in groups for text in texts] + [False]) | (np.append(borne, 0) >= often),
        lengths=np.asarray([len(text) for text in texts] + [0], np.int32),
        has_parts=np.asarray([" " in text for text in texts] + [False]),
    )


def by_distinct(left: Codes, right: Codes, size: int, compare: Callable[[Codes, Codes], Levels]) -> Levels:
    """Return the levels of coded texts: MISSING and EXACT at once, the rest once for each distinct pair."""
    levels = np.where((left < 0) | (right < 0), Level.MISSING, Level.EXACT).astype(np.int8)
    rows = np.flatnonzero((left != right) & (levels == Level.EXACT))
    if rows.size == 0:
        return levels
    low = np.minimum(left[rows], right[rows]).astype(np.int64)
    key, back = np.unique(low * size + np.maximum(left[rows], right[rows]), return_inverse=True)
    levels[rows] = compare((key // size).astype(np.int32), (key % size).astype(np.int32))[back]
    return levels


def similar(left: _Texts, right: _Texts, scorer: Callable[..., float], cutoff: float = 0.0) -> Floats:
    """Return pairwise similarities in 0..1."""
    found = process.cpdist(left, right, scorer=scorer, score_cutoff=cutoff, dtype=np.float32)
    return np.asarray(found, np.float64)


def name_levels(table: NameTable, left: Codes, right: Codes) -> Levels:
    """Return the levels of two name columns. Two names that both exist are never merely misspelt forms of each other."""
    return by_distinct(left, right, len(table.texts), lambda a, b: _name_levels(table, a, b))


def _name_levels(table: NameTable, a: Codes, b: Codes) -> Levels:
    slips = similar(table.texts[a], table.texts[b], OSA.normalized_similarity)
    opening = similar(table.texts[a], table.texts[b], JaroWinkler.normalized_similarity)
    letters = similar(table.sorted_letters[a], table.sorted_letters[b], Indel.normalized_similarity)
    shortest = np.minimum(table.lengths[a], table.lengths[b])
    close = (slips >= 0.74) | ((opening >= 0.92) & (slips >= 0.6)) | ((letters >= 0.999) & (slips >= 0.5))
    rough = (slips >= 0.5) | ((letters >= 0.8) & (shortest >= 3)) | (opening >= 0.85)
    levels = np.select([close, rough], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)
    both_known = table.is_known[a] & table.is_known[b]
    levels[both_known] = Level.DIFFERENT
    heard = (table.sounds[a] == table.sounds[b]) & ~both_known & (shortest >= 3)
    firmly = (table.firm_sounds[a] == table.firm_sounds[b]) & (shortest >= 3)
    levels[heard | firmly] = Level.ALIAS
    for row in np.flatnonzero((shortest == 1) | table.has_parts[a] | table.has_parts[b] | both_known):
        if _is_form_of(table, int(a[row]), int(b[row])):
            levels[row] = Level.ALIAS
    return levels


def _is_form_of(table: NameTable, a: int, b: int) -> bool:
    if table.groups[a] & table.groups[b]:
        return True
    one, other = str(table.texts[a]).split(), str(table.texts[b]).split()
    if len(one) == len(other) == 1:
        return min(len(one[0]), len(other[0])) == 1 and one[0][0] == other[0][0]
    if "".join(one) == "".join(other):
        return True
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return all(any(part == word or (len(part) == 1 and word.startswith(part)) for word in many) for part in few)


def birth_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """CLOSE: one slip, or day and month exchanged; ALIAS: two of year, month and day agree; ROUGH: the year, or all digits, agree."""

    def compare(a: Codes, b: Codes) -> Levels:
        one, other = texts[a], texts[b]
        slips = similar(one, other, OSA.normalized_similarity)
        parts = [_slices(one, bounds) == _slices(other, bounds) for bounds in ((0, 4), (5, 7), (8, 10))]
        crossed = parts[0] & (_slices(one, (5, 7)) == _slices(other, (8, 10))) & (_slices(one, (8, 10)) == _slices(other, (5, 7)))
        agree = parts[0].astype(int) + parts[1] + parts[2]
        return np.select(
            [(slips >= 0.9) | crossed, agree == 2, parts[0] | (slips >= 0.8)],
            [Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)


def _slices(texts: _Texts, bounds: tuple[int, int]) -> NDArray[np.str_]:
    return np.asarray([text[bounds[0] : bounds[1]] for text in texts], dtype=np.str_)


def text_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """Return the levels of places and streets: slips alone, and a part of a longer text as ALIAS."""

    def compare(a: Codes, b: Codes) -> Levels:
        slips = similar(texts[a], texts[b], OSA.normalized_similarity)
        blanks = np.asarray([x.replace(" ", "") == y.replace(" ", "") for x, y in zip(texts[a], texts[b], strict=True)])
        return np.select([blanks | (slips >= 0.75), slips >= 0.5], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)


def street_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """EXACT and CLOSE need the same house number, ALIAS is the same street with another or no number."""

    def compare(a: Codes, b: Codes) -> Levels:
        words = [(_words(x), _words(y)) for x, y in zip(texts[a], texts[b], strict=True)]
        named = np.asarray([[x[1], y[1]] for x, y in words], dtype=object).reshape(-1, 2)
        slips = similar(named[:, 0], named[:, 1], OSA.normalized_similarity)
        whole = similar(texts[a], texts[b], OSA.normalized_similarity)
        numbers = np.asarray([bool(x[0]) and x[0] == y[0] for x, y in words])
        alike = (slips >= 0.7) & np.asarray([bool(x[1]) and bool(y[1]) for x, y in words])
        return np.select(
            [(alike & numbers) | (whole >= 0.9), alike, numbers | (whole >= 0.6)],
            [Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)


def _words(street: str) -> tuple[str, str]:
    """Return the house number and the rest without blanks."""
    number = next((word for word in street.split() if word[0].isdigit()), "")
    return number, "".join(word for word in street.split() if not word[0].isdigit())


def digit_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """Return the levels of postcodes: one slip or exchange is CLOSE."""

    def compare(a: Codes, b: Codes) -> Levels:
        slips = np.asarray(process.cpdist(texts[a], texts[b], scorer=OSA.distance, dtype=np.int32))
        anagram = np.asarray([sorted(x) == sorted(y) for x, y in zip(texts[a], texts[b], strict=True)])
        return np.select([(slips <= 1) | anagram, slips == 2], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)


def email_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """CLOSE: a slip or two, but never in the digits, for numbered addresses are other people's; ALIAS: the same mailbox name elsewhere."""

    def compare(a: Codes, b: Codes) -> Levels:
        one, other = texts[a], texts[b]
        slips = similar(one, other, OSA.normalized_similarity)
        kept = np.asarray([_digits(x) == _digits(y) for x, y in zip(one, other, strict=True)])
        local = np.asarray([_local(x) == _local(y) and len(_local(x)) >= 6 for x, y in zip(one, other, strict=True)])
        letters = similar(_lettered(one), _lettered(other), Indel.normalized_similarity)
        scrambled = (slips >= 0.55) & (letters >= 0.85)
        return np.select(
            [kept & (slips >= 0.84), local, (slips >= 0.65) & kept | scrambled],
            [Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)


def _digits(address: str) -> str:
    return "".join(letter for letter in address if letter.isdigit())


def _local(address: str) -> str:
    return "".join(letter for letter in address.partition("@")[0] if letter.isalnum())


def _lettered(addresses: _Texts) -> _Texts:
    return np.asarray(["".join(sorted(address)) for address in addresses] + [""], dtype=object)[:-1]


def phone_levels(texts: _Texts, abroad: NDArray[np.bool_], left: Codes, right: Codes, pairs: tuple[Codes, Codes]) -> Levels:
    """EXACT also when one side lacks the country's prefix; CLOSE: one slip."""
    levels = by_distinct(left, right, len(texts), lambda a, b: _phone_levels(texts, a, b))
    international = abroad[pairs[0]] & abroad[pairs[1]]
    levels[(levels == Level.ALIAS) & international] = Level.DIFFERENT  # two whole numbers of different countries
    levels[levels == Level.ALIAS] = Level.EXACT
    return levels


def _phone_levels(texts: _Texts, a: Codes, b: Codes) -> Levels:
    slips = np.asarray(process.cpdist(texts[a], texts[b], scorer=OSA.distance, dtype=np.int32))
    prefixed = np.asarray(
        [
            min(len(x), len(y)) >= 7 and abs(len(x) - len(y)) <= 3 and (x.endswith(y) or y.endswith(x))
            for x, y in zip(texts[a], texts[b], strict=True)
        ]
    )
    return np.select([prefixed, slips == 1], [Level.ALIAS, Level.CLOSE], Level.DIFFERENT).astype(np.int8)


def handle_levels(texts: _Texts, left: Codes, right: Codes) -> Levels:
    """Return the levels of two handles on one channel: one slip or exchange is CLOSE."""

    def compare(a: Codes, b: Codes) -> Levels:
        slips = np.asarray(process.cpdist(texts[a], texts[b], scorer=OSA.distance, dtype=np.int32))
        return np.select([slips == 1, slips == 2], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return by_distinct(left, right, len(texts), compare)
