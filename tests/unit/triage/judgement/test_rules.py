"""Rules stand above the model, are named, and can be rehearsed."""

import time

import pytest

from earshot_triage.judgement import Judge
from earshot_triage.judgement.rules import Rule, RuleError, RuleSet, rehearse

LEGAL = Rule(name="legal", any_of=("lawyer", "small claims"), severity_at_least=3, routes=("legal",), needs_person=True)
OUTAGE = Rule(name="outage", pattern=r"(down|offline) (in|for) \w+", intent="bug", topics=("outage",))


@pytest.mark.capability("T4")
def test_a_rule_overrules_and_says_so(judge: Judge) -> None:
    text = "Your site is DOWN for hours, my lawyer will call"
    ruled = RuleSet((LEGAL, OUTAGE)).apply(text, judge.judge([text])[0])
    assert ruled.held == ("legal", "outage")
    assert ruled.judgement.intent == "bug"
    assert ruled.judgement.intents["bug"] == max(ruled.judgement.intents.values())
    assert ruled.judgement.severity >= 3
    assert ruled.judgement.needs_person
    assert ruled.routes == ("legal",)
    assert ruled.topics == ("outage",)
    assert any("rule “legal”" in reason for reason in ruled.judgement.reasons)


def test_phrases_are_whole_words_in_order(judge: Judge) -> None:
    rules = RuleSet((LEGAL,))
    for text, holds in (("small claims court", True), ("claims small", False), ("lawyers", False), ("LAWYER!", True)):
        assert bool(rules.apply(text, judge.judge([text])[0]).held) is holds


@pytest.mark.capability("T33")
def test_the_version_changes_with_any_rule_and_a_rehearsal_shows_the_difference(judge: Judge) -> None:
    old, new = RuleSet((LEGAL,)), RuleSet((LEGAL, OUTAGE))
    assert old.version != new.version
    assert old.version == RuleSet((LEGAL,)).version
    items = [(str(number), text, judge.judge([text])[0]) for number, text in enumerate(["offline in Rome", "hello there"])]
    (difference,) = rehearse(old, new, items)
    assert difference.item_id == "0"
    assert "topics" in difference.changed
    assert rehearse(new, new, items) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rule(name="empty"),
        lambda: Rule(name="bad intent", any_of=("x",), intent="rage"),
        lambda: Rule(name="bad conduct", any_of=("x",), conduct="rude"),
        lambda: Rule(name="bad severity", any_of=("x",), severity_at_least=9),
        lambda: Rule(name="no letters", any_of=("...",), all_of=(" ",)),
        lambda: RuleSet((Rule(name="bad pattern", pattern="("),)),
        lambda: RuleSet((Rule(name="look-around", pattern="(?=a)b"),)),
        lambda: RuleSet((Rule(name="long", pattern="a" * 2_000),)),
        lambda: RuleSet((LEGAL, LEGAL)),
    ],
)
def test_bad_rules_are_refused_by_name(make: object) -> None:
    with pytest.raises(RuleError, match="rule"):
        make()  # type: ignore[operator]  # each entry is a function without arguments


def test_no_pattern_runs_away(judge: Judge) -> None:
    rules = RuleSet((Rule(name="runaway", pattern="(a+)+b(c|cc)*d"),))
    text = "a" * 6_000 + "c" * 6_000
    said = judge.judge([text])[0]
    started = time.process_time()
    assert not rules.apply(text, said).held
    assert time.process_time() - started < 1
