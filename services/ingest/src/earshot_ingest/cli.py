"""The commands of ingest, and the one place where its parts are put together."""

import sys

import click

from earshot_ingest.settings import IngestSettings
from earshot_ingest.wiring import Wiring
from earshot_shared.service import run_service
from earshot_shared.settings import read_settings


@click.group(name="ingest")
def commands() -> None:
    """The door: takes what customers say, over HTTP and from files."""


@commands.command("serve")
def serve_command() -> None:
    """Run the service; what it needs is in the environment (docs/settings.md)."""
    wiring = Wiring(read_settings(IngestSettings))
    sys.exit(run_service(wiring.settings, open_runtime=wiring.open_runtime, build_app=wiring.build_app, more_tasks=wiring.more_tasks))
