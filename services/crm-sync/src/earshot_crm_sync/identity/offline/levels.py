"""How alike two records are, field by field, as levels: many pairs at a time.

Owns the definition of the levels. Must not weigh them. A level is a small integer; MISSING says that either side lacks
the field.
Texts are compared once for each distinct pair of texts, however many records carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel, JaroWinkler

from . import sounds, spelling
from .columns import Columns
from .nearest import has_nearer
from .tables import GENERATION_YEARS, SHORT_NAME, Level
from .texts import Codes, Texts, coded, objects

Levels = NDArray[np.int8]
Floats = NDArray[np.float64]
_Texts = NDArray[np.object_]


WORKERS = 2  # threads of the text comparisons; they are the costly part, and run outside the interpreter's lock


@dataclass(frozen=True, slots=True)
class NameTable:
    """What is known of each text of the name vocabulary."""

    texts: Texts
    sounds: Codes
    firm_sounds: Codes  # with vowels: what must agree for two names that both exist
    is_known: NDArray[np.bool_]
    is_listed: NDArray[np.bool_]  # known everywhere, not from this file alone
    lengths: NDArray[np.int32]


def name_table(columns: Columns) -> NameTable:
    """Prepare the names of one file. A name is known when it is on the list or borne by many in this file."""
    texts = columns.names
    listed_in = (spelling.common_names(), spelling.nicknames(), spelling.translations())
    borne = np.maximum(*(np.bincount(columns.codes[name][columns.codes[name] >= 0], minlength=len(texts)) for name in ("given", "family")))
    often = max(8, columns.count // 1000)
    listed = np.fromiter((any(text in listed for listed in listed_in) for text in texts), np.bool_)
    return NameTable(
        texts=texts,
        sounds=np.append(coded(sounds.sound(text) for text in texts)[: len(texts)], np.int32(-1)),
        firm_sounds=np.append(coded(sounds.firm_sound(text) for text in texts)[: len(texts)], np.int32(-1)),
        is_known=np.append(listed | (borne >= often), False),
        is_listed=np.append(listed, False),
        lengths=np.append(np.fromiter((len(text) for text in texts), np.int32), np.int32(0)),
    )


def by_distinct(left: Codes, right: Codes, size: int, compare: Callable[[Codes, Codes], Levels]) -> Levels:
    """Return the levels of coded texts: MISSING and EXACT at once, the rest once for each distinct pair."""
    levels = np.where((left < 0) | (right < 0), Level.MISSING, Level.EXACT).astype(np.int8)
    rows = np.flatnonzero((left != right) & (levels == Level.EXACT))
    if rows.size == 0:
        return levels
    low = np.minimum(left[rows], right[rows]).astype(np.int64)
    key, back = _distinct(low * size + np.maximum(left[rows], right[rows]))
    levels[rows] = compare((key // size).astype(np.int32), (key % size).astype(np.int32))[back]
    return levels


def _distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys in order, and where each key is among them; faster than numpy's by hash at this size."""
    order = np.argsort(keys)
    ordered = keys[order]
    fresh = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    back = np.empty(keys.size, np.int64)
    back[order] = np.cumsum(fresh) - 1
    return ordered[fresh], back


def similar(left: _Texts, right: _Texts, scorer: Callable[..., float], cutoff: float = 0.0) -> Floats:
    """Return pairwise similarities in 0..1."""
    found = process.cpdist(left, right, scorer=scorer, score_cutoff=cutoff, dtype=np.float32, workers=WORKERS)
    return np.asarray(found, np.float64)


def name_levels(table: NameTable, left: Codes, right: Codes) -> Levels:
    """Return the levels of two name columns. Two names that both exist are never merely misspelt forms of each other."""
    return by_distinct(left, right, len(table.texts), lambda a, b: _name_levels(table, a, b))


