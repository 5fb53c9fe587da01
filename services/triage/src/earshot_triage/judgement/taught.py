"""An installation's own labels: departments, topics, products, taught from examples.

Owns how taught labels are kept in a model folder (`labels/NAME/`) and asked for. Must not fit anything.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Self

import numpy as np

from earshot_triage.judgement.features import Pages
from earshot_triage.judgement.tables import ModelError, Scorer, Tables
from earshot_triage.judgement.verdict import Label

FOLDER: Final = "labels"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class TaughtLabels:
    """One taught set of labels; `version` changes with any weight."""

    def __init__(self, name: str, tables: Tables) -> None:
        self.name = name
        self.labels: list[str] = list(tables.meta["labels"])
        self.version = f"{name}-{tables.meta['fingerprint']}"
        self._scorer = Scorer(tables)

    @classmethod
    def load_all(cls, model_dir: Path) -> list[Self]:
        """Return every set of labels in a model folder, by name. Raises ModelError when one is not whole."""
        if not model_dir.is_dir():
            raise ModelError(f"the model folder {model_dir} does not exist; teach labels first")
        folder = model_dir / FOLDER
        if not folder.is_dir():
            return []
        return [cls(path.name, Tables.load(path)) for path in sorted(folder.iterdir()) if NAME.fullmatch(path.name)]

    def label(self, pages: Pages) -> list[Label]:
        """Return the likeliest label of each text with its probability."""
        scores = self._scorer.weigh(pages).scores.astype(np.float64)
        best = scores.argmax(axis=1)
        found: list[Label] = []
        for row, index in zip(scores, best.tolist(), strict=True):
            chance = 1.0 / float(np.exp(row - row[index]).sum())
            found.append(Label(label=self.labels[index], probability=round(chance, 4)))
        return found
