"""From a decoded item to a decision: the judge's view of its words, the rules' view of the rest, and people's word above both.

Owns the joining of the three. Touches neither Kafka nor Postgres; runs outside the pen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import msgspec

from earshot_shared.item import Item
from earshot_triage.domain.acts import Act
from earshot_triage.domain.message import STANCE_WORDS, Message
from earshot_triage.domain.routing import NO_LABELS, Router, Rules, Subject
from earshot_triage.events import Corrected, Decision, encode_decision, message_of, role_of
from earshot_triage.judgement import Judgement
from earshot_triage.judgement.rules import RuleSet
from earshot_triage.judgement.verdict import UNKNOWN_INTENT

NOBODY_JUDGED = "nothing to judge: it was withdrawn or erased"
_TOGETHER = 256
"""So many items are decided at a time: what a judge says of one is much larger than what is kept of it."""
_NOT_SAID = 0.5
"""What is left, at most, of the probability of other intents when somebody says which one it is."""


class Arrival(NamedTuple):
    """One revision of an item with the decision on it, ready to be folded. ``item`` and ``decision`` are JSON.

    ``again``: the revision we hold was decided anew, and counts though it is no higher.
    """

    message: Message
    text: str
    item: bytes
    decision: bytes
    replaying: bool = False
    again: bool = False


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

    @property
    def label_versions(self) -> Mapping[str, str]:
        """The versions of its own labels, by set."""

    def commonness(self, word: str) -> float:
        """Return the share of all texts that hold a word (0..1)."""

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order; without ``explain`` the reasons name no words of the text, which is cheaper."""


class Ruling:
    """One version of the rules, ready to be applied to what a judge said."""

    def __init__(self, rules: Rules, words: RuleSet | None = None) -> None:
        self.rules = rules
        self._words = words if words is not None and words.rules else None
        self._router = Router(rules)

    def decision(self, item: Item, judged: Judgement, model_version: str, corrections: Sequence[Act] = ()) -> Decision:
        """Return the decision: the judgement, overruled by the rules about words, overruled by people (in the order of acts)."""
        topics: tuple[str, ...] = ()
        routed: tuple[str, ...] = ()
        if self._words is not None:
            ruled = self._words.apply(words_of(item), judged)
            judged, topics, routed = ruled.judgement, ruled.topics, ruled.routes
        corrected: dict[str, Corrected] = {}
        if corrections:
            judged, corrected = _overrule(judged, corrections)
        rating = item.rating
        routing = self._router.route(
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
                {name: (label.label, label.probability) for name, label in judged.labels.items()} if judged.labels else NO_LABELS,
            )
        )
        routes, reasons = routing.routes, judged.reasons + routing.reasons
        if routed:
            routes = tuple(dict.fromkeys(routed + routes))
        if corrections:
            routes, corrected = _reroute(routes, corrections, corrected)
            reasons += tuple(_told(name, each) for name, each in sorted(corrected.items()))
        labelled = tuple(label.label for label in judged.labels.values()) if judged.labels else ()
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
            topics=labelled + topics,
            routes=routes,
            stance=STANCE_WORDS[routing.stance],
            reasons=reasons,
            model_version=model_version,
            rules_version=self.rules.version,
            labels=judged.labels or msgspec.UNSET,
            corrections=corrected or msgspec.UNSET,
        )