def _name_levels(table: NameTable, a: Codes, b: Codes) -> Levels:
    used, back = np.unique(np.concatenate((a, b)), return_inverse=True)
    texts = table.texts.take(used)
    spelt, sorted_letters = objects(texts), objects(["".join(sorted(text)) for text in texts])
    left, right = back.reshape(-1)[: a.size], back.reshape(-1)[a.size :]
    slips = similar(spelt[left], spelt[right], OSA.normalized_similarity)
    opening = similar(spelt[left], spelt[right], JaroWinkler.normalized_similarity)
    letters = similar(sorted_letters[left], sorted_letters[right], Indel.normalized_similarity)
    shortest, longest = (of(table.lengths[a], table.lengths[b]) for of in (np.minimum, np.maximum))
    close = (
        (slips >= 0.74) | ((slips >= 0.66) & (shortest >= 2)) | ((opening >= 0.92) & (slips >= 0.6)) | ((letters >= 0.999) & (slips >= 0.5))
    )
    rough = (slips >= np.where(shortest < SHORT_NAME, 0.6, 0.5)) | ((letters >= 0.8) & (shortest >= 3)) | (opening >= 0.85)
    levels = np.select([close, rough], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)
    both_known = table.is_known[a] & table.is_known[b]
    levels[both_known] = Level.DIFFERENT
    two_slips = (1 - slips) * np.maximum(longest, 1) > 1.5
    for row in np.flatnonzero(close & two_slips & (table.is_listed[a] != table.is_listed[b])):
        text, name = (texts[side[row]] for side in ((right, left) if table.is_listed[a[row]] else (left, right)))
        if has_nearer(text, name):
            levels[row] = Level.ROUGH
    heard = (table.sounds[a] == table.sounds[b]) & ~both_known & (shortest >= 3)
    firmly = (table.firm_sounds[a] == table.firm_sounds[b]) & (shortest >= 3)
    levels[(heard | firmly) & (both_known | ~close)] = Level.ALIAS
    levels[firmly & ~(table.is_listed[a] & table.is_listed[b])] = Level.CLOSE  # two spellings of one, though each be borne by many
    groups, languages = spelling.nicknames(), spelling.translations()
    has_parts = np.fromiter((" " in text for text in texts), np.bool_)
    has_groups = np.fromiter((text in groups or text in languages for text in texts), np.bool_)
    grouped = has_groups[left] & has_groups[right]
    lacking = np.fromiter((sounds.lacks_vowels(text) for text in texts), np.bool_)
    for row in np.flatnonzero((shortest == 1) | has_parts[left] | has_parts[right] | grouped | lacking[left] | lacking[right]):
        one, other = texts[left[row]], texts[right[row]]
        if spelling.share_a_group(groups, one, other) or one.replace(" ", "") == other.replace(" ", ""):
            levels[row] = Level.CLOSE  # who lives with Robert is hardly ever called Bob, at times R.
        elif spelling.share_a_group(languages, one, other):
            levels[row] = Level.ALIAS  # at times he lives with Roberto
        elif (lacking[left[row]] or lacking[right[row]]) and (agreed := sounds.bones_in_common(one, other)):
            levels[row] = Level.CLOSE if agreed > 1 else Level.ALIAS
        elif spelling.is_form_of(one, other):
            levels[row] = Level.CLOSE if spelling.share_an_end(one, other) else Level.ALIAS
    return levels


_NO_DIGITS_NOR_MARKS = str.maketrans("", "", "0123456789._-")
Compare = Callable[[Codes, Codes], Levels]


