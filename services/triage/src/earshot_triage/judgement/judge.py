"""The judge: loaded once, asked often.

Owns the one door through which the pipeline and the commands ask for judgements. Must not do I/O after `load`, read a
clock or draw a random number: the same text gets the same answer, alone or in company. Safe to use from many threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from heapq import nlargest
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement import lexicon
from earshot_triage.judgement.calibration import Calibration
from earshot_triage.judgement.evidence import directions
from earshot_triage.judgement.features import Batch, Floats, Read, read
from earshot_triage.judgement.language import language_of
from earshot_triage.judgement.learning import Corrections
from earshot_triage.judgement.panel import Opinion, consult
from earshot_triage.judgement.severity import gravity
from earshot_triage.judgement.tables import Scorer, Tables
from earshot_triage.judgement.taught import TaughtLabels
from earshot_triage.judgement.text import has_words
from earshot_triage.judgement.verdict import EMOTIONS, INTENTS, SENTIMENTS, UNKNOWN_INTENT, Judgement, Label

SHIPPED: Final = Path(__file__).parent / "weights"
BATCH: Final = 256
"""Texts weighed at once: enough to make the array work cheap a text, few enough to stay in the processor's cache."""
ABUSE_DOUBT: Final = 0.1
"""Within this distance of the threshold, abuse is for a person to see."""
SURE_EMOTION: Final = 0.5
OFF_TOPIC: Final = 0.02
"""Chatter that almost surely addresses no company, asks nothing and complains of nothing is off topic."""


