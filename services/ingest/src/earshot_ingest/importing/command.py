"""``earshot import``: reads files, sends them in batches, shows how far it is, and says at the end what became of them."""

import hashlib
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from earshot_ingest.client import BatchClient
from earshot_ingest.importing.adapters import Format
from earshot_ingest.importing.progress import ProgressFile, RejectsFile, Tally
from earshot_ingest.importing.reading import Line, content_hash, guess_format, read_lines
from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option, find_service, refuse_mock_broker, url_option

BATCH_RECORDS: Final = 500
BATCH_BYTES: Final = 4 * 1024 * 1024
_PLAIN_EVERY_S: Final = 2.0


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice([each.value for each in Format]), help="What the files hold; guessed unless given.")
@click.option("--source", default="", help="The source of the items (jsonl and csv: of those that name none).")
@click.option("--backfill", is_flag=True, help="Items of the past: they page nobody and never delay live ones.")
@data_dir_option
@url_option
def import_command(files: tuple[Path, ...], form: str | None, source: str, backfill: bool, data_dir: Path, url: str | None) -> None:
    """Import FILES through ingest. Killed and started again it goes on; nothing is taken twice."""
    if url is None:
        refuse_mock_broker(data_dir, "An import")
    for path in files:
        if not path.is_file():
            raise click.BadParameter(f"{path} is no plain file, which can be read twice: write what comes through it into one first")
    total = Tally()
    with BatchClient(lambda: find_service("ingest", data_dir=data_dir, url=url), backfill=backfill) as client:
        for path in files:
            chosen = guess_format(path) if form is None else Format(form)
            total.add(Import(path, chosen, source, client, data_dir, way=f"{backfill} {url or ''}").run())
    click.echo(msgspec.json.encode(total).decode())


class Import:
    """The import of one file."""

    def __init__(self, path: Path, form: Format, source: str, client: BatchClient, data_dir: Path, *, way: str) -> None:
        self._path = path
        self._form = form
        self._source = source or ("" if form in (Format.JSONL, Format.CSV) else form.value)
        self._client = client
        key = hashlib.sha256(f"{content_hash(path)} {form.value} {self._source} {way}".encode()).hexdigest()[:32]
        self._progress = ProgressFile(data_dir, key)

    def run(self) -> Tally:
        """Read, send and count until the file ends; return the whole tally, of earlier runs too."""
        progress = self._progress.load()
        tally, rejects = progress.tally, RejectsFile(self._path, kept_bytes=progress.rejects_bytes)
        lines = read_lines(self._path, self._form, self._source)
        with _shown(self._path, tally) as shown:
            for batch in _batches(islice(lines, tally.read, None)):
                rejected = self._send(batch, tally)
                rejects.add(rejected)
                progress.rejects_bytes = rejects.bytes
                self._progress.save(progress)
                shown.tell(tally, batch[-1].number)
        self._progress.forget()
        if tally.rejected:
            refused = counted(tally.rejected, "record was", "records were") + " refused"
            click.echo(f"{refused}: {rejects.path} names each with the reason.", err=True)
        return tally

    def _send(self, batch: list[Line], tally: Tally) -> list[dict[str, Any]]:
        """Send what can be sent, count everything, and return what was refused."""
        good = [line for line in batch if not line.code]
        refused = [_refused(line, line.code, line.detail) for line in batch if line.code]
        if good:
            result = self._client.send([line.body for line in good])
            refused += [_refused(good[each.index], each.code, each.detail) for each in result.rejected]
            tally.accepted += result.accepted
            tally.duplicates += result.duplicates
        tally.read += len(batch)
        tally.rejected += len(refused)
        return sorted(refused, key=lambda each: each["line"])


def _refused(line: Line, code: str, detail: str) -> dict[str, Any]:
    return {"line": line.number, "code": code, "detail": detail, "record": line.raw or line.body.decode("utf-8", "replace")}


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == BATCH_RECORDS or size + len(line.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.body) + 1
    if batch:
        yield batch


class _shown:  # used as a context manager, like a function
    """Shows how far an import is: a bar on a terminal, a plain line every two seconds otherwise; both on standard error."""

    def __init__(self, path: Path, tally: Tally) -> None:
        self._name = path.name
        self._resumed = tally.read
        self._told_at = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
            with path.open("rb") as file:
                total = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
            self._task = self._bar.add_task(self._name, total=max(total, 1))

    def __enter__(self) -> "_shown":
        if self._resumed:
            click.echo(f"{self._name}: going on after {counted(self._resumed, 'record')}.", err=True)
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, tally: Tally, line: int) -> None:
        """Show the state after a batch that ended on ``line``."""
        if self._bar is not None:
            self._bar.update(self._task, completed=line)
        elif time.monotonic() - self._told_at >= _PLAIN_EVERY_S:
            self._told_at = time.monotonic()
            click.echo(
                f"{self._name}: {tally.read:,} read, {tally.accepted:,} accepted, {counted(tally.duplicates, 'duplicate')}.", err=True
            )
