"""Small files that must never be seen half-written, and private ones that nobody else may read.

Owns: atomic replacement, the folder layout of a data folder. Must not: know what stands in the files.
"""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o600  # API keys and passwords stand in these files


def write_atomically(path: Path, text: str, *, mode: int = PRIVATE) -> None:
    """Replace `path` by `text`: a reader sees the old content or the new one, also after a crash half-way."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def secret_in(path: Path, *, length_bytes: int = 24) -> str:
    """Return the secret kept in `path`, made at random on first use and readable by its owner alone."""
    with contextlib.suppress(FileNotFoundError):
        if text := path.read_text(encoding="utf-8").strip():
            return text
    made = secrets.token_urlsafe(length_bytes)
    write_atomically(path, made + "\n")
    return made


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The layout of one data folder (`.earshot/` unless given): one running system each."""

    root: Path

    @property
    def state(self) -> Path:
        """`earshot.json`, the contract's description of the running system."""
        return self.root / "earshot.json"

    @property
    def lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def processes(self) -> Path:
        """Which processes were started, with their start times, so that orphans are known by the next start."""
        return self.root / "processes.json"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def api_key(self) -> Path:
        return self.root / "api-key"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    def make(self) -> None:
        """Make the folder and its log folder; the folder is closed to other people of this machine."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.logs.mkdir(exist_ok=True, mode=0o755)
