"""Texts from a grammar: sentences with slots, words for the slots, in four languages and four trades.

Owns the shipped texts and how a sentence is made of them. Draws from the generator it is given, and from nothing else.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from random import Random
from typing import Final, TypeVar

LANGUAGES: Final = ("en", "de", "fr", "es")
DOMAINS: Final = ("telco", "bikes", "bank", "food")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_ENDS: Final = frozenset({". ", "? ", "! "})
_SLIPS: Final = 0.04  # one text in so many has a typing slip
_SHOUTS: Final = 0.01
_LOWERS: Final = 0.15
T = TypeVar("T")

# A sentence: literal pieces and slots in turn, beginning and ending with a piece.
Sentence = tuple[str, ...]


def pick(rng: Random, options: Sequence[T]) -> T:
    """Return one of ``options``; twice as fast as ``rng.choice``, which keeps an evenness nobody needs here."""
    return options[int(rng.random() * len(options))]


class Grammar:
    """The sentences and words of one language in one trade."""

    def __init__(self, texts: Mapping[str, Mapping[str, Sequence[str]]], domain: Mapping[str, Sequence[str]]) -> None:
        self._words = {name: [_split(each) for each in words] for name, words in {**texts["words"], **domain}.items()}
        self._sentences = {
            (topic, part): [_split(each) for each in sentences]
            for topic, parts in texts.items()
            if topic not in ("words", "domains")
            for part, sentences in parts.items()
        }

    def say(self, rng: Random, topic: str, given: Mapping[str, str], *, opener: str = "", part: str = "core", details: int = 1) -> str:
        """Return a text on ``topic`` (complaint, bug, …, brand, thanks); ``given`` fills the slots that are about this moment."""
        pieces = [self._fill(rng, pick(rng, self._sentences["openers", opener]), given)] if opener else [""]
        core = self._fill(rng, pick(rng, self._sentences[topic, part]), given)
        pieces.append(core if pieces[0] and pieces[0][-2:] not in _ENDS else core[:1].upper() + core[1:])
        said = ""
        for _ in range(details):
            detail = self._fill(rng, pick(rng, self._sentences[topic, "detail"]), given)
            if detail and detail != said:
                said = detail
                pieces.append(" " + detail[:1].upper() + detail[1:])
        text = "".join(pieces)
        if opener:
            mark = pick(rng, self._words["emoji"])[0]
            text = text.rstrip(".") + mark if mark[:1] in "!." else text + mark
        return _as_typed(rng, text)

    def _fill(self, rng: Random, sentence: Sentence, given: Mapping[str, str]) -> str:
        if len(sentence) == 1:
            return sentence[0]
        filled = list(sentence)
        for index in range(1, len(sentence), 2):
            slot = sentence[index]
            known = given.get(slot)
            if known is not None:
                filled[index] = known
            elif slot == "number":
                filled[index] = str(int(rng.random() * 900_000) + 100_000)
            elif slot == "digit":
                filled[index] = str(int(rng.random() * 10))
            else:
                word = self._fill(rng, pick(rng, self._words[slot]), given)
                filled[index] = word[:1].upper() + word[1:] if sentence[index - 1][-2:] in _ENDS else word
        return "".join(filled)


@cache
def grammar(language: str, domain: str) -> Grammar:
    """Return the grammar of a language in a trade; only English tells the trades apart."""
    texts = tomllib.loads((resources.files(__package__) / "texts" / f"{language}.toml").read_text(encoding="utf-8"))
    return Grammar(texts, texts.get("domains", {}).get(domain, {}))


def _split(text: str) -> Sentence:
    return tuple(_SLOT.split(text))


def _as_typed(rng: Random, text: str) -> str:
    """Return the text as people type it: mostly as it is, sometimes in lower case, shouting, or with a slip."""
    chance = rng.random()
    if chance < _SLIPS and len(text) > 10:
        at = 1 + int(rng.random() * (len(text) - 3))
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if chance < _SLIPS + _SHOUTS:
        return text.upper()
    if chance < _SLIPS + _SHOUTS + _LOWERS:
        return text.lower()
    return text
