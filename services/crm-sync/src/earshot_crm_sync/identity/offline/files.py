"""The offline resolver on files: JSON lines in, JSON lines out.

Owns the reading, the answers' shape and their ids. Must not judge: see `engine`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

import msgspec

from .columns import Columns, ColumnsBuilder
from .engine import Answer, resolve_columns
from .model import Model

_NAMESPACE = UUID("8f2f1f0e-5b0a-4a44-9a53-6f3c1f0f4a52")  # of customers that exist in one output file alone
_LINES_AT_ONCE = 5_000


class ResolvedRecord(msgspec.Struct):
    """One line of the output."""

    id: str | int | None
    customer_id: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What was done."""

    records: int
    customers: int
    pairs: int


def read_columns(path: Path) -> Columns:
    """Return the records of a file of JSON lines; blank lines are no records.

    Raises: OSError when the file cannot be read.
    """
    builder = ColumnsBuilder()
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                builder.add_line(line)
    return builder.build()


def resolve_file(source: Path, target: Path, model: Model | None = None) -> Summary:
    """Resolve the records of `source` into `target`, one answer a record in the same order; the target appears whole
    or not at all.

    Raises: OSError when a file cannot be read or written.
    """
    columns = read_columns(source)
    answer = resolve_columns(columns, model)
    unfinished = target.with_name(target.name + ".part")
    encoder = msgspec.json.Encoder()
    with unfinished.open("wb") as lines:
        for batch in _batches(columns, answer):
            lines.write(encoder.encode_lines(batch))
    os.replace(unfinished, target)
    return Summary(columns.count, len(set(answer.label.tolist())), answer.pair_count)


def _batches(columns: Columns, answer: Answer) -> Iterator[list[ResolvedRecord]]:
    names = customer_names(columns, answer)
    sure = answer.confidence.tolist()
    for start in range(0, columns.count, _LINES_AT_ONCE):
        rows = range(start, min(start + _LINES_AT_ONCE, columns.count))
        yield [ResolvedRecord(columns.ids[row], names[row], round(sure[row], 4)) for row in rows]


def customer_names(columns: Columns, answer: Answer) -> list[str]:
    """Return each record's customer id.

    A UUID of the first record id of its customer in alphabetical order, whatever the order of lines.
    """
    first: dict[int, str] = {}
    for row, label in enumerate(answer.label.tolist()):
        own = f"line {row}" if columns.ids[row] is None else str(columns.ids[row])
        first[label] = min(first.get(label, own), own)
    ids: dict[str, str] = {}
    taken: dict[int, str] = {}
    for label, own in first.items():
        unique = own if own not in ids else f"{own}\x1f{label}"  # an id given twice to two people
        ids[unique] = taken[label] = str(uuid5(_NAMESPACE, unique))
    return [taken[label] for label in answer.label.tolist()]
