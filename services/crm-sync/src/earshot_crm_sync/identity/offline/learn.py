"""Weights from an operator's own records, without labels, by Splink on DuckDB (the optional extra `learn`).

Owns the conversation with Splink. Must not be imported by anything that serves.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as cll
from splink import comparison_library as cl

from .columns import Columns
from .fellegi_sunter import FIELDS, SLIPS, WITH_FREQUENCIES, FellegiSunter, FieldWeights
from .model import shipped_model
from .tables import SAME
from .weights import Weights

_SEED = 7
_RANDOM_PAIRS = 300_000
_TRAINING_BLOCKS = (("birth",), ("email",), ("phone",), ("handle",), ("given", "family"))
_LINK_BLOCKS = (*_TRAINING_BLOCKS, ("family", "postcode"), ("given", "postcode"), ("street",))


def records_of(columns: Columns) -> list[dict[str, str]]:
    """Return each record's folded texts by field; missing fields are left out."""
    texts = {name: list(columns.vocabularies[name]) for name in FIELDS if name in columns.vocabularies}
    names = list(columns.names)
    texts |= {"given": names, "family": names}
    rows: list[dict[str, str]] = [{} for _ in range(columns.count)]
    for name in texts:
        for row, code in enumerate(columns.codes[name].tolist()):
            if code >= 0:
                rows[row][name] = texts[name][code]
    for channel, column in columns.handles.items():
        for row, code in enumerate(column.tolist()):
            if code >= 0:
                rows[row].setdefault("handle", f"{channel}:{columns.handle_names[code]}")
    return rows


def linker_for(columns: Columns) -> Linker:
    """Return Splink with the records loaded and the model trained by expectation maximisation."""
    rows = records_of(columns)
    used = [name for name in FIELDS if sum(name in row for row in rows) > len(rows) // 20]
    linker = Linker(_loaded(rows, used), _settings(used), log_level="ERROR")
    blocks = [block for block in _TRAINING_BLOCKS if set(block) <= set(used)]
    linker.training.estimate_probability_two_random_records_match([block_on(*block) for block in blocks], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=_SEED)
    for block in blocks:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
    return linker


def _loaded(rows: list[dict[str, str]], used: list[str]) -> Any:
    """Return the records as Splink's table; Splink ships no types, so `Any` stops here."""
    connection = duckdb.connect()
    shape = ", ".join(f"{name} varchar" for name in used)
    connection.execute(f"create table records (unique_id integer, {shape})")  # names are ours, not the records'
    marks = ", ".join("?" for _ in range(len(used) + 1))
    values = [[place, *(row.get(name) for name in used)] for place, row in enumerate(rows)]
    connection.executemany(f"insert into records values ({marks})", values)  # noqa: S608  # only question marks
    api: Any = DuckDBAPI(connection)
    return api.register("records")


def _settings(used: list[str]) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_comparison(name) for name in used],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in _LINK_BLOCKS if set(block) <= set(used)],
        retain_intermediate_calculation_columns=False,
    )


def _comparison(name: str) -> Any:
    exact: Any = cll.ExactMatchLevel(name)
    if name in WITH_FREQUENCIES:
        exact = exact.configure(tf_adjustment_column=name)
    return cl.CustomComparison(
        output_column_name=name,
        comparison_levels=[cll.NullLevel(name), exact, cll.DamerauLevenshteinLevel(name, SLIPS), cll.ElseLevel()],
    )


def model_from(linker: Linker, columns: Columns) -> FellegiSunter:
    """Return what Splink estimated as our pure scorer."""
    saved: dict[str, Any] = linker.misc.save_model_to_json()
    rows = records_of(columns)
    fields = {}
    for comparison in saved["comparisons"]:
        name = comparison["output_column_name"]
        exact, close, different = comparison["comparison_levels"][1:]
        m, u = (tuple(float(level[f"{kind}_probability"]) for level in (different, close, exact)) for kind in "mu")
        fields[name] = FieldWeights((m[0], m[1], m[2]), (u[0], u[1], u[2]), _shares(rows, name))
    return FellegiSunter(fields, float(saved["probability_two_random_records_match"]))


def _shares(rows: list[dict[str, str]], name: str) -> dict[str, float]:
    if name not in WITH_FREQUENCIES:
        return {}
    counts: dict[str, int] = {}
    for row in rows:
        if name in row:
            counts[row[name]] = counts.get(row[name], 0) + 1
    total = sum(counts.values())
    return {text: count / total for text, count in counts.items()}


def learn_weights(columns: Columns) -> Weights:
    """Return the probabilities that Splink estimates from the records, in the levels of `model`."""
    return weights_of(model_from(linker_for(columns), columns), columns.count)


def weights_of(learned: FellegiSunter, records: int) -> Weights:
    """Return learned probabilities in the levels of `model`.

    What lies between equal and different is shared out as shipped.
    """
    same: dict[str, list[float]] = {}
    for name, weights in learned.fields.items():
        shipped = np.exp(shipped_model().logs[name][1:, SAME])
        between = shipped[1:4] / shipped[1:4].sum() * weights.m[1]
        row = np.maximum([weights.m[0], *between, weights.m[2]], 1e-4)
        same[name] = [round(float(share), 6) for share in row / row.sum()]
    return Weights(same=same, records=records, method="Splink, expectation maximisation, no labels")
