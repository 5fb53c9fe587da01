"""`earshot triage labels`: what an installation's own labels are, and how they change without teaching them anew.

Owns the commands. A running triage with `EARSHOT_TRIAGE_MODEL_DIR` uses the change within seconds; `earshot replay --since` runs old items
through it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from earshot_shared.cli.main import CommandFailedError
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.taught import FOLDER, NAME, Taught


@click.group("labels")
def labels() -> None:
    """List, rename and remove labels of your own."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    command = click.option("--labels", "name", required=True, help="The name of the set of labels.")(command)
    return click.option("--model-dir", type=folder, required=True, help="The folder they were taught into.")(command)


@labels.command("list")
@click.option("--model-dir", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
def list_labels(model_dir: Path) -> None:
    """Print every set of labels, one label a line."""
    for folder in sorted((model_dir / FOLDER).glob("*")):
        if NAME.fullmatch(folder.name):
            for label in _load(model_dir, folder.name).labels:
                click.echo(f"{folder.name}\t{label}")


@labels.command("rename")
@_options
@click.option("--from", "old", required=True, help="The label as it is called.")
@click.option("--to", "new", required=True, help="What it is to be called.")
def rename_label(name: str, model_dir: Path, old: str, new: str) -> None:
    """Call a label otherwise; what it means stays."""
    taught = _load(model_dir, name)
    known = _known(taught, old)
    if new in known or not new.strip() or len(new) > 200:
        raise CommandFailedError(f"“{new}” cannot be its name: it is taken, empty, or longer than 200 characters.")
    meta = {"labels": [new if label == old else label for label in known]}
    tables = replace(taught.tables, meta=_changed(taught.tables.meta, **meta))
    _save(replace(taught, tables=tables), model_dir, name)
    click.echo(f"{name}: “{old}” is “{new}” now")


@labels.command("remove")
@_options
@click.option("--label", required=True, help="The label that goes.")
def remove_label(name: str, model_dir: Path, label: str) -> None:
    """Remove one label; its texts get the likeliest of the others."""
    taught = _load(model_dir, name)
    known = _known(taught, label)
    if len(known) < 3:
        raise CommandFailedError(f"{name} has {len(known)} labels, and two are the least: delete {model_dir / FOLDER / name} instead.")
    place = known.index(label)
    meta = _changed(taught.tables.meta, labels=[each for each in known if each != label])
    _save(taught.without(place, meta), model_dir, name)
    click.echo(f"{name}: “{label}” is gone, {len(known) - 1} labels stay")


def _load(model_dir: Path, name: str) -> Taught:
    try:
        return Taught.load(model_dir / FOLDER / name)
    except ModelError as error:
        raise CommandFailedError(str(error)) from error


def _save(taught: Taught, model_dir: Path, name: str) -> None:
    try:
        taught.save(model_dir / FOLDER / name)
    except OSError as error:
        raise CommandFailedError(f"{model_dir / FOLDER / name} cannot be written: {error.strerror}") from error


def _known(taught: Taught, label: str) -> list[str]:
    known = taught.labels
    if label not in known:
        raise CommandFailedError(f"There is no label “{label}”: `earshot triage labels list` shows them.")
    return known


def _changed(meta: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the meta data with changes, under another fingerprint."""
    told = repr((meta["fingerprint"], sorted(changes.items()))).encode("utf-8", "backslashreplace")
    return {**meta, **changes, "fingerprint": hashlib.sha256(told).hexdigest()[: len(str(meta["fingerprint"]))]}
