"""How grave and how pressing an item is, with the words that say so.

Owns the severity scale (1 low to 4 critical) and urgency (0..1), both from stated cues on top of what was judged; every
step up names its ground, so that a person can agree or not. Must not read the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from earshot_triage.judgement.verdict import CRITICAL, HIGH, LOW, NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Gravity:
    """Severity 1..4, urgency 0..1, and the grounds for both in words."""

    severity: int
    urgency: float
    reasons: tuple[str, ...]


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


_GRAVE_WORDS: Final = frozenset(
    [
        "fire",
        "smoke",
        "smoking",
        "explode",
        "exploded",
        "shock",
        "injured",
        "injury",
        "injuries",
        "hospital",
        "choking",
        "poisoned",
        "poisoning",
        "poison",
        "allergic",
        "suicide",
        "suicidal",
        "kill",
        "unsafe",
        "monoxide",
        "breach",
        "leak",
        "hacked",
        "stolen",
        "compromised",
        "theft",
        "fraud",
        "fraudulent",
        "phishing",
        "unauthorised",
        "unauthorized",
        "security",
        "else's",
        "lawyer",
        "solicitor",
        "sue",
        "suing",
        "legal",
        "lawsuit",
        "claims",
        "ombudsman",
        "standards",
        "attorney",
        "gdpr",
        "regulator",
        "press",
        "lost",
        "deleted",
        "twice",
        "double",
        "overcharged",
        "missing",
        "gone",
        "stole",
        "scam",
        "scammed",
        "took",
        "loss",
        "down",
        "outage",
        "log",
        "login",
        "access",
        "locked",
        "broken",
        "unusable",
        "cancel",
        "cancelling",
        "canceling",
        "cancelled",
        "canceled",
        "switching",
        "again",
        "buying",
        "flying",
        "business",
    ]
)
_URGENT_WORDS: Final = frozenset(
    [
        "urgent",
        "urgently",
        "asap",
        "immediately",
        "now",
        "emergency",
        "today",
        "tonight",
        "hour",
        "stranded",
        "deadline",
        "airport",
        "gate",
        "waiting",
        "hours",
        "days",
        "weeks",
        "help",
        "hold",
    ]
)
"""Every cue holds one of these words: a text without any is not searched."""


def gravity(lowered: str, written: Sequence[str], *, intent: str, complaint: float, bug: float, sentiment: float, anger: float) -> Gravity:
    """Return severity and urgency of a cleaned text in lower case, given what the judge made of it.

    `complaint`, `bug` and `anger` are probabilities, `sentiment` is -1..1.
    """
    troubled = complaint >= 0.5 or bug >= 0.5
    severity, reasons = LOW, []
    if troubled or intent in ("complaint", "bug"):
        severity = NORMAL
        reasons.append("severity 2: something went wrong for the customer")
    elif intent == "question":
        severity = NORMAL
        reasons.append("severity 2: somebody waits for an answer")
    if not _GRAVE_WORDS.isdisjoint(written):
        for match in _ANY.finditer(lowered):
            grade, ground, _ = _CUES[int((match.lastgroup or "c0")[1:])]
            if grade > severity and (troubled or sentiment < 0.25):
                severity = grade
                reasons.append(f"severity {grade}: {ground} (“{match.group()}”)")
    if severity == NORMAL and troubled and (anger >= 0.8 or sentiment <= -0.85):
        severity = HIGH
        reasons.append("severity 3: strong anger about something that went wrong")
    urgency = 0.15 + 0.2 * (severity - 1) + 0.15 * (max(complaint, bug) if troubled else 0.0)
    if severity > LOW and not _URGENT_WORDS.isdisjoint(written):
        urgent = _URGENT.search(lowered)
        if urgent:
            urgency += 0.2
            reasons.append(f"urgent: “{urgent.group()}”")
    return Gravity(severity=severity, urgency=round(min(1.0, urgency), 3), reasons=tuple(reasons))
