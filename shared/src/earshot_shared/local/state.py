"""What a data folder says about the system that runs on it: `earshot.json` for everybody, `processes.json` and a lock for the next start.

Owns: the shapes of these files and who may write them. Must not: start or end anything.
"""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from earshot_shared.local.errors import LocalError
from earshot_shared.local.files import DataFolder, write_atomically
from earshot_shared.local.processes import ProcessIdentity, Running
from earshot_shared.topics import DEFAULT_PREFIX


class RunningSystem(msgspec.Struct, frozen=True, kw_only=True):
    """`earshot.json`, with the contract's names. A pid in `processes` is the one last started, also while it is being replaced."""

    ready: bool
    pid: int
    api_key: str
    kafka: str
    postgres: str
    services: dict[str, str]
    processes: dict[str, int]
    topic_prefix: str = DEFAULT_PREFIX
    mock_broker: bool = False
    started_at_s: float = 0.0  # of the supervisor, so that a pid given out again is not taken for it


class _Process(msgspec.Struct, frozen=True):
    pid: int
    started_at_s: float
    stop_signal: int


def write_state(path: Path, system: RunningSystem) -> None:
    """Replace `earshot.json` in one step."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(system).decode(), indent=2) + "\n")


def read_state(folder: DataFolder) -> RunningSystem | None:
    """Return what `earshot.json` says while its supervisor lives; None when nothing runs here.

    Raises: LocalError when the file is not ours.
    """
    try:
        system = msgspec.json.decode(folder.state.read_bytes(), type=RunningSystem)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as exc:
        raise LocalError(f"{folder.state} is not a file of ours ({exc}): remove it and start again.") from exc
    return system if ProcessIdentity(system.pid, system.started_at_s).find() is not None else None


def write_processes(path: Path, running: Mapping[str, Running]) -> None:
    """Write down who was started, so that the next start knows its orphans whatever happens to us."""
    noted = {
        name: _Process(each.identity.pid, each.identity.started_at_s, int(each.spec.stop_signal)) for name, each in sorted(running.items())
    }
    write_atomically(path, msgspec.json.encode(noted).decode() + "\n")


def read_processes(path: Path) -> dict[str, tuple[ProcessIdentity, signal.Signals]]:
    """Return the processes that an earlier supervisor wrote down; nothing when it ended cleanly.

    A file that cannot be read is as good as none: its processes die with their supervisor, where the kernel helps.
    """
    try:
        noted = msgspec.json.decode(path.read_bytes(), type=dict[str, _Process])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
    return {name: (ProcessIdentity(each.pid, each.started_at_s), signal.Signals(each.stop_signal)) for name, each in noted.items()}


@contextlib.contextmanager
def sole_owner(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder for this process alone; the kernel lets go of it when we die, however we die.

    Raises: LocalError when another process holds it.
    """
    with open(folder.lock, "a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise LocalError(
                f"Another `earshot up` (process {holder}) runs on {folder.root}: "
                "stop it, or give this one a --data-dir and --port-base of its own."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
