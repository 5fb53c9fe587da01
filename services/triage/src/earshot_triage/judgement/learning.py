"""What people's corrections add to the shipped judgement.

Owns the layer of corrected intents and conduct that lies over the panel's opinion. Must not fit anything. The layer hears a text's words
and what the judge itself holds of its intents and tone: that unhappy words are a complaint here is learned of a few hundred texts, where
words alone would need thousands. It speaks only as loudly as a text resembles the corrected ones, so that other domains keep their answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats, Pages
from earshot_triage.judgement.tables import ModelError, Scorer, Tables, get_array, put_array
from earshot_triage.judgement.verdict import INTENTS

FOLDER: Final = "corrections"
ABUSE: Final = len(INTENTS)
"""Columns of the layer: the six intents, abuse, and likeness (is this text of the corrected domain?)."""
LIKENESS: Final = ABUSE + 1
COLUMNS: Final = LIKENESS + 1
HELD: Final = len(INTENTS) + 2
"""What the judge holds of a text, as odds: the six intents, negative and positive tone."""
_ODDS_UNIT: Final = 4.0
SHYNESS: Final = 6
"""Words of another domain are mostly strange to the layer, but every text has odds: these fade sooner with likeness."""
_LEAN: Final = "lean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What was learned, as it lies in a folder. Folders of older versions have `tables` alone."""

    tables: Tables
    lean: NDArray[np.float64]  # HELD x (ABUSE + 1): what the judge's own odds add to each column but likeness

    def save(self, folder: Path) -> None:
        """Write the folder; the tables come last: with them it is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        put_array(folder, _LEAN, self.lean)
        self.tables.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder written by `save`. Raises ModelError in words when it is not whole."""
        tables = Tables.load(folder)
        is_older = not (folder / f"{_LEAN}.npy").exists()
        lean = np.zeros((HELD, ABUSE + 1)) if is_older else get_array(folder, _LEAN)
        if lean.shape != (HELD, ABUSE + 1):
            raise ModelError(f"the files of the model folder {folder} do not fit each other; train it anew")
        return cls(tables=tables, lean=lean)


class Corrections:
    """The layer learned from corrections; `version` changes with any weight."""

    def __init__(self, layer: Layer) -> None:
        self.version = f"corrections-{layer.tables.meta['fingerprint']}"
        self._scorer = Scorer(layer.tables)
        self._lean = layer.lean

    @classmethod
    def load(cls, model_dir: Path) -> Self | None:
        """Return the layer of a model folder, or None when nobody corrected anything."""
        folder = model_dir / FOLDER
        return cls(Layer.load(folder)) if folder.is_dir() else None

    def apply(self, pages: Pages, intents: Floats, abuse: Floats, tones: Floats) -> tuple[Floats, Floats]:
        """Return intents (N x 6) and abuse (N) after the corrections; `tones` (N x 3) are negative, neutral, positive."""
        scores = self._scorer.weigh(pages).scores.astype(np.float64)
        likeness = 1 / (1 + np.exp(-np.clip(scores[:, LIKENESS], -30, 30)))
        added = scores[:, : ABUSE + 1] * likeness[:, None]
        added += leaning(held(intents, tones), self._lean) * (likeness**SHYNESS)[:, None]
        shifted, abused = odds_of(intents) + added[:, :ABUSE], odds_of(abuse) + added[:, ABUSE]
        return (1 / (1 + np.exp(-shifted))).astype(np.float32), (1 / (1 + np.exp(-abused))).astype(np.float32)


def held(intents: Floats | NDArray[np.float64], tones: Floats | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the judge holds of N texts (N x HELD), given their intents (N x 6) and tones (N x 3)."""
    return odds_of(np.concatenate([intents, tones[:, ::2]], axis=1)) / _ODDS_UNIT


def leaning(opinion: NDArray[np.float64], lean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the judge's own odds add to each column, added up row by row: no text's hang on its company."""
    total = np.zeros((len(opinion), lean.shape[1]))
    for column, row in enumerate(lean):
        total += opinion[:, column, None] * row
    return total


def odds_of(chances: Floats | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds of probabilities, bounded at 1 to 999."""
    bounded = np.clip(chances.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: NDArray[np.float64] = np.log(bounded / (1 - bounded))
    return odds
