"""The commands of ingest, and the one place where its parts are put together."""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from earshot_ingest.republish import republish
from earshot_ingest.settings import IngestSettings
from earshot_ingest.wiring import Wiring
from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import Servers, data_dir_option, find_servers
from earshot_shared.http.times import parse_time
from earshot_shared.pipeline.positions import HELP
from earshot_shared.pipeline.regrounding import reground
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import open_pool, translated
from earshot_shared.service import run_service
from earshot_shared.settings import read_settings
from earshot_shared.topics import schema_name


@click.group(name="ingest")
def commands() -> None:
    """The door: takes what customers say, over HTTP and from files."""


@commands.command("serve")
def serve_command() -> None:
    """Run the service; what it needs is in the environment (docs/settings.md)."""
    wiring = Wiring(read_settings(IngestSettings))
    sys.exit(run_service(wiring.settings, open_runtime=wiring.open_runtime, build_app=wiring.build_app, more_tasks=wiring.more_tasks))


def _moment(_context: click.Context, _parameter: click.Parameter, value: str) -> datetime:
    """Return the time that ``--since`` names: RFC 3339, or so many hours or days ago (``36h``, ``2d``)."""
    if value[:-1].isdigit() and value[-1:] in "hd":
        with contextlib.suppress(OverflowError):
            return datetime.now(UTC) - timedelta(hours=int(value[:-1]) * (1 if value.endswith("h") else 24))
        raise click.BadParameter("nothing was heard so long ago")
    try:
        return parse_time(value)
    except ValueError as error:
        raise click.BadParameter(f"it {error}, nor so many hours or days, such as 36h or 2d") from None


@commands.command("republish")
@click.option("--since", required=True, callback=_moment, help="From when on: 2026-05-01T00:00:00Z, or 36h, or 2d.")
@data_dir_option
def republish_command(since: datetime, data_dir: Path) -> None:
    """Mend the loss of a broker's data: bring every service onto the log that is there, and say again what it lacks.

    Where the log is the one that the services know, every item that changed since the moment is said again. Where it is another one, or
    an older copy, all services begin anew on it, and each says again all that it knows. Readers know what they had.
    """
    servers = find_servers(data_dir)
    losses = asyncio.run(reground(servers.postgres(), servers.kafka(), servers.topic_prefix))
    for service, sentence in losses.items():
        click.echo(f"{service}: {sentence.split(HELP)[0].strip()}", err=True)
    if losses:
        click.echo(
            "All services begin anew on this log and say again all they know. `unpublished` in /v1/stats is 0 when they are done.", err=True
        )
    told = asyncio.run(_republish(servers, since))
    click.echo(msgspec.json.encode({"items": told, "begun_anew": bool(losses)}).decode())


async def _republish(servers: Servers, since: datetime) -> int:
    schema = schema_name(IngestSettings.service, servers.topic_prefix)
    with translated():
        pool = await open_pool(servers.postgres(), schema=schema, application=f"{schema}_republish", max_size=3)
    try:
        writer = Writer(pool, service=IngestSettings.service, schema=schema)
        return await republish(writer, since, progress=lambda told: click.echo(f"{counted(told, 'item')} said again.", err=True))
    finally:
        await pool.close()
