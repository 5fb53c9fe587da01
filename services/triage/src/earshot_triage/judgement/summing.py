"""Sums of chosen rows of a table, many texts at once.

Owns the one routine of scipy that judging needs, taken from its file: importing `scipy.sparse` for it costs 25 MB and a quarter of
triage's start, for nothing that is used. Training imports the whole, as one should.
"""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec, module_from_spec
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class Table(Protocol):
    """Rows of numbers (N x K); an array is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: Ints, /, axis: int) -> NDArray[Any]:
        """Return chosen rows."""


MANY_ROWS: Final = 500
"""From so many rows on, a sparse product adds them up quicker than numpy does."""
ROWS_AT_ONCE: Final = 1_024
"""So many rows are taken out of the table at a time, or those of one long text: half a megabyte, which stays in a core's cache."""


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


def sums_of_rows(rows: Ints, offsets: Ints, table: Table) -> Floats:
    """Return for each text the sum of the table's rows `rows[offsets[i]:offsets[i + 1]]`; whole numbers, so always exact.

    Shapes: `table` N x K, the answer (len(offsets) - 1) x K.
    """
    count = len(offsets) - 1
    if count == 1:
        return np.add.reduce(table.take(rows, axis=0), axis=0, dtype=np.float32, keepdims=True)
    sums = np.zeros((count, table.shape[1]), dtype=np.float32)
    if len(rows) > MANY_ROWS:
        _add_up(rows, offsets, table, sums)
        return sums
    filled = (offsets[1:] > offsets[:-1]).nonzero()[0]
    if len(filled):
        chosen = table.take(rows, axis=0).astype(np.float32, copy=False)
        sums[filled] = np.add.reduceat(chosen, offsets[filled], axis=0)
    return sums


def _add_up(rows: Ints, offsets: Ints, table: Table, sums: Floats) -> None:
    """Fill in the sums, some texts after the other: the rows of many texts at once are megabytes."""
    columns = table.shape[1]
    cuts = sorted({*offsets.searchsorted(np.arange(0, len(rows), ROWS_AT_ONCE)).tolist(), len(sums)})  # `np.unique` imports 6 MB for this
    for first, end in pairwise(cuts):
        begin, size = offsets[first], int(offsets[end] - offsets[first])
        chosen = table.take(rows[begin : begin + size], axis=0).astype(np.float32, copy=False)
        places, ones = np.arange(size), np.ones(size, dtype=np.float32)
        _matvecs(
            end - first, size, columns, offsets[first : end + 1] - begin, places, ones, chosen.reshape(-1), sums[first:end].reshape(-1)
        )
