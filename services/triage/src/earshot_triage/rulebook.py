"""The rules while the service runs: those of the file, read anew when it changes, or those that somebody put over HTTP.

Owns which rules hold and the keeping of each version under the name that decisions carry. What was put stands above the file until it is
withdrawn; every replica sees it within seconds. What rules mean is the domain's.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from earshot_shared.config import ConfigFile, version_of
from earshot_shared.errors import RetryableError
from earshot_shared.metrics import Metrics
from earshot_shared.postgres import Pool, translated
from earshot_triage.config import TriageConfig
from earshot_triage.decisions import Decider, Judging
from earshot_triage.repository import QUERIES

LOOK_EVERY_S = 1.0
_log = logging.getLogger(__name__)


class KeptRules(msgspec.Struct, frozen=True):
    """A version of the rules, and when it was first used."""

    version: str
    first_used_at: datetime
    rules: msgspec.Raw


class PutNow(msgspec.Struct, frozen=True, kw_only=True):
    """Who put the rules that hold, and why."""

    action_id: str
    at: datetime
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One version of all rules."""

    version: str
    model: TriageConfig


class RuleBook:
    """Hands the rules that hold to a decider, now and whenever they change."""

    def __init__(self, folder: Path, judge: Judging) -> None:
        self._file = ConfigFile(folder, "triage", TriageConfig)
        self._put: Rulebook | None = None
        self._put_action: str | None = None
        self._kept: str | None = None
        self.put_by: PutNow | None = None
        current = self.current
        self.decider = Decider(judge, current.model.rules(current.version))
        self._use()

    @property
    def current(self) -> Rulebook:
        """The rules that hold."""
        return self._put or self.from_file

    @property
    def from_file(self) -> Rulebook:
        """The rules of the file, whether they hold or not."""
        return Rulebook(self._file.current.version, self._file.current.model)

    def named(self, model: TriageConfig) -> Rulebook:
        """Return rules under the name that the same rules bear in use or in the file, however they are spelt; else under their own."""
        known = (each for each in (self.current, self.from_file) if written(each.model) == written(model))
        return next(known, None) or named(model)

    @property
    def written(self) -> Mapping[str, Any]:
        """The rules that hold, as an operator writes them."""
        return written(self.current.model)

    def count_in(self, metrics: Metrics) -> None:
        """Count in ``metrics`` how often the file is read anew, and refused."""
        self._file.counted_in(metrics)

    def look(self) -> None:
        """Use the file's newest good state, unless other rules were put."""
        if self._file.look():
            self._use()

    async def look_up(self, conn: Any) -> None:
        """Use what was put last."""
        row = await conn.fetchrow(QUERIES["read_put"])
        if row is None or str(row["action_id"]) == self._put_action:
            return
        try:
            put = None if row["text"] is None else Rulebook(row["version"], TriageConfig.model_validate_json(row["text"]))
        except ValidationError:  # put by a newer release than ours
            _log.error(
                "rules put over HTTP refused, the last good version stays", extra={"action": "rules_refused", "version": row["version"]}
            )
            self._put_action = str(row["action_id"])
            return
        self._put, self._put_action = put, str(row["action_id"])
        self.put_by = PutNow(action_id=self._put_action, at=row["at"], by=row["by"], reason=row["reason"]) if put is not None else None
        self._use()
        _log.info("rules put over HTTP in use", extra={"action": "rules_put", "version": self.current.version})

    def _use(self) -> None:
        current = self.current
        if self._kept != current.version:
            self._kept = None
        self.decider.use(current.model.rules(current.version), current.model.words())

    async def keep(self, pool: Pool) -> None:
        """Keep the version in use, once."""
        version = self.current.version
        if version != self._kept:
            with translated():
                await pool.execute(QUERIES["keep_rules"], version, msgspec.json.encode(self.written).decode())
            self._kept = version

    async def follow(self, pool: Pool) -> None:
        """Look and keep until cancelled."""
        while True:
            self.look()
            try:
                with translated():
                    await self.look_up(pool)
                await self.keep(pool)
            except RetryableError as error:  # the next round tries again
                _log.warning("rules not kept yet", extra={"action": "rules_retry", "code": error.code})
            await asyncio.sleep(LOOK_EVERY_S)


def written(model: TriageConfig) -> Mapping[str, Any]:
    """Return rules as an operator writes them; the same rules, the same text."""
    plain: Mapping[str, Any] = _plain(model.model_dump(exclude_none=True))
    return plain


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; sets have no order, so they get one."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return sorted(value) if isinstance(value, frozenset) else value


def named(model: TriageConfig) -> Rulebook:
    """Return rules under the name of their content."""
    return Rulebook(version_of(written(model)), model)


async def list_rules(conn: Any) -> list[KeptRules]:
    """Return the versions ever used, newest first."""
    rows = await conn.fetch(QUERIES["list_rules"])
    return [KeptRules(row["version"], row["first_used_at"], msgspec.Raw(row["text"].encode())) for row in rows]
