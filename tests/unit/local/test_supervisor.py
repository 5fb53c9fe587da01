"""When a process is started, started again, and when the whole is ready: on a clock of our own, with processes that are none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from earshot_shared.local.errors import StartError
from earshot_shared.local.processes import ProcessSpec, Running
from earshot_shared.local.supervisor import STEADY_S, Supervisor


@dataclass
class Identity:
    pid: int


@dataclass
class Life:
    """Stands for one started process."""

    spec: ProcessSpec
    identity: Identity
    started_at_s: float
    code: int | None = None

    def exit_code(self) -> int | None:
        return self.code


@dataclass
class Stage:
    """A supervisor whose processes live and die as the test says."""

    now_s: float = 0.0
    answers: set[str] = field(default_factory=set)
    lives: list[Life] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    written: int = 0
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(say=self.said.append, changed=self._changed, clock=lambda: self.now_s, spawn=self._spawn)

    def _changed(self) -> None:
        self.written += 1

    def _spawn(self, spec: ProcessSpec) -> Running:
        self.lives.append(Life(spec, Identity(1000 + len(self.lives)), self.now_s))
        return cast(Running, self.lives[-1])

    def spec(self, name: str, *, needs: tuple[str, ...] = (), essential: bool = True, mortal: bool = False) -> ProcessSpec:
        ready: Callable[[], bool] = lambda: name in self.answers  # noqa: E731 - a name for the type checker
        return ProcessSpec(
            name=name, argv=(name,), env={}, log=Path("/none.log"), ready=ready, needs=needs, essential=essential, mortal=mortal
        )

    def turn(self, *, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.supervisor.turn()

    def started(self, name: str) -> list[Life]:
        return [life for life in self.lives if life.spec.name == name]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_process_waits_for_what_it_needs(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("kafka"), stage.spec("triage", needs=("kafka",))])
    stage.turn()
    assert [life.spec.name for life in stage.lives] == ["kafka"]
    stage.answers = {"kafka", "triage"}
    stage.turn()
    assert not stage.supervisor.is_ready
    stage.turn()
    assert stage.supervisor.is_ready


def test_a_dead_process_is_started_again_and_the_whole_is_not_ready_meanwhile(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])
    stage.answers = {"triage"}
    stage.turn()
    assert stage.supervisor.is_ready
    stage.lives[0].code = -9
    stage.answers = set()
    stage.turn()
    assert not stage.supervisor.is_ready
    assert stage.supervisor.kept["triage"].pid == 1000, "the pid last started, until there is another"
    assert stage.said == ["triage was killed by signal 9; it is started again in 0.2 s. Its log: /none.log"]
    stage.turn(after_s=1)
    assert stage.supervisor.kept["triage"].pid == 1001
    assert not stage.supervisor.is_ready
    stage.answers = {"triage"}
    stage.turn()
    assert stage.supervisor.is_ready
    assert stage.said[-1] == "triage is back (process 1001)."


def test_the_back_off_grows_and_stays_within_the_30_s_of_the_contract(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])
    stage.answers = {"triage"}
    stage.turn()
    waits = []
    for _ in range(8):
        stage.lives[-1].code = 1
        stage.turn()
        died_at_s, lives = stage.now_s, len(stage.lives)
        while len(stage.lives) == lives:
            stage.turn(after_s=0.1)
        waits.append(stage.now_s - died_at_s)
    assert waits == sorted(waits)
    assert waits[0] < 1
    assert waits[-1] < 15
    stage.turn(after_s=STEADY_S + 1)
    stage.lives[-1].code = 1
    stage.turn()
    stage.turn(after_s=0.3)
    assert len(stage.lives) == 10, "having run for long, it is forgiven"


def test_services_are_asked_again_after_their_ground_died(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("kafka"), stage.spec("triage", needs=("kafka",))])
    stage.answers = {"kafka", "triage"}
    stage.turn()
    stage.turn()
    stage.started("kafka")[0].code = -9
    stage.answers = {"kafka"}
    stage.turn()
    stage.turn(after_s=1)
    assert not stage.supervisor.is_ready, "Kafka answers, but triage has not said that it found it again"
    assert len(stage.started("triage")) == 1
    stage.answers = {"kafka", "triage"}
    stage.turn()
    assert stage.supervisor.is_ready


def test_the_feed_may_be_down(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage"), stage.spec("demo", essential=False)])
    stage.answers = {"triage"}
    stage.turn()
    assert stage.supervisor.is_ready


def test_one_that_never_became_ready_ends_the_start(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])

    def stopping() -> bool:
        if stage.lives:
            stage.lives[-1].code = 1
        stage.now_s += 5
        return False

    with pytest.raises(StartError, match=r"triage does not become ready\. Its log is /none\.log"):
        stage.supervisor.bring_up(stopping=stopping)
    assert len(stage.lives) == 3


def test_with_patience_it_is_started_until_it_answers(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])

    def stopping() -> bool:
        if len(stage.lives) < 7 and stage.lives:
            stage.lives[-1].code = 1
        stage.answers = {"triage"} if len(stage.lives) == 7 else set()
        stage.now_s += 15
        return False

    stage.supervisor.bring_up(stopping=stopping, patient=True)
    assert len(stage.lives) == 7


def test_one_that_never_answers_ends_the_start(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])

    def stopping() -> bool:
        stage.now_s += 100
        return False

    with pytest.raises(StartError, match="does not become ready"):
        stage.supervisor.bring_up(stopping=stopping)


def test_the_death_of_the_try_out_broker_ends_the_system(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("kafka", mortal=True)])
    stage.answers = {"kafka"}
    stage.turn()
    stage.lives[0].code = -9
    with pytest.raises(StartError, match="gone with it"):
        stage.turn()


def test_it_writes_down_each_change_and_nothing_else(stage: Stage) -> None:
    stage.supervisor.add([stage.spec("triage")])
    stage.turn()
    written = stage.written
    assert written >= 1
    stage.turn()
    assert stage.written == written
    stage.answers = {"triage"}
    stage.turn()
    assert stage.written == written + 1
