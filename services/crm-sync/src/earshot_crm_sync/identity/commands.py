"""`earshot crm-sync resolve` and `earshot crm-sync evaluate`: the offline commands of identity.

Owns options and words for people. Must not resolve: see `offline`, which is imported when it is needed: the
service has these commands too, and no use for numpy.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from earshot_shared.cli.counted import counted

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_WRITABLE = click.Path(dir_okay=False, path_type=Path)


@click.command("resolve")
@click.option("--input", "source", type=_EXISTING, required=True, help="Records, one JSON object a line.")
@click.option("--output", "target", type=_WRITABLE, required=True, help="Where the answers go, one a line.")
@click.option("--weights", type=_EXISTING, help="Weights that `earshot crm-sync learn` made from your own records.")
def resolve_command(source: Path, target: Path, weights: Path | None) -> None:
    """Say which records of a file are one customer: {"id", "customer_id", "confidence"} for each."""
    from .offline.files import resolve_file
    from .offline.weights import read_weights

    began = time.monotonic()
    try:
        summary = resolve_file(source, target, read_weights(weights) if weights else None)
    except OSError as failure:
        raise click.ClickException(f"{failure.strerror or failure}: {failure.filename}") from failure
    seconds = max(time.monotonic() - began, 1e-6)
    click.echo(
        f"{counted(summary.records, 'record is', 'records are')} {counted(summary.customers, 'customer')}; "
        f"{counted(summary.pairs, 'pair')} compared "
        f"in {seconds:.1f} s "
        f"({summary.records / seconds:,.0f} records/s).",
        err=True,
    )


@click.command("learn")
@click.option("--input", "source", type=_EXISTING, required=True, help="Your own records, one JSON object a line; no labels.")
@click.option("--output", "target", type=_WRITABLE, required=True, help="Where the weights go.")
def learn_command(source: Path, target: Path) -> None:
    """Learn weights from your own records with Splink, without labels (needs the extra `learn`)."""
    try:
        from .offline.learn import learn_weights
    except ImportError as missing:
        raise click.ClickException("Install the extra first: pip install 'earshot-crm-sync[learn]'.") from missing
    from .offline.files import read_columns
    from .offline.weights import write_weights

    write_weights(learn_weights(read_columns(source)), target)
    click.echo(f"Weights written to {target}; use them with: earshot crm-sync resolve --weights {target}", err=True)


@click.command("evaluate")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of the public sets.")
@click.option("--docs", type=click.Path(file_okay=False, path_type=Path), help="Folder to write identity-results.md to.")
@click.option("--beside/--alone", default=True, help="Run Splink and recordlinkage on the same records.")
def evaluate_command(data: Path | None, docs: Path | None, beside: bool) -> None:
    """Measure quality on sets with known truth, beside Splink and recordlinkage in the same run."""
    from .offline.evaluate import evaluate

    click.echo(evaluate(data=data, docs=docs, beside=beside))
