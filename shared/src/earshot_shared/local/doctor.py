"""`earshot doctor`: what is wrong with this installation, and how to mend it.

Owns: what the user reads. Must not: look at anything itself (findings.py does), or mend.
"""

from pathlib import Path

import click

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option
from earshot_shared.local.files import DataFolder
from earshot_shared.local.findings import Finding, Grade, examine

_MARKS = {Grade.GOOD: ("ok  ", "green"), Grade.DOUBTFUL: ("mind", "yellow"), Grade.BAD: ("BAD ", "red")}


@click.command()
@data_dir_option
@click.option("--port-base", type=click.IntRange(1, 65_531), default=8000, show_default=True, help="The ports that a start would take.")
def doctor(data_dir: Path, port_base: int) -> None:
    """Say what is wrong with this installation and how to mend it; exit 1 when something must be mended."""
    bad = 0
    for finding in examine(DataFolder(data_dir.absolute()), port_base):
        _tell(finding)
        bad += finding.grade is Grade.BAD
    click.echo("\nNothing needs mending." if not bad else f"\n{counted(bad, 'thing needs', 'things need')} mending.")
    if bad:
        raise SystemExit(1)


def _tell(finding: Finding) -> None:
    mark, colour = _MARKS[finding.grade]
    click.echo(f"{click.style(mark, fg=colour)}  {finding.what}")
    if finding.mend:
        click.echo(f"      -> {finding.mend}")
