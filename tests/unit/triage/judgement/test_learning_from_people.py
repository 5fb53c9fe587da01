"""A few hundred corrections lift a new domain and leave the others where they were."""

from pathlib import Path

import numpy as np
import pytest

from earshot_triage.judgement import Judge
from earshot_triage.judgement.evaluation.measures import mean_f1
from earshot_triage.judgement.judge import SHIPPED
from earshot_triage.judgement.learning import Corrections, Layer
from earshot_triage.judgement.tables import ModelError, Tables
from earshot_triage.judgement.training import corpora
from earshot_triage.judgement.training.correct import Correction, learn_corrections
from support.public_data import public_data

CORRECTED = 400


INTENTS = {"negative": "complaint", "positive": "praise", "neutral": "other"}


@pytest.mark.public_data
def test_corrections_lift_a_new_domain_without_harm(judge: Judge) -> None:
    rows = list(corpora.rows(public_data("airline_sentiment", "dev.jsonl")))[: CORRECTED + 1_500]
    given = [Correction(text=row["text"], intent=INTENTS[row["label"]]) for row in rows[:CORRECTED]]
    corrected = Judge(Tables.load(SHIPPED), corrections=Corrections(learn_corrections(judge, given)))
    asked = [row["text"] for row in rows[CORRECTED:]]
    truth = np.array([int(row["label"] == "negative") for row in rows[CORRECTED:]])

    def complaints(chosen: Judge) -> float:
        said = chosen.judge(asked, explain=False)
        return mean_f1((0, 1))(truth, np.array([int(item.intents["complaint"] >= 0.5) for item in said]))

    before, after = complaints(judge), complaints(corrected)
    assert after >= before + 0.02, (before, after)
    for name in ("complaints", "appreviews_googleplay", "github_issues"):
        texts = [row["text"] for row in corpora.rows(public_data(name, "dev.jsonl"))][:500]
        pairs = zip(judge.judge(texts, explain=False), corrected.judge(texts, explain=False), strict=True)
        same = np.mean([one.intent == other.intent for one, other in pairs])
        assert same >= 0.95, (name, same)


def _given() -> list[Correction]:
    kind, unkind = ("the wombat was kind", "lovely wombat keepers"), ("the wombat bit me", "no wombat came")
    return [
        Correction(text=f"{text} {number}", intent=intent)
        for intent, texts in (("praise", kind), ("complaint", unkind))
        for text in texts
        for number in range(4)
    ]


def test_a_layer_is_the_same_taught_twice_saved_or_asked_alone(judge: Judge, tmp_path: Path) -> None:
    for folder, given in (("one", _given()), ("two", _given()[::-1])):
        learn_corrections(judge, given).save(tmp_path / folder / "corrections")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    corrected = judge.taught_by(tmp_path / "one")
    texts = ["a wombat bit my sister", "wombat keepers are kind", "", "the parcel is late"]
    together = corrected.judge(texts)
    assert together == [corrected.judge([text])[0] for text in texts]
    assert together[0].intents["complaint"] > judge.judge(texts)[0].intents["complaint"]


def test_a_layer_of_an_older_version_still_speaks_and_a_broken_one_is_refused_in_words(judge: Judge, tmp_path: Path) -> None:
    folder = tmp_path / "corrections"
    learn_corrections(judge, _given()).save(folder)
    (folder / "lean.npy").write_bytes(b"broken")
    with pytest.raises(ModelError, match="train it anew"):
        Layer.load(folder)
    (folder / "lean.npy").unlink()
    assert not Layer.load(folder).lean.any()
    assert judge.taught_by(tmp_path).judge(["the wombat bit me"])[0].intents
