"""The rules while the service runs: read anew when their file changes, each version kept under the name that decisions carry.

Owns the following of the file. What rules mean is the domain's.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from earshot_shared.config import ConfigFile
from earshot_shared.errors import RetryableError
from earshot_shared.postgres import Pool, translated
from earshot_triage.config import TriageConfig
from earshot_triage.decisions import Decider, Judging
from earshot_triage.repository import QUERIES

LOOK_EVERY_S = 2.0
_log = logging.getLogger(__name__)


class KeptRules(msgspec.Struct, frozen=True):
    """A version of the rules, and when it was first used."""

    version: str
    first_used_at: datetime
    rules: msgspec.Raw


class RuleBook:
    """Hands the rules of ``config/triage.yaml`` to a decider, now and whenever they change."""

    def __init__(self, folder: Path, judge: Judging) -> None:
        self._file = ConfigFile(folder, "triage", TriageConfig)
        self._kept: str | None = None
        self.decider = Decider(judge, self._file.current.model.rules(self._file.current.version))

    @property
    def written(self) -> Mapping[str, Any]:
        """The rules in use, as an operator writes them."""
        return self._file.current.model.model_dump(mode="json", exclude_none=True)

    def look(self) -> None:
        """Use the file's newest good state."""
        if self._file.look():
            self.decider.use(self._file.current.model.rules(self._file.current.version))

    async def keep(self, pool: Pool) -> None:
        """Keep the version in use, once."""
        version = self._file.current.version
        if version != self._kept:
            with translated():
                await pool.execute(QUERIES["keep_rules"], version, msgspec.json.encode(self.written).decode())
            self._kept = version

    async def follow(self, pool: Pool) -> None:
        """Look and keep until cancelled."""
        while True:
            self.look()
            try:
                await self.keep(pool)
            except RetryableError as error:  # the next round tries again
                _log.warning("rules not kept yet", extra={"action": "rules_retry", "code": error.code})
            await asyncio.sleep(LOOK_EVERY_S)


async def list_rules(conn: Any) -> list[KeptRules]:
    """Return the versions ever used, newest first."""
    rows = await conn.fetch(QUERIES["list_rules"])
    return [KeptRules(row["version"], row["first_used_at"], msgspec.Raw(row["text"].encode())) for row in rows]
