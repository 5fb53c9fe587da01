"""``earshot config``: checks the files that operators tune."""

from pathlib import Path

import click

from earshot_shared.cli.counted import counted
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.config import check_all
from earshot_shared.settings import default_config_dir


@click.group()
def config() -> None:
    """Check the files that operators tune."""


@config.command()
@click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="EARSHOT_CONFIG_DIR",
    default=None,
    help="Where the files are (default: ./config, else the one of the checkout).",
)
def check(config_dir: Path | None) -> None:
    """Validate every config file; say file, line and reason of whatever is wrong."""
    folder = config_dir or default_config_dir()
    verdicts = check_all(folder)
    faults = [fault for verdict in verdicts for fault in verdict.faults]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        raise CommandFailedError(f"{counted(len(faults), 'fault')} in {folder}: mend and check again.")
    for verdict in verdicts:
        click.echo(f"{verdict.name}.yaml: {'as shipped' if verdict.absent else 'good'}, version {verdict.version}")
