"""From a decoded item to a decision: the judge's view of its words, and the rules' view of the rest.

Owns the joining of the two. Touches neither Kafka nor Postgres; runs outside the pen.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from earshot_shared.item import Item
from earshot_triage.domain.message import STANCE_WORDS, Message
from earshot_triage.domain.routing import Router, Rules, Subject
from earshot_triage.events import Decision, encode_decision, message_of, role_of
from earshot_triage.judgement import Judgement

NOBODY_JUDGED = "nothing to judge: it was withdrawn or erased"


class Arrival(NamedTuple):
    """One revision of an item with the decision on it, ready to be folded. ``item`` and ``decision`` are JSON."""

    message: Message
    text: str
    item: bytes
    decision: bytes
    replaying: bool = False


class Heard(NamedTuple):
    """An item as it came: decoded, its JSON, its key and those of its parents."""

    item: Item
    body: bytes
    key: str
    parents: tuple[str, ...]
    replaying: bool = False


class Judging(Protocol):
    """What is asked of a judge: `earshot_triage.judgement.Judge` is one."""

    version: str

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order; without ``explain`` the reasons name no words of the text, which is cheaper."""


class Decider:
    """Decides with one judge and the rules of the moment; other rules may be put in `use` at any time, for later items."""

    def __init__(self, judge: Judging, rules: Rules) -> None:
        self.judge = judge
        self.use(rules)

    def use(self, rules: Rules) -> None:
        """Decide by these rules from now on."""
        self.rules = rules
        self._router = Router(rules)

    def decide(self, heard: Sequence[Heard]) -> list[Arrival]:
        """Return an arrival for each, in order."""
        router = self._router
        wordy = [each.item for each in heard if not (each.item.withdrawn or each.item.erased)]
        # The words that spoke for it are found again when somebody asks (`explained`): finding them always would cost a quarter more.
        judged = iter(self.judge.judge([_words(item) for item in wordy], explain=False, languages=[item.language for item in wordy]))
        arrivals = []
        for each in heard:
            item = each.item
            if item.withdrawn or item.erased:
                decision = unjudged(item, self.judge.version, router.rules.version)
            else:
                decision = _decision(item, next(judged), router)
            message = message_of(item, decision, each.key, each.parents)
            arrivals.append(Arrival(message, item.text, each.body, encode_decision(decision), each.replaying))
        return arrivals


def explained(item: Item, decision: Decision, judge: Judging) -> tuple[str, ...]:
    """Return the decision's reasons with the words of the text that spoke for it; as they are when another model judged it."""
    if item.withdrawn or item.erased or decision.model_version != judge.version:
        return decision.reasons
    plain, full = (judge.judge([_words(item)], explain=explain, languages=[item.language])[0].reasons for explain in (False, True))
    return full + decision.reasons[len(plain) :]


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


def _decision(item: Item, judged: Judgement, router: Router) -> Decision:
    rating = item.rating
    routing = router.route(
        Subject(
            role_of(item),
            item.kind,
            item.channel,
            item.source,
            item.visibility,
            item.brand,
            judged.language,
            judged.conduct,
            judged.severity,
            judged.sentiment,
            None if rating is None or rating.best <= 0 else rating.value / rating.best,
            judged.intents,
        )
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
        topics=tuple(label.label for label in judged.labels.values()) if judged.labels else (),
        routes=routing.routes,
        stance=STANCE_WORDS[routing.stance],
        reasons=judged.reasons + routing.reasons,
        model_version=judged.model_version,
        rules_version=router.rules.version,
    )
