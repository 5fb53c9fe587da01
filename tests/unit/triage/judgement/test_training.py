"""The judge's own training: repeatable, honest about licences, measured rightly."""

import json
from pathlib import Path

import numpy as np
import pytest

from earshot_triage.judgement import Judge, senses
from earshot_triage.judgement.evaluation.folds import ask, cross_validate, fold_of
from earshot_triage.judgement.evaluation.measures import calibration_error, f1, mean_f1, reliability, with_interval
from earshot_triage.judgement.evaluation.pictures import front
from earshot_triage.judgement.features import read, read_all
from earshot_triage.judgement.judge import SHIPPED
from earshot_triage.judgement.panel import KINDS, TEAMS
from earshot_triage.judgement.tables import ModelError, Scorer, Tables
from earshot_triage.judgement.training import build, corpora, lessons
from earshot_triage.judgement.training.design import Thresholds, lay_out
from support.public_data import public_data

OPENINGS = ["the app", "my phone", "this game", "your site", "our printer", "the player"]
LABELLED = {
    "bug_report": ["crashes on start", "freezes after login", "shows an error again"],
    "feature_request": ["should have a dark mode", "needs an export button", "please add folders to it"],
    "rating": ["is great, love it", "is awesome, five stars", "is the best of all"],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A made-up data folder with one set that may teach, one cleared and one non-commercial."""
    rows = [
        {"text": f"{opening} {ending}", "label": label, "stars": 5 if label == "rating" else 2}
        for label, endings in LABELLED.items()
        for opening in OPENINGS
        for ending in endings
    ]
    for name in ("appreviews_googleplay", "airline_sentiment"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "banking77").mkdir()
    bank = [{"text": f"how do I block card {number}?", "label": "card"} for number in range(20)]
    (tmp_path / "banking77/dev.jsonl").write_text("\n".join(map(json.dumps, bank)), encoding="utf-8")
    return tmp_path


def test_non_commercial_sets_never_teach(data: Path) -> None:
    examples = corpora.load(data)
    assert {example.corpus for example in examples} == {"appreviews_googleplay", "banking77"}
    assert not {corpus.name for corpus in corpora.CORPORA} & set(corpora.NON_COMMERCIAL)
    assert {example.corpus for example in corpora.load(data, only_cleared=True)} == {"banking77"}


def test_collections_of_one_team_are_kinds_of_their_own_and_know_how_common_each_need_is(tmp_path: Path) -> None:
    counts = {("mixed", "bug_report"): 1, ("mixed", "rating"): 9, ("play_store", "bug_report"): 5, ("play_store", "rating"): 5}
    rows = [
        {"text": f"{store} {label} {number}", "label": label, "store": store, "stars": 3}
        for (store, label), count in counts.items()
        for number in range(count)
    ]
    (tmp_path / "appreviews_maalej").mkdir()
    (tmp_path / "appreviews_maalej/dev.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    examples = corpora.load(tmp_path)
    assert {example.kind for example in examples} == {"maalej mixed", "maalej play_store"}
    needs = lessons.heads(examples)["need"]
    heard = {kind: needs[KINDS.index(kind)] for kind in KINDS}
    assert [len(heard[kind].rows) for kind in KINDS] == [0, 10, 0, 10, 0, 0, 0]
    bugs = {kind: heard[kind].weights[heard[kind].classes == 0] for kind in ("maalej mixed", "maalej play_store")}
    assert len(set(np.concatenate(list(bugs.values())).tolist())) == 1


def test_without_a_gate_every_team_is_heard_alike(data: Path) -> None:
    judge = Judge(build.train(corpora.load(data, only_cleared=True), meanings=None))
    kinds = judge.consult(read_all(["the app crashes on start", "how do I block card 7?"])).kinds
    for team in TEAMS:
        assert kinds[:, [KINDS.index(kind) for kind in team]].sum(axis=1) == pytest.approx(np.full(2, 1 / len(TEAMS)), abs=1e-5)


def test_training_is_repeatable_to_the_byte_and_a_torn_folder_is_refused(data: Path, tmp_path: Path) -> None:
    for name in ("one", "two/judge"):
        build.train(corpora.load(data), meanings=senses.shipped()).save(tmp_path / name)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two/judge" / file.name).read_bytes(), file.name
    assert Judge.load(tmp_path / "two").judge(["hello"])
    (tmp_path / "two/judge/pairs.npy").unlink()
    with pytest.raises(ModelError, match="train it anew"):
        Judge.load(tmp_path / "two")


def test_cross_validation_asks_each_text_once_of_a_judge_that_never_saw_it(data: Path) -> None:
    examples = corpora.load(data)
    answers = cross_validate(examples, folds=1, say=lambda _: None)
    held_out = [example.text for example in examples if fold_of(example.text) == 0]
    assert 0 < len(held_out) < len(examples)
    assert [item.example.text for item in answers] == held_out
    assert {fold_of(example.text) for example in examples} == set(range(5))


def test_what_is_fitted_is_what_is_added_up() -> None:
    """The matrix that weights are fitted on and the sums at run time agree but for rounding."""
    texts = [f"{opening} {ending}" for opening in OPENINGS for endings in LABELLED.values() for ending in endings]
    laid = lay_out([read(text) for text in texts], Thresholds(word=1, pair=1, gram=1))
    chance = np.random.default_rng(1)
    weights = chance.normal(size=(laid.space.width, 3)).astype(np.float32)
    scorer = Scorer(build.pack(laid.space, weights, np.zeros(3, np.float32), {}))
    added = scorer.weigh(read_all(texts)).scores
    assert np.abs(added - laid.matrix @ weights).max() < 0.15


def test_the_shipped_model_is_small_and_names_its_sets() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 20e6
    sets = set(Tables.load(SHIPPED).meta["sets"])
    assert sets
    assert not sets & set(corpora.NON_COMMERCIAL)


def test_measures() -> None:
    truth, answer = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert f1(truth, answer, 0) == pytest.approx(2 / 3)
    assert f1(truth, answer, 2) == 0
    score = with_interval(mean_f1((0, 1)), truth, answer)
    assert score.low <= score.value <= score.high
    bins = reliability(np.array([0.95, 0.95, 0.15, 0.15]), np.array([True, True, False, False]))
    assert calibration_error(bins) == pytest.approx(0.1)
    assert front([("a", 100.0, 70.0, False), ("b", 20_000.0, 80.0, True)]).endswith("</svg>")


@pytest.mark.public_data
@pytest.mark.parametrize(("corpus", "task"), [("airline_sentiment", "sentiment"), ("suggestion_mining", "idea")])
def test_sets_that_never_taught_are_judged_well(judge: Judge, corpus: str, task: str) -> None:
    rows = list(corpora.rows(public_data(corpus, "dev.jsonl")))[:3_000]
    examples = [corpora.Example(corpus=corpus, kind="", text=row["text"], row=row) for row in rows]
    said = ask(judge, examples)
    if task == "sentiment":
        names = ["negative", "neutral", "positive"]
        truth = np.array([names.index(item.example.label) for item in said])
        answer = np.array([names.index(item.judgement.sentiment_label) for item in said])
        assert mean_f1((0, 1, 2))(truth, answer) >= 0.64
    else:
        truth = np.array([int(item.example.label == "suggestion") for item in said])
        answer = np.array([int(item.judgement.intent == "idea") for item in said])
        assert f1(truth, answer, 1) >= 0.40
