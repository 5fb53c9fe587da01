"""The panel: how the experts' voices are weighed."""

import numpy as np
import pytest

from earshot_triage.judgement.panel import COLUMN_COUNT, FOREIGN_VOICE, KINDS, NEEDS, PLACES, TEAMS, consult, hear_less


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


def test_experts_are_heard_by_the_likeliness_of_their_kind_and_the_one_for_tweets_less() -> None:
    scores = np.zeros((1, COLUMN_COUNT), dtype=np.float32)
    scores[0, PLACES["kind"]] = np.log([0.5, 0.2, 0.1, 0.05, 0.05, 0.05, 0.05])
    for number, kind in enumerate(KINDS):
        scores[0, PLACES[f"need {kind}"].start + (NEEDS.index("bug") if number == 0 else NEEDS.index("idea"))] = 50
    needs = consult(scores).needs[0]
    assert needs[NEEDS.index("bug")] == pytest.approx(0.15 / 0.65, abs=1e-4)
    assert needs[NEEDS.index("idea")] == pytest.approx(0.5 / 0.65, abs=1e-4)


def test_an_expert_never_says_what_its_people_did_not_label() -> None:
    scores = _scores()
    scores[0, PLACES["kind"]] = [-100] * (len(KINDS) - 1) + [100]
    assert consult(scores).needs[0, NEEDS.index("rest")] == pytest.approx(0, abs=1e-6)


def test_every_kind_of_text_was_labelled_by_one_team() -> None:
    assert tuple(kind for team in TEAMS for kind in team) == KINDS


def test_in_a_foreign_language_tone_complaint_and_abuse_are_mostly_taken_back_and_needs_stay() -> None:
    before = consult(_scores(4))
    after = hear_less(before, np.array([True, False, True, False]))
    assert after.sentiments.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (after.sentiments[::2, 1] >= 1 - FOREIGN_VOICE).all()
    for name in ("complaint", "abuse", "emotions"):
        assert np.array_equal(getattr(after, name)[::2], getattr(before, name)[::2] * FOREIGN_VOICE)
        assert np.array_equal(getattr(after, name)[1::2], getattr(before, name)[1::2])
    assert np.array_equal(after.needs, before.needs)
