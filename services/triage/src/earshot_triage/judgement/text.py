"""From rough text to clean text and tokens.

Owns the one way in which the engine reads characters: entities, zero-width and full-width characters, elongated words,
links, mentions, hashtags, emoji. Must not know any label or weight. Pure and total: any `str` is accepted, lone
surrogates and NULs included, in time linear in its length.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

JUDGED_CHARACTERS: Final = 6_000
"""Of a longer text the first two thirds and the last third of this many characters are judged: openings and closings
carry the point, and the cost of one text stays bounded."""

LINK: Final = "‹link›"
MENTION: Final = "‹mention›"

# Invisible characters that people and platforms put inside words: soft hyphen, zero-width space to right-to-left mark,
# directional embeddings and isolates, word joiner, variation selectors, byte-order mark; controls but tab and newlines.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)
_ELONGATED: Final = re.compile(r"(\w)\1{2,}")
_TOKEN: Final = re.compile(
    r"https?:/?/?\S*|www\.\S+"  # a link, also one cut off or stripped by the platform
    r"|[@#]?\w+(?:['’]\w+)*"  # a word, a mention, a hashtag
    r"|[!?]+|\.{2,}"  # marks that carry tone
    r"|[:;=8][-']?[)(DPpoO/\\|\]\[]|<3"  # typed smileys
    r"|[^\w\s,.\"'()\[\]{}:;*_`~/\\|<>=+-]"  # emoji and other signs, one by one
)


def clean(text: str) -> str:
    """Return `text` without entities, invisible or control characters, in compatible form, cut to what is judged."""
    if len(text) > JUDGED_CHARACTERS:
        head = JUDGED_CHARACTERS * 2 // 3
        text = f"{text[:head]} {text[head - JUDGED_CHARACTERS :]}"
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
    elif not text.isprintable():
        text = _INVISIBLE.sub("", text)
    return text


def tokens(cleaned: str) -> list[str]:
    """Return the tokens of a cleaned text in lower case; links and mentions become one token each, `soooo` is `soo`."""
    return [_fold(token) for token in _TOKEN.findall(_ELONGATED.sub(r"\1\1", cleaned.lower()))]


def _fold(token: str) -> str:
    first = token[0]
    if first == "@" and len(token) > 1:
        return MENTION
    if token.startswith(("http:", "https:", "www.")):
        return LINK
    return token


def has_words(tokens_of_text: list[str]) -> bool:
    """Say whether anything is left to judge once links and mentions are gone."""
    return any(token not in (LINK, MENTION) for token in tokens_of_text)
