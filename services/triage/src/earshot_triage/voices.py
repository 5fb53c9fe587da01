"""From rows of feedback to voices: who has a say in themes, in which book, and how much its words tell.

Owns the choice of items that gather. Touches no table; runs in a thread.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from math import log
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from earshot_shared.item import decode_item
from earshot_triage.decisions import words_of
from earshot_triage.domain.gathering import Voice, weigh
from earshot_triage.domain.message import Role
from earshot_triage.events import role_of
from earshot_triage.judgement.text import clean, raw_tokens
from earshot_triage.judgement.themes import stem_of

KINDS: Final = frozenset({"idea", "bug", "question"})
COMMON: Final = 0.12
"""A stem in more than this share of all texts says nothing."""
SHORT_NUMBER: Final = 3
"""Numbers of fewer digits are counts, dates, versions; an error 404 is one."""
_ENDINGS: Final = ("", "s", "es", "ed", "ing", "er", "ly", "e")
_MOST_WORDS: Final = 30_000
_RAREST: Final = 1e-9


class Knowing(Protocol):
    """What is asked of a judge: how common a word is. Its version names the weights of words."""

    version: str

    def commonness(self, word: str) -> float:
        """Return the share of all texts that hold a word (0..1)."""


class Telling(dict[str, float]):
    """How much each stem tells, asked of a judge once each: the rarer, the more."""

    def __init__(self, judge: Knowing) -> None:
        super().__init__()
        self._judge = judge
        self._words = _Words(self)
        self.version = version_of(judge)

    def __missing__(self, stem: str) -> float:
        common = max(self._judge.commonness(stem + ending) for ending in _ENDINGS)
        if len(self) >= _MOST_WORDS:
            self.clear()
        told = self[stem] = 0.0 if common > COMMON else -log(max(common, _RAREST))
        return told

    def weights_of(self, text: str) -> dict[str, int]:
        """Return the most telling stems of a text with their weights, heaviest first; none when nothing in it tells anything."""
        counts = Counter(map(self._words.__getitem__, raw_tokens(clean(text))))
        del counts[""]
        return weigh(counts, self)


class _Words(dict[str, str]):
    """The stem of each word as written that tells something; of any other word nothing."""

    def __init__(self, telling: Telling) -> None:
        super().__init__()
        self._telling = telling

    def __missing__(self, word: str) -> str:
        stem = stem_of(word)
        if (stem.isdigit() and len(stem) < SHORT_NUMBER) or (stem and not self._telling[stem]):
            stem = ""
        if word.isdigit():
            return stem  # numbers of orders are never met again: kept, they drive out words that are
        if len(self) >= _MOST_WORDS:
            self.clear()
        self[word] = stem
        return stem


class Fresh(NamedTuple):
    """A new voice with what its row holds besides."""

    voice: Voice
    kind: str
    brand: str | None
    author_key: str


class _Intent(msgspec.Struct, gc=False):
    intent: str
    conduct: str


_intents = msgspec.json.Decoder(_Intent)


def version_of(judge: Knowing) -> str:
    """Return the name of a judge's weights of words: people's corrections teach none."""
    return judge.version.split("+")[0]


def voices_of(rows: Iterable[Any], telling: Telling) -> list[Fresh]:
    """Return those among rows of feedback that have a say: decent ideas, bugs and questions of customers that say something telling."""
    found = []
    for row in rows:
        item, decided = decode_item(row["item"]), _intents.decode(row["decision"])
        kind = decided.intent if decided.intent in KINDS else item.kind
        if kind not in KINDS or decided.conduct != "ok" or item.withdrawn or item.erased or role_of(item) != Role.CUSTOMER:
            continue
        weights = telling.weights_of(words_of(item))
        if weights:
            order = (item.occurred_at.astimezone(UTC), item.feedback_id)
            voice = Voice(str(row["key"]), order, weights, book=f"{kind} {item.brand or ''}")
            found.append(Fresh(voice, kind, item.brand, item.author_key))
    return found
