"""Words of like meaning learn together: what lessons say of one word reaches the words beside it.

Owns the step between the shipped vectors of words and the weights that are fitted. While fitting, each text has its direction
(the sum of its words' vectors) beside its words; afterwards what was learned of directions is added to the words' own weights.
So a rare word starts where its kin stand, and judging costs nothing more. Must not know labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp

from earshot_triage.judgement.features import Floats
from earshot_triage.judgement.senses import Senses
from earshot_triage.judgement.training.design import Laid, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """`directions` of N texts (N x D, of length 1 in the root mean square), and how far each of W words turns them (W x D)."""

    directions: Floats
    turns: Floats

    @classmethod
    def of(cls, laid: Laid, senses: Senses) -> Self:
        """Return the kin of the words in a space; words without a vector have none."""
        turns = senses.vectors(laid.space.words).astype(np.float32) / laid.space.word_rarity[:, None]
        directions = _sum(laid.matrix, turns)
        length = np.float32(np.sqrt((directions.astype(np.float64) ** 2).sum(axis=1).mean()) or 1.0)
        return cls(directions=directions / length, turns=turns / length)

    def heard(self, voice: float) -> Self:
        """Return the same kin, louder or quieter: the quieter, the more a word keeps to itself."""
        return replace(self, directions=self.directions * np.float32(voice), turns=self.turns * np.float32(voice))

    def spread(self, weights: Floats, space: Space) -> Floats:
        """Return fitted weights (columns of the space, then D directions; any classes) as weights of the space's columns alone."""
        own, turned = weights[: space.width].copy(), weights[space.width :]
        own[: len(space.words)] += self.turns @ turned
        return own


def _sum(matrix: sp.csr_matrix, turns: Floats) -> Floats:
    directions: Floats = np.asarray(matrix[:, : len(turns)] @ turns, dtype=np.float32)
    return directions
