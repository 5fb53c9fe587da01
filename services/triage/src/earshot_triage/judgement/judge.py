"""The judge: loaded once, asked often.

Owns the one door through which the pipeline and the commands ask for judgements. Must not do I/O after `load`, read a
clock or draw a random number: the same text gets the same answer, alone or in company. Safe to use from many threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from earshot_triage.judgement import lexicon, severity
from earshot_triage.judgement.text import clean, has_words, tokens
from earshot_triage.judgement.verdict import INTENTS, UNKNOWN_INTENT, UNKNOWN_LANGUAGE, Judgement

CONFIDENCE_FLOOR = 0.5


class Judge:
    """Judges texts; `version` names rules and weights together."""

    version: str = "lexicon-1"

    @classmethod
    def load(cls, model_dir: Path | None = None) -> Self:  # noqa: ARG003 - own labels come with the learned model
        """Return the judge with the weights shipped in the package, and with the labels taught in `model_dir`."""
        return cls()

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order.

        `languages` are declared languages (ISO 639-1 or None), one a text; a declared one is kept as it is.
        Without `explain` the reasons stay short (no evidence words), which is cheaper.
        """
        declared = languages or [None] * len(texts)
        return [self._judge_one(text, explain=explain, language=language) for text, language in zip(texts, declared, strict=True)]

    def _judge_one(self, text: str, *, explain: bool, language: str | None) -> Judgement:
        cleaned = clean(text)
        found = tokens(cleaned)
        lowered = cleaned.lower()
        if not has_words(found):
            return self._nothing(language)
        tone = lexicon.tone(found)
        intents = lexicon.intents(lowered, tone)
        intent = max(INTENTS, key=lambda name: intents[name])
        conduct = lexicon.conduct(lowered)
        weight = severity.gravity(lowered, intent=intent, complaint=intents["complaint"], bug=intents["bug"], sentiment=tone, anger=0.0)
        probabilities = _three_way(tone)
        return Judgement(
            intent=intent,
            intents=intents,
            conduct=conduct,
            sentiment=round(tone, 4),
            sentiment_label=max(probabilities, key=lambda name: probabilities[name]),
            sentiment_probabilities=probabilities,
            emotion=None,
            severity=weight.severity,
            urgency=weight.urgency,
            language=language or UNKNOWN_LANGUAGE,
            confidence=intents[intent],
            needs_person=intents[intent] < CONFIDENCE_FLOOR,
            reasons=weight.reasons if explain else (),
            model_version=self.version,
        )

    def _nothing(self, language: str | None) -> Judgement:
        return Judgement(
            intent=UNKNOWN_INTENT,
            intents=dict.fromkeys(INTENTS, 0.0),
            conduct="ok",
            sentiment=0.0,
            sentiment_label="neutral",
            sentiment_probabilities={"negative": 0.0, "neutral": 1.0, "positive": 0.0},
            emotion=None,
            severity=1,
            urgency=0.0,
            language=language or UNKNOWN_LANGUAGE,
            confidence=0.0,
            needs_person=True,
            reasons=("nothing to judge: no words",),
            model_version=self.version,
        )


def _three_way(tone: float) -> dict[str, float]:
    strength = abs(tone)
    lead, neutral = round(0.1 + 0.8 * strength, 4), round(0.8 * (1 - strength) + 0.1, 4)
    rest = round(max(0.0, 1 - lead - neutral), 4)
    return {"negative": lead if tone < 0 else rest, "neutral": neutral, "positive": lead if tone > 0 else rest}
