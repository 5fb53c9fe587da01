"""Quality on sets with known truth, ours beside Splink's and recordlinkage's, in one run; and the pictures of it.

Owns the measuring and the page. Must not tune anything. The public sets are read from a folder and never copied.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cluster import cluster
from .columns import Columns, columns_of
from .engine import scored_pairs
from .model import shipped_model
from .pictures import bars, lines_chart
from .texts import Codes

# How the public sets name the contract's fields.
_ALIASES = {
    "first_name": "given_name",
    "surname": "family_name",
    "dob": "birth_date",
    "date_of_birth": "birth_date",
    "suburb": "city",
    "state": "region",
}
PUBLIC_SETS = {
    "FEBRL1": "identity_febrl/febrl1",
    "FEBRL2": "identity_febrl/febrl2",
    "fake1000": "identity_fake1000/dev",
}


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Records with the person of each."""

    name: str
    columns: Columns
    truth: Codes


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairwise figures of one method on one set."""

    precision: float
    recall: float
    seconds: float

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def contract_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a public record in the contract's shape; what that has no field for, a person number, is left out."""
    record = {_ALIASES.get(name, name): value for name, value in row.items()}
    street = [record.pop(name, None) for name in ("street_number", "address_1")]
    if any(street):
        record["street"] = " ".join(part for part in street if part)
    record.pop("soc_sec_id", None)
    return record


def public_set(name: str, folder: Path) -> LabelledSet:
    """Return one of PUBLIC_SETS. Raises: OSError when it is not there."""
    stem = PUBLIC_SETS[name]
    rows = [json.loads(line) for line in (folder / f"{stem}_records.jsonl").read_text(encoding="utf-8").splitlines()]
    told = (json.loads(line) for line in (folder / f"{stem}_truth.jsonl").read_text(encoding="utf-8").splitlines())
    person = {line["id"]: line["entity"] for line in told}
    return labelled_set(name, [contract_record(row) for row in rows], [person[row["id"]] for row in rows])


def labelled_set(name: str, records: Iterable[Mapping[str, Any]], people: list[Any]) -> LabelledSet:
    """Return a set from records in the contract's shape and the person of each."""
    codes = {person: place for place, person in enumerate(dict.fromkeys(people))}
    return LabelledSet(name, columns_of(records), np.asarray([codes[person] for person in people], np.int32))


def pairwise(label: NDArray[np.integer[Any]], truth: Codes, seconds: float = 0.0) -> Quality:
    """Return precision and recall over all pairs of records, without listing them."""

    def pairs(groups: Iterable[Any]) -> int:
        return sum(size * (size - 1) // 2 for size in Counter(groups).values())

    found, real = pairs(label.tolist()), pairs(truth.tolist())
    both = pairs(zip(label.tolist(), truth.tolist(), strict=True))
    return Quality(both / found if found else 1.0, both / real if real else 1.0, seconds)


def ours(given: LabelledSet) -> Quality:
    """Resolve with the shipped weights."""
    began = time.perf_counter()
    scored = scored_pairs(given.columns, shipped_model())
    label, _ = cluster(scored)
    return pairwise(label, given.truth, time.perf_counter() - began)


def by_splink(given: LabelledSet) -> Quality:
    """Train Splink without labels, predict, cluster at 0.95."""
    from .learn import linker_for

    began = time.perf_counter()
    linker = linker_for(given.columns)
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    groups = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    label = np.zeros(given.columns.count, np.int64)
    for row in groups.as_record_list():
        label[row["unique_id"]] = row["cluster_id"]
    return pairwise(label, given.truth, time.perf_counter() - began)


def by_recordlinkage(given: LabelledSet) -> Quality:
    """Compare the same candidate pairs, classify by its expectation maximisation, join what it calls matches."""
    import pandas as pd  # type: ignore[import-untyped]  # its stubs are a package of their own
    import recordlinkage  # type: ignore[import-untyped]  # ships no types

    from .learn import records_of

    began = time.perf_counter()
    frame: Any = pd.DataFrame(records_of(given.columns))
    scored = scored_pairs(given.columns, shipped_model())
    pairs: Any = pd.MultiIndex.from_arrays([scored.i, scored.j])
    compare: Any = recordlinkage.Compare()
    for name in frame.columns:
        compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    classifier: Any = recordlinkage.ECMClassifier(binarize=0.5)
    matches = classifier.fit_predict(compare.compute(pairs, frame))
    i, j = (np.asarray(matches.get_level_values(side), np.int32) for side in (0, 1))
    label, _ = cluster(replace(scored, i=i, j=j, bits=np.full(i.size, 20.0), apart=np.zeros(i.size, np.bool_), families=False))
    return pairwise(label, given.truth, time.perf_counter() - began)


METHODS: dict[str, Callable[[LabelledSet], Quality]] = {
    "Earshot": ours,
    "Splink": by_splink,
    "recordlinkage": by_recordlinkage,
}


def evaluate(*, data: Path | None, docs: Path | None, beside: bool) -> str:
    """Return the table of results; with `docs`, also write it there with its pictures.

    Raises: OSError when the folder lacks a set.
    """
    if data is None:
        return "Name the folder of the public sets with --data."
    sets = [public_set(name, data) for name in PUBLIC_SETS]
    methods = METHODS if beside else {"Earshot": ours}
    results = {given.name: {name: method(given) for name, method in methods.items()} for given in sets}
    table = _table(results)
    if docs is not None:
        _write_page(docs, table, sets)
    return table


def _table(results: Mapping[str, Mapping[str, Quality]]) -> str:
    lines = ["| set | method | precision | recall | F1 | seconds |", "|---|---|---|---|---|---|"]
    for name, by_method in results.items():
        for method, found in by_method.items():
            percent = [f"{100 * value:.2f}" for value in (found.precision, found.recall, found.f1)]
            lines.append(f"| {name} | {method} | {' | '.join(percent)} | {found.seconds:.1f} |")
    return "\n".join(lines)


def _write_page(docs: Path, table: str, sets: list[LabelledSet]) -> None:
    pictures = docs / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    curves = {given.name: _curve(given) for given in sets}
    (pictures / "identity-precision-recall.svg").write_text(
        lines_chart("Precision and recall as the merge threshold moves", "recall", "precision", curves),
        encoding="utf-8",
    )
    sizes = {given.name: _sizes(given) for given in sets}
    (pictures / "identity-cluster-sizes.svg").write_text(
        bars("Customers by number of records: found (dark) and true (light)", sizes), encoding="utf-8"
    )
    (docs / "identity-results.md").write_text(
        "# Identity: measured\n\nWritten by `earshot crm-sync evaluate`; nobody's labels were used but to count.\n\n"
        f"{table}\n\n![precision and recall](pictures/identity-precision-recall.svg)\n\n"
        "![cluster sizes](pictures/identity-cluster-sizes.svg)\n",
        encoding="utf-8",
    )


def _curve(given: LabelledSet) -> list[tuple[float, float]]:
    scored = scored_pairs(given.columns, shipped_model())
    points = []
    for threshold in (-12, -8, -5, -2, 0, 2, 4, 6, 9, 12, 16, 20, 26):
        label, _ = cluster(scored, threshold)
        found = pairwise(label, given.truth)
        points.append((found.recall, found.precision))
    return sorted(points)


def _sizes(given: LabelledSet) -> dict[int, tuple[int, int]]:
    scored = scored_pairs(given.columns, shipped_model())
    label, _ = cluster(scored)
    found, real = (Counter(Counter(groups.tolist()).values()) for groups in (label, given.truth))
    return {size: (found[size], real[size]) for size in sorted(found.keys() | real.keys())}
