"""The commands of crm-sync, and the one place that names its concrete parts."""

import sys

import click

from earshot_crm_sync.app import create_crm_sync_app
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.settings import CrmSyncSettings
from earshot_crm_sync.stage import ID_PURPOSE, CrmSync
from earshot_shared.access import Secret
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import run_service
from earshot_shared.settings import read_settings
from earshot_shared.topics import Topic


@click.group("crm-sync")
def commands() -> None:
    """One customer from all the accounts and contacts that prove to be one person."""


@commands.command()
def serve() -> None:
    """Run the service; configured by environment (docs/settings.md) and config/crm-sync.yaml."""
    settings = read_settings(CrmSyncSettings)
    rules = Rules()

    async def open_runtime(ground: Ground, secret: Secret) -> Runtime:
        stage = CrmSync(lambda: rules, key=secret.key(ID_PURPOSE))
        return await Runtime.open(
            ground, stage=lambda _: stage, outputs=[Topic.CUSTOMER_CHANGED, Topic.CONTACT_RECEIVED, Topic.ACTION_TAKEN]
        )

    sys.exit(run_service(settings, open_runtime=open_runtime, build_app=lambda parts: create_crm_sync_app(parts, lambda: rules)))
