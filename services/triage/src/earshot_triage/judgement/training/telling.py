"""Words that tell two classes apart are let speak louder while weights are fitted.

Owns the factor of each column: a penalty that is the same for all columns holds back what tells most and lets noise speak. Must not
fit anything. Source: Wang and Manning 2012, Baselines and bigrams (naive Bayes ratios as weights of features).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats

DOUBT: Final = 0.4
"""So much is added to what each class holds of a column: of rare ones little can be said."""


def telling(matrix: sp.csr_matrix, classes: NDArray[np.int64], *, share: float) -> Floats:
    """Return a factor a column, 1 on average: `share` of it by how unevenly classes 0 and 1 hold it, the rest even."""
    held = [np.asarray(matrix[classes == side].sum(axis=0), dtype=np.float64).ravel() + DOUBT for side in (0, 1)]
    ratio = np.abs(np.log(held[1] / held[1].sum()) - np.log(held[0] / held[0].sum()))
    factor: Floats = (1 - share + share * ratio / max(ratio.mean(), 1e-9)).astype(np.float32)
    return factor
