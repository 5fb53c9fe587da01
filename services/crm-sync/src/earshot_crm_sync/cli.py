"""The commands of crm-sync, and the one place that names its concrete parts."""

import sys

import click

from earshot_crm_sync.app import create_crm_sync_app
from earshot_crm_sync.config import CrmSyncConfig, CurrentRules
from earshot_crm_sync.identity.commands import evaluate_command, learn_command, resolve_command
from earshot_crm_sync.settings import CrmSyncSettings
from earshot_crm_sync.stage import ID_PURPOSE, OUTPUTS, CrmSync
from earshot_shared.access import Secret
from earshot_shared.config import ConfigFile
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import run_service
from earshot_shared.settings import read_settings


@click.group("crm-sync")
def commands() -> None:
    """One customer from all the accounts and contacts that prove to be one person."""


commands.add_command(resolve_command)
commands.add_command(learn_command)
commands.add_command(evaluate_command)


@commands.command()
def serve() -> None:
    """Run the service; configured by environment (docs/settings.md) and config/crm-sync.yaml."""
    settings = read_settings(CrmSyncSettings)
    config = ConfigFile(settings.config_dir, "crm-sync", CrmSyncConfig)
    rules = CurrentRules(config)
    stages: list[CrmSync] = []

    async def open_runtime(ground: Ground, secret: Secret) -> Runtime:
        stages.append(CrmSync(rules, key=secret.key(ID_PURPOSE)))
        return await Runtime.open(ground, stage=lambda _: stages[0], outputs=OUTPUTS, looks_ahead=True)

    sys.exit(
        run_service(
            settings,
            open_runtime=open_runtime,
            build_app=lambda parts: create_crm_sync_app(parts, rules, stages[0]),
            more_tasks=lambda parts: {"config": config.counted_in(parts.metrics).watch},
        )
    )
