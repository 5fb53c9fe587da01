"""Words that tell two classes apart speak louder while weights are fitted."""

import numpy as np
import pytest
import scipy.sparse as sp

from earshot_triage.judgement.training.telling import telling

ROWS = sp.csr_matrix(np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 0, 1]], dtype=np.float32))
SIDES = np.array([1, 1, 0, 0], dtype=np.int64)


def test_what_one_class_alone_holds_speaks_loudest_and_what_both_hold_least() -> None:
    factor = telling(ROWS, SIDES, share=0.4)
    assert factor[0] > factor[1] > factor[2] > 0  # seen twice, seen once, said by everybody


def test_factors_are_one_on_average_and_even_without_a_share() -> None:
    assert telling(ROWS, SIDES, share=0.4).mean() == pytest.approx(1)
    assert telling(ROWS, SIDES, share=0.0).tolist() == [1, 1, 1]
