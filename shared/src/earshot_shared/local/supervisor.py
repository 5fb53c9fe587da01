"""Keeps a list of processes running: starts them in order, watches them, starts them again, and stops them.

Owns: when a process is started and started again, and when the whole counts as ready. Must not: know what the processes are (up.py does)
or how a process is started and ended (processes.py does).

Single-threaded and turned by hand: `turn()` looks at every process once and returns; time comes from the clock that is handed in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from earshot_shared.local.errors import StartError
from earshot_shared.local.processes import ProcessSpec, Running, end_all, kill_all, last_line, shorten, spawn

TURN_S = 0.1
# The wait before each further start in a row: the tenth comes as late as the fifth, so that whoever died is back within 30 s.
BACK_OFF_S = (0.2, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 60.0  # having run so long, a process is forgiven its former deaths
FIRST_START_ATTEMPTS = 3  # before it was ever ready, more deaths than this are no accident
FIRST_START_TIMEOUT_S = 300.0
LOG_ROUND_S = 60.0

Say = Callable[[str], None]


class Phase(Enum):
    """Where one process stands."""

    WAITING = "not started yet: what it needs is not ready, or its back-off lasts"
    STARTING = "runs, and has not answered yet"
    READY = "runs and answered"


@dataclass(slots=True)
class Kept:
    """One process that is kept running, over all its lives."""

    spec: ProcessSpec
    phase: Phase = Phase.WAITING
    running: Running | None = None
    deaths_in_a_row: int = 0
    start_at_s: float = 0.0
    was_ready: bool = False

    @property
    def pid(self) -> int | None:
        """The pid last started, which may be dead already."""
        return None if self.running is None else self.running.identity.pid


@dataclass(slots=True)
class Supervisor:
    """Keeps processes running. `changed` is called after every start, death and change of readiness, to write them down."""

    say: Say
    changed: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    spawn: Callable[[ProcessSpec], Running] = spawn
    kept: dict[str, Kept] = field(default_factory=dict)
    _logs_seen_at_s: float = 0.0

    def add(self, specs: Sequence[ProcessSpec]) -> None:
        """Take processes into care; the next turns start them."""
        for spec in specs:
            self.kept[spec.name] = Kept(spec)

    @property
    def is_ready(self) -> bool:
        """Whether everything essential runs and has answered since its last start."""
        return all(each.phase is Phase.READY for each in self.kept.values() if each.spec.essential)

    @property
    def running(self) -> dict[str, Running]:
        """The processes last started, by name."""
        return {name: each.running for name, each in self.kept.items() if each.running is not None}

    def bring_up(self, *, stopping: Callable[[], bool], patient: bool = False) -> None:
        """Turn until everything is ready, or somebody wants to stop. ``patient``: however long it takes, and however often one dies.

        Raises: StartError when a process keeps dying before it was ever ready, or the time is over.
        """
        deadline = self.clock() + FIRST_START_TIMEOUT_S
        while not stopping():
            self.turn()
            if self.is_ready:
                return
            for each in self.kept.values():
                late = self.clock() > deadline and each.phase is not Phase.READY
                if not patient and (late or (each.deaths_in_a_row >= FIRST_START_ATTEMPTS and not each.was_ready)):
                    raise StartError(_why_not(each.spec))
            time.sleep(TURN_S)

    def watch(self, *, stopping: Callable[[], bool]) -> None:
        """Turn until somebody wants to stop.

        Raises: StartError when a process died that cannot be started again.
        """
        while not stopping():
            self.turn()
            time.sleep(TURN_S)

    def turn(self) -> None:
        """Look at every process once: note deaths, start what is due, ask those that have not answered yet."""
        before = self._picture()
        for each in self.kept.values():
            self._note_death(each)
        for each in self.kept.values():
            if each.phase is Phase.WAITING and self.clock() >= each.start_at_s and self._has_what_it_needs(each):
                self._start(each)
        if self._picture() != before:
            self.changed()
        for each in self.kept.values():
            if each.phase is Phase.STARTING and each.spec.ready():
                self._note_ready(each)
        if self._picture() != before:
            self.changed()
        self._look_after_logs()

    def stop(self) -> None:
        """Stop everything, dependants first; frozen processes are woken for it, and what does not go is killed."""
        left = dict(self.running)
        while left:
            needed = {need for each in left.values() for need in each.spec.needs if need in left}
            leaving = [each for name, each in left.items() if name not in needed]
            end_all(leaving)
            for each in leaving:
                del left[each.spec.name]

    def kill(self) -> None:
        """End everything at once, without waiting; safe in a signal handler while `stop` runs."""
        kill_all(self.running.values())

    def _picture(self) -> list[tuple[Phase, int | None]]:
        return [(each.phase, each.pid) for each in self.kept.values()]

    def _has_what_it_needs(self, each: Kept) -> bool:
        return all(self.kept[need].phase is Phase.READY for need in each.spec.needs)

    def _start(self, each: Kept) -> None:
        each.running = self.spawn(each.spec)
        each.phase = Phase.STARTING

    def _note_ready(self, each: Kept) -> None:
        each.phase = Phase.READY
        if each.was_ready:
            self.say(f"{each.spec.name} is back (process {each.pid}).")
        each.was_ready = True

    def _note_death(self, each: Kept) -> None:
        if each.phase is Phase.WAITING or each.running is None or (code := each.running.exit_code()) is None:
            return
        if each.spec.mortal and each.was_ready:
            raise StartError(f"{each.spec.name} {_how_ended(code)}, and what it held in memory is gone with it: start again.")
        if self.clock() - each.running.started_at_s > STEADY_S:
            each.deaths_in_a_row = 0
        wait_s = BACK_OFF_S[min(each.deaths_in_a_row, len(BACK_OFF_S) - 1)]
        each.deaths_in_a_row += 1
        each.phase = Phase.WAITING
        each.start_at_s = self.clock() + wait_s
        # Those that stand on it are asked again before the whole counts as ready.
        for other in self.kept.values():
            if each.spec.name in other.spec.needs and other.phase is Phase.READY:
                other.phase = Phase.STARTING
        self.say(f"{each.spec.name} {_how_ended(code)}; it is started again in {wait_s:g} s. Its log: {each.spec.log}")

    def _look_after_logs(self) -> None:
        if self.clock() - self._logs_seen_at_s > LOG_ROUND_S:
            self._logs_seen_at_s = self.clock()
            for each in self.kept.values():
                shorten(each.spec.log)


def _how_ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _why_not(spec: ProcessSpec) -> str:
    said = last_line(spec.log)
    return f"{spec.name} does not become ready. Its log is {spec.log}" + (f", its last words: {said}" if said else ".")
