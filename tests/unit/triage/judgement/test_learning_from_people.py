"""A few hundred corrections lift a new domain and leave the others where they were."""

import numpy as np
import pytest

from earshot_triage.judgement import Judge
from earshot_triage.judgement.evaluation.measures import mean_f1
from earshot_triage.judgement.judge import SHIPPED
from earshot_triage.judgement.learning import Corrections
from earshot_triage.judgement.tables import Tables
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
