"""A small lexicon of words that customers use, and the plain judge made of it.

Owns the hand-written word lists and the first, honest rules on them: the judge that stands in while no weights are at
hand, and the baseline that the learned judge is measured against. Must not read files.
"""

from __future__ import annotations

import math
import re
from typing import Final

_POSITIVE: Final = frozenset(
    [
        "amazing",
        "awesome",
        "beautiful",
        "best",
        "better",
        "brilliant",
        "cool",
        "delighted",
        "easy",
        "excellent",
        "fab",
        "fantastic",
        "fast",
        "favorite",
        "favourite",
        "friendly",
        "fun",
        "glad",
        "good",
        "great",
        "happy",
        "helpful",
        "helped",
        "impressed",
        "incredible",
        "kudos",
        "like",
        "liked",
        "love",
        "loved",
        "lovely",
        "nice",
        "perfect",
        "pleased",
        "props",
        "recommend",
        "smooth",
        "superb",
        "thank",
        "thanks",
        "thx",
        "win",
        "wonderful",
        "works",
        "wow",
        "yay",
        "❤",
        "😀",
        "😁",
        "😂",
        "😃",
        "😄",
        "😊",
        "😍",
        "👍",
        "🎉",
        "🙏",
        ":)",
        ":d",
        "<3",
    ]
)
_NEGATIVE: Final = frozenset(
    [
        "absurd",
        "angry",
        "annoyed",
        "annoying",
        "appalling",
        "awful",
        "bad",
        "broken",
        "cancel",
        "cancelled",
        "crap",
        "crashes",
        "delay",
        "delayed",
        "difficult",
        "disappointed",
        "disappointing",
        "disappointment",
        "disgrace",
        "disgusting",
        "dreadful",
        "fail",
        "failed",
        "fails",
        "failure",
        "frustrated",
        "frustrating",
        "garbage",
        "hate",
        "horrible",
        "ignored",
        "incompetent",
        "joke",
        "late",
        "lie",
        "lied",
        "lost",
        "mess",
        "missing",
        "nightmare",
        "pathetic",
        "poor",
        "ridiculous",
        "rubbish",
        "rude",
        "sad",
        "shame",
        "shocking",
        "sick",
        "slow",
        "stolen",
        "stupid",
        "sucks",
        "terrible",
        "unacceptable",
        "unhappy",
        "unreliable",
        "upset",
        "useless",
        "waiting",
        "waste",
        "wasted",
        "worse",
        "worst",
        "wrong",
        "😠",
        "😡",
        "🤬",
        "😤",
        "😢",
        "😭",
        "👎",
        "💔",
        ":(",
        ":/",
    ]
)
_NEGATORS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "without",
        "cannot",
        "can't",
        "don't",
        "doesn't",
        "didn't",
        "isn't",
        "wasn't",
        "aren't",
        "won't",
        "wouldn't",
    ]
)
_COMPLAINT: Final = re.compile(
    r"\b(still (?:no|not|waiting)|no (?:response|reply|answer|refund)|refund|complain\w*|not happy|unacceptable"
    r"|let down"
    r"|(?:worst|terrible|awful|poor|rude|disgusting) (?:\w+ ){0,2}(?:service|experience|company|support)|never again"
    r"|ripped off|overcharged|charged twice|hours? on hold|been waiting|sort it out|rude|broken|ridiculous|useless)\b"
)
_BUG: Final = re.compile(
    r"\b(bugs?|buggy|crash\w*|error\w*|glitch\w*|freez\w*|frozen|(?:doesn't|does not|won't|not|stopped|isn't)"
    r" (?:work\w*|open"
    r"|load\w*|sync\w*|start|play|respond\w*|let)|broken|fails?|failed|exception|stack ?trace|regression|black screen"
    r"|keeps (?:\w+ing))\b"
)
_QUESTION: Final = re.compile(
    r"\?|\b(how (?:do|can|to|long|much|many)|is there (?:a|any) way|can (?:i|you|we|someone|anyone)|could you|what"
    r" (?:is|are|time)|when (?:is|will|do)"
    r"|where (?:is|can|do)|why (?:is|do|does|can't)|who (?:is|can)|does anyone|any idea)\b"
)
_IDEA: Final = re.compile(
    r"\b(please (?:add|bring|make|allow|include|support|consider)|would be (?:nice|great|cool|good|better|awesome"
    r"|useful)|(?:i )?wish|should (?:have|be able|add"
    r"|allow|include|support)|feature request|suggest\w*|it needs|needs? (?:a|an|to have)|add (?:a|an|the|support)"
    r"|allow (?:us|users|me)"
    r"|if (?:only )?(?:you|it|there) (?:could|can|was|were|had)|option to|ability to|would (?:love|like) to (?:see"
    r"|have|be able))\b"
)
_PRAISE: Final = re.compile(
    r"\b(love (?:it|this|your|the|you)|great (?:app|service|job|work|game|product)|thank(?:s| you)(?: so much)?"
    r"|well done|best (?:app|service|ever|game)|awesome|amazing"
    r"|excellent|fantastic|perfect|kudos|shout ?out|brilliant|highly recommend|wonderful)\b"
)
_ABUSE: Final = re.compile(
    r"\b(fuck (?:you|off)|f\*+k you|bitch\w*|cunt\w*|ass ?hole\w*|dick ?head\w*|moron\w*|idiots?|scum\w*|retard\w*"
    r"|piece of shit|bastard\w*|go to hell|kill yourself|kys|whore\w*|slut\w*|dumb ?ass\w*|shut up|wank\w*)\b"
)
_SPAM: Final = re.compile(
    r"\b(click (?:here|the link)|follow (?:me|back)|earn \$?\d+|work from home|free (?:followers|gift ?cards?"
    r"|iphone)|casino|viagra"
    r"|crypto (?:giveaway|signals)|dm (?:me|us) (?:to|for) (?:earn|invest|promo)"
    r"|buy (?:\w+ ){0,2}(?:followers|likes|pills|meds)|cheap (?:followers|likes|pills|meds)|promo code|100%"
    r" (?:free|guaranteed)|whatsapp \+?\d)"
)


