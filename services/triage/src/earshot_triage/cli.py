"""The commands of triage, and the one place where its parts are put together."""

import sys

import click

from earshot_shared.settings import read_settings
from earshot_triage.asking import rehearse
from earshot_triage.judgement.commands import classify, distil, evaluate, train
from earshot_triage.labelling import labels
from earshot_triage.settings import TriageSettings


@click.group(name="triage")
def commands() -> None:
    """Judges each item, routes it to those who can act, and keeps the cases and their clocks."""


@commands.command("serve")
def serve_command() -> None:
    """Run the service; what it needs is in the environment (docs/settings.md)."""
    # Imported here: the offline commands need no server, and start in half the time and memory without one.
    from earshot_shared.service import run_service
    from earshot_triage.wiring import Wiring

    wiring = Wiring(read_settings(TriageSettings))
    sys.exit(run_service(wiring.settings, open_runtime=wiring.open_runtime, build_app=wiring.build_app, more_tasks=wiring.more_tasks))


for other in (classify, train, distil, evaluate, rehearse, labels):
    commands.add_command(other)
