"""``earshot replay``: rebuilds a service's view from the topics, on a running system."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID

from earshot_shared.cli.locate import data_dir_option, find_servers
from earshot_shared.http.times import parse_time
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.replay import Replay, run_replay

LINE_EVERY_S = 5.0


def _parse_since(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    del ctx, parameter
    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise click.BadParameter(f"it {error}") from error


def _follow(bar: Progress, task: TaskID) -> Callable[[int, int], None]:
    return lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Callable[[int, int], None]:
    """Say how far it is in plain lines, one every few seconds."""
    told_at = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > LINE_EVERY_S:
            told_at = time.monotonic()
            click.echo(f"{done:,} of {total:,} events folded again.", err=True)

    return tell


@click.command("replay")
@click.option("--service", type=click.Choice(["triage", "recognition", "crm-sync"]), required=True, help="Whose view is rebuilt.")
@click.option("--from-beginning", is_flag=True, help="Empty the view and fold everything anew.")
@click.option("--since", callback=_parse_since, help="Fold again what was written since this time, on top of the view (RFC 3339).")
@data_dir_option
def replay(service: str, from_beginning: bool, since: datetime | None, data_dir: Path) -> None:
    """Rebuild a service's view from the topics while the system runs; ids and people's actions stay."""
    if from_beginning == (since is not None):
        raise click.UsageError("Say either --from-beginning or --since TIME.")
    servers = find_servers(data_dir)
    wanted = Replay(service=service, package=services_with_schema()[service], since=since)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{service} folds again", total=None)
        events = asyncio.run(
            run_replay(
                wanted,
                dsn=servers.postgres(),
                bootstrap=servers.kafka(),
                prefix=servers.topic_prefix,
                progress=_follow(bar, task) if console.is_terminal else _lines(),
            )
        )
    click.echo(msgspec.json.encode({"service": service, "events": events}).decode())
