"""Words of like meaning learn together, and judging costs no more for it."""

import numpy as np
import pytest

from earshot_triage.judgement import Judge
from earshot_triage.judgement.features import read
from earshot_triage.judgement.senses import Senses
from earshot_triage.judgement.training import build
from earshot_triage.judgement.training.corpora import Example
from earshot_triage.judgement.training.design import Thresholds, lay_out
from earshot_triage.judgement.training.kin import Kin

OPENINGS = ["the app", "my phone", "this game", "your site", "our printer", "the player"]
SENSES = Senses(["crashes", "freezes", "implodes", "love", "adore"], np.array([[90, 0], [85, 9], [88, 5], [0, 90], [4, 88]], dtype=np.int8))


def _examples() -> list[Example]:
    said = {
        "bug_report": ["crashes", "freezes"],
        "rating": ["is what I love", "is fun"],
        "feature_request": ["should export", "needs folders"],
    }
    told = [
        Example(corpus="appreviews_googleplay", kind="googleplay", text=f"{opening} {ending}", row={"label": label})
        for label, endings in said.items()
        for ending in endings
        for opening in OPENINGS
    ]
    unmarked = [Example(corpus="feature_search", kind="googleplay", text=f"{opening} implodes", row={}) for opening in OPENINGS]
    return told + unmarked


def test_a_word_that_no_lesson_marked_learns_from_its_kin() -> None:
    strange, related = (Judge(build.train(_examples(), meanings=meanings)) for meanings in (None, SENSES))
    text = ["their thing implodes"]
    bug = [judge.judge(text)[0].intents["bug"] for judge in (strange, related)]
    assert bug[1] > bug[0] + 0.1


def test_what_was_learned_of_directions_is_wholly_in_the_weights_of_words() -> None:
    texts = [example.text for example in _examples()]
    laid = lay_out([read(text) for text in texts], Thresholds(word=1, pair=1, gram=1))
    kin = Kin.of(laid, SENSES)
    assert float((kin.directions**2).sum(axis=1).mean()) == pytest.approx(1, abs=1e-4)
    weights = np.random.default_rng(5).normal(size=(laid.space.width + 2, 3)).astype(np.float32)
    while_fitting = laid.matrix @ weights[: laid.space.width] + kin.directions @ weights[laid.space.width :]
    assert laid.matrix @ kin.spread(weights, laid.space) == pytest.approx(while_fitting, abs=1e-3)


def test_the_model_names_the_vectors_it_learned_with() -> None:
    assert build.train(_examples(), meanings=SENSES).meta["senses"] == SENSES.fingerprint
    assert build.train(_examples(), meanings=None).meta["senses"] is None
