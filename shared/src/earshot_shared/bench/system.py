"""A system of the benchmark's own: started in a data folder of its own, measured from outside, stopped and removed.

Owns its start and stop, and the reading of its processes. Everything else goes through its HTTP doors like anybody's.
"""

import asyncio
import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from earshot_shared.cli.locate import read_system
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.local.ports import free_base
from earshot_shared.local.state import RunningSystem

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 30.0
SERVICES = ("ingest", "triage", "recognition", "crm-sync", "console")


@dataclass(slots=True)
class BenchSystem:
    """A running system."""

    process: "subprocess.Popen[bytes]"
    state: RunningSystem
    ready_s: float

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time that each process has used, Kafka and Postgres (with all its backends) included."""
        used = {}
        for name, pid in self.state.processes.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                family = [process, *process.children(recursive=True)]
                used[name] = sum(_cpu_of(each) for each in family)
        return used

    def peak_rss_mb(self) -> dict[str, float]:
        """Return the most memory that each service has held (``VmHWM`` where the system tells it, else what it holds now)."""
        peaks = {}
        for name in SERVICES:
            pid = self.state.processes.get(name)
            if pid is not None:
                peaks[name] = round(_peak_of(pid), 1)
        return peaks

    async def stats(self, service: str) -> Any:
        """Return a service's ``/v1/stats``."""
        return await asyncio.to_thread(self._get, service, "/v1/stats")

    def _get(self, service: str, path: str) -> Any:
        host = self.state.services[service].removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {self.state.api_key}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise CommandFailedError(f"{service} answered {answer.status} to {path}.")
        return msgspec.json.decode(body)


@contextlib.contextmanager
def bench_folder() -> Iterator[Path]:
    """Give a data folder for the benchmark alone, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: S103  # Postgres may run as another user and must get through; its own folder is closed
        yield Path(folder)


@contextlib.contextmanager
def running_system(folder: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[BenchSystem]:
    """Run ``earshot up`` on ``folder`` until the block ends.

    Raises: CommandFailedError when it does not become ready.
    """
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "earshot_shared",
        "up",
        "--no-demo",
        "--data-dir",
        str(folder),
        "--port-base",
        str(free_base()),
    ]
    with (folder / "up.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own program
            command, stdout=log, stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True
        )
    try:
        state = _await_ready(process, folder, began + START_TIMEOUT_S)
        yield BenchSystem(process, state, round(time.monotonic() - began, 2))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_ready(process: "subprocess.Popen[bytes]", folder: Path, deadline: float) -> RunningSystem:
    while time.monotonic() < deadline:
        state = read_system(folder)
        if state is not None and state.ready:
            return state
        if process.poll() is not None:
            break
        time.sleep(0.05)
    last = (folder / "up.log").read_text(errors="replace").strip().splitlines()[-1:] or [""]
    raise CommandFailedError(f"The benchmark's system did not start: {last[0]}")


def _cpu_of(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0))
    return 0.0


def _peak_of(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    with contextlib.suppress(psutil.NoSuchProcess):
        return float(psutil.Process(pid).memory_info().rss) / 1024 / 1024
    return 0.0
