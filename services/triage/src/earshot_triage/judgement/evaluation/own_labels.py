"""Labels of an installation's own, measured: lessons of the public sets are taught and asked as an installation would.

Owns the lessons, what is held back from them, and the tables of the report. Must not teach the judge itself. The judge whose opinion is
heard comes from the same fold, so it never saw the texts that are asked; the vectors of words did, without any label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.evaluation.folds import FOLDS, fold_of
from earshot_triage.judgement.evaluation.measures import Labels, calibration_error, f1, reliability
from earshot_triage.judgement.features import Floats, read_all
from earshot_triage.judgement.judge import BATCH, Judge
from earshot_triage.judgement.second import UNSURE
from earshot_triage.judgement.semantic import WIDTH, Encoder
from earshot_triage.judgement.senses import Wholes
from earshot_triage.judgement.taught import TaughtLabels
from earshot_triage.judgement.training import own
from earshot_triage.judgement.training.corpora import rows

FEW: Final = 10
DRAWS: Final = 3
"""Lessons of FEW examples a label are drawn so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One set to teach and ask. `apart` names a field of its records: each of its values is a lesson of its own."""

    name: str
    corpus: str
    measure: str  # accuracy or macro-F1
    wanted: float
    wanted_twice: float | None = None
    apart: str | None = None
    few: bool = False
    once: bool = False  # asked on the first fold alone


TRIALS: Final = (
    Trial(name="banking77, 77 labels (first fold)", corpus="banking77", measure="accuracy", wanted=92, wanted_twice=93, once=True),
    Trial(name=f"banking77, ten examples a label ({DRAWS} draws, first fold)", corpus="banking77", measure="accuracy", wanted=75,
          wanted_twice=80, few=True, once=True),
    Trial(name="app reviews, Maalej, native labels", corpus="appreviews_maalej", measure="macro-F1", wanted=61.5),
    Trial(name="app reviews, Panichella, native labels", corpus="appreviews_panichella", measure="macro-F1", wanted=70),
    Trial(name="app reviews, Google Play, native labels", corpus="appreviews_googleplay", measure="macro-F1", wanted=73.5),
    Trial(name="issue reports, one lesson a project, mean", corpus="github_issues", measure="macro-F1", wanted=77.5, wanted_twice=79,
          apart="repo"),
)  # fmt: skip


class Remembering(Encoder):
    """An encoder that passes no text twice: folds share nearly all of theirs. Meanings may differ in the last digits, see `meanings`."""

    def __init__(self, weights: dict[str, Floats], pieces: Sequence[str]) -> None:
        super().__init__(weights, pieces)
        self._met: dict[str, Wholes] = {}

    def meanings(self, texts: Sequence[str], *, together: int = 1) -> Wholes:
        """Return where each text lies, as the encoder has it."""
        new = list(dict.fromkeys(text for text in texts if text not in self._met))
        self._met |= dict(zip(new, super().meanings(new, together=together), strict=True))
        return np.stack([self._met[text] for text in texts]) if texts else np.zeros((0, WIDTH))


@dataclass(slots=True, kw_only=True)
class Told:
    """What was asked of one lesson: numbers of labels, truth beside answers, and how likely the answers were held to be."""

    truth: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    second: list[int] = field(default_factory=list)


Found = dict[tuple[str, str], Told]
"""By the trial's name and the lesson's."""


def examine(found: Found, fold: int, judge: Judge, data: Path, encoder: Encoder | None) -> None:
    """Teach every lesson without one fold, ask it about that fold and add the answers to `found`."""
    for trial in TRIALS:
        path = data / trial.corpus / "dev.jsonl"
        if (trial.once and fold) or not path.is_file():
            continue
        records = list(rows(path))
        names = sorted({str(record[trial.apart]) for record in records}) if trial.apart else [""]
        for name in names:
            mine = [record for record in records if trial.apart is None or record[trial.apart] == name]
            taught = [record for record in mine if fold_of(record["text"]) != fold]
            asked = [record for record in mine if fold_of(record["text"]) == fold]
            labels = sorted({record["label"] for record in mine})
            told = found.setdefault((trial.name, name), Told())
            for lesson in _draws(taught) if trial.few else [taught]:
                _ask(told, _teach(lesson, judge, encoder), asked, labels, judge, encoder)


def _draws(records: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    by_label: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_label.setdefault(record["label"], []).append(record)
    for seed in range(DRAWS):
        chance = np.random.default_rng(seed)
        yield [each[place] for each in by_label.values() for place in chance.choice(len(each), min(FEW, len(each)), replace=False)]


def _teach(records: Sequence[Mapping[str, Any]], judge: Judge, encoder: Encoder | None) -> TaughtLabels:
    lesson = [own.TaughtExample(text=record["text"], label=record["label"]) for record in records]
    return TaughtLabels("trial", own.teach("trial", lesson, judge, encoder))


def _ask(
    told: Told,
    taught: TaughtLabels,
    records: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    judge: Judge,
    encoder: Encoder | None,
) -> None:
    number = {label: index for index, label in enumerate(labels)}
    for start in range(0, len(records), BATCH):
        part = records[start : start + BATCH]
        pages = read_all([record["text"] for record in part])
        opinion = judge.consult(pages)
        first = taught.label(pages, opinion)
        told.truth += [number[part[place]["label"]] for place in pages.order]
        told.first += [number[each.label] for each in first]
        told.chances += [each.probability for each in first]
        if encoder is not None:
            told.second += [number[each.label] for each in taught.label(pages, opinion, encoder)]


def table(found: Found, *, folds: int) -> list[str]:
    """Return the part of the report, one line a trial; the second look stands beside where it was taken."""
    lines = [
        f"Taught without one fold of the development part and asked about it, {folds} of {FOLDS} folds; the judge whose opinion is heard"
        " never saw the texts that are asked. Two looks: texts whose label is less probable than"
        f" {UNSURE} are looked at again (extra `semantic`).",
        "",
        "| lesson | measure | texts asked | one look | wanted | looked at again | two looks | wanted | calibration error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for trial in TRIALS:
        lessons = [told for (name, _), told in found.items() if name == trial.name and told.truth]
        if not lessons:
            continue
        looked = np.concatenate([np.array(told.chances) for told in lessons]) < UNSURE
        twice = all(told.second for told in lessons)
        lines.append(
            f"| {trial.name} | {trial.measure} | {len(looked):,} | **{_mean(trial, lessons, second=False):.1f}** | {trial.wanted} |"
            f" {f'{100 * looked.mean():.0f} %' if twice else ''} | {f'**{_mean(trial, lessons, second=True):.1f}**' if twice else ''} |"
            f" {trial.wanted_twice or ''} | {_error(lessons):.3f} |"
        )
    return lines


def _mean(trial: Trial, lessons: Sequence[Told], *, second: bool) -> float:
    return 100 * float(np.mean([_score(trial, told.truth, told.second if second else told.first) for told in lessons]))


def _score(trial: Trial, truth: Sequence[int], answers: Sequence[int]) -> float:
    right, said = np.array(truth, dtype=np.int64), np.array(answers, dtype=np.int64)
    if trial.measure == "accuracy":
        return float((right == said).mean())
    return _macro_f1(right, said)


def _macro_f1(right: Labels, said: Labels) -> float:
    return float(np.mean([f1(right, said, label) for label in range(int(right.max()) + 1)]))


def _error(lessons: Sequence[Told]) -> float:
    claimed = np.concatenate([np.array(told.chances) for told in lessons])
    right: NDArray[np.bool_] = np.concatenate([np.array(told.first) == np.array(told.truth) for told in lessons])
    return calibration_error(reliability(claimed, right))