def birth_comparer(texts: list[str]) -> Compare:
    """CLOSE: one slip, or day and month exchanged; ALIAS: the year and one more agree.

    ROUGH: the year, or nearly all digits.
    """
    known = objects(texts)
    year, month, day = (np.asarray([text[start:end] for text in texts] or [""]) for start, end in ((0, 4), (5, 7), (8, 10)))

    number = np.asarray([int(text[:4]) if text[:4].isdigit() else 0 for text in texts] or [0], np.int32)

    def compare(a: Codes, b: Codes) -> Levels:
        slips = similar(known[a], known[b], OSA.normalized_similarity)
        years, months, days = year[a] == year[b], month[a] == month[b], day[a] == day[b]
        near = np.abs(number[a] - number[b]) < GENERATION_YEARS
        crossed = years & (month[a] == day[b]) & (day[a] == month[b])
        return np.select(
            [(slips >= 0.9) | crossed, years & (months | days), years | ((slips >= 0.8) & near)],
            [Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return compare


def place_comparer(texts: list[str]) -> Compare:
    """Slips alone decide; blanks do not count."""
    known = objects([text.replace(" ", "") for text in texts])

    def compare(a: Codes, b: Codes) -> Levels:
        slips = similar(known[a], known[b], OSA.normalized_similarity)
        return np.select([slips >= 0.75, slips >= 0.5], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return compare


def street_comparer(texts: list[str]) -> Compare:
    """CLOSE needs the same house number and flat or next to no slip; ALIAS is the same street with no number or a slip in it."""
    words = [street_words(text) for text in texts]
    names, known = objects([name for _, name in words]), objects(texts)
    number, numbers = coded(one for one, _ in words), objects([one for one, _ in words])
    unit = coded("/".join(part for part in text.split() if part[0].isdigit()).partition("/")[2] for text in texts)
    kind = coded(next((word for word in text.split() if word in spelling.STREET_KINDS), "") for text in texts)
    is_named = np.asarray([bool(name) for _, name in words] or [False])

    def compare(a: Codes, b: Codes) -> Levels:
        slips = similar(names[a], names[b], OSA.normalized_similarity)
        whole = similar(known[a], known[b], OSA.normalized_similarity)
        same_number = (number[a] == number[b]) & (number[a] >= 0)
        alike = (slips >= 0.69) & is_named[a] & is_named[b]  # three letters of ten may differ: "p lace" is no place
        other_kind = (kind[a] != kind[b]) & (kind[a] >= 0) & (kind[b] >= 0)  # Mill Road and Mill Lane
        two_numbers = (number[a] >= 0) & (number[b] >= 0) & ~same_number
        elsewhere = two_numbers & (distance(numbers[a], numbers[b]) > 1)
        next_door = same_number & (unit[a] != unit[b]) & (unit[a] >= 0) & (unit[b] >= 0)
        return np.select(
            [
                ((alike & same_number) | (whole >= 0.9) & ~two_numbers) & ~next_door & ~other_kind,
                alike & ~elsewhere & ~other_kind,
                same_number | alike | (whole >= 0.6),
            ],
            [Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return compare


def street_words(street: str) -> tuple[str, str]:
    """Return the house number and the rest without blanks."""
    number, rest = "", []
    for word in street.split():
        if not word[0].isdigit():
            rest.append(word)
        elif not number:
            number = word
    return number, "".join(rest)


def postcode_comparer(texts: list[str]) -> Compare:
    """One slip or the same digits in another order is CLOSE."""
    known, order = objects(texts), coded("".join(sorted(text)) for text in texts)

    def compare(a: Codes, b: Codes) -> Levels:
        slips = distance(known[a], known[b])
        close = (slips <= 1) | (order[a] == order[b])
        return np.select([close, slips == 2], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return compare


def email_comparer(texts: list[str]) -> Compare:
    """CLOSE: a slip or two, but never in the digits, for numbered addresses are other people's.

    Addresses that differ in nothing but digits say nothing either way. ALIAS: the same mailbox name elsewhere.
    """
    known, letters = objects(texts), objects(["".join(sorted(text)) for text in texts])
    numbers = [["".join(filter(str.isdigit, half)) for half in text.partition("@")] for text in texts]
    digit = coded("@".join(halves) for halves in numbers)
    digit_set = coded("".join(sorted("".join(halves))) or "-" for halves in numbers)
    wording = coded(text.translate(_NO_DIGITS_NOR_MARKS) for text in texts)
    local_names = ("".join(filter(str.isalnum, text.partition("@")[0])) for text in texts)
    local = coded(name if len(name) >= 6 else "" for name in local_names)

    def compare(a: Codes, b: Codes) -> Levels:
        slips = similar(known[a], known[b], OSA.normalized_similarity)
        scrambled = np.zeros(slips.size, np.bool_)
        rows = np.flatnonzero((slips >= 0.55) & (slips < 0.84))
        scrambled[rows] = similar(letters[a[rows]], letters[b[rows]], Indel.normalized_similarity) >= 0.85
        kept = digit[a] == digit[b]
        scrambled &= digit_set[a] == digit_set[b]
        numbered = ~kept & (wording[a] == wording[b])
        return np.select(
            [
                numbered,
                kept & (slips >= 0.84),
                (local[a] == local[b]) & (local[a] >= 0),
                (slips >= 0.65) & kept | scrambled,
            ],
            [Level.MISSING, Level.CLOSE, Level.ALIAS, Level.ROUGH],
            Level.DIFFERENT,
        ).astype(np.int8)

    return compare


def phone_comparer(texts: list[str]) -> Compare:
    """ALIAS: one lacks the other's prefix (EXACT unless both are international); CLOSE: one slip; ROUGH: a row of numbers."""
    known, tail, row_of = objects(texts), coded(text[-7:] for text in texts), coded(text[:-2] for text in texts)

    def compare(a: Codes, b: Codes) -> Levels:
        slips = distance(known[a], known[b])
        prefixed = np.zeros(slips.size, np.bool_)
        for row in np.flatnonzero((tail[a] == tail[b]) & (slips <= 3)):
            one, other = str(known[a[row]]), str(known[b[row]])
            prefixed[row] = min(len(one), len(other)) >= 7 and (one.endswith(other) or other.endswith(one))
        kinds = [prefixed, row_of[a] == row_of[b], slips == 1]
        return np.select(kinds, [Level.ALIAS, Level.ROUGH, Level.CLOSE], Level.DIFFERENT).astype(np.int8)

    return compare


def handle_comparer(texts: list[str]) -> Compare:
    """Two handles on one channel: one slip in the letters is CLOSE, two are ROUGH.

    What differs in digits or signs (anna_k, anna.k, anna_k1) is another account, taken because the first was.
    """
    known, signs = objects(texts), coded("".join(sign for sign in text if not sign.isalpha()) or "-" for text in texts)

    def compare(a: Codes, b: Codes) -> Levels:
        slips = np.where(signs[a] == signs[b], distance(known[a], known[b]), 4)
        return np.select([slips == 1, slips == 2], [Level.CLOSE, Level.ROUGH], Level.DIFFERENT).astype(np.int8)

    return compare


def distance(left: _Texts, right: _Texts) -> NDArray[np.int32]:
    """Return the number of slips between each two texts, 4 standing for more."""
    return np.asarray(process.cpdist(left, right, scorer=OSA.distance, score_cutoff=3, dtype=np.int32, workers=WORKERS))
