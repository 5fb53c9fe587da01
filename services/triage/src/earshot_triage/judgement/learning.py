"""What people's corrections add to the shipped judgement.

Owns the layer of corrected intents and conduct that lies over the panel's opinion. Must not fit anything. The layer speaks
only as loudly as a text resembles the corrected ones, so that other domains keep their answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

import numpy as np

from earshot_triage.judgement.features import Floats, Pages
from earshot_triage.judgement.tables import Scorer, Tables
from earshot_triage.judgement.verdict import INTENTS

FOLDER: Final = "corrections"
ABUSE: Final = len(INTENTS)
"""Columns of the layer: the six intents, abuse, and likeness (is this text of the corrected domain?)."""
LIKENESS: Final = ABUSE + 1
COLUMNS: Final = LIKENESS + 1


class Corrections:
    """The layer learned from corrections; `version` changes with any weight."""

    def __init__(self, tables: Tables) -> None:
        self.version = f"corrections-{tables.meta['fingerprint']}"
        self._scorer = Scorer(tables)

    @classmethod
    def load(cls, model_dir: Path) -> Self | None:
        """Return the layer of a model folder, or None when nobody corrected anything."""
        folder = model_dir / FOLDER
        return cls(Tables.load(folder)) if folder.is_dir() else None

    def apply(self, pages: Pages, intents: Floats, abuse: Floats) -> tuple[Floats, Floats]:
        """Return intents (N x 6) and abuse (N) after the corrections."""
        scores = self._scorer.weigh(pages).scores.astype(np.float64)
        likeness = 1 / (1 + np.exp(-np.clip(scores[:, LIKENESS], -30, 30)))
        shifted = _odds(intents) + scores[:, : len(INTENTS)] * likeness[:, None]
        abused = _odds(abuse) + scores[:, ABUSE] * likeness
        return (1 / (1 + np.exp(-shifted))).astype(np.float32), (1 / (1 + np.exp(-abused))).astype(np.float32)


def _odds(chances: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    bounded = np.clip(chances.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = np.log(bounded / (1 - bounded))
    return odds
