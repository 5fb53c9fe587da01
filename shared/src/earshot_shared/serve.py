"""Runs one service: its HTTP side and its background tasks in one process, from start to an orderly end.

Owns signals, the order of stopping and the exit code. A side task that dies, or ends before it was asked to, stops the process with exit
code 1, so that whoever supervises it starts it again. SIGTERM and SIGINT stop the server first (no new requests, open ones finish), then
the tasks; a second signal, or a deadline passed, ends it at once.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, Final

import uvicorn
import uvloop
from uvicorn._types import ASGIApplication

from earshot_shared.errors import EarshotError, FatalError
from earshot_shared.http.protocol import GuardedProtocol
from earshot_shared.settings import ServiceSettings

Task = Callable[[], Coroutine[Any, Any, None]]
"""A background task. It runs until cancelled, and treats cancellation as the wish to end in order."""

_log = logging.getLogger(__name__)
_START_TIMEOUT_S: Final = 30.0
_SECOND_SIGNAL_EXIT: Final = 130


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: this module has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[override]  # a context manager, as there
        yield


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a service's main coroutine on uvloop and return the process's exit code: 0 done, 1 failed (the log says why)."""
    try:
        uvloop.run(main())
    except EarshotError as error:
        _log.error("service stopped", extra={"action": "service_stopped", "code": error.code, "detail": error.detail})
        print(error.detail, file=sys.stderr)  # noqa: T201  # the one sentence for whoever started it by hand
        return 1
    except Exception as error:  # noqa: BLE001  # the outermost supervisor: says what happened and exits non-zero
        _log.error("service failed", extra={"action": "service_failed"}, exc_info=error)
        return 1
    return 0


async def serve(
    app: ASGIApplication,
    settings: ServiceSettings,
    *,
    tasks: Mapping[str, Task] | None = None,
    on_ready: Callable[[str, int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve ``app`` and run ``tasks`` until a signal or ``stop``, then end both in order.

    ``on_ready`` is told host and port once the server listens (the port is the real one where 0 was asked for).
    Raises: FatalError when the port is taken, or a task ended by itself; what a task raised.
    """
    stop = stop or asyncio.Event()
    server = _Server(_config(app, settings))
    async with asyncio.TaskGroup() as group, _signals(stop):
        running = [group.create_task(_guard(name, task, stop), name=name) for name, task in (tasks or {}).items()]
        serving = group.create_task(_listen(server, settings), name="http")
        await _started(server, serving)
        if on_ready is not None:
            on_ready(settings.host, _port_of(server, settings))
        await stop.wait()
        _log.info("stopping", extra={"action": "stopping"})
        server.should_exit = True
        await asyncio.wait([serving], timeout=settings.shutdown_s)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=settings.shutdown_s)
            _refuse_to_hang(running)


def _config(app: ASGIApplication, settings: ServiceSettings) -> uvicorn.Config:
    protocol = type("ServiceProtocol", (GuardedProtocol,), {"header_patience_s": settings.slow_client_s})
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        loop="none",  # the loop runs already
        lifespan="off",  # start and end are this module's business
        access_log=False,  # its lines would carry addresses and queries
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_s)),
    )


async def _guard(name: str, task: Task, stop: asyncio.Event) -> None:
    """Run one task; that it ends before anybody asked is a failure like any other."""
    await task()
    if not stop.is_set():
        raise FatalError(f"The task {name} ended by itself, which it must not.", code="task-ended")


async def _listen(server: _Server, settings: ServiceSettings) -> None:
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way to say that it cannot listen
        where = f"{settings.host}:{settings.port}"
        raise FatalError(f"Cannot listen on {where}: choose another port, or stop what listens there.", code="port-taken") from None


async def _started(server: _Server, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_TIMEOUT_S):
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)


def _port_of(server: _Server, settings: ServiceSettings) -> int:
    sockets = [socket for listener in server.servers for socket in listener.sockets]
    return int(sockets[0].getsockname()[1]) if sockets else settings.port


def _refuse_to_hang(running: list[asyncio.Task[None]]) -> None:
    """End the process when a task does not end within its deadline: what it held is safe in Postgres."""
    late = [task.get_name() for task in running if not task.done()]
    if late:
        _log.error("tasks did not end in time", extra={"action": "stop_forced", "tasks": late})
        os._exit(1)


@contextlib.asynccontextmanager
async def _signals(stop: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(_SECOND_SIGNAL_EXIT)  # the second time they mean it
        stop.set()

    caught = (signal.SIGTERM, signal.SIGINT)
    for each in caught:
        loop.add_signal_handler(each, asked)
    try:
        yield
    finally:
        for each in caught:
            loop.remove_signal_handler(each)
