"""The commands of the console, and the one place that names its concrete parts."""

import asyncio
import contextlib
import functools
import sys
from typing import Any

import click
import httpx

from earshot_console.app import Console
from earshot_console.hub import Hub
from earshot_console.proxy import Proxy, Upstream
from earshot_console.sessions import Sessions
from earshot_console.settings import ConsoleSettings
from earshot_console.streams import Streams
from earshot_shared.access import PostgresKeys, open_access_pool, read_secret, spend_token
from earshot_shared.health import Health
from earshot_shared.http.auth import Keyring
from earshot_shared.http.paging import Cursors
from earshot_shared.logs import configure_logs
from earshot_shared.metrics import Metrics
from earshot_shared.serve import run, serve
from earshot_shared.settings import read_settings


@click.group("console")
def commands() -> None:
    """The page where people watch, and the stream that dashboards subscribe to."""


@commands.command("serve")
def serve_command() -> None:
    """Run the service; what it needs is in the environment (docs/settings.md)."""
    settings = read_settings(ConsoleSettings)
    configure_logs(settings.service, settings.log_level)
    sys.exit(run(lambda: _serve(settings)))


async def _serve(settings: ConsoleSettings) -> None:
    api_key = settings.api_key.get_secret_value() if settings.api_key else None
    token = settings.login_token.get_secret_value() if settings.login_token else None
    async with contextlib.AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_access_pool(settings.dsn, settings.topic_prefix, application="earshot_console"))
        secret = await read_secret(access)
        client = await stack.enter_async_context(httpx.AsyncClient(follow_redirects=False))
        hub = Hub(bootstrap=settings.kafka_bootstrap, prefix=settings.topic_prefix, client_id=f"{settings.topic_prefix}-console")
        keyring = Keyring(PostgresKeys(access), first_key=api_key)
        console = Console(
            settings,
            hub=hub,
            streams=Streams(hub, most=settings.max_streams),
            sessions=Sessions(
                secret, keyring, login_token=token, spend=functools.partial(spend_token, access), hours=settings.session_hours
            ),
            keyring=keyring,
            proxy=Proxy(_upstreams(settings), api_key=api_key, client=client),
            cursors=Cursors(secret),
        )
        health = Health()
        health.require("stream", lambda: _stream_ready(hub))
        app: Any = console.app(health, Metrics(settings.service))  # uvicorn's own type of an application spells out every message
        stop = asyncio.Event()
        await serve(app, settings, tasks={"hub": hub.run, "streams": lambda: hub.end_streams_at(stop)}, stop=stop)


def _upstreams(settings: ConsoleSettings) -> dict[str, Upstream]:
    return {
        "ingest": Upstream(url=settings.ingest_url, scope="ingest"),
        "triage": Upstream(url=settings.triage_url, scope="triage", write=True),
        "recognition": Upstream(url=settings.recognition_url, scope="recognition"),
        "crm-sync": Upstream(url=settings.crm_sync_url, scope="crm-sync", write=True),
    }


async def _stream_ready(hub: Hub) -> str | None:
    return None if hub.ready else "Kafka has not been reached yet"
