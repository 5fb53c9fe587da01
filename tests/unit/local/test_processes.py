"""Real small processes: known again, ended politely or by force, and never mistaken for another."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from earshot_shared.local.processes import ProcessIdentity, ProcessSpec, Running, end_all, end_orphans, last_line, spawn
from support.processes import freeze

DEADLINE_S = 20.0
PROGRAM = "import os, signal, sys; {prelude}; print('up', flush=True); signal.pause()"


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def make(prelude: str = "pass", *, grace_s: float = 5.0, niceness: int = 0) -> Running:
        log = tmp_path / f"{len(started)}.log"
        argv = (sys.executable, "-c", PROGRAM.format(prelude=prelude))
        spec = ProcessSpec(name="small", argv=argv, env=dict(os.environ), log=log, stop_grace_s=grace_s, niceness=niceness)
        started.append(spawn(spec))
        wait(lambda: last_line(log) == "up")
        return started[-1]

    yield make
    for each in started:
        each.process.kill()
        each.process.wait()


def test_a_process_keeps_its_pid_through_the_launcher(start: Callable[..., Running], tmp_path: Path) -> None:
    running = start("print(os.getpid(), os.getsid(0) == os.getpid())")
    assert running.spec.log.read_text().split("\n")[0] == f"{running.identity.pid} True"


def test_a_process_steps_back_with_its_session(start: Callable[..., Running]) -> None:
    """Between sessions the process' own niceness says nothing: Linux asks the session's (`sched(7)`), where it keeps one."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    for niceness in (0, 7):
        pid = start(niceness=niceness).identity.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, before + niceness)
        if (session := Path(f"/proc/{pid}/autogroup")).exists():
            assert session.read_text().endswith(f"nice {niceness}\n")


def test_it_ends_politely_when_frozen_and_by_force_when_deaf(start: Callable[..., Running]) -> None:
    frozen = start("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))")
    deaf = start("signal.signal(signal.SIGTERM, signal.SIG_IGN)", grace_s=0.3)
    freeze(frozen.identity.pid)
    end_all([frozen, deaf])
    assert frozen.exit_code() == 7
    assert deaf.exit_code() == -signal.SIGKILL


def test_orphans_are_ended_frozen_and_deaf_ones_included(start: Callable[..., Running]) -> None:
    frozen = start()
    deaf = start("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    freeze(frozen.identity.pid)
    assert end_orphans([(each.identity, signal.SIGTERM) for each in (frozen, deaf)], grace_s=0.5) == 2
    assert frozen.identity.find() is None
    assert deaf.identity.find() is None


def test_another_process_with_the_same_pid_is_left_alone(start: Callable[..., Running]) -> None:
    bystander = start()
    former = ProcessIdentity(bystander.identity.pid, bystander.identity.started_at_s - 60)
    assert former.find() is None
    assert end_orphans([(former, signal.SIGKILL)], grace_s=0.1) == 0
    assert bystander.exit_code() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_it_dies_with_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal, time; from pathlib import Path; from earshot_shared.local.processes import ProcessSpec, spawn\n"
        f"child = spawn(ProcessSpec(name='c', argv=('sleep', '600'), env=dict(os.environ), log=Path({str(tmp_path / 'c.log')!r})))\n"
        "print(child.identity.pid, flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = ProcessIdentity.of(int(supervisor.stdout.readline()))
        assert child is not None
        wait(lambda: _is_sleep(child.pid))
        supervisor.kill()
    wait(lambda: child.find() is None)


def _is_sleep(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).name() == "sleep"
    return False
