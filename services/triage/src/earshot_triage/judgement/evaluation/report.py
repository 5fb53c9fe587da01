"""The report: tables with intervals, the reliability curve and the quality/speed picture.

Owns the part of docs/judgement.md between its two marks and the pictures beside it. Must not train or judge by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from earshot_triage.judgement.evaluation import baselines, folds, own_labels, pictures
from earshot_triage.judgement.evaluation.folds import Answer
from earshot_triage.judgement.evaluation.measures import (
    Labels,
    Score,
    calibration_error,
    f1,
    reliability,
    with_interval,
)
from earshot_triage.judgement.evaluation.tasks import TASKS, Task
from earshot_triage.judgement.judge import Judge
from earshot_triage.judgement.semantic import Encoder
from earshot_triage.judgement.training import build, corpora

BEGIN: Final = "<!-- figures: written by `earshot triage evaluate` -->"
END: Final = "<!-- end of figures -->"
BEGIN_LABELS: Final = "<!-- own labels: written by `earshot triage evaluate --labels` -->"
END_LABELS: Final = "<!-- end of own labels -->"
JUDGE, TFIDF, RULES = "judge, all heads", "TF-IDF, one head", "rules and lexicon"
MOST_FOR_BASELINE: Final = 20_000
Say = Callable[[str], None]


def write(data: Path, docs: Path, *, folds: int, say: Say, labels: bool = False, encoder: Encoder | None = None) -> None:
    """Cross-validate on `data`, and renew `docs/judgement.md` and `docs/pictures/`; with `labels`, those of one's own too."""
    examples = corpora.load(data)
    told: own_labels.Found = {}

    def also(fold: int, judge: Judge) -> None:
        if labels:
            say(f"teaching own labels, fold {fold + 1}")
            own_labels.examine(told, fold, judge, data, encoder)

    answers = _folds(examples, data, folds, say, also)
    if labels:
        replace_part(docs / "judgement.md", BEGIN_LABELS, END_LABELS, own_labels.table(told, folds=folds))
    renew(docs, examples, answers, of_cleared(data, answers, say), folds=folds, say=say)


def of_cleared(data: Path, answers: Sequence[Answer], say: Say) -> list[Answer]:
    """Return what a judge taught by cleared sets alone says of the same texts; none of their labels taught it."""
    say("teaching a judge by cleared sets alone")
    judge = Judge(build.train(corpora.load(data, only_cleared=True), meanings=None, say=say))
    return folds.ask(judge, [item.example for item in answers])


def renew(
    docs: Path, examples: Sequence[corpora.Example], answers: Sequence[Answer], cleared: Sequence[Answer], *, folds: int, say: Say
) -> None:
    """Write the report of answers that are already there."""
    scores: dict[str, list[float]] = {}
    lines = [*_quality(answers, cleared, examples, folds, say, scores), *_confidence(answers, docs), *_speed(examples, scores, docs)]
    replace_part(docs / "judgement.md", BEGIN, END, lines)


def replace_part(page: Path, begin: str, end: str, lines: Sequence[str]) -> None:
    """Put lines between two marks of a page; a page without the marks gets them at its end."""
    old = page.read_text(encoding="utf-8") if page.is_file() else "# Judgement\n"
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(before + begin + "\n\n" + "\n".join(lines) + "\n\n" + end + after, encoding="utf-8")


def _folds(
    examples: list[corpora.Example], data: Path, count: int, say: Say, also: Callable[[int, Judge], None] | None = None
) -> list[Answer]:
    return folds.cross_validate(examples, data=data, folds=count, say=say, also=also)


def _numbers(task: Task, answers: Sequence[Answer]) -> tuple[Labels, Labels, list[str]]:
    places = {name: index for index, name in enumerate(task.classes)}
    truth, answer, texts = [], [], []
    for item in answers:
        right = task.truth(item.example) if item.example.corpus == task.corpus else None
        if right is not None:
            truth.append(places[right])
            answer.append(places[task.answer(item.judgement)])
            texts.append(item.example.text)
    return np.array(truth, dtype=np.int64), np.array(answer, dtype=np.int64), texts


