"""How folded names sound, whatever language or script spelt them: what makes two spellings one name.

Owns the rules of sound. Must not fold text nor weigh likeness.
"""

from __future__ import annotations

import re

VOWELLESS = "'"
"""Ends a word of a name that was written without vowels; a folded word has no such sign otherwise."""

_OPEN_VOWELS = frozenset("aeiou")
_CONSONANTS = (
    (re.compile("tsch|tch|tsh|cz"), "C"),
    (re.compile("shch|sch|sh|sz"), "S"),
    (re.compile("ch"), "C"),
    (re.compile("ph"), "f"),
    (re.compile("kh|gh"), "h"),
    (re.compile("th|dt"), "t"),
    (re.compile("ck|q|c"), "k"),
    (re.compile("x"), "ks"),
    (re.compile("w"), "v"),
)
_SOUNDS = (
    *_CONSONANTS,
    (re.compile("z"), "s"),
    (re.compile("dzh|dj|j|y"), "i"),
    (re.compile("[aeiou]+"), "a"),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"(?<=.)h"), ""),
    (re.compile("a+"), "a"),
)
_FIRM_SOUNDS = (
    *_CONSONANTS,
    (re.compile("dzh|zh|dj|j|^[gy]i(?=[aou])"), "y"),
    (re.compile("z|S"), "s"),
    (re.compile("ae|aa"), "a"),
    (re.compile("oy|ou|oo|ue"), "u"),
    (re.compile("oe"), "o"),
    (re.compile("[yi]o(?=.)"), "e"),  # Kovalyov, Kovalev
    (re.compile("y"), "i"),
    (re.compile("i+(?=[aeu])"), ""),  # Yulia, Julia, Iuliya
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"(?<=.)h"), ""),
)
# What consonants are one when a script without vowels is read in another: Avraham and Abraham, Cohen and Kohen, Zvi and Tzvi.
_BONES = (
    (re.compile(r"(?<=.)h$"), ""),
    (re.compile("th"), "t"),
    (re.compile("dh"), "d"),
    (re.compile("gh"), "g"),
    (re.compile("sh|ts|tz|z"), "s"),
    (re.compile("ph|f"), "p"),
    (re.compile("ch|kh|[hqc]"), "k"),
    (re.compile("[vw]"), "b"),
    (re.compile("^[yj]"), "J"),
    (re.compile("[aeiouy]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)


def sound(word: str) -> str:
    """Return how a folded word sounds, roughly: vowels alike, k for c, v for w, no doubles."""
    return _heard(word, _SOUNDS)


def firm_sound(word: str) -> str:
    """Return how a word sounds with its vowels, equal for the ways in which one name is romanised.

    Equal for Marc and Mark, Iwanow and Ivanov, Kovalyov and Kovalev, Zhukova and Jukova, Jäger and Jager; different for Tim and Tom.
    """
    return _heard(word, _FIRM_SOUNDS)


def _heard(word: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    heard = word.replace(" ", "")
    for pattern, replacement in rules:
        heard = pattern.sub(replacement, heard)
    return heard


def lacks_vowels(word: str) -> bool:
    """Whether a folded name comes from a script that leaves vowels out."""
    return word.endswith(VOWELLESS)


def bones(word: str, *, mute: str = "") -> str:
    """Return a folded name's consonants as any script tells them; letters of `mute` are left out first."""
    kept = "".join(letter for letter in word if letter.isalpha() and letter not in mute)
    return _heard(kept, _BONES)


def bones_in_common(one: str, other: str) -> int:
    """Return how many consonants two names have, one of which lacks vowels; 0 unless all agree.

    w and v may stand for o and u there.
    """
    bare, other = (one, other) if lacks_vowels(one) else (other, one)
    found = bones(other)
    return len(found) if found in (bones(bare), bones(bare[:1]) + bones(bare[1:], mute="vw")) else 0
