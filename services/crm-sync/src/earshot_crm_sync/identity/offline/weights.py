"""Weights in a file: the rows of one person that an operator's own records taught.

Owns the file's shape. Must not learn.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from .model import Model, shipped_model
from .tables import SAME, is_row


class Weights(msgspec.Struct, forbid_unknown_fields=True):
    """Probability of DIFFERENT, ROUGH, CLOSE, ALIAS, EXACT between two records of one person, by field."""

    same: dict[str, list[float]]
    records: int = 0
    method: str = ""


def model_of(weights: Weights) -> Model:
    """Return the shipped model with these rows.

    Raises: ValueError for an unknown field or a row that is no probability.
    """
    logs = {name: table.copy() for name, table in shipped_model().logs.items()}
    for name, row in weights.same.items():
        if not is_row(name, row):
            raise ValueError(f"weights of {name!r} are not five positive probabilities of a known field")
        logs[name][1:, SAME] = np.log(row)
    return Model(logs)


def read_weights(path: Path) -> Model:
    """Return the model a weights file describes. Raises: OSError, msgspec.ValidationError, ValueError."""
    return model_of(msgspec.json.decode(path.read_bytes(), type=Weights))


def write_weights(weights: Weights, path: Path) -> None:
    """Write weights for people to read."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=1) + b"\n")
