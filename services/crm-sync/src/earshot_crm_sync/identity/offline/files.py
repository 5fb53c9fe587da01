"""The offline resolver on files: JSON lines in, JSON lines out.

Owns the reading, the answers' shape and their ids. Must not judge: see `engine`.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np

from .columns import Columns, ColumnsBuilder
from .engine import Answer, resolve_columns
from .model import Model
from .parallel import both
from .texts import Codes, coded

_NAMESPACE = UUID("8f2f1f0e-5b0a-4a44-9a53-6f3c1f0f4a52")  # of customers that exist in one output file alone
_LINES_AT_ONCE = 5_000
_LARGE_FILE_BYTES = 2_000_000  # from here on the halves are read at once


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
    size = path.stat().st_size
    start, middle = _start_of(path), _line_after(path, size // 2)
    builder, rest = both(lambda: _read(path, start, middle), lambda: _read(path, middle, size), worth_it=size > _LARGE_FILE_BYTES)
    builder.extend(rest)
    return builder.build()


def _start_of(path: Path) -> int:
    """Return where the text begins: after the mark that some editors put first."""
    with path.open("rb") as lines:
        return len(codecs.BOM_UTF8) if lines.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0


def _line_after(path: Path, place: int) -> int:
    """Return where the first line begins that begins after a place."""
    with path.open("rb") as lines:
        lines.seek(place)
        lines.readline()
        return lines.tell()


def _read(path: Path, start: int, end: int) -> ColumnsBuilder:
    """Return the records of the lines that begin in a part of a file."""
    builder = ColumnsBuilder()
    with path.open("rb") as lines:
        lines.seek(start)
        place = start
        for line in lines:
            if place >= end:
                break
            place += len(line)
            if line.strip():
                builder.add_line(line)
    return builder.forget()


def resolve_file(source: Path, target: Path, model: Model | None = None) -> Summary:
    """Resolve the records of `source` into `target`, one answer a record in the same order; the target appears whole
    or not at all.

    Raises: OSError when a file cannot be read or written.
    """
    columns = read_columns(source)
    answer = resolve_columns(columns, model)
    unfinished = target.with_name(target.name + ".part")
    with unfinished.open("wb") as lines:
        lines.writelines(_lines(columns, answer))
    os.replace(unfinished, target)
    return Summary(columns.count, int(np.unique(answer.label).size), answer.pair_count)


def _lines(columns: Columns, answer: Answer) -> Iterator[bytes]:
    """Return the output, line by line."""
    named_after, again = _named_after(columns, answer)
    for start in range(0, columns.count, _LINES_AT_ONCE):
        rows = np.arange(start, min(start + _LINES_AT_ONCE, columns.count))
        labels = answer.label[rows]
        owns = columns.ids.take(named_after[labels])
        told = zip(
            columns.ids.take(rows), owns, named_after[labels].tolist(), labels.tolist(), answer.confidence[rows].tolist(), strict=True
        )
        for known_as, own, record, label, sure in told:
            name = f"{_own(own, record)}\x1f{label}" if label in again else _own(own, record)
            yield f'{{"id":{known_as},"customer_id":"{_customer_name(name)}","confidence":{round(sure, 4)}}}\n'.encode(
                errors="surrogatepass"
            )


def _named_after(columns: Columns, answer: Answer) -> tuple[Codes, frozenset[int]]:
    """Return, by label, the record whose id comes first in alphabetical order, whatever the order of lines; and the
    labels whose first id an earlier customer has already: an id given twice to two people.
    """
    first = np.arange(columns.count, dtype=np.int32)
    sizes = np.bincount(answer.label, minlength=columns.count)
    rows = np.flatnonzero(sizes[answer.label] > 1)
    best: dict[int, tuple[str, int]] = {}
    for row, label in zip(rows.tolist(), answer.label[rows].tolist(), strict=True):
        own = (_own(columns.ids[row], row), row)
        best[label] = min(best.get(label, own), own)
    for label, (_, row) in best.items():
        first[label] = row
    labels = np.flatnonzero(sizes)
    named = zip(columns.ids.take(first[labels]), first[labels].tolist(), strict=True)
    name = coded(_own(known_as, record) for known_as, record in named)[: labels.size]
    _, earliest = np.unique(name, return_index=True)
    return first, frozenset(np.delete(labels, earliest).tolist())


def _own(known_as: str, record: int) -> str:
    """Return a record's id, told as JSON, as text."""
    if known_as == "null":
        return f"line {record}"
    return str(json.loads(known_as)) if "\\" in known_as else known_as.strip('"')


def _customer_name(text: str) -> str:
    """Return the UUIDv5 of a text; three times as fast as the standard library's."""
    digest = bytearray(hashlib.sha1(_NAMESPACE.bytes + text.encode(errors="surrogatepass"), usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    told = digest.hex()
    return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"
