"""The commands of recognition, and the one place that names its concrete parts."""

import sys

import click

from earshot_recognition.app import create_recognition_app
from earshot_recognition.erasing import ID_PURPOSE
from earshot_recognition.rules import CurrentRules, RecognitionConfig
from earshot_recognition.settings import RecognitionSettings
from earshot_recognition.stage import OUTPUTS, Recognition
from earshot_shared.access import Secret
from earshot_shared.config import ConfigFile
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import run_service
from earshot_shared.settings import read_settings

GATHERS_S = 0.5
"""Standings follow within this while items keep coming: nobody waits for one, and small slices here make more of them in crm-sync too."""


@click.group("recognition")
def commands() -> None:
    """Who helps, and the standing that follows from it."""


@commands.command()
def serve() -> None:
    """Run the service; configured by environment (docs/settings.md) and config/recognition.yaml."""
    settings = read_settings(RecognitionSettings)
    config = ConfigFile(settings.config_dir, "recognition", RecognitionConfig)
    rules = CurrentRules(config)

    stages: list[Recognition] = []

    async def open_runtime(ground: Ground, secret: Secret) -> Runtime:
        stages.append(Recognition(rules, key=secret.key(ID_PURPOSE)))
        return await Runtime.open(ground, stage=lambda _: stages[0], outputs=OUTPUTS, gathers_s=GATHERS_S)

    sys.exit(
        run_service(
            settings,
            open_runtime=open_runtime,
            build_app=lambda parts: create_recognition_app(parts, stages[0]),
            more_tasks=lambda parts: {"config": config.counted_in(parts.metrics).watch},
        )
    )