def _quality(
    answers: Sequence[Answer],
    cleared: Sequence[Answer],
    examples: Sequence[corpora.Example],
    count: int,
    say: Say,
    scores: dict[str, list[float]],
) -> list[str]:
    """Return the tables; `scores` gathers what each design reached on the sets where all three were measured."""
    head = [
        f"Cross-validated on the development part, {count} of {folds.FOLDS} folds; every text is judged by a model that was"
        " not taught it, with nothing to tell its set. 95 % intervals by bootstrap. *TF-IDF alone* is trained for each"
        " set alone on the same folds; sets in *italics* never teach and are judged by the first fold's model. *Only cleared*"
        " is the judge that `train --only-cleared` makes.",
        "",
        "| set | texts | measure | judge | 95 % | wanted | mark to beat | only cleared | TF-IDF alone | VADER | rules alone |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    detail = ["", "| set | F1 of each class |", "|---|---|"]
    for task in TASKS:
        truth, answer, texts = _numbers(task, answers)
        if not len(truth):
            continue
        say(f"measuring {task.name}")
        score = with_interval(task.measure, truth, answer)
        name = task.name if task.trained_on else f"*{task.name}*"
        beside = _beside(task, truth, texts, examples, count)
        head.append(
            f"| {name} | {len(truth):,} | {task.measure_name} | **{_percent(score.value)}** | {_interval(score)} |"
            f" {task.wanted or ''} | {task.baseline or ''} | {_of(task, cleared)} | {' | '.join(beside)} |"
        )
        if beside[0] and beside[2]:
            for design, reached in ((JUDGE, _percent(score.value)), (TFIDF, beside[0]), (RULES, beside[2])):
                scores.setdefault(design, []).append(float(reached))
        present = [index for index in range(len(task.classes)) if (truth == index).any()]
        each = ", ".join(f"{task.classes[index]} {_percent(f1(truth, answer, index))}" for index in present)
        detail.append(f"| {name} | {each} |")
    return head + detail


def _of(task: Task, answers: Sequence[Answer]) -> str:
    """Return what other answers to the same texts reach."""
    truth, answer, _ = _numbers(task, answers)
    return _percent(task.measure(truth, answer)) if len(truth) else ""


def _beside(task: Task, truth: Labels, texts: list[str], examples: Sequence[corpora.Example], count: int) -> list[str]:
    tones = baselines.vader(texts) if "sentiment" in task.name else None
    plain = _rules_alone(task, texts)
    return [
        _alone(task, examples, count) if task.trained_on else "",
        _percent(task.measure(truth, tones)) if tones is not None else "",
        _percent(task.measure(truth, plain)) if plain is not None else "",
    ]


def _alone(task: Task, examples: Sequence[corpora.Example], count: int) -> str:
    """Measure TF-IDF trained for this set alone, on the same folds."""
    places = {name: index for index, name in enumerate(task.classes)}
    told = [(item.text, task.truth(item)) for item in examples if item.corpus == task.corpus]
    texts = [text for text, right in told if right is not None]
    truth = np.array([places[right] for _, right in told if right is not None], dtype=np.int64)
    if len(texts) > MOST_FOR_BASELINE:
        return ""  # hours of somebody's day for one more figure
    answer = baselines.tfidf_alone(texts, truth, folds=count)
    return "" if answer is None else _percent(task.measure(truth[answer >= 0], answer[answer >= 0]))


def _rules_alone(task: Task, texts: list[str]) -> Labels | None:
    answers = baselines.lexicon_alone(task.name, texts)
    if answers is None:
        return None
    places = {name: index for index, name in enumerate(task.classes)}
    return np.array([places[answer] for answer in answers], dtype=np.int64)


def _confidence(answers: Sequence[Answer], docs: Path) -> list[str]:
    """Fit the confidence on one half of the answers and show it on the other."""
    told = [item for item in answers if folds.leading(item) is not None]
    fitted = folds.fit_confidence(told[::2])
    claimed, right = [], []
    for item in told[1::2]:
        found = folds.leading(item)
        if found is not None:
            claimed.append(folds.confidence_of(item.example.kind, found[0], fitted))
            right.append(found[1])
    bins = reliability(np.array(claimed), np.array(right, dtype=np.bool_))
    error = calibration_error(bins)
    pictures.save(docs / "pictures" / "reliability.svg", pictures.reliability(bins))
    return [
        "",
        f"Confidence: expected calibration error **{error:.3f}** over {len(claimed):,} answers that the fit had not seen"
        " (the kind of text taken as known).",
        "",
        "![Reliability curve](pictures/reliability.svg)",
        "",
        "| claimed | held | texts |",
        "|---|---|---|",
        *(f"| {item.claimed:.2f} | {item.held:.2f} | {item.count:,} |" for item in bins),
    ]


def _speed(examples: Sequence[corpora.Example], scores: dict[str, list[float]], docs: Path) -> list[str]:
    """Time the shipped judge beside the yardstick: TF-IDF of words and character n-grams with one head."""
    rows = [item for item in examples if item.corpus == "tweeteval_offensive"][:4_096]
    texts = [item.text for item in rows]
    judge = Judge.load()
    quick = min(_seconds(lambda: judge.judge(texts, explain=False)) for _ in range(5))
    told = min(_seconds(lambda: judge.judge(texts)) for _ in range(5))
    alone, alone_told = (
        sorted(_seconds(lambda text=text, explain=explain: judge.judge([text], explain=explain)) for text in texts[:1_000])  # type: ignore[misc]
        for explain in (False, True)
    )
    rules = min(_seconds(lambda: baselines.lexicon_alone("offensive tweets", texts)) for _ in range(3))
    yardstick = baselines.tfidf_seconds(texts, np.array([int(item.label == "offensive") for item in rows]))
    points = [(RULES, rules), (JUDGE, quick), ("judge with reasons", told)]
    if yardstick is not None:
        points.append((TFIDF, yardstick))
    drawn = [(name, len(texts) / seconds, float(np.mean(scores[name])), name == JUDGE) for name, seconds in points if name in scores]
    if drawn:
        pictures.save(docs / "pictures" / "front.svg", pictures.front(drawn))
    return [
        "",
        f"Speed, {len(texts):,} tweets, CPU time of one core, the best of several passes (the rows compare; the machine makes all of them"
        " swing):",
        "",
        "| design | texts/s |",
        "|---|---|",
        *(f"| {name} | {len(texts) / seconds:,.0f} |" for name, seconds in points),
        "",
        "![Quality and speed](pictures/front.svg)",
        "",
        f"Mean score over the {len(scores.get(JUDGE, []))} sets on which all three were measured.",
        "",
        f"One text alone: {_milliseconds(alone)}, with reasons {_milliseconds(alone_told)}.",
    ]


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _milliseconds(seconds: Sequence[float]) -> str:
    return f"{seconds[len(seconds) // 2] * 1e3:.2f} ms (median; {seconds[int(len(seconds) * 0.99)] * 1e3:.2f} at 99 %)"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(score: Score) -> str:
    return f"{_percent(score.low)}–{_percent(score.high)}"
