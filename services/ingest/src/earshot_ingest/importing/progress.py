"""How far an import has come, kept beside the system's data, so that one that was killed goes on where it stood.

Owns the progress file. It is a convenience: without it the import begins anew, and what was accepted before are duplicates.
"""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

FOLDER: Final = "imports"


class Tally(msgspec.Struct):
    """What an import has done with one file. ``records`` were answered for; ``offset`` of them are skipped when it goes on."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0

    def add(self, other: "Tally") -> None:
        """Add another file's tally."""
        self.read += other.read
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.rejected += other.rejected


class Progress(msgspec.Struct):
    """Where an unfinished import stands: its tally, and how much of the rejects file belongs to that."""

    tally: Tally = msgspec.field(default_factory=Tally)
    rejects_bytes: int = 0


class ProgressFile:
    """The progress of an unfinished import of one content, in one way, into one system."""

    def __init__(self, data_dir: Path, key: str) -> None:
        self._path = data_dir / FOLDER / f"{key}.json"

    def load(self) -> Progress:
        """Return where an earlier run was stopped; the beginning when there was none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except (OSError, msgspec.DecodeError):
            return Progress()

    def save(self, progress: Progress) -> None:
        """Keep the progress, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(progress))
        os.replace(fresh, self._path)

    def forget(self) -> None:
        """The import is finished: the next one reads the whole file."""
        self._path.unlink(missing_ok=True)


class RejectsFile:
    """``NAME.rejects.jsonl``: the records that were refused, each with its line and the reason; made when there is one.

    Of what an earlier run wrote only ``kept_bytes`` stay: what it wrote after its last progress is refused, and written, again.
    """

    def __init__(self, path: Path, *, kept_bytes: int) -> None:
        beside = path.with_name(f"{path.name}.rejects.jsonl")
        self.path = beside if os.access(path.parent, os.W_OK) else Path.cwd() / beside.name
        self.bytes = min(kept_bytes, self.path.stat().st_size) if self.path.exists() else 0
        if self.bytes:
            os.truncate(self.path, self.bytes)
        else:
            self.path.unlink(missing_ok=True)

    def add(self, rejected: list[dict[str, Any]]) -> None:
        """Add records."""
        if rejected:
            with self.path.open("ab") as file:
                file.writelines(msgspec.json.encode(each) + b"\n" for each in rejected)
                self.bytes = file.tell()
