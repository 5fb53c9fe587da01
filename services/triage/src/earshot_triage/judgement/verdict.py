"""The words of the judgement engine: what is said about one text.

Owns the value types that leave the engine and the closed sets of their labels. Must not hold weights, read files or decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

INTENTS: Final = ("complaint", "bug", "question", "idea", "praise", "other")
UNKNOWN_INTENT: Final = "unknown"
"""The intent of what nobody judged (withdrawn, erased)."""
CONDUCTS: Final = ("ok", "abusive", "spam", "off_topic")
SENTIMENTS: Final = ("negative", "neutral", "positive")
EMOTIONS: Final = ("anger", "joy", "optimism", "sadness")
UNKNOWN_LANGUAGE: Final = "unknown"

LOW, NORMAL, HIGH, CRITICAL = 1, 2, 3, 4
"""Severity grows with harm: 1 low, 2 normal, 3 high, 4 critical (a case's priority is the highest of its messages)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """An installation's own label for one text; `probability` is 0..1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the engine holds of one text.

    Units: probabilities 0..1; `intents` are six probabilities of their own (they need not add up to 1); `sentiment`
    -1..1; `severity` 1 low to 4 critical; `urgency` 0 (any day) to 1 (now); `confidence` is the calibrated chance that
    the leading intent is right.
    `intent` is the largest of `intents`. A text that holds nothing to judge (empty, only a link, only a picture) is "other", its
    `confidence` is 0 and `reasons` says why. `language` is ISO 639-1 or "unknown".
    `needs_person` is true when `confidence` lies under the model's floor, or when the conduct is unsure.
    """

    intent: str
    intents: dict[str, float]
    conduct: str
    sentiment: float
    sentiment_label: str
    sentiment_probabilities: dict[str, float]
    emotion: str | None
    severity: int
    urgency: float
    language: str
    confidence: float
    needs_person: bool
    labels: dict[str, Label] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    model_version: str


class Draft:
    """A judgement while it is made: the same places, filled five times faster than those of a frozen class."""

    __slots__ = (
        "conduct",
        "confidence",
        "emotion",
        "intent",
        "intents",
        "labels",
        "language",
        "model_version",
        "needs_person",
        "reasons",
        "sentiment",
        "sentiment_label",
        "sentiment_probabilities",
        "severity",
        "urgency",
    )

    def __init__(  # positions, in the order of Judgement: names would cost more than the whole object
        self,
        intent: str,
        intents: dict[str, float],
        conduct: str,
        sentiment: float,
        sentiment_label: str,
        sentiment_probabilities: dict[str, float],
        emotion: str | None,
        severity: int,
        urgency: float,
        language: str,
        confidence: float,
        needs_person: bool,
        labels: dict[str, Label],
        reasons: tuple[str, ...],
        model_version: str,
    ) -> None:
        self.intent = intent
        self.intents = intents
        self.conduct = conduct
        self.sentiment = sentiment
        self.sentiment_label = sentiment_label
        self.sentiment_probabilities = sentiment_probabilities
        self.emotion = emotion
        self.severity = severity
        self.urgency = urgency
        self.language = language
        self.confidence = confidence
        self.needs_person = needs_person
        self.labels = labels
        self.reasons = reasons
        self.model_version = model_version

    def done(self) -> Judgement:
        """Return this very object as a judgement, frozen from now on; the two classes hold their fields in the same places."""
        self.__class__ = Judgement  # type: ignore[assignment]  # the layouts are the same, which the interpreter checks
        return self  # type: ignore[return-value]  # it is one now
