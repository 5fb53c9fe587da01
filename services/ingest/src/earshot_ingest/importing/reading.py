"""From a file to items, record by record, with the line each began on.

Owns opening, guessing the format, and what cannot be read at all. Keeps one record in memory at a time.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from earshot_ingest.importing.adapters import ADAPTERS, SURPLUS, BadRecordError, Format
from earshot_shared.cli.main import CommandFailedError

LONGEST_LINE_BYTES: Final = 4 * 1024 * 1024  # what fits into a batch
_CHUNK_BYTES: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One record: where it began, and its item as JSON, or the reason why it has none."""

    number: int
    body: bytes
    code: str = ""
    detail: str = ""
    raw: str = ""


_encoder = msgspec.json.Encoder()


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises: CommandFailedError when it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise CommandFailedError(f"{path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def guess_format(path: Path) -> Format:
    """Return the format that the name and the first line of a file show."""
    with path.open("rb") as file:
        head = file.readline(_CHUNK_BYTES).removeprefix(_BOM).strip()
    if head.startswith(b"{"):
        try:
            first = msgspec.json.decode(head)
        except msgspec.DecodeError:
            return Format.JSONL
        return Format.CONVERSATIONS if "message_id" in first and "author_is_brand" in first else Format.JSONL
    return Format.TWCS if b"in_response_to_tweet_id" in head else Format.CSV if path.suffix.lower() == ".csv" else Format.JSONL


def read_lines(path: Path, form: Format, source: str) -> Iterator[Line]:
    """Give the records of a file in order; blank lines are none."""
    if form is Format.CSV or (form is Format.TWCS and _is_csv(path)):
        yield from _read_rows(path, form, source)
    else:
        yield from _read_json(path, form, source)


def _is_csv(path: Path) -> bool:
    with path.open("rb") as file:
        return not file.readline(_CHUNK_BYTES).removeprefix(_BOM).lstrip().startswith(b"{")


def _read_json(path: Path, form: Format, source: str) -> Iterator[Line]:
    as_it_is = form is Format.JSONL and not source
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            raw = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
            if not raw:
                continue
            if len(raw) > LONGEST_LINE_BYTES:
                yield Line(number, b"", "item-too-large", "The line is longer than any item may be.")
            elif as_it_is:
                yield Line(number, raw)
            else:
                yield _adapted(number, raw, form, source)


def _adapted(number: int, raw: bytes, form: Format, source: str) -> Line:
    try:
        record = msgspec.json.decode(raw)
    except UnicodeDecodeError:
        return Line(number, b"", "encoding-invalid", "The line is not UTF-8.", raw.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return Line(number, b"", "json-invalid", "The line is not JSON.", raw.decode("utf-8", "replace"))
    if not isinstance(record, dict):
        return Line(number, b"", "wrong-type", "The line is no JSON object.", raw.decode("utf-8", "replace"))
    return _to_line(number, record, form, source)


def _to_line(number: int, record: dict[str, Any], form: Format, source: str) -> Line:
    try:
        return Line(number, _encoder.encode(ADAPTERS[form](record, source)))
    except BadRecordError as error:
        return Line(number, b"", "record-invalid", f"In this record {error}.", repr(record))
    except UnicodeEncodeError:
        return Line(number, b"", "encoding-invalid", "The record is not UTF-8.", repr(record))


def _read_rows(path: Path, form: Format, source: str) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_LINE_BYTES)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file, restkey=SURPLUS)
        began = reader.line_num + 2  # line_num is 0 until the header was read, which is line 1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(began, b"", "csv-invalid", f"The row is not CSV ({error}).")
            else:
                yield _to_line(began, row, form, source)
            began = reader.line_num + 1
