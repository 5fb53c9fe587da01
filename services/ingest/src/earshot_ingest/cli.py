"""The commands of ingest, and the one place where its parts are put together."""

import asyncio
import sys
from contextlib import AsyncExitStack

import click

from earshot_ingest.app import Parts, make_app
from earshot_ingest.domain.sources import SourceBook
from earshot_ingest.door import Intake
from earshot_ingest.group import GroupCommit
from earshot_ingest.settings import IngestSettings
from earshot_ingest.stage import OUTPUTS, IngestStage
from earshot_shared import logs, serve
from earshot_shared.access import PostgresKeys, open_access_pool, read_secret
from earshot_shared.http.auth import Keyring
from earshot_shared.metrics import Metrics
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.settings import read_settings


@click.group(name="ingest")
def commands() -> None:
    """The door: takes what customers say, over HTTP and from files."""


@commands.command("serve")
def serve_command() -> None:
    """Run the service; what it needs is in the environment (docs/settings.md)."""
    settings = read_settings(IngestSettings)
    logs.configure_logs(settings.service, settings.log_level)
    sys.exit(serve.run(lambda: run(settings)))


async def run(settings: IngestSettings, *, stop: asyncio.Event | None = None) -> None:
    """Run the service until it is told to stop."""
    async with AsyncExitStack() as stack:
        access = await stack.enter_async_context(
            open_access_pool(settings.dsn, settings.topic_prefix, application=f"{settings.postgres_schema}_access")
        )
        secret = await read_secret(access)
        ground = Ground(
            service=settings.service,
            kafka_bootstrap=settings.kafka_bootstrap,
            postgres_dsn=settings.dsn,
            topic_prefix=settings.topic_prefix,
        )
        runtime = await Runtime.open(ground, stage=lambda _pool: IngestStage(), outputs=OUTPUTS)
        stack.push_async_callback(runtime.close)
        group = GroupCommit(runtime.writer)
        intake = Intake(group, book=SourceBook, mail_secret=secret.key("mail"))
        first_key = None if settings.api_key is None else settings.api_key.get_secret_value()
        app = make_app(
            settings,
            Parts(runtime=runtime, group=group, intake=intake),
            authenticate=Keyring(PostgresKeys(access), first_key=first_key),
            metrics=Metrics(settings.service),
        )
        await serve.serve(app, settings, tasks={**runtime.tasks(), "group": group.run}, stop=stop)
