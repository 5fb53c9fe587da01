"""The runner and its guarded connections, over real sockets on this machine."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from earshot_shared.errors import FatalError
from earshot_shared.http.call import Call
from earshot_shared.http.door import HotRoute
from earshot_shared.http.problems import Answer
from earshot_shared.http.protocol import GuardedProtocol
from earshot_shared.serve import Task, serve
from earshot_shared.testing.app import TEST_KEY
from support.http import echo_door, settings

PATIENCE_S = 0.4
DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running service."""

    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def large(_call: Call) -> Answer:
    return Answer(body=b"x" * 40_000_000)


HOT = {("GET", "/v1/large"): HotRoute(handler=large, scope="admin")}


@contextlib.asynccontextmanager
async def served(*, tasks: dict[str, Task] | None = None) -> AsyncIterator[Served]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    door = echo_door(hot=HOT, slow_client_s=PATIENCE_S)
    running = asyncio.create_task(
        serve(
            door,
            settings(slow_client_s=PATIENCE_S, shutdown_s=2),
            tasks=tasks,
            stop=stop,
            on_ready=lambda _host, port: ready.set_result(port),
        )
    )
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED, timeout=DEADLINE_S)
    assert ready.done(), running
    try:
        yield Served(ready.result(), stop, running)
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait([running])