class Decider:
    """Decides with the judge and the rules of the moment; others may be put in use at any time, for later items."""

    def __init__(self, judge: Judging, rules: Rules) -> None:
        self.ask(judge)
        self.use(rules)

    @property
    def rules(self) -> Rules:
        """The rules in use."""
        return self.ruling.rules

    def use(self, rules: Rules, words: RuleSet | None = None) -> None:
        """Decide by these rules, and these about words, from now on."""
        self.ruling = Ruling(rules, words)

    def ask(self, judge: Judging) -> None:
        """Ask this judge from now on."""
        self.judge = judge

    def decide(self, heard: Sequence[Heard], *, corrections: Mapping[str, Sequence[Act]] | None = None) -> list[Arrival]:
        """Return an arrival for each, in order; ``corrections`` are what people said of some, by key, in the order of acts."""
        arrivals: list[Arrival] = []
        for start in range(0, len(heard), _TOGETHER):
            arrivals += self._decide(heard[start : start + _TOGETHER], corrections)
        return arrivals

    def _decide(self, heard: Sequence[Heard], corrections: Mapping[str, Sequence[Act]] | None) -> list[Arrival]:
        judge, ruling = self.judge, self.ruling
        version = model_version(judge)
        wordy = [each.item for each in heard if not (each.item.withdrawn or each.item.erased)]
        # The words that spoke for it are found again when somebody asks (`explained`): finding them always would cost a quarter more.
        judged = iter(judge.judge([words_of(item) for item in wordy], explain=False, languages=[item.language for item in wordy]))
        arrivals = []
        for each in heard:
            item = each.item
            if item.withdrawn or item.erased:
                decision = unjudged(item, version, ruling.rules.version)
            else:
                decision = ruling.decision(item, next(judged), version, () if corrections is None else corrections.get(each.key, ()))
            message = message_of(item, decision, each.key, each.parents)
            arrivals.append(Arrival(message, item.text, each.body, encode_decision(decision), each.replaying, corrections is not None))
        return arrivals


def model_version(judge: Judging) -> str:
    """Return the name of a judge with its labels: other labels, another version."""
    if not judge.label_versions:
        return judge.version
    return "+".join((judge.version, *judge.label_versions.values()))


def explained(item: Item, decision: Decision, judge: Judging) -> tuple[str, ...]:
    """Return the decision's reasons with the words of the text that spoke for it; as they are when another model judged it."""
    if item.withdrawn or item.erased or decision.model_version != model_version(judge):
        return decision.reasons
    plain, full = (judge.judge([words_of(item)], explain=explain, languages=[item.language])[0].reasons for explain in (False, True))
    return full + decision.reasons[len(plain) :]


def unjudged(item: Item, model_version: str, rules_version: str) -> Decision:
    """Return what is decided about an item without words: nothing, and why."""
    return Decision(
        intent=UNKNOWN_INTENT,
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


def words_of(item: Item) -> str:
    """Return what is judged of an item: its title and its text."""
    return f"{item.title}\n{item.text}" if item.title else item.text


def _overrule(judged: Judgement, corrections: Sequence[Act]) -> tuple[Judgement, dict[str, Corrected]]:
    """Return the judgement as people have it, and what they changed; of each field the last word counts."""
    corrected: dict[str, Corrected] = {}
    for name in ("intent", "conduct"):
        act = next((act for act in reversed(corrections) if getattr(act, name) is not None), None)
        if act is not None:
            corrected[name] = Corrected(getattr(act, name), getattr(judged, name), act.actor, act.at, act.action_id)
    changes: dict[str, Any] = {name: each.value for name, each in corrected.items()}
    if "intent" in changes:
        said = changes["intent"]
        changes["intents"] = {name: min(chance, _NOT_SAID) for name, chance in judged.intents.items()} | {said: 1.0}
        changes["confidence"] = 1.0
    return (replace(judged, **changes, needs_person=False) if changes else judged), corrected


def _reroute(
    routes: tuple[str, ...], corrections: Sequence[Act], corrected: dict[str, Corrected]
) -> tuple[tuple[str, ...], dict[str, Corrected]]:
    act = next((act for act in reversed(corrections) if act.routes is not None), None)
    if act is None or act.routes is None:
        return routes, corrected
    return act.routes, corrected | {"routes": Corrected(act.routes, routes, act.actor, act.at, act.action_id)}


def _told(name: str, each: Corrected) -> str:
    said, was = (", ".join(value) or "nowhere" if isinstance(value, tuple) else value for value in (each.value, each.was))
    return f"{name} {said}: {each.by} said so (it was {was})"
