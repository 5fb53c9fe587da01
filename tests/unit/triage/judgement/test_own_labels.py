"""Own labels are measured by one command: lessons are taught without a fold and asked about it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from earshot_triage.judgement import Judge
from earshot_triage.judgement.commands import evaluate
from earshot_triage.judgement.evaluation import own_labels, report
from earshot_triage.judgement.evaluation.folds import fold_of
from earshot_triage.judgement.evaluation.own_labels import Found, Remembering, examine, table
from earshot_triage.judgement.semantic import UNIT, WIDTH
from earshot_triage.judgement.senses import Wholes

WORDS = {"problem_discovery": "crashes", "feature_request": "add", "information_seeking": "how", "information_giving": "nice"}


class Topics(Remembering):
    """An encoder for tests: a text lies where its first known word is; it counts what it passes."""

    def __init__(self) -> None:
        self._met = {}
        self.passed = 0

    def meanings(self, texts: Sequence[str], *, together: int = 1) -> Wholes:
        self.passed += len(texts)
        found = np.zeros((len(texts), WIDTH))
        for row, text in enumerate(texts):
            found[row, next((place for place, word in enumerate(WORDS.values()) if word in text), 9)] = UNIT
        return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one small set of the shape of the public ones."""
    folder = tmp_path / "appreviews_panichella"
    folder.mkdir()
    told = ("the app {} on page", "it {} when I open list", "{} again in window", "we saw {} near menu")
    records = [
        {"text": f"{pattern.format(word)} {number}", "label": label}
        for label, word in WORDS.items()
        for pattern in told
        for number in range(4)
    ]
    (folder / "dev.jsonl").write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return tmp_path


def test_every_text_of_a_fold_is_asked_once_and_found(judge: Judge, data: Path) -> None:
    found: Found = {}
    encoder = Topics()
    examine(found, 0, judge, data, encoder)
    ((name, _),) = found
    told = found[name, ""]
    texts = [json.loads(line)["text"] for line in (data / "appreviews_panichella/dev.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = sum(fold_of(text) == 0 for text in texts)
    assert len(told.truth) == len(told.first) == len(told.second) == asked
    assert np.mean(np.array(told.truth) == np.array(told.first)) > 0.9
    line = table(found, folds=1)[-1]
    assert line.startswith(f"| app reviews, Panichella, native labels | macro-F1 | {asked} | **")
    assert encoder.passed >= len(texts) - asked


def test_draws_of_few_examples_are_the_same_each_time_and_even() -> None:
    records = [{"text": str(number), "label": "ab"[number % 2]} for number in range(60)]
    first, second = (list(own_labels._draws(records)) for _ in range(2))
    assert first == second
    assert len(first) == own_labels.DRAWS
    assert all(sum(record["label"] == "a" for record in draw) == own_labels.FEW for draw in first)


def test_a_part_of_the_page_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "judgement.md"
    page.write_text("# Judgement\n\nbefore\n\n<a>\nold\n<b>\n\nafter\n", encoding="utf-8")
    report.replace_part(page, "<a>", "<b>", ["new"])
    assert page.read_text(encoding="utf-8") == "# Judgement\n\nbefore\n\n<a>\n\nnew\n\n<b>\n\nafter\n"
    report.replace_part(page, "<c>", "<d>", ["more"])
    assert page.read_text(encoding="utf-8").endswith("after\n\n<c>\n\nmore\n\n<d>\n")


def test_a_second_look_without_labels_is_refused_in_words(tmp_path: Path) -> None:
    done = CliRunner().invoke(evaluate, ["--data", str(tmp_path), "--output", str(tmp_path), "--semantic"])
    assert done.exit_code == 2
    assert "goes with --labels" in done.output
