"""Operating-system processes: how one is described, started, known again after a crash, and ended.

Owns: `ProcessSpec`, `Running`, `ProcessIdentity` and the signals.
Must not: decide when to restart (supervisor.py) or know which program it is.
A process is never addressed by its pid alone: pids are given out again, so its start time always goes with it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from earshot_shared.local.errors import LocalError

LAUNCHER = Path(__file__).with_name("launch.py")
START_TIME_SLACK_S = 0.05  # psutil derives start times from clock ticks of 10 ms; a pid is not given out again so fast
LOG_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process for ever: its pid and the time it was started (seconds since 1970, as psutil tells it)."""

    pid: int
    started_at_s: float

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Return the identity of the process that now has this pid, or None."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def find(self) -> psutil.Process | None:
        """Return the process while it lives; None once it has gone, is a zombie, or its pid is somebody else's."""
        try:
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.started_at_s) > START_TIME_SLACK_S or found.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.Error:
            return None
        return found


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a program is to run under when we are root and it refuses root."""

    uid: int
    gid: int
    name: str


def nothing() -> None:
    """What most processes need before a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One supervised process.

    `env` is its whole environment. `ready` is asked again and again until it is true; it must answer within about a second.
    `before_start` runs before every start, the ones after a crash included. `needs` names processes that must be ready first.
    What is not `essential` may be down without the system counting as not ready.
    `niceness` (0 to 19) lets others go first on a full machine.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[], bool] = lambda: True
    needs: tuple[str, ...] = ()
    essential: bool = True
    mortal: bool = False  # its death cannot be mended by a new start, and ends the whole system
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 6.0
    account: Account | None = None
    niceness: int = 0
    before_start: Callable[[], None] = nothing


@dataclass(slots=True)
class Running:
    """A process that we started: its parent alone can reap it."""

    process: "subprocess.Popen[bytes]"
    identity: ProcessIdentity
    spec: ProcessSpec
    started_at_s: float = field(default_factory=time.monotonic)

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by which signal), or None while it lives."""
        return self.process.poll()


def spawn(spec: ProcessSpec) -> Running:
    """Start the process in a session of its own (a terminal's Ctrl-C reaches only us), its output appended to its log.

    Call it from a thread that lives as long as the process shall: Linux tells of the death of the thread, not of the process.
    """
    spec.before_start()
    shorten(spec.log)
    options = ["--parent", str(os.getpid()), "--death-signal", str(int(spec.stop_signal)), "--nice", str(spec.niceness)]
    if spec.account is not None:
        options += ["--uid", str(spec.account.uid), "--gid", str(spec.account.gid)]
    with open(spec.log, "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - argv is built by this package, never by a shell or a stranger
            [sys.executable, "-I", "-S", str(LAUNCHER), *options, "--", *spec.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(spec.env),
            start_new_session=True,
        )
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None  # even one that died at once stays a zombie until we reap it
    return Running(process, identity, spec)


def end_all(running: Iterable[Running]) -> None:
    """Stop several at once: politely, frozen ones woken for it, and by force when their grace is over."""
    alive = [each for each in running if each.exit_code() is None]
    for each in alive:
        _ask_to_stop(each.identity, each.spec.stop_signal)
    asked_at_s = time.monotonic()
    for each in alive:
        try:
            each.process.wait(max(0.0, asked_at_s + each.spec.stop_grace_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


def kill_all(running: Iterable[Running]) -> None:
    """Kill without waiting; safe in a signal handler, while `end_all` waits for the same processes."""
    for each in running:
        _signal(each.identity, signal.SIGKILL)


def end_orphans(orphans: Iterable[tuple[ProcessIdentity, signal.Signals]], *, grace_s: float) -> int:
    """End processes that an earlier supervisor left behind, frozen ones included; returns how many there were.

    Whoever is not exactly the process that was written down (pid and start time) is left alone.
    """
    alive = [(identity, stop_signal) for identity, stop_signal in orphans if identity.find() is not None]
    for identity, stop_signal in alive:
        _ask_to_stop(identity, stop_signal)
    stubborn = _wait_for_end([identity for identity, _ in alive], grace_s)
    for identity in stubborn:
        _signal(identity, signal.SIGKILL)
    if left := _wait_for_end(stubborn, grace_s):
        raise LocalError(f"Process {left[0].pid} of an earlier start could not be ended; end it by hand: kill -9 {left[0].pid}")
    return len(alive)


def _wait_for_end(identities: list[ProcessIdentity], timeout_s: float) -> list[ProcessIdentity]:
    """Wait until all have gone; returns those that have not. (They are not our children, so nobody can be told of their end.)"""
    deadline = time.monotonic() + timeout_s
    while (left := [identity for identity in identities if identity.find() is not None]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def shorten(log: Path) -> None:
    """Move a long log aside: the process appends, so it goes on writing at the new end."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.with_suffix(".old.log").write_bytes(log.read_bytes())
            os.truncate(log, 0)


def last_line(log: Path) -> str:
    """Return the last line that the process wrote, which mostly says why it ended."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    return next((line[:400] for line in reversed(lines) if line), "")


def _ask_to_stop(identity: ProcessIdentity, stop_signal: signal.Signals) -> None:
    """Send the signal, and wake a frozen process so that it can act on it."""
    _signal(identity, stop_signal)
    _signal(identity, signal.SIGCONT)


def _signal(identity: ProcessIdentity, number: signal.Signals) -> None:
    if (found := identity.find()) is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.send_signal(number)
