"""The judge while the service runs: loaded anew when somebody teaches it.

Owns the following of the model folder. What a folder holds, and how it is read, is the judgement's.
"""

import asyncio
import logging
import os
from pathlib import Path

from earshot_triage.decisions import Decider, model_version
from earshot_triage.judgement import Judge
from earshot_triage.judgement.semantic import Encoder
from earshot_triage.judgement.tables import ModelError

LOOK_EVERY_S = 1.0
_log = logging.getLogger(__name__)
Stamp = frozenset[tuple[str, int, int]]


def load_judge(folder: Path | None, encoder: Encoder | None = None) -> Judge:
    """Return the judge of a model folder; the shipped one as long as there is no folder. With an encoder it looks twice.

    Raises: ModelError when the folder is not whole.
    """
    judge = Judge.load(folder if folder is not None and folder.is_dir() else None)
    return judge if encoder is None else judge.looking_twice(encoder)


class ModelBook:
    """Hands the newest whole judge of a folder to a decider."""

    def __init__(self, folder: Path, decider: Decider, encoder: Encoder | None = None) -> None:
        self._folder = folder
        self._encoder = encoder
        self._decider = decider
        self._used = self._seen = self._stamp()
        self._weights = self._weights_in(self._used)

    async def look(self) -> bool:
        """Use what the folder holds now, if it changed and has come to rest (nobody is writing it); return whether."""
        stamp = self._stamp()
        settled, self._seen = stamp == self._seen, stamp
        if not settled or stamp == self._used:
            return False
        try:
            judge = await asyncio.to_thread(self._load, stamp)
        except ModelError as error:
            self._used = stamp
            _log.error("model refused, the last good one stays", extra={"action": "model_refused", "detail": str(error)})
            return False
        if self._stamp() != stamp:  # written while we read
            return False
        self._used, self._weights = stamp, self._weights_in(stamp)
        self._decider.ask(judge)
        _log.info("model reloaded", extra={"action": "model_reloaded", "version": model_version(judge)})
        return True

    async def follow(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    def _load(self, stamp: Stamp) -> Judge:
        """Return the judge that the folder holds; its weights are shared with the one in use when nobody trained them anew."""
        used = self._decider.judge
        if isinstance(used, Judge) and self._weights_in(stamp) == self._weights and self._folder.is_dir():
            return used.taught_by(self._folder)
        return load_judge(self._folder, self._encoder)

    def _weights_in(self, stamp: Stamp) -> Stamp:
        own = str(self._folder / "judge") + os.sep
        return frozenset(each for each in stamp if each[0].startswith(own))

    def _stamp(self) -> Stamp:
        """Return what tells one state of the folder from another: its files with their sizes and times."""
        found = set()
        for file in self._folder.glob("**/*"):
            try:
                stat = file.stat()
            except OSError:  # gone since it was listed
                continue
            found.add((str(file), stat.st_mtime_ns, stat.st_size))
        return frozenset(found)
