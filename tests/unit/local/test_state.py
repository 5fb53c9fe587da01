"""What a data folder says about its system."""

import json
import os
import signal
from pathlib import Path

import pytest

from earshot_shared.local.errors import LocalError
from earshot_shared.local.files import DataFolder
from earshot_shared.local.processes import ProcessIdentity
from earshot_shared.local.state import RunningSystem, read_processes, read_state, sole_owner, write_state


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


def system(started_at_s: float) -> RunningSystem:
    return RunningSystem(
        ready=True,
        pid=os.getpid(),
        started_at_s=started_at_s,
        api_key="key",
        kafka="127.0.0.1:1",
        postgres="postgresql://u:p@127.0.0.1:2/d",
        services={"crm-sync": "http://127.0.0.1:8004"},
        processes={"crm-sync": 3, "kafka": 4},
    )


def own_start() -> float:
    own = ProcessIdentity.of(os.getpid())
    assert own is not None
    return own.started_at_s


def test_earshot_json_is_as_the_contract_has_it(folder: DataFolder) -> None:
    write_state(folder.state, system(own_start()))
    written = json.loads(folder.state.read_text())
    assert {"ready", "pid", "api_key", "kafka", "postgres", "services", "processes"} <= set(written)
    assert written["services"] == {"crm-sync": "http://127.0.0.1:8004"}
    assert written["processes"] == {"crm-sync": 3, "kafka": 4}
    assert read_state(folder) == system(own_start())


def test_the_file_of_a_dead_supervisor_counts_for_nothing_though_its_pid_lives(folder: DataFolder) -> None:
    write_state(folder.state, system(own_start() - 1000))
    assert read_state(folder) is None


def test_a_file_that_is_not_ours_is_named(folder: DataFolder) -> None:
    folder.state.write_text("[]")
    with pytest.raises(LocalError, match=r"earshot\.json is not a file of ours"):
        read_state(folder)


def test_no_file_no_processes(folder: DataFolder) -> None:
    assert read_processes(folder.processes) == {}
    folder.processes.write_text("half a fi")
    assert read_processes(folder.processes) == {}
    folder.processes.write_text('{"kafka": {"pid": 7, "started_at_s": 1.5, "stop_signal": 15}}')
    assert read_processes(folder.processes) == {"kafka": (ProcessIdentity(7, 1.5), signal.SIGTERM)}


def test_a_folder_has_one_owner_at_a_time(folder: DataFolder) -> None:
    with sole_owner(folder), pytest.raises(LocalError, match=f"process {os.getpid()}.*--port-base"), sole_owner(folder):
        pass
    with sole_owner(folder):
        pass
