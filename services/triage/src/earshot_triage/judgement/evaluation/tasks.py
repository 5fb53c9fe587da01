"""What is asked of the judge on each set, and how an answer is read out of a judgement.

Owns the mapping from sets to questions. Must not run models or compute measures' intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from earshot_triage.judgement.evaluation.measures import Measure, macro_recall, mean_f1
from earshot_triage.judgement.training.corpora import Example
from earshot_triage.judgement.training.lessons import NEED_OF
from earshot_triage.judgement.verdict import EMOTIONS, SENTIMENTS, Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question asked of one set. `truth` gives None for examples that the question does not concern."""

    name: str
    corpus: str
    measure_name: str
    measure: Measure
    classes: tuple[str, ...]
    truth: Callable[[Example], str | None]
    answer: Callable[[Judgement], str]
    wanted: float | None = None
    baseline: float | None = None
    trained_on: bool = True


def leading_besides_complaint(judgement: Judgement) -> str:
    """Return the likeliest intent that is not complaint; praise and other count as "rest"."""
    chances = {name: chance for name, chance in judgement.intents.items() if name != "complaint"}
    best = max(chances, key=lambda name: chances[name])
    return best if best in ("bug", "idea", "question") else "rest"


def _need(example: Example) -> str | None:
    return NEED_OF.get(example.label)


def _label(example: Example) -> str | None:
    return example.label or None


def _complaint(judgement: Judgement) -> str:
    return "complaint" if judgement.intents["complaint"] >= 0.5 else "not_complaint"


def _abusive(judgement: Judgement) -> str:
    return "offensive" if judgement.conduct == "abusive" else "not_offensive"


def _idea(judgement: Judgement) -> str:
    return "suggestion" if leading_besides_complaint(judgement) == "idea" else "not_suggestion"


def _feeling(judgement: Judgement) -> str:
    return judgement.emotion or "none"


_NEEDS: Final = ("bug", "idea", "question", "rest")

TASKS: Final = (
    Task(name="complaints", corpus="complaints", measure_name="macro-F1", measure=mean_f1((0, 1)),
         classes=("complaint", "not_complaint"), truth=_label, answer=_complaint, wanted=81.5, baseline=82.3),
    Task(name="tweet sentiment", corpus="tweeteval_sentiment", measure_name="macro-recall", measure=macro_recall((0, 1, 2)),
         classes=SENTIMENTS, truth=_label, answer=lambda said: said.sentiment_label, wanted=65, baseline=65),
    Task(name="offensive tweets", corpus="tweeteval_offensive", measure_name="macro-F1", measure=mean_f1((0, 1)),
         classes=("offensive", "not_offensive"), truth=_label, answer=_abusive, wanted=75, baseline=74.5),
    Task(name="app reviews, Maalej", corpus="appreviews_maalej", measure_name="mean F1 of bug, idea", measure=mean_f1((0, 1)),
         classes=_NEEDS, truth=_need, answer=leading_besides_complaint, wanted=54, baseline=58.3),
    Task(name="app reviews, Google Play", corpus="appreviews_googleplay", measure_name="mean F1 of bug, idea",
         measure=mean_f1((0, 1)), classes=_NEEDS, truth=_need, answer=leading_besides_complaint, wanted=76, baseline=77.1),
    Task(name="app reviews, Panichella", corpus="appreviews_panichella", measure_name="mean F1 of bug, idea, question",
         measure=mean_f1((0, 1, 2)), classes=_NEEDS, truth=_need, answer=leading_besides_complaint, wanted=64, baseline=67.9),
    Task(name="issue reports", corpus="github_issues", measure_name="macro-F1", measure=mean_f1((0, 1, 2)),
         classes=_NEEDS, truth=_need, answer=leading_besides_complaint, wanted=77.5, baseline=77.9),
    Task(name="emotion", corpus="tweeteval_emotion", measure_name="macro-F1 (none when unsure)", measure=mean_f1((0, 1, 2, 3)),
         classes=(*EMOTIONS, "none"), truth=_label, answer=_feeling),
    Task(name="airline sentiment", corpus="airline_sentiment", measure_name="macro-F1", measure=mean_f1((0, 1, 2)),
         classes=SENTIMENTS, truth=_label, answer=lambda said: said.sentiment_label, wanted=64, baseline=75.5, trained_on=False),
    Task(name="suggestions", corpus="suggestion_mining", measure_name="F1 of suggestion", measure=mean_f1((0,)),
         classes=("suggestion", "not_suggestion"), truth=_label, answer=_idea, wanted=45, baseline=57.7, trained_on=False),
)  # fmt: skip
