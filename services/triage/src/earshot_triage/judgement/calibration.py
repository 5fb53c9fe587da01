"""From a leading probability to the chance of being right.

Owns the calibrated confidence and the floor below which a person is asked. Must not fit anything: slopes and offsets come
with the model, one pair for each kind of text, fitted on texts the model had not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats
from earshot_triage.judgement.panel import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """confidence = sum over kinds of P(kind) * logistic(slope * logit(p) + offset)."""

    slopes: tuple[float, ...] = (1.0,) * len(KINDS)
    offsets: tuple[float, ...] = (0.0,) * len(KINDS)
    floor: float = 0.5
    _lines: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # slopes, then offsets

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lines", np.array([self.slopes, self.offsets]))

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Self:
        """Return the calibration that a model's description holds, or the plain one."""
        told = meta.get("confidence")
        if not told:
            return cls()
        return cls(slopes=tuple(told["slopes"]), offsets=tuple(told["offsets"]), floor=float(told["floor"]))

    def confidence(self, kinds: Floats, leading: Floats) -> NDArray[np.float64]:
        """Return the calibrated confidence of N leading probabilities, given the kinds (N x KINDS)."""
        bounded = np.minimum(np.maximum(leading.astype(np.float64), 1e-4), 1 - 1e-4)
        odds = np.log(bounded / (1 - bounded))[:, None]
        chances = kinds / (1 + np.exp(-(odds * self._lines[0] + self._lines[1])))
        confidence: NDArray[np.float64] = np.add.reduce(chances, axis=1)
        return confidence.round(4, out=confidence)
