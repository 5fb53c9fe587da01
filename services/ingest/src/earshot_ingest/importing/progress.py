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


class ProgressFile:
    """The tally of an unfinished import of one content, in one way, into one system."""

    def __init__(self, data_dir: Path, key: str) -> None:
        self._path = data_dir / FOLDER / f"{key}.json"

    def load(self) -> Tally:
        """Return the tally where an earlier run was stopped; an empty one when there was none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Tally)
        except (OSError, msgspec.DecodeError):
            return Tally()

    def save(self, tally: Tally) -> None:
        """Keep the tally, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(tally))
        os.replace(fresh, self._path)

    def forget(self) -> None:
        """The import is finished: the next one reads the whole file."""
        self._path.unlink(missing_ok=True)


class RejectsFile:
    """``NAME.rejects.jsonl``: the records that were refused, each with its line and the reason; made when there is one."""

    def __init__(self, path: Path, *, resumed: bool) -> None:
        beside = path.with_name(f"{path.name}.rejects.jsonl")
        self.path = beside if os.access(path.parent, os.W_OK) else Path.cwd() / beside.name
        if not resumed:
            self.path.unlink(missing_ok=True)

    def add(self, rejected: list[dict[str, Any]]) -> None:
        """Add records."""
        if rejected:
            with self.path.open("ab") as file:
                file.writelines(msgspec.json.encode(each) + b"\n" for each in rejected)
