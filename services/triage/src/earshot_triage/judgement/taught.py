"""An installation's own labels: departments, topics, products, taught from examples.

Owns how taught labels are kept in a model folder (`labels/NAME/`) and asked for. Must not fit anything. A label's score is what the
words of a text say for it, what their senses say, and what the judge's own opinion of the text says; where that leaves doubt, and
the extra `semantic` is at hand, what MiniLM makes of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement import senses
from earshot_triage.judgement.features import Floats, Pages
from earshot_triage.judgement.panel import Opinion
from earshot_triage.judgement.second import UNSURE, SecondLook, forget
from earshot_triage.judgement.semantic import Encoder
from earshot_triage.judgement.tables import ROOM, ModelError, Scorer, Tables, get_array, put_array
from earshot_triage.judgement.verdict import Label

FOLDER: Final = "labels"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MORE: Final = ("sense_weights", "sense_step", "odds", "lean")
_COLUMNS: Final = ("word_weights", "word_chars", "pair_weights", "gram_weights", "scales", "bias")
"""The arrays of the tables that have a column a label, as their last axis."""
_FAINT: Final = 1e-3
"""Added to a chance before its logarithm is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """One taught set of L labels as it lies in a folder. Folders of older versions have `tables` alone."""

    tables: Tables
    sense_weights: NDArray[np.int16]  # D x L, in steps
    sense_step: NDArray[np.float64]  # one number
    odds: NDArray[np.float64]  # CELLS x L: how often a text of that need and tone had the label
    lean: NDArray[np.float64]  # L + 1: how much the odds count, and what is taken off for labels that are common anyway
    second: SecondLook | None = None

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the columns."""
        return list(self.tables.meta["labels"])

    def save(self, folder: Path) -> None:
        """Write the folder; the same lesson gives the same bytes. The tables come last: with them the folder is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _MORE:
            put_array(folder, name, getattr(self, name))
        if self.second is None:
            forget(folder)
        else:
            self.second.save(folder)
        self.tables.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder written by `save`. Raises ModelError in words when it is not whole."""
        tables = Tables.load(folder)
        count = len(tables.meta["labels"])
        if not (folder / f"{_MORE[0]}.npy").exists():
            return cls(tables=tables, **_silent(count))
        arrays: dict[str, Any] = {name: get_array(folder, name) for name in _MORE}
        if any(arrays[name].shape[-1] != count for name in ("sense_weights", "odds")) or len(arrays["lean"]) != count + 1:
            raise ModelError(f"the files of the model folder {folder} do not fit each other; train it anew")
        return cls(tables=tables, second=SecondLook.load(folder, count), **arrays)

    def without(self, place: int, meta: dict[str, Any]) -> Self:
        """Return the same without the label in one place; `meta` describes the tables that are left."""
        arrays: dict[str, Any] = {each: np.delete(getattr(self.tables, each), place, axis=-1) for each in _COLUMNS}
        return replace(
            self,
            tables=replace(self.tables, **arrays, meta=meta),
            sense_weights=np.delete(self.sense_weights, place, axis=-1),
            odds=np.delete(self.odds, place, axis=-1),
            lean=np.delete(self.lean, place + 1),
            second=None if self.second is None else self.second.without(place),
        )


def _silent(count: int) -> dict[str, Any]:
    """Return the arrays of labels that know words only."""
    return {
        "sense_weights": np.zeros((0, count), dtype=np.int16),
        "sense_step": np.ones(1),
        "odds": np.zeros((0, count)),
        "lean": np.zeros(count + 1),
    }


def cells(opinion: Opinion) -> Floats:
    """Return how much each text is of each need and tone (N x CELLS); they add up to 1."""
    joint = opinion.needs[:, :, None] * opinion.sentiments[:, None, :]
    return joint.reshape(len(joint), -1)


def leaning(share: Floats, odds: NDArray[np.float64], lean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the judge's own opinion says for each label (N x L), added up row by row."""
    chances = np.zeros((len(share), odds.shape[1]))
    for cell, row in enumerate(odds):
        chances += share[:, cell, None] * row
    said: NDArray[np.float64] = lean[0] * np.log(chances + _FAINT) - lean[1:]
    return said


def _room(labels: int) -> int:
    """Return how many strange words to remember: most words are strange to a small lesson, and numbers of few labels are short."""
    return max(ROOM, min(20_000, 2_000_000 // (2 * labels + 4)))


class TaughtLabels:
    """One taught set of labels, made ready; `version` changes with any weight."""

    def __init__(self, name: str, taught: Taught) -> None:
        self.name = name
        self.labels = taught.labels
        self.version = f"{name}-{taught.tables.meta['fingerprint']}"
        self._scorer = Scorer(taught.tables, room=_room(len(self.labels)))
        self._senses = taught.sense_weights.astype(np.float64)
        self._step = taught.sense_step[0]
        self._odds, self._lean, self._second = taught.odds, taught.lean, taught.second
        if len(self._senses) and taught.tables.meta.get("senses") != senses.shipped().fingerprint:
            raise ModelError(f"the labels {name} were taught with other vectors of words; teach them again")

    @classmethod
    def load_all(cls, model_dir: Path) -> list[Self]:
        """Return every set of labels in a model folder, by name. Raises ModelError when one is not whole."""
        if not model_dir.is_dir():
            raise ModelError(f"the model folder {model_dir} does not exist; teach labels first")
        folder = model_dir / FOLDER
        if not folder.is_dir():
            return []
        return [cls(path.name, Taught.load(path)) for path in sorted(folder.iterdir()) if NAME.fullmatch(path.name)]

    @property
    def has_second_look(self) -> bool:
        """Whether the labels were taught with meanings too."""
        return self._second is not None

    def label(self, pages: Pages, opinion: Opinion, encoder: Encoder | None = None) -> list[Label]:
        """Return the likeliest label of each text with its probability; with an encoder unsure texts are looked at again."""
        scores = self._scorer.weigh(pages).scores.astype(np.float64)
        if len(self._senses):
            scores += (senses.shipped().of(pages) @ self._senses) * self._step
        if self._lean[0]:
            scores += leaning(cells(opinion), self._odds, self._lean)
        best, chances = _likeliest(scores)
        if encoder is not None and self._second is not None:
            unsure = (chances < UNSURE).nonzero()[0]
            again = self._second.scores([pages.cleaned[place] for place in unsure.tolist()], encoder)
            best[unsure], chances[unsure] = _likeliest(scores[unsure] + again)
        names = self.labels
        return [
            Label(label=names[index], probability=chance) for index, chance in zip(best.tolist(), chances.round(4).tolist(), strict=True)
        ]


def _likeliest(scores: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the likeliest label of each text, and its probability."""
    best = scores.argmax(axis=1)
    chances: NDArray[np.float64] = 1.0 / np.exp(scores - scores[np.arange(len(best)), best][:, None]).sum(axis=1)
    return best, chances
