"""From a decoded item to a decision: the judge's view of its words, and the rules' view of the rest.

Owns the joining of the two. Touches neither Kafka nor Postgres; runs outside the pen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from earshot_shared.item import Item
from earshot_triage.domain.message import Message
from earshot_triage.domain.routing import Rules, Subject, route
from earshot_triage.events import Decision, encode_decision, message_of, role_of
from earshot_triage.judgement import Judgement

NOBODY_JUDGED = "nothing to judge: it was withdrawn or erased"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One revision of an item with the decision on it, ready to be folded. ``item`` and ``decision`` are JSON."""

    message: Message
    text: str
    item: bytes
    decision: bytes
    replaying: bool = False


class Judging(Protocol):
    """What is asked of a judge: `earshot_triage.judgement.Judge` is one."""

    version: str

    def judge(self, texts: Sequence[str], *, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order."""


class Decider:
    """Decides with one judge and the rules of the moment; ``rules`` may be replaced at any time, for later items.

    ``written`` is the same rules as the operator wrote them.
    """

    def __init__(self, judge: Judging, rules: Rules, written: Mapping[str, object] | None = None) -> None:
        self.judge = judge
        self.rules = rules
        self.written = written or {}

    def decide(self, items: Sequence[tuple[Item, bytes, bool]]) -> list[Arrival]:
        """Return an arrival per (item, its JSON, replaying), in order.

        Raises: ValueError when an item names an id that is none; callers check with `events.message_of` first.
        """
        rules = self.rules
        wordy = [each[0] for each in items if not (each[0].withdrawn or each[0].erased)]
        judged = iter(self.judge.judge([_words(item) for item in wordy], languages=[item.language for item in wordy]))
        arrivals = []
        for item, body, replaying in items:
            decision = unjudged(item, self.judge.version, rules.version)
            if not (item.withdrawn or item.erased):
                decision = _decision(item, next(judged), rules)
            arrivals.append(Arrival(message_of(item, decision), item.text, body, encode_decision(decision), replaying))
        return arrivals


def unjudged(item: Item, model_version: str, rules_version: str) -> Decision:
    """Return what is decided about an item without words: nothing, and why."""
    return Decision(
        intent="unknown",
        intents={},
        conduct="ok",
        sentiment=0.0,
        sentiment_label="neutral",
        severity=1,
        urgency=0.0,
        confidence=0.0,
        needs_person=False,
        emotion=None,
        language=item.language or "unknown",
        topics=(),
        routes=(),
        stance="leave",
        reasons=(NOBODY_JUDGED,),
        model_version=model_version,
        rules_version=rules_version,
    )


def _words(item: Item) -> str:
    return f"{item.title}\n{item.text}" if item.title else item.text


def _decision(item: Item, judged: Judgement, rules: Rules) -> Decision:
    rating = item.rating
    routing = route(
        Subject(
            role=role_of(item),
            kind=item.kind,
            channel=item.channel,
            source=item.source,
            visibility=item.visibility,
            brand=item.brand,
            language=judged.language,
            intent=judged.intent,
            intents=judged.intents,
            conduct=judged.conduct,
            sentiment=judged.sentiment,
            severity=judged.severity,
            rating=None if rating is None or rating.best <= 0 else rating.value / rating.best,
        ),
        rules,
    )
    return Decision(
        intent=judged.intent,
        intents=judged.intents,
        conduct=judged.conduct,
        sentiment=judged.sentiment,
        sentiment_label=judged.sentiment_label,
        severity=judged.severity,
        urgency=judged.urgency,
        confidence=judged.confidence,
        needs_person=judged.needs_person,
        emotion=judged.emotion,
        language=judged.language,
        topics=tuple(label.label for label in judged.labels.values()),
        routes=routing.routes,
        stance=routing.stance.word,
        reasons=judged.reasons + routing.reasons,
        model_version=judged.model_version,
        rules_version=rules.version,
    )
