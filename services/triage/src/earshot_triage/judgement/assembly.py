"""From numbers to words: the judgements of many texts, put together.

Owns what follows from the probabilities of a text and its cue words: tone, emotion, conduct, severity, language, whether a
person is asked, and the reasons. Must not weigh words. Whatever can be decided for all texts at once is; the rest is asked
only of texts that hold a cue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement import lexicon
from earshot_triage.judgement.cues import SELLING, WORDY
from earshot_triage.judgement.features import Floats, Pages
from earshot_triage.judgement.severity import gravities
from earshot_triage.judgement.verdict import EMOTIONS, INTENTS, SENTIMENTS, Draft, Judgement, Label

ABUSE_DOUBT: Final = 0.1
"""Within this distance of the threshold, abuse is for a person to see."""
SURE_ABUSE: Final = 0.75
"""Selling words are spam where abuse is no surer than this."""
SURE_EMOTION: Final = 0.5
OFF_TOPIC: Final = 0.02
"""Chatter that almost surely addresses no company, asks nothing and complains of nothing is off topic."""
_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)
_BY_TONE: Final = np.array(((0, 3), (0, 0), (1, 2)))
"""The emotions (numbers in EMOTIONS) that a negative and a positive text may show; a neutral one shows none."""
_FEELINGS: Final[tuple[str | None, ...]] = (*EMOTIONS, None)
_NO_WORDS: Final = ("nothing to judge: no words",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found in N texts. Shapes: `intents` N x 6, `tones` N x 3, `feelings` N x 4, else N; `cues` are bits."""

    intents: Floats
    leads: NDArray[np.intp]
    tones: Floats
    feelings: Floats
    abuse: Floats
    addressed: Floats
    confidence: NDArray[np.float64]
    cues: NDArray[np.uint8]
    languages: list[str]
    labels: dict[str, list[Label]]
    words: list[str] | None  # the loudest words as a phrase, when they are to be told


def assemble(pages: Pages, found: Findings, *, floor: float, version: str) -> list[Judgement]:
    """Return one judgement a text, in the pages' order."""
    chances, tones = _rounded(found.intents), _rounded(found.tones)
    tone = _tone(tones)
    sentiment = (tones[:, _POSITIVE] - tones[:, _NEGATIVE]).round(4)
    anger = np.where(tone == _NEGATIVE, found.feelings[:, 0], 0)
    doubtful = (found.confidence < floor) | (np.abs(found.abuse - 0.5) < ABUSE_DOUBT)
    idle = (found.addressed < OFF_TOPIC) & (np.maximum.reduce(chances[:, :4], axis=1) < 0.2)
    cues = found.cues.tolist()
    severities, urgencies, grounds = gravities(pages.cleaned, cues, intents=chances, leads=found.leads, sentiment=sentiment, anger=anger)
    judged: list[Judgement] = []
    rows = zip(
        pages.cleaned, cues, chances.tolist(), found.leads.tolist(), tones.tolist(), tone.tolist(), sentiment.tolist(),
        _emotions(found.feelings, tone), found.abuse.tolist(), idle.tolist(), doubtful.tolist(), found.confidence.tolist(),
        severities, urgencies, grounds, found.languages, strict=True,
    )  # fmt: skip
    for index, (
        text, cue, chance, lead, toned, tone_number, feeling,
        emotion, abuse, idles, doubts, sure,
        severity, urgency, reasons, language,
    ) in enumerate(rows):  # fmt: skip
        labels = {name: given[index] for name, given in found.labels.items()} if found.labels else {}
        if not cue & WORDY:
            judged.append(_nothing(language, labels, version))
            continue
        intent = INTENTS[lead]
        complaint, bug, question, idea, praise, other = chance
        conduct = "ok"
        sells = bool(cue & SELLING) and lexicon.spammy(text)
        if abuse >= (SURE_ABUSE if sells else 0.5):
            conduct = "abusive"
        elif sells:
            conduct = "spam"
        elif idles:
            conduct = "off_topic"
        if found.words is not None:
            told = f"{intent} {chance[lead]:.2f}{found.words[index]}; {SENTIMENTS[tone_number]} {toned[tone_number]:.2f}"
            reasons = (told, *_because(conduct, abuse, found.addressed[index]), *reasons)
        judged.append(
            Draft(
                intent,
                {"complaint": complaint, "bug": bug, "question": question, "idea": idea, "praise": praise, "other": other},
                conduct,
                feeling,
                SENTIMENTS[tone_number],
                {"negative": toned[0], "neutral": toned[1], "positive": toned[2]},
                emotion,
                severity,
                urgency,
                language,
                sure,
                doubts,
                labels,
                reasons,
                version,
            ).done()
        )
    return judged


def _rounded(chances: Floats) -> NDArray[np.float64]:
    rounded = chances.astype(np.float64)
    return rounded.round(4, out=rounded)


def _tone(tones: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the number of each text's tone: negative where in doubt, then neutral."""
    negative, neutral, positive = tones[:, 0], tones[:, 1], tones[:, 2]
    mild = np.where(positive > neutral, _POSITIVE, _NEUTRAL)
    return np.where(negative >= np.maximum(neutral, positive), _NEGATIVE, mild)


def _emotions(feelings: Floats, tone: NDArray[np.intp]) -> list[str | None]:
    """Return each text's emotion, or None when it is neutral or unsure."""
    rows = np.arange(len(tone))
    one, other = _BY_TONE[tone].T
    first, second = feelings[rows, one], feelings[rows, other]
    best = np.where(first >= second, one, other)
    best[(tone == _NEUTRAL) | (np.maximum(first, second) < SURE_EMOTION)] = len(EMOTIONS)
    return [_FEELINGS[number] for number in best.tolist()]


def _because(conduct: str, abuse: float, addressed: float) -> tuple[str, ...]:
    if conduct == "abusive":
        return (f"abusive {abuse:.2f}",)
    if conduct == "spam":
        return ("spam: selling words of the lexicon",)
    if conduct == "off_topic":
        return (f"off topic: addresses no company {1 - addressed:.2f}",)
    return ()


def _nothing(language: str, labels: dict[str, Label], version: str) -> Judgement:
    return Judgement(
        intent="other",
        intents={name: float(name == "other") for name in INTENTS},
        conduct="ok",
        sentiment=0.0,
        sentiment_label="neutral",
        sentiment_probabilities={"negative": 0.0, "neutral": 1.0, "positive": 0.0},
        emotion=None,
        severity=1,
        urgency=0.0,
        language=language,
        confidence=0.0,
        needs_person=True,
        labels=labels,
        reasons=_NO_WORDS,
        model_version=version,
    )
