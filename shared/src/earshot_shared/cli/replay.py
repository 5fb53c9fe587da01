"""``earshot replay``: rebuilds a service's view from the topics, on a running system.

By ``--data-dir`` (or the servers in the environment) Postgres and Kafka are asked themselves; by ``--url`` the service is.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import Servers, data_dir_option, find_endpoint, find_servers, url_option
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.envelope import rfc3339
from earshot_shared.http.times import parse_time
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.replay import Replay, run_replay

if TYPE_CHECKING:
    from earshot_shared.administration.client import Installation

LINE_EVERY_S = 5.0
_LOOK_S = 0.3
_PATIENCE_S = 60.0  # a service that dies is back within 30 s
Told = Callable[[int, int], None]
Work = Callable[[Told], int]


def _parse_since(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    del ctx, parameter
    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise click.BadParameter(f"it {error}") from error


def _follow(bar: Progress, task: TaskID) -> Told:
    return lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Told:
    """Say how far it is in plain lines, one every few seconds."""
    told_at = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > LINE_EVERY_S:
            told_at = time.monotonic()
            click.echo(f"{done:,} of {counted(total, 'event')} folded again.", err=True)

    return tell


@click.command("replay")
@click.option("--service", type=click.Choice(["triage", "recognition", "crm-sync"]), required=True, help="Whose view is rebuilt.")
@click.option("--from-beginning", is_flag=True, help="Empty the view and fold everything anew.")
@click.option("--since", callback=_parse_since, help="Fold again what was written since this time, on top of the view (RFC 3339).")
@data_dir_option
@url_option
def replay(service: str, from_beginning: bool, since: datetime | None, data_dir: Path, url: str | None) -> None:
    """Rebuild a service's view from the topics while the system runs; ids and people's actions stay."""
    if from_beginning == (since is not None):
        raise click.UsageError("Say either --from-beginning or --since TIME.")
    work = _by_servers(find_servers(data_dir), service, since) if url is None else _by_url(url, service, since)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{service} folds again", total=None)
        events = work(_follow(bar, task) if console.is_terminal else _lines())
    click.echo(msgspec.json.encode({"service": service, "events": events}).decode())


def _by_servers(servers: Servers, service: str, since: datetime | None) -> Work:
    """Replay by Postgres and Kafka themselves: the service need not answer."""
    wanted = Replay(service=service, package=services_with_schema()[service], since=since)
    dsn, bootstrap = servers.postgres(), servers.kafka()

    def work(progress: Told) -> int:
        return asyncio.run(run_replay(wanted, dsn=dsn, bootstrap=bootstrap, prefix=servers.topic_prefix, progress=progress))

    return work


def _by_url(url: str, service: str, since: datetime | None) -> Work:
    """Replay by asking the service, and by its own statistics until it is done."""
    from earshot_shared.administration.client import Installation  # the HTTP client is slow to import

    endpoint = find_endpoint(url)

    def work(progress: Told) -> int:
        with Installation(endpoint) as installation:
            wanted = {} if since is None else {"since": rfc3339(since)}
            begun = installation.call_service(service, "POST", "/admin/replay", wanted)
            until, events = begun["until"], int(begun["events"])
            while behind := _behind(installation, service, until):
                progress(events - behind, events)
                time.sleep(_LOOK_S)
            return events

    return work


def _behind(installation: "Installation", service: str, until: dict[str, int]) -> int:
    """Return how many events are still to be folded; a service that restarts meanwhile is waited for.

    Raises: CommandFailedError when it does not come back.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            position = installation.call_service(service, "GET", "/v1/stats")["position"]
        except CommandFailedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)
        else:
            return sum(max(0, end - position.get(at, end)) for at, end in until.items())
