"""The panel: how the experts' voices are weighed."""

import numpy as np
import pytest

from earshot_triage.judgement.panel import COLUMN_COUNT, KINDS, NEEDS, PLACES, consult


def _scores(rows: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(4).normal(size=(rows, COLUMN_COUNT)).astype(np.float32) * 3


def test_what_adds_up_adds_up_and_is_the_same_in_any_company() -> None:
    scores = _scores(300)
    together = consult(scores)
    for shares in (together.kinds, together.needs, together.sentiments, together.emotions):
        assert shares.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    for row in (0, 7, 299):
        alone = consult(scores[row : row + 1])
        for name in ("kinds", "needs", "complaint", "addressed", "sentiments", "abuse", "emotions"):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[row]), name


def test_the_likelier_expert_is_heard_the_louder() -> None:
    scores = np.zeros((1, COLUMN_COUNT), dtype=np.float32)
    scores[0, PLACES["kind"]] = np.log([0.1, 0.6, 0.1, 0.1, 0.1])
    for number, kind in enumerate(KINDS):
        scores[0, PLACES[f"need {kind}"].start + (NEEDS.index("idea") if number == 1 else NEEDS.index("bug"))] = 50
    needs = consult(scores).needs[0]
    assert needs[NEEDS.index("idea")] == pytest.approx(0.36 / 0.40, abs=1e-4)
    assert needs[NEEDS.index("bug")] == pytest.approx(0.04 / 0.40, abs=1e-4)


def test_an_expert_never_says_what_its_people_did_not_label() -> None:
    scores = _scores()
    scores[0, PLACES["kind"]] = [-100, -100, -100, -100, 100]
    assert consult(scores).needs[0, NEEDS.index("rest")] == pytest.approx(0, abs=1e-6)
