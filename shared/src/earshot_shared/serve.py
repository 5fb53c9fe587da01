"""Runs one service: its HTTP side and its background tasks in one process, from start to an orderly end.

Owns signals, the order of stopping and the exit code. A side task that dies, or ends before it was asked to, stops the process with exit
code 1, so that whoever supervises it starts it again. SIGTERM and SIGINT stop the server first (no new requests, open ones finish), then
the tasks; a second signal, or a deadline passed, ends it at once.
"""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, Final

import uvicorn
import uvloop

from earshot_shared.errors import EarshotError, FatalError
from earshot_shared.http.protocol import GuardedProtocol
from earshot_shared.settings import ServiceSettings

Task = Callable[[], Coroutine[Any, Any, None]]
"""A background task. It runs until cancelled, and treats cancellation as the wish to end in order."""

Application = Callable[..., Awaitable[None]]
"""An ASGI application, such as `earshot_shared.http.door.Door`."""

_log = logging.getLogger(__name__)
_SECOND_SIGNAL_EXIT: Final = 130
# Connections beyond the requests served at once: idle ones, and health checks, which must get through when everything else waits.
_RESERVE_CONNECTIONS: Final = 200
_LEAVE_S: Final = 10.0
_OTHER_FILES: Final = 200  # logs, pools, Kafka, modules


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own (this module has them), and with a way to wait until it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a service's main coroutine on uvloop and return the process's exit code: 0 done, 1 failed (the log says why)."""
    calm_collector()
    leaving = threading.Timer(_LEAVE_S, _give_up)
    leaving.daemon = True

    async def then_leave() -> None:
        try:
            await main()
        finally:
            leaving.start()  # what a library left behind and does not end when it is cancelled

    try:
        uvloop.run(then_leave())
    except Exception as error:  # noqa: BLE001  # the outermost supervisor: says what happened and exits non-zero
        first = _first_of(error)
        detail = (
            first.detail if isinstance(first, EarshotError) else f"An unexpected {type(first).__name__} stopped the service: see its log."
        )
        _log.error("service stopped", extra={"action": "service_stopped", "detail": detail}, exc_info=first)
        return 1
    finally:
        leaving.cancel()
    return 0


def calm_collector() -> None:
    """Let the collector of cycles look at less, less often.

    A slice makes tens of thousands of objects that die together, without cycles; at its usual thresholds the collector looks through them,
    and through everything that was imported, several times a slice: a third of the slice's CPU (92 µs an event of triage against 58).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def serve(
    app: Application,
    settings: ServiceSettings,
    *,
    tasks: Mapping[str, Task] | None = None,
    on_ready: Callable[[str, int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve ``app`` and run ``tasks`` until a signal or ``stop``, then end both in order.

    The tasks are ended in the reverse order of ``tasks`` ({"relay", "loop"}: the loop first), one after the other, so that what one still
    says the next can finish. ``on_ready`` is told host and port once the server listens (the real port where 0 was asked for).
    Raises: FatalError when the port is taken or a task ended by itself; what a task raised (the first of them, out of its group).
    """
    try:
        await _serve(app, settings, tasks or {}, on_ready, stop or asyncio.Event())
    except BaseExceptionGroup as group:
        first = _first_of(group)
    else:
        return
    raise first  # out of the handler: its own cause must stay what it is


async def _serve(
    app: Application,
    settings: ServiceSettings,
    tasks: Mapping[str, Task],
    on_ready: Callable[[str, int], None] | None,
    stop: asyncio.Event,
) -> None:
    _allow_files(settings.max_connections + _RESERVE_CONNECTIONS + _OTHER_FILES)
    server = _Server(_config(app, settings))
    async with contextlib.AsyncExitStack() as ending, asyncio.TaskGroup() as group, _signals(stop):
        serving = group.create_task(_listen(server, settings), name="http")
        await server.listening.wait()
        running = {name: group.create_task(_guard(name, task, stop), name=name) for name, task in tasks.items()}
        if on_ready is not None:
            on_ready(settings.host, _port_of(server, settings))
        try:
            await stop.wait()
        except asyncio.CancelledError:  # a task failed: the others end, and none may keep this process from being started again
            ending.callback(asyncio.get_running_loop().call_later(settings.shutdown_s, _give_up).cancel)
            raise
        _log.info("stopping", extra={"action": "stopping"})
        server.should_exit = True
        await asyncio.wait([serving], timeout=settings.shutdown_s)
        for name in reversed(running):
            await _end(running[name], settings.shutdown_s)


def _give_up() -> None:
    """End this process at once (its work is safe in Postgres)."""
    _log.error("what runs did not end in time", extra={"action": "stop_forced"})
    os._exit(1)


async def _end(task: asyncio.Task[None], timeout_s: float) -> None:
    """Cancel one task; one that does not end in time ends the process."""
    task.cancel()
    await asyncio.wait([task], timeout=timeout_s)
    if not task.done():
        _give_up()


def _config(app: Application, settings: ServiceSettings) -> uvicorn.Config:
    most = settings.max_connections + _RESERVE_CONNECTIONS
    protocol = type("ServiceProtocol", (GuardedProtocol,), {"header_patience_s": settings.slow_client_s, "max_connections": most})
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


def _allow_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it may, for each connection is one; the usual 1,024 are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _guard(name: str, task: Task, stop: asyncio.Event) -> None:
    """Run one task; that it ends before anybody asked is a failure like any other, even when what it awaited was cancelled and not it."""
    try:
        await task()
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is None or current.cancelling():
            raise
    if not stop.is_set():
        raise FatalError(f"The task {name} ended by itself, which it must not.", code="task-ended")


async def _listen(server: _Server, settings: ServiceSettings) -> None:
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way to say that it cannot listen
        where = f"{settings.host}:{settings.port}"
        raise FatalError(f"Cannot listen on {where}: choose another port, or stop what listens there.", code="port-taken") from None
    finally:
        for listener in getattr(server, "servers", ()):  # none yet, when it could not begin
            listener.close()


def _port_of(server: _Server, settings: ServiceSettings) -> int:
    sockets = [bound for listener in server.servers for bound in listener.sockets]
    return int(sockets[0].getsockname()[1]) if sockets else settings.port


def _first_of(error: BaseException) -> BaseException:
    """Return the first real cause in nested groups: one sentence is more use than a tree."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


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
