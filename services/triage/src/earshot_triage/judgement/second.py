"""A second look at texts whose label is unsure, by what MiniLM makes of them.

Owns what was taught about meanings beside the words (files of its own in a folder of labels), and whom it is asked about. Must not fit
anything. Where most texts of a lesson have a title (a first line above the rest), the title is looked at apart too: in the whole text
its words drown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.semantic import WIDTH, Encoder
from earshot_triage.judgement.senses import Wholes
from earshot_triage.judgement.tables import ModelError, get_array, put_array

UNSURE: Final = 0.8
"""Texts whose likeliest label is less probable are looked at again; see docs/judgement.md for what that buys and costs."""
_FILES: Final = ("meaning_weights", "meaning_step", "meaning_bias")


def titled(cleaned: Sequence[str]) -> bool:
    """Say whether most of these texts have a title."""
    return 2 * sum("\n" in text for text in cleaned) > len(cleaned)


def meanings_of(cleaned: Sequence[str], encoder: Encoder, *, titles: bool, together: int = 1) -> Wholes:
    """Return what cleaned texts mean (N x WIDTH), and their first lines beside it when `titles` are looked at (N x 2 WIDTH)."""
    whole = encoder.meanings(cleaned, together=together)
    if not titles:
        return whole
    return np.hstack([whole, encoder.meanings([text.partition("\n")[0] for text in cleaned], together=together)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What the parts of a meaning say for each of L labels."""

    weights: NDArray[np.int16]  # WIDTH x L, in steps; 2 WIDTH x L where titles are looked at too
    step: NDArray[np.float64]  # one number
    bias: NDArray[np.float64]  # L

    def scores(self, cleaned: Sequence[str], encoder: Encoder) -> NDArray[np.float64]:
        """Return what is added to the scores of texts (N x L); sums of whole numbers, so no text's hang on its company."""
        meanings = meanings_of(cleaned, encoder, titles=len(self.weights) > WIDTH)
        scores: NDArray[np.float64] = (meanings @ self.weights.astype(np.float64)) * self.step[0] + self.bias
        return scores

    def without(self, place: int) -> Self:
        """Return the same without the label in one place."""
        return replace(self, weights=np.delete(self.weights, place, axis=-1), bias=np.delete(self.bias, place))

    def save(self, folder: Path) -> None:
        """Write the files into a folder of labels."""
        arrays: tuple[NDArray[np.generic], ...] = (self.weights, self.step, self.bias)
        for name, array in zip(_FILES, arrays, strict=True):
            put_array(folder, name, array)

    @classmethod
    def load(cls, folder: Path, labels: int) -> Self | None:
        """Read it from a folder of labels; None when they were taught without. Raises ModelError in words when it is not whole."""
        if not (folder / f"{_FILES[0]}.npy").exists():
            return None
        weights, step, bias = (get_array(folder, name) for name in _FILES)
        if weights.shape not in ((WIDTH, labels), (2 * WIDTH, labels)) or len(bias) != labels:
            raise ModelError(f"the files of the model folder {folder} do not fit each other; train it anew")
        return cls(weights=weights, step=step, bias=bias)


def forget(folder: Path) -> None:
    """Remove what an earlier lesson left, so that labels taught without meanings have none."""
    for name in _FILES:
        (folder / f"{name}.npy").unlink(missing_ok=True)
