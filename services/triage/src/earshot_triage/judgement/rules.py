"""Rules above the model: what people say outright beats what the weights think.

Owns rules (keywords, monitors, patterns), their version, their effect on a judgement and the dry run of a change. Must not
read files: the installation's configuration is handed in. Patterns run on an automaton in linear time, so no pattern and
no text can hang the stream; what it cannot do (back-references, look-around) is refused in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import re2

from earshot_triage.judgement.features import Read, read
from earshot_triage.judgement.text import canonical
from earshot_triage.judgement.verdict import CONDUCTS, INTENTS, Judgement

PATTERN_MEMORY_BYTES: Final = 1 << 20
LONGEST_PATTERN: Final = 1_000
SURE: Final = 1.0


class RuleError(ValueError):
    """A rule cannot be used; the message names the rule and says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: when it holds, and what it then decides. All conditions that are given must hold.

    `any_of`, `all_of`, `none_of` are words or phrases, compared as whole words without regard to case; `pattern` is a
    regular expression searched in the cleaned text, in lower case.
    """

    name: str
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    pattern: str | None = None
    languages: tuple[str, ...] = ()
    intent: str | None = None
    conduct: str | None = None
    severity_at_least: int | None = None
    topics: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    needs_person: bool = False

    def __post_init__(self) -> None:
        if not (self.any_of or self.all_of or self.pattern):
            raise RuleError(f"rule “{self.name}” has no condition; give any_of, all_of or pattern")
        if self.intent is not None and self.intent not in INTENTS:
            raise RuleError(f"rule “{self.name}”: “{self.intent}” is no intent; use one of {', '.join(INTENTS)}")
        if self.conduct is not None and self.conduct not in CONDUCTS:
            raise RuleError(f"rule “{self.name}”: “{self.conduct}” is no conduct; use one of {', '.join(CONDUCTS)}")
        if self.severity_at_least is not None and not 1 <= self.severity_at_least <= 4:
            raise RuleError(f"rule “{self.name}”: severity_at_least lies between 1 and 4")
        if not all(_phrase(phrase) for phrase in (*self.any_of, *self.all_of, *self.none_of)):
            raise RuleError(f"rule “{self.name}” has a keyword without letters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A judgement after the rules, with the topics and routes they add and the names of those that held."""

    judgement: Judgement
    topics: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One item on which two rule sets disagree."""

    item_id: str
    before: Ruled
    after: Ruled
    changed: tuple[str, ...]  # the names of the fields that differ


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    any_of: tuple[tuple[str, ...], ...]
    all_of: tuple[tuple[str, ...], ...]
    none_of: tuple[tuple[str, ...], ...]
    pattern: Any  # a compiled re2 pattern, which has no type

    def holds(self, words: Sequence[str], known: frozenset[str], lowered: str, language: str) -> bool:
        rule = self.rule
        if rule.languages and language not in rule.languages:
            return False
        if self.any_of and not any(_within(phrase, words, known) for phrase in self.any_of):
            return False
        if not all(_within(phrase, words, known) for phrase in self.all_of):
            return False
        if any(_within(phrase, words, known) for phrase in self.none_of):
            return False
        return self.pattern is None or self.pattern.search(lowered) is not None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order; a later rule overrules an earlier one. `version` changes with any rule."""

    rules: tuple[Rule, ...] = ()
    version: str = field(init=False, default="")
    _compiled: tuple[_Compiled, ...] = field(init=False, default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise RuleError(f"two rules are called “{twice}”; decisions name rules, so names must differ")
        digest = hashlib.sha256(repr(self.rules).encode("utf-8", "backslashreplace")).hexdigest()
        object.__setattr__(self, "version", f"rules-{digest[:12]}")
        object.__setattr__(self, "_compiled", tuple(_compile(rule) for rule in self.rules))

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Return a rule set. Raises RuleError when a pattern cannot be used or two names are the same."""
        return cls(tuple(rules))

    def apply(self, text: str, judgement: Judgement) -> Ruled:
        """Return the judgement of `text` as the rules have it; each rule that held is named in the reasons."""
        if not self._compiled:
            return Ruled(judgement=judgement)
        return self._apply(read(text), judgement)

    def _apply(self, text: Read, judgement: Judgement) -> Ruled:
        words = [canonical(token) for token in text.written]
        known = frozenset(words)
        lowered = text.cleaned.lower()
        held = [item.rule for item in self._compiled if item.holds(words, known, lowered, judgement.language)]
        doubted = judgement.needs_person and not any(rule.intent for rule in held)
        for rule in held:
            judgement = _overrule(judgement, rule)
        if held:
            judgement = replace(judgement, needs_person=doubted or any(rule.needs_person for rule in held))
        return Ruled(
            judgement=judgement,
            topics=tuple(dict.fromkeys(topic for rule in held for topic in rule.topics)),
            routes=tuple(dict.fromkeys(route for rule in held for route in rule.routes)),
            held=tuple(rule.name for rule in held),
        )


def rehearse(old: RuleSet, new: RuleSet, items: Iterable[tuple[str, str, Judgement]]) -> list[Difference]:
    """Return what changes when `new` replaces `old` on past items of (id, text, the model's judgement)."""
    found: list[Difference] = []
    for item_id, text, judgement in items:
        before, after = old.apply(text, judgement), new.apply(text, judgement)
        changed = _changes(before, after)
        if changed:
            found.append(Difference(item_id=item_id, before=before, after=after, changed=changed))
    return found


def _changes(before: Ruled, after: Ruled) -> tuple[str, ...]:
    judged = ("intent", "conduct", "severity", "needs_person")
    changed = [name for name in judged if getattr(before.judgement, name) != getattr(after.judgement, name)]
    changed += [name for name in ("topics", "routes") if getattr(before, name) != getattr(after, name)]
    return tuple(changed)


def _overrule(judgement: Judgement, rule: Rule) -> Judgement:
    said: list[str] = []
    intents, intent, confidence = judgement.intents, judgement.intent, judgement.confidence
    if rule.intent is not None:
        intents = {name: min(chance, 0.5) for name, chance in intents.items()} | {rule.intent: SURE}
        intent, confidence = rule.intent, SURE
        said.append(f"intent {intent}")
    conduct = rule.conduct or judgement.conduct
    if rule.conduct is not None:
        said.append(f"conduct {conduct}")
    severity = max(judgement.severity, rule.severity_at_least or 0)
    if severity != judgement.severity:
        said.append(f"severity {severity}")
    said += [f"topic {topic}" for topic in rule.topics] + [f"route {route}" for route in rule.routes]
    reason = f"rule “{rule.name}”: {', '.join(said) or 'held'}"
    return replace(
        judgement,
        intents=intents,
        intent=intent,
        confidence=confidence,
        conduct=conduct,
        severity=severity,
        reasons=(*judgement.reasons, reason),
    )


def _phrase(phrase: str) -> tuple[str, ...]:
    return tuple(canonical(token) for token in read(phrase).written)


def _within(phrase: tuple[str, ...], words: Sequence[str], known: frozenset[str]) -> bool:
    if not known.issuperset(phrase):
        return False
    size = len(phrase)
    return size == 1 or any(tuple(words[start : start + size]) == phrase for start in range(len(words) - size + 1))


def _compile(rule: Rule) -> _Compiled:
    pattern = None
    if rule.pattern is not None:
        if len(rule.pattern) > LONGEST_PATTERN:
            raise RuleError(f"rule “{rule.name}”: a pattern has at most {LONGEST_PATTERN} characters")
        options = re2.Options()
        options.max_mem = PATTERN_MEMORY_BYTES
        options.log_errors = False
        options.case_sensitive = False
        try:
            pattern = re2.compile(rule.pattern, options)
        except re2.error as error:
            said = error.args[0] if error.args else ""  # RE2 tells in bytes
            told = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            raise RuleError(f"rule “{rule.name}”: the pattern cannot be used ({told})") from error
    return _Compiled(
        rule=rule,
        any_of=tuple(map(_phrase, rule.any_of)),
        all_of=tuple(map(_phrase, rule.all_of)),
        none_of=tuple(map(_phrase, rule.none_of)),
        pattern=pattern,
    )
