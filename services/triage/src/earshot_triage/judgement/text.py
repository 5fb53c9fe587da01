"""From rough text to clean text and tokens.

Owns the one way in which the engine reads characters: entities, zero-width and full-width characters, elongated words,
links, mentions, hashtags, emoji, and the shape of a text. Must not know any label or weight. Pure and total: any `str`
is accepted, lone surrogates and NULs included, in time linear in its length.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

JUDGED_CHARACTERS: Final = 6_000
"""Of a longer text the first two thirds and the last third of this many characters are judged: openings and closings
carry the point, and the cost of one text stays bounded."""

_BARE_LINKS: Final = frozenset({"http", "https"})
LINK: Final = "httplink"
MENTION: Final = "@mention"
_ANYBODY: Final = "@user"
START: Final = "‹start›"
NUMBER: Final = "‹number›"

# Invisible characters that people and platforms put inside words: soft hyphen, zero-width space to right-to-left mark,
# directional embeddings and isolates, word joiner, variation selectors, byte-order mark; controls but tab and newlines.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_ELONGATED: Final = re.compile(r"(\w)\1{2,}")
_LINK: Final = re.compile(r"https?:\S*|www\.\S+|pic\.twitter\.com/\S+|\bt\.co/\S+", re.IGNORECASE)
_READS: Final = (
    r"[@#\w][\w']*"  # a word, a mention, a hashtag
    r"|[!?]+|\.\.+"  # marks that carry tone
    r"|[:;]-?[()dp/|]|<3"  # typed smileys
    r"|[^\w\s,.\"'()\[\]{}:;*_`~/\\|<>=+-]"  # emoji and other signs, one by one
)
_ANY_TOKENS: Final = re.compile(_READS).findall
_PLAIN_TOKENS: Final = re.compile(_READS, re.ASCII).findall
"""The same tokens in ASCII text, found half as fast again."""
BREAK: Final = "\x01"
"""Stands before each text where many are read as one: a token of its own that no cleaned text holds."""

MARKS: Final = (
    "‹lines›",
    "‹paragraphs›",
    "‹mentions›",
    "‹code›",
    "‹titled›",
    "‹lower start›",
    "‹full stop›",
    "‹shouted›",
    "‹stops›",
)
LENGTHS: Final = tuple(f"‹length {size}›" for size in range(16))
SHAPES: Final = frozenset((*MARKS, *LENGTHS))


def clean(text: str) -> str:
    """Return `text` without entities, invisible or control characters, in compatible form, cut to what is judged."""
    if len(text) > JUDGED_CHARACTERS:
        head = JUDGED_CHARACTERS * 2 // 3
        text = f"{text[:head]} {text[head - JUDGED_CHARACTERS :]}"
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "http" in text or "www." in text or ".co" in text or "HTTP" in text:
        text = _LINK.sub(f" {LINK} ", text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
        return text[: 2 * JUDGED_CHARACTERS]  # one character may unfold to eighteen
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    return text


def raw_tokens(cleaned: str) -> list[str]:
    """Return the tokens of a cleaned text in lower case, as written; `canonical` brings each to its common form."""
    return _PLAIN_TOKENS(cleaned.lower()) if cleaned.isascii() else _ANY_TOKENS(cleaned.lower())


def tokens_of_all(cleaned: Sequence[str]) -> list[str]:
    """Return the raw tokens of many cleaned texts in a row, a BREAK before each; all of them ASCII, or any."""
    joined = BREAK + BREAK.join(cleaned).lower()
    return _PLAIN_TOKENS(joined) if joined.isascii() else _ANY_TOKENS(joined)


@lru_cache(maxsize=4_096)
def canonical(token: str) -> str:
    """Return the form under which a token is known: all links are one token, `soooo` is `soo`; the form of a form is itself."""
    first = token[0]
    if token == _ANYBODY:
        return MENTION  # what some archives leave of a mention
    if token in _BARE_LINKS:
        return LINK  # what some platforms leave of a link
    if first in "!?.":
        return token[:2] if len(token) > 1 else token
    if token.isdigit():
        return token if len(token) < 3 else NUMBER
    form = _ELONGATED.sub(r"\1\1", token.rstrip("'") or token)[:64]
    return form if form == token else canonical(form)


def shape_number(cleaned: str) -> int:
    """Return how a text is made as one number: its length in doublings above a bit for each of MARKS."""
    number = min(15, len(cleaned).bit_length()) << len(MARKS)
    if "\n" in cleaned:
        number |= 3 if "\n\n" in cleaned else 1
    if "@" in cleaned:
        number |= 4
    if "`" in cleaned:
        number |= 8
    if " . " in cleaned:
        number |= 16
    if cleaned[:1].islower():
        number |= 32
    if cleaned[-1:] in (".", "!", "?"):
        number |= 64
    if len(cleaned) > 8 and cleaned.isupper():
        number |= 128
    if cleaned.count(".") > cleaned.count(" . "):
        number |= 256  # some archives have lost the full stops inside texts
    return number


def shape(cleaned: str) -> list[str]:
    """Return marks of how a text is made (length, lines, code, first letter): they tell kinds of text apart."""
    number = shape_number(cleaned)
    return [START, LENGTHS[number >> len(MARKS)], *(mark for bit, mark in enumerate(MARKS) if number >> bit & 1)]


def tokens(cleaned: str) -> list[str]:
    """Return the canonical tokens of a cleaned text, in order."""
    return [canonical(token) for token in raw_tokens(cleaned)]


def is_wordy(token: str) -> bool:
    """Say whether a token holds anything to judge: a word or a sign that is no link, mention or dot."""
    return token[0] not in "@!?." and token not in ("http", "https", LINK, START)


def has_words(written: Sequence[str]) -> bool:
    """Say whether tokens as written hold anything to judge."""
    return any(map(is_wordy, written))