def spammy(cleaned: str) -> bool:
    """Say whether a cleaned text sells or lures in the words that spam uses (one of them is a word of `cues.SELLING`)."""
    return bool(_SPAM.search(cleaned.lower()))


def tone(tokens: list[str]) -> float:
    """Return the lexicon's sentiment of the tokens, -1..1; a negator within three tokens turns a word round."""
    total = 0.0
    last_negator = -10
    for index, token in enumerate(tokens):
        if token in _NEGATORS:
            last_negator = index
            continue
        sign = (token in _POSITIVE) - (token in _NEGATIVE)
        total += -0.7 * sign if index - last_negator <= 3 else sign
    return math.tanh(total / 2)


def intents(lowered: str, tone_of_text: float) -> dict[str, float]:
    """Return a probability for each intent of a cleaned text in lower case, from cue phrases and its tone."""
    complaint = _chance(_COMPLAINT, lowered, 0.35) + 0.45 * max(0.0, -tone_of_text)
    praise = _chance(_PRAISE, lowered, 0.4) * (tone_of_text > 0) + 0.35 * max(0.0, tone_of_text)
    found = {
        "complaint": complaint,
        "bug": _chance(_BUG, lowered, 0.45),
        "question": _chance(_QUESTION, lowered, 0.5),
        "idea": _chance(_IDEA, lowered, 0.55),
        "praise": praise,
    }
    found = {name: round(min(0.97, 0.03 + value), 4) for name, value in found.items()}
    found["other"] = round(max(0.03, 0.6 - max(found.values())), 4)
    return found


def conduct(lowered: str) -> str:
    """Return the conduct of a cleaned text in lower case; plain anger at a product is `ok`."""
    if _ABUSE.search(lowered):
        return "abusive"
    return "spam" if _SPAM.search(lowered) else "ok"


def _chance(pattern: re.Pattern[str], lowered: str, first: float) -> float:
    hits = len(pattern.findall(lowered))
    return first + 0.15 * min(hits - 1, 2) if hits else 0.0
