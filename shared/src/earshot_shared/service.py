"""Puts one service together and runs it: ground, runtime, keys, health, metrics, routes, and what stops when.

Owns the order of beginning and ending. A service's ``cli.py`` says what its runtime and its routes are; nothing else differs.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from earshot_shared.access import PostgresKeys, Secret, open_access_pool, read_secret
from earshot_shared.health import Health, database_check
from earshot_shared.http.auth import Keyring
from earshot_shared.http.door import Door
from earshot_shared.http.idempotency import keep_pruned
from earshot_shared.http.paging import Cursors
from earshot_shared.logs import configure_logs
from earshot_shared.metrics import Metrics
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.serve import Task, calm_collector, run, serve
from earshot_shared.settings import ServiceSettings, is_example

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a service's routes are built from."""

    settings: ServiceSettings
    runtime: Runtime
    secret: Secret
    keyring: Keyring
    cursors: Cursors
    health: Health
    metrics: Metrics


OpenRuntime = Callable[[Ground, Secret], Awaitable[Runtime]]
BuildApp = Callable[[Parts], Door]
MoreTasks = Callable[[Parts], Mapping[str, Task]]


def run_service(settings: ServiceSettings, *, open_runtime: OpenRuntime, build_app: BuildApp, more_tasks: MoreTasks = lambda _: {}) -> int:
    """Run a service until it is told to stop; return the process's exit code."""
    configure_logs(settings.service, settings.log_level)
    if settings.api_key is not None and is_example(settings.api_key.get_secret_value()):
        _log.warning("the API key is the one of .env.example, which everybody knows", extra={"action": "example_key"})
    return run(lambda: _serve(settings, open_runtime, build_app, more_tasks))


async def _serve(settings: ServiceSettings, open_runtime: OpenRuntime, build_app: BuildApp, more_tasks: MoreTasks) -> None:
    ground = Ground(
        service=settings.service,
        kafka_bootstrap=settings.kafka_bootstrap,
        postgres_dsn=settings.dsn,
        topic_prefix=settings.topic_prefix,
    )
    async with contextlib.AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_access_pool(settings.dsn, settings.topic_prefix, application=ground.schema))
        secret = await read_secret(access)
        runtime = await open_runtime(ground, secret)
        stack.push_async_callback(runtime.close)
        first_key = settings.api_key.get_secret_value() if settings.api_key else None
        parts = Parts(
            settings=settings,
            runtime=runtime,
            secret=secret,
            keyring=Keyring(PostgresKeys(access), first_key=first_key),
            cursors=Cursors(secret),
            health=Health(),
            metrics=Metrics(settings.service),
        )
        _watch_health(parts)
        _follow(parts)
        tasks = {**runtime.tasks(), "tickets": lambda: keep_pruned(runtime.pool), "guard": parts.health.stand_guard, **more_tasks(parts)}
        app: Any = build_app(parts)  # uvicorn's own type of an application spells out every message
        calm_collector()  # again: what was made since is here to stay too
        await serve(app, settings, tasks=tasks)


def _watch_health(parts: Parts) -> None:
    parts.health.require("database", database_check(parts.runtime.pool, parts.settings.service))
    loop = parts.runtime.loop
    if loop is None:
        return

    parts.health.watch("loop", lambda: loop.state.turned_at)

    async def positions_loaded() -> str | None:
        return None if loop.state.ready else loop.state.reason

    parts.health.require("loop", positions_loaded)


def _follow(parts: Parts) -> None:
    """Show what loop and relay know of themselves."""
    loop, relay, metrics = parts.runtime.loop, parts.runtime.relay, parts.metrics
    metrics.follow("relay_holds_lease", lambda: relay.holds_lease)
    metrics.follow("outbox_age_seconds", lambda: relay.outbox_age_s)
    metrics.follow("dead_letters", lambda: relay.dead_letters)
    if loop is None:
        return
    state = loop.state
    metrics.follow("records_applied_total", lambda: state.applied)
    metrics.follow("records_duplicate_total", lambda: state.duplicates)
    metrics.follow("records_redelivered_total", lambda: state.redelivered)
    metrics.follow("slices_applied_total", lambda: state.slices)
    metrics.follow("records_set_aside_total", lambda: state.poison)
    metrics.follow("slices_fenced_total", lambda: state.fenced)
    metrics.follow("slices_retried_total", lambda: state.retries)
    metrics.follow("consumer_lag_records", lambda: state.lag)
    metrics.follow("partitions_paused", lambda: state.paused)
