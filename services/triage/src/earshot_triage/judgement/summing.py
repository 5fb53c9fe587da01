"""Sums of chosen rows of a table, many texts at once.

Owns the one routine of scipy that judging needs, taken from its file: importing `scipy.sparse` for it costs 25 MB and a quarter of
triage's start, for nothing that is used. Training imports the whole, as one should.
"""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

MANY_ROWS: Final = 500
"""From so many rows on, a sparse product adds them up quicker than numpy does."""


def _sparsetools() -> Any:
    package = find_spec("scipy")  # finding imports nothing
    folders = package.submodule_search_locations if package is not None else None
    for folder in folders or ():
        spec = FileFinder(f"{folder}/sparse", (ExtensionFileLoader, EXTENSION_SUFFIXES)).find_spec("_sparsetools")
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError("scipy is missing, or without its sparse tools: install it again", name="scipy")


_matvecs: Final = _sparsetools().csr_matvecs


def sums_of_rows(rows: Ints, offsets: Ints, table: NDArray[np.float32] | NDArray[np.signedinteger]) -> Floats:
    """Return for each text the sum of the table's rows `rows[offsets[i]:offsets[i + 1]]`; whole numbers, so always exact.

    Shapes: `table` N x K, the answer (len(offsets) - 1) x K.
    """
    count, columns = len(offsets) - 1, table.shape[1]
    chosen = table.take(rows, axis=0)
    if count == 1:
        return np.add.reduce(chosen, axis=0, dtype=np.float32, keepdims=True)
    chosen = chosen.astype(np.float32, copy=False)
    sums = np.zeros((count, columns), dtype=np.float32)
    if len(rows) > MANY_ROWS:
        places, ones = np.arange(len(rows)), np.ones(len(rows), dtype=np.float32)
        _matvecs(count, len(rows), columns, offsets, places, ones, chosen.reshape(-1), sums.reshape(-1))
        return sums
    filled = (offsets[1:] > offsets[:-1]).nonzero()[0]
    if len(filled):
        sums[filled] = np.add.reduceat(chosen, offsets[filled], axis=0)
    return sums