class Judge:
    """Judges texts; `version` names rules and weights together."""

    def __init__(self, tables: Tables, taught: Sequence[TaughtLabels] = (), corrections: Corrections | None = None) -> None:
        self._scorer = Scorer(tables)
        self._calibration = Calibration.of(tables.meta)
        self._taught = tuple(taught)
        self._corrections = corrections
        self.version = f"panel-{tables.meta['fingerprint']}"
        if corrections is not None:
            self.version += f"+{corrections.version}"
        self.label_versions = {labels.name: labels.version for labels in self._taught}

    @classmethod
    def load(cls, model_dir: Path | None = None) -> Self:
        """Return the judge with the weights shipped in the package, and with the labels taught in `model_dir`.

        A `model_dir` that holds a `judge` folder (written by `train` without `--labels`) replaces the shipped weights.
        Raises ModelError in words when a folder is not whole.
        """
        if model_dir is None:
            return cls(Tables.load(SHIPPED))
        own = model_dir / "judge"
        tables = Tables.load(own if own.is_dir() else SHIPPED)
        return cls(tables, TaughtLabels.load_all(model_dir), Corrections.load(model_dir))

    def commonness(self, word: str) -> float:
        """Return the share of the texts that taught this judge which hold a word (0..1)."""
        return self._scorer.commonness(word)

    def without_corrections(self) -> Self:
        """Return the same judge as it was before anybody corrected it."""
        plain = copy(self)
        plain._corrections = None
        return plain

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order.

        `languages` are declared languages (ISO 639-1 or None), one a text; a declared one is kept as it is.
        Without `explain` the reasons name no evidence words, which is cheaper.
        """
        declared = list(languages) if languages is not None else [None] * len(texts)
        if len(declared) != len(texts):
            raise ValueError("as many languages as texts are needed")
        found: list[Judgement] = []
        for start in range(0, len(texts), BATCH):
            part = [read(text) for text in texts[start : start + BATCH]]
            found += self._judge_batch(part, explain=explain, languages=declared[start : start + BATCH])
        return found

    def _judge_batch(self, texts: list[Read], *, explain: bool, languages: Sequence[str | None]) -> list[Judgement]:
        batch = self._scorer.vocabulary.batch(texts)
        weighed = self._scorer.weigh(batch)
        opinion = consult(weighed.scores)
        intents, abuse = _intents(opinion), opinion.abuse
        if self._corrections is not None:
            intents, abuse = self._corrections.apply(texts, intents, abuse)
        leads = intents.argmax(axis=1)
        rows = np.arange(len(texts))
        confidence = self._calibration.confidence(opinion.kinds, intents[rows, leads]).tolist()
        words = _loudest(batch, self._scorer, weighed.rows, directions(opinion.kinds, leads), leads) if explain else [""] * len(texts)
        labels = [taught.label(texts) for taught in self._taught]
        chances, tones = _listed(intents), _listed(opinion.sentiments)
        abused, feelings = abuse.tolist(), opinion.emotions.tolist()
        addressed = opinion.addressed.tolist()
        return [
            self._assemble(
                text,
                chances[index],
                tones[index],
                abused[index],
                feelings[index],
                lead=lead,
                confidence=confidence[index],
                addressed=addressed[index],
                words=words[index],
                language=languages[index],
                labels={taught.name: given[index] for taught, given in zip(self._taught, labels, strict=True)},
                explain=explain,
            )
            for index, (text, lead) in enumerate(zip(texts, leads.tolist(), strict=True))
        ]

    def _assemble(
        self,
        text: Read,
        chances: list[float],
        tones: list[float],
        abuse: float,
        feelings: list[float],
        *,
        lead: int,
        confidence: float,
        addressed: float,
        words: str,
        language: str | None,
        labels: dict[str, Label],
        explain: bool,
    ) -> Judgement:
        if not has_words(text.written):
            return self._nothing(language, labels)
        language = language or language_of(text.cleaned, text.written)
        negative, neutral, positive = tones
        tone_label = SENTIMENTS[0 if negative >= max(neutral, positive) else 2 if positive > neutral else 1]
        conduct, conduct_reason = _conduct(text, abuse, addressed, chances)
        weight = gravity(
            text.cleaned.lower(),
            text.written,
            intent=INTENTS[lead],
            complaint=chances[0],
            bug=chances[1],
            sentiment=positive - negative,
            anger=feelings[0] if tone_label == "negative" else 0.0,
        )
        intent = INTENTS[lead]
        reasons = weight.reasons
        if explain:
            told = f"{intent} {chances[lead]:.2f}{words}; {tone_label} {tones[SENTIMENTS.index(tone_label)]:.2f}"
            reasons = (told, *conduct_reason, *reasons)
        return Judgement(
            intent=intent,
            intents=dict(zip(INTENTS, chances, strict=True)),
            conduct=conduct,
            sentiment=round(positive - negative, 4),
            sentiment_label=tone_label,
            sentiment_probabilities=dict(zip(SENTIMENTS, tones, strict=True)),
            emotion=_emotion(feelings, tone_label),
            severity=weight.severity,
            urgency=weight.urgency,
            language=language,
            confidence=round(confidence, 4),
            needs_person=confidence < self._calibration.floor or abs(abuse - 0.5) < ABUSE_DOUBT,
            labels=labels,
            reasons=reasons,
            model_version=self.version,
        )

    def _nothing(self, language: str | None, labels: dict[str, Label]) -> Judgement:
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
            language=language or "unknown",
            confidence=0.0,
            needs_person=True,
            labels=labels,
            reasons=("nothing to judge: no words",),
            model_version=self.version,
        )


def _intents(opinion: Opinion) -> Floats:
    """Return N x 6 probabilities in the order of INTENTS.

    What is neither bug, idea nor question is praise or other; the likelier of the two takes that probability whole, so
    that the leading intent stays the panel's choice, the other its share by the odds of the tone.
    """
    rest = opinion.needs[:, 3]
    praise = np.maximum(opinion.sentiments[:, 2] * (1 - opinion.complaint), np.float32(1e-4))
    higher = np.maximum(praise, 1 - praise)
    chances = [
        opinion.complaint,
        opinion.needs[:, 0],
        opinion.needs[:, 2],
        opinion.needs[:, 1],
        rest * praise / higher,
        rest * (1 - praise) / higher * (1 - np.float32(0.5) * opinion.complaint),
    ]
    return np.stack(chances, axis=1)


def _listed(chances: Floats) -> list[list[float]]:
    listed: list[list[float]] = np.round(chances.astype(np.float64), 4).tolist()
    return listed


def _loudest(batch: Batch, scorer: Scorer, rows: Floats, ways: Floats, leads: NDArray[np.intp]) -> list[str]:
    """Return a phrase a text that names the two words that speak loudest for its leading intent, or ""."""
    loudness = scorer.voices(batch, rows, ways).tolist()
    ids, offsets = batch.word_ids.tolist(), batch.word_offsets.tolist()
    names, size = scorer.vocabulary.names, len(scorer.vocabulary.names)
    phrases: list[str] = []
    for index in range(len(ways)):
        start, stop = offsets[index], offsets[index + 1]
        if leads[index] == len(INTENTS) - 1:
            phrases.append("")
            continue
        heard = nlargest(3, range(start, stop), key=loudness.__getitem__)
        told = [names[ids[place]] if ids[place] < size else batch.strangers[ids[place] - size] for place in heard if loudness[place] > 0]
        told = [word for word in told if word[0] != "‹"][:2]
        phrases.append(f" by “{'”, “'.join(told)}”" if told else "")
    return phrases


def _conduct(text: Read, abuse: float, addressed: float, chances: list[float]) -> tuple[str, tuple[str, ...]]:
    if abuse >= 0.5:
        return "abusive", (f"abusive {abuse:.2f}",)
    if lexicon.spammy(text.cleaned, text.written):
        return "spam", ("spam: selling words of the lexicon",)
    if addressed < OFF_TOPIC and max(chances[:4]) < 0.2:
        return "off_topic", (f"off topic: addresses no company {1 - addressed:.2f}",)
    return "ok", ()


def _emotion(feelings: list[float], tone_label: str) -> str | None:
    if tone_label == "neutral":
        return None
    one, other = (0, 3) if tone_label == "negative" else (1, 2)
    best = one if feelings[one] >= feelings[other] else other
    return EMOTIONS[best] if feelings[best] >= SURE_EMOTION else None