async def send(service: Served, sent: bytes) -> bytes:
    """Send bytes, keep the line open, and return all that comes until the service closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(sent)
    async with asyncio.timeout(DEADLINE_S):
        answer = await reader.read()
    writer.close()
    return answer


KEY = f"Authorization: Bearer {TEST_KEY}\r\n".encode()


async def test_serves_and_stops() -> None:
    async with served() as service, httpx.AsyncClient() as client:
        answer = await client.get(f"{service.url}/healthz")
        assert answer.json() == {"service": "triage", "status": "ok", "reasons": {}}
        assert "server" not in answer.headers
        for path in ("/healthz", "/readyz"):
            seen, asked = await client.get(f"{service.url}{path}"), await client.head(f"{service.url}{path}")
            assert (asked.status_code, asked.content) == (seen.status_code, b"")
            assert asked.headers["content-length"] == str(len(seen.content))
        service.stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await service.task


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(b"", b"408", b"client-slow", id="nothing"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-", b"408", b"client-slow", id="half the headers"),
        pytest.param(
            b"POST /v1/notes HTTP/1.1\r\nHost: x\r\n" + KEY + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
            b"408", b"client-slow", id="half the body",
        ),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000, b"431", b"headers-too-large", id="endless header"),
        pytest.param(b"GET /" + b"x" * 200_000, b"431", b"headers-too-large", id="endless address"),
        pytest.param(b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 40_000, b"431", b"headers-too-large", id="endless headers"),
        pytest.param(b"HELO example.org\r\n\r\n", b"400", b"http-invalid", id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", b"400", b"http-invalid", id="TLS"),
        pytest.param(
            b"POST /v1/notes HTTP/1.1\r\nHost: x\r\n" + KEY + b"Content-Length: 30000000\r\n\r\n" + b" " * 1000,
            b"413", b"body-too-large", id="30 MB announced",
        ),
        pytest.param(
            b"POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n" + b" " * 1000,
            b"401", b"key-missing", id="a large body without a key",
        ),
    ],
)  # fmt: skip
async def test_clients_that_do_not_finish_are_answered_and_cut_off(sent: bytes, status: bytes, code: bytes) -> None:
    async with served() as service:
        answer = await send(service, sent)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert b"application/problem+json" in answer
    assert b'"code":"' + code + b'"' in answer


async def test_thirty_megabytes_are_refused_and_the_client_reads_why() -> None:
    async with served() as service, httpx.AsyncClient(headers={"authorization": f"Bearer {TEST_KEY}"}) as client:
        answer = await client.post(f"{service.url}/v1/notes", content=b" " * 30_000_000, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["code"] == "body-too-large"
        assert (await client.post(f"{service.url}/v1/notes", json={"text": "x"})).status_code == 201


async def test_a_body_that_trickles_is_cut_off() -> None:
    async with served() as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"POST /v1/notes HTTP/1.1\r\nHost: x\r\n" + KEY + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n")
        reading = asyncio.create_task(reader.read())
        async with asyncio.timeout(DEADLINE_S):
            while not reading.done():
                writer.write(b" ")
                await asyncio.wait([reading], timeout=PATIENCE_S / 8)
        assert (await reading).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_hundreds_of_slow_clients_hold_nobody_up() -> None:
    async with served() as service:
        slow = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(300)]
        for _, writer in slow:
            writer.write(b"POST /v1/notes HTTP/1.1\r\nHost: x\r\n" + KEY + b"Content-Length: 500\r\n\r\n ")
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {TEST_KEY}"}) as client:
            for _ in range(20):
                assert (await client.get(f"{service.url}/v1/notes")).status_code == 200
        async with asyncio.timeout(DEADLINE_S):
            answers = await asyncio.gather(*(reader.read() for reader, _ in slow))
        assert {answer[:12] for answer in answers} == {b"HTTP/1.1 408"}
        for _, writer in slow:
            writer.close()


async def test_connections_beyond_the_limit_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earshot_shared.serve._RESERVE_CONNECTIONS", -1997)  # of 2,000 for requests
    async with served() as service:
        lines = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(3)]
        answer = await send(service, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503")
        assert b'"code":"busy"' in answer
        for _, writer in lines:
            writer.close()
        async with httpx.AsyncClient() as client, asyncio.timeout(DEADLINE_S):
            while (await client.get(f"{service.url}/healthz")).status_code != 200:
                await asyncio.sleep(0.02)


async def test_a_kept_connection_serves_many_requests() -> None:
    async with served() as service, httpx.AsyncClient(headers={"authorization": f"Bearer {TEST_KEY}"}) as client:
        for _ in range(3):
            assert (await client.get(f"{service.url}/v1/notes")).status_code == 200
            await asyncio.sleep(PATIENCE_S * 1.5)  # idle longer than a slow client may be: idle is not slow


async def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedProtocol, "read_patience_s", PATIENCE_S)
    async with served() as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
        writer.write(b"GET /v1/large HTTP/1.1\r\nHost: x\r\n" + KEY + b"\r\n")
        await asyncio.sleep(PATIENCE_S * 3)  # not reading is what is tested
        read = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                while piece := await reader.read(65_536):
                    read += len(piece)
        assert read < 40_000_000
        writer.close()


async def test_a_task_that_dies_stops_the_process() -> None:
    async def die() -> None:
        raise FatalError("The ground is gone.", code="other-cluster")

    with pytest.raises(FatalError, match=r"^The ground is gone\.$"):
        await serve(echo_door(), settings(), tasks={"loop": die})


async def test_a_task_that_ends_by_itself_stops_the_process() -> None:
    async def end() -> None:
        await asyncio.sleep(0)

    with pytest.raises(FatalError, match="The task loop ended by itself"):
        await serve(echo_door(), settings(), tasks={"loop": end})


async def test_a_task_that_ends_because_what_it_awaited_was_cancelled_stops_the_process() -> None:
    async def await_another() -> None:
        other = asyncio.create_task(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other

    with pytest.raises(FatalError, match="The task loop ended by itself"):
        await serve(echo_door(), settings(), tasks={"loop": await_another})


async def test_a_port_that_is_taken_is_said() -> None:
    async with served() as service:
        with pytest.raises(FatalError, match=f"Cannot listen on 127.0.0.1:{service.port}"):
            await serve(echo_door(), settings(port=service.port))


async def test_tasks_end_in_reverse_order_one_after_the_other() -> None:
    told: list[str] = []

    def runs(name: str) -> Task:
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                told.append(f"{name} ends")
                await asyncio.sleep(0.05)  # what it finishes
                told.append(f"{name} ended")

        return run

    async with served(tasks={"relay": runs("relay"), "loop": runs("loop")}):
        await asyncio.sleep(0)
    assert told == ["loop ends", "loop ended", "relay ends", "relay ended"]


PROGRAM = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from earshot_shared.logs import configure_logs
from earshot_shared.serve import run, serve
from support.http import echo_door, settings

async def stubborn():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def task():
    {task}

async def main():
    configure_logs("echo")
    await serve(echo_door(), settings(shutdown_s=1), tasks={{"loop": task}}, on_ready=lambda host, port: print(port, flush=True))

sys.exit(run(main))
"""


@pytest.mark.parametrize(
    ("task", "signals", "code"),
    [
        pytest.param("await asyncio.Event().wait()", [signal.SIGTERM], 0, id="SIGTERM ends in order"),
        pytest.param("await asyncio.Event().wait()", [signal.SIGINT], 0, id="SIGINT too"),
        pytest.param("await asyncio.sleep(0.5); raise ValueError('secret')", [], 1, id="a dead task"),
        pytest.param(
            "asyncio.create_task(stubborn()); await asyncio.sleep(0.5); raise ValueError", [], 1, id="what a dead task left behind"
        ),
        pytest.param("await stubborn()", [signal.SIGTERM], 1, id="a task that will not end"),
    ],
)
async def test_the_process(task: str, signals: list[signal.Signals], code: int) -> None:
    program = PROGRAM.format(tests=str(Path(__file__).parents[2]), task=task)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EARSHOT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert int(await process.stdout.readline()) > 0
        for each in signals:
            process.send_signal(each)
        _, logged = await process.communicate()
    assert process.returncode == code, logged.decode()
    assert b"secret" not in logged
