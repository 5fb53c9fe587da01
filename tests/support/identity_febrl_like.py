"""Person records with the kinds of errors that Febrl's generator makes, and their truth.

Owns: originals with uneven names, and copies with a few errors each (typing, reading by machine, hearing, exchanged or
missing fields; Christen, "Febrl", 2008). Must not: carry texts of the public sets; callers may give a vocabulary of their own.
Fields are FEBRL's, its person number left out. Deterministic in the generator given.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from support.identity_stranger import pools

Row = dict[str, str]
KEYBOARD = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sefc", "e": "wrd", "f": "drgv", "g": "fthb", "h": "gyjn", "i": "uok", "j": "hukm", "k": "jil",
    "l": "kop", "m": "nj", "n": "bhm", "o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adwx", "t": "ryg", "u": "yij", "v": "cfb",
    "w": "qes", "x": "zsc", "y": "tuh", "z": "asx",
}  # fmt: skip
READ_AS = (
    ("m", "rn"),
    ("w", "vv"),
    ("l", "1"),
    ("o", "0"),
    ("s", "5"),
    ("g", "q"),
    ("cl", "d"),
    ("ri", "n"),
    ("b", "6"),
    ("z", "2"),
    ("i", "l"),
)
HEARD_AS = (
    ("ph", "f"),
    ("ck", "k"),
    ("ie", "y"),
    ("ee", "ea"),
    ("c", "k"),
    ("y", "ie"),
    ("th", "t"),
    ("mb", "m"),
    ("gh", "g"),
    ("z", "s"),
    ("ll", "l"),
)
FIELDS = ("given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", "date_of_birth")
MISSING = {
    "given_name": 0.02,
    "surname": 0.01,
    "street_number": 0.03,
    "address_1": 0.02,
    "address_2": 0.2,
    "suburb": 0.01,
    "state": 0.02,
    "date_of_birth": 0.02,
}
CHOSEN = {
    "given_name": 0.17,
    "surname": 0.17,
    "street_number": 0.08,
    "address_1": 0.13,
    "address_2": 0.12,
    "suburb": 0.12,
    "postcode": 0.08,
    "state": 0.03,
    "date_of_birth": 0.1,
}
STATES = ("nsw", "vic", "qld", "sa", "wa", "tas", "act", "nt")


def _words(count: int, seed: int) -> list[str]:
    """Made-up names by syllables, always the same."""
    rng = random.Random(seed)
    heads, tails = (
        "bar cam dan ed far gil hol ken lang mar nor pen ros stan tal wil whit".split(),
        "bury by den er field ford ham ley low man more son ton wick wood".split(),
    )
    middle = ("", "", "a", "ing", "el", "en", "ers")
    return [rng.choice(heads) + rng.choice(middle) + rng.choice(tails) for _ in range(count)]


def vocabulary() -> dict[str, list[str]]:
    """Words for every field that is text, the common ones first."""
    given = [pools.plain(name) for names in pools.GIVEN.values() for name in names]
    family = [pools.plain(name) for names in pools.FAMILY.values() for name in names]
    return {
        "given_name": given,
        "surname": family + _words(300, 1),
        "address_1": [f"{word} {kind}" for word in _words(300, 2) for kind in ("street", "place", "crescent", "circuit")][:900],
        "address_2": [f"{word} {kind}" for word in _words(120, 3) for kind in ("village", "court", "park", "station")],
        "suburb": _words(700, 4),
    }


def febrl_like(
    rng: random.Random, originals: int, copies: Sequence[int], known: Mapping[str, Sequence[str]] | None = None
) -> tuple[list[Row], list[int]]:
    """Return records and whose each is, shuffled; each original has a number of copies drawn from ``copies``."""
    words = known or vocabulary()
    rows: list[tuple[Row, int]] = []
    for person in range(originals):
        row = _original(rng, words)
        rows.append((row, person))
        rows += [(_copy(rng, row, words), person) for _ in range(rng.choice(copies))]
    rng.shuffle(rows)
    return [{name: text for name, text in row.items() if text} for row, _ in rows], [person for _, person in rows]


def _uneven(rng: random.Random, words: Sequence[str]) -> str:
    """A word, the earlier ones many times likelier than the later."""
    return words[int(len(words) * rng.random() ** 2)]


def _original(rng: random.Random, words: Mapping[str, Sequence[str]]) -> Row:
    birth = f"{rng.randint(1900, 1999)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    numbers = {
        "street_number": str(int(rng.random() ** 2 * 300) + 1),
        "postcode": str(rng.randint(2000, 7300)),
        "state": rng.choice(STATES),
        "date_of_birth": birth,
    }
    row = {name: numbers.get(name) or _uneven(rng, words[name]) for name in FIELDS}
    return {name: "" if rng.random() < MISSING.get(name, 0.0) else text for name, text in row.items()}


def _copy(rng: random.Random, row: Row, words: Mapping[str, Sequence[str]]) -> Row:
    """One to four errors, no more than two in a field."""
    copy, done = dict(row), dict.fromkeys(FIELDS, 0)
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        name = rng.choices(list(CHOSEN), list(CHOSEN.values()))[0]
        if done[name] == 2:
            continue
        done[name] += 1
        chance = rng.random()
        if name in ("given_name", "surname") and chance < 0.06:
            copy["given_name"], copy["surname"] = copy["surname"], copy["given_name"]
        elif chance < 0.12 and name != "surname":
            copy[name] = ""
        elif name in words and chance < 0.17:
            copy[name] = _uneven(rng, words[name])
        elif name == "date_of_birth" and chance < 0.3 and len(copy[name]) == 8:
            copy[name] = copy[name][:4] + copy[name][6:] + copy[name][4:6]
        else:
            copy[name] = _slip(rng, copy[name])
    return copy


def _slip(rng: random.Random, text: str) -> str:
    if not text:
        return text
    at = rng.randrange(len(text))
    digits = text.isdigit()
    kind = rng.random()
    for chance, table in ((0.12, READ_AS), (0.24, HEARD_AS)):
        if not digits and kind < chance:
            found = [(old, new) for old, new in table if old in text]
            if found:
                old, new = rng.choice(found)
                return text.replace(old, new, 1)
    letter = rng.choice("0123456789") if digits else rng.choice(KEYBOARD.get(text[at], "aeinrst"))
    if kind < 0.45:
        return text[:at] + letter + text[at + 1 :]
    if kind < 0.62:
        return text[:at] + letter + text[at:]
    if kind < 0.78:
        return text[:at] + text[at + 1 :]
    if kind < 0.9:
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    return text[:at] + " " + text[at:] if not digits else text[:at] + letter + text[at + 1 :]
