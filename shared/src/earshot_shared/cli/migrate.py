"""``earshot migrate``: brings Postgres to the wanted state."""

import asyncio
from pathlib import Path

import click

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option, find_servers
from earshot_shared.migrations import migrate_all
from earshot_shared.migrations.files import Phase


@click.command()
@data_dir_option
@click.option(
    "--phase",
    type=click.Choice(["pre", "post"]),
    default=None,
    help="Only what comes before the new code starts, or only what comes once the old code is gone (default: both).",
)
def migrate(data_dir: Path, phase: Phase | None) -> None:
    """Bring Postgres to the wanted state; do nothing when it is there."""
    servers = find_servers(data_dir)
    applied = asyncio.run(migrate_all(servers.postgres(), servers.topic_prefix, phase=phase))
    for migration in applied:
        click.echo(f"{migration.schema}: {migration.title}")
    click.echo(f"{counted(len(applied), 'migration')} applied." if applied else "Nothing to do: Postgres is as it should be.")
