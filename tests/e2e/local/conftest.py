"""Runs `earshot up` with stub services, as its users do: a process of its own, real signals, a folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

STUB = Path(__file__).with_name("stub_up.py")
START_S = 120.0  # five times what a busy machine takes


@dataclass(slots=True)
class UpProcess:
    """One `earshot up` on one data folder."""

    folder: Path
    port_base: int
    process: "subprocess.Popen[str]"

    @property
    def output(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.out").read_text()

    def state(self) -> dict[str, Any]:  # JSON as it stands, the way any outsider reads it
        try:
            loaded: dict[str, Any] = json.loads((self.folder / "earshot.json").read_text())
        except FileNotFoundError:
            return {"ready": False, "processes": {}}
        # A file left by a killed supervisor says that it is ready until the next one has begun.
        return loaded if loaded["pid"] == self.process.pid else {"ready": False, "processes": {}}

    def wait_ready(self, *, timeout_s: float = START_S) -> dict[str, Any]:
        self.wait(lambda: bool(self.state()["ready"]), timeout_s=timeout_s)
        return self.state()

    def wait(self, condition: Callable[[], bool], *, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGINT, *, timeout_s: float = 15.0) -> int:
        """Send the signal; returns the exit code. Fails when it takes longer than the contract allows."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)


Start = Callable[..., UpProcess]


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every living process whose command line or working folder names this data folder, whoever started it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            named = any(str(folder) in argument for argument in process.cmdline()) or process.cwd().startswith(str(folder))
            if named and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def is_alive(pid: int) -> bool:
    """A zombie, whose parent may never ask after it, is as good as gone."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def start_up(folder: Path, port_base: int, *options: str, environment: Mapping[str, str] | None = None) -> UpProcess:
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith("EARSHOT_")}, **(environment or {})}
    with open(folder.parent / f"{folder.name}.out", "a") as out:
        process = subprocess.Popen(
            [sys.executable, str(STUB), str(folder), str(port_base), *options], stdout=out, stderr=out, text=True, env=environment
        )
    return UpProcess(folder, port_base, process)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts systems; whatever still runs of them when the module ends is ended."""
    root = tmp_path_factory.mktemp("systems")
    started: list[UpProcess] = []

    def make(name: str, port_base: int, *options: str, environment: Mapping[str, str] | None = None) -> UpProcess:
        started.append(start_up(root / name, port_base, *options, environment=environment))
        return started[-1]

    yield make
    for each in started:
        if each.process.poll() is None:
            each.stop(signal.SIGTERM, timeout_s=30)
    for left in processes_of(root):
        left.kill()
