"""How grave and how pressing an item is, with the words that say so.

Owns the severity scale (1 low to 4 critical) and urgency (0..1), both from stated cues on top of what was judged; every
step up names its ground, so that a person can agree or not. Must not read the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.cues import GRAVE, URGENT
from earshot_triage.judgement.verdict import CRITICAL, HIGH, INTENTS, LOW, NORMAL

Numbers = NDArray[np.float64]


_CUES: Final = (
    (CRITICAL, "danger to people", r"(?:caught|on|set) fire|smok(?:e|ing) (?:from|coming)|exploded?|electric shock|injur(?:y|ed|ies)"
     r"|hospital"
     r"|choking|poison(?:ed|ing)?|allergic reaction|suicid\w*|kill (?:myself|me)|unsafe|carbon monoxide"),
    (CRITICAL, "security or privacy", r"data (?:breach|leak)|hacked|account (?:was |got )?(?:stolen|compromised)|identity theft"
     r"|fraud(?:ulent)?|phishing"
     r"|unauthori[sz]ed (?:charge|payment|transaction|access)\w*|security (?:hole|vulnerability|flaw)|someone else's (?:account|data"
     r"|details)"),
    (HIGH, "legal or press", r"lawyer|solicitor|sue you|suing|legal action|lawsuit|small claims|ombudsman|trading standards|attorney"
     r"|gdpr|regulator|going to the press|class action"),
    (HIGH, "loss of data or money", r"lost (?:all|everything|my (?:data|files|photos|money|work))|deleted (?:all|everything|my)"
     r"|charged (?:me )?(?:twice|double)|double charged"
     r"|overcharged|money (?:is )?(?:gone|missing)|stole my|scam(?:med)?|took my money|data loss"),
    (HIGH, "service down", r"(?:is|are|whole \w+|everything) down\b|outage|can't (?:log ?in|access|use)|cannot (?:log ?in|access|use)"
     r"|locked out|completely (?:broken|unusable)"),
    (HIGH, "leaving", r"cancel(?:l?ing|led)? (?:my|our|the) (?:account|subscription|contract|order|service)|switching to"
     r"|never (?:again|buying|using|flying)|lost a customer|taking my business"),
)  # fmt: skip
_URGENT: Final = re.compile(
    r"\b(?:urgent(?:ly)?|asap|immediately|right now|emergency|today|tonight|in an hour|stranded|deadline|at the"
    r" (?:airport|gate)"
    r"|still waiting|for (?:hours|days|weeks)|help me|please help|on hold)\b"
)
_ANY: Final = re.compile(r"\b(?:" + "|".join(f"(?P<c{index}>{pattern})" for index, (_, _, pattern) in enumerate(_CUES)) + r")", re.ASCII)

_WRONG: Final = "severity 2: something went wrong for the customer"
_ASKED: Final = "severity 2: somebody waits for an answer"
_ANGRY: Final = "severity 3: strong anger about something that went wrong"
_GROUNDS: Final[tuple[tuple[str, ...], ...]] = ((), (_ASKED,), (_WRONG,), (_WRONG, _ANGRY))
_OF_STEPS: Final = np.array((LOW, NORMAL, NORMAL, HIGH))
_PRESSED: Final = 0.15 + 0.2 * (_OF_STEPS - 1)
_COMPLAINT, _BUG = INTENTS.index("complaint"), INTENTS.index("bug")
_LED: Final = np.array([{"complaint": 2, "bug": 2, "question": 1}.get(intent, 0) for intent in INTENTS])
"""The step up that a leading intent makes."""


def gravities(
    cleaned: Sequence[str], cues: Sequence[int], *, intents: Numbers, leads: NDArray[np.intp], sentiment: Numbers, anger: Numbers
) -> tuple[list[int], list[float], list[tuple[str, ...]]]:
    """Return the severity, the urgency (0..1) and the grounds of both of N cleaned texts, given what the judge made of them.

    `intents` (N x 6) and `anger` are probabilities, `leads` numbers in INTENTS, `sentiment` is -1..1; `cues` tell by the
    bits GRAVE and URGENT of `cues.py` which texts hold cue words.
    """
    trouble = np.maximum(intents[:, _COMPLAINT], intents[:, _BUG])
    troubled = trouble >= 0.5
    hot = troubled & ((anger >= 0.8) | (sentiment <= -0.85))
    steps = np.maximum(_LED[leads], troubled * 2)
    steps[hot] = 3
    severity = _OF_STEPS[steps]
    urgency = 0.15 * (troubled * trouble)
    urgency += _PRESSED[steps]
    urgency.round(3, out=urgency)
    listed, pressing, grounds = severity.tolist(), urgency.tolist(), [_GROUNDS[step] for step in steps.tolist()]
    for index, cue in enumerate(cues):
        if cue & GRAVE and (troubled[index] or sentiment[index] < 0.25):
            step = min(2, int(steps[index]))  # anger is looked at after the cues
            severe, reasons = _graver(cleaned[index].lower(), (LOW, NORMAL, NORMAL)[step], _GROUNDS[step])
            if severe == NORMAL and hot[index]:
                severe, reasons = HIGH, (*reasons, _ANGRY)
            pressing[index] = round(min(1.0, pressing[index] + 0.2 * (severe - listed[index])), 3)
            listed[index], grounds[index] = severe, reasons
        if cue & URGENT and listed[index] > LOW:
            urgent = _URGENT.search(cleaned[index].lower())
            if urgent:
                pressing[index] = round(min(1.0, pressing[index] + 0.2), 3)
                grounds[index] = (*grounds[index], f"urgent: “{urgent.group()}”")
    return listed, pressing, grounds


def _graver(lowered: str, severity: int, grounds: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Return severity and grounds after the cues of a text in lower case."""
    for match in _ANY.finditer(lowered):
        grade, ground, _ = _CUES[int((match.lastgroup or "c0")[1:])]
        if grade > severity:
            severity = grade
            grounds = (*grounds, f"severity {grade}: {ground} (“{match.group()}”)")
    return severity, grounds
