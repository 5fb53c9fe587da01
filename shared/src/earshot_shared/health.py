"""Whether a process lives, and whether it is ready to work.

Live: its loop turned recently. Ready: whatever it needs is there (database reachable, schema as expected, positions loaded), each reason
named. Owns the asking; the parts report themselves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

import asyncpg

from earshot_shared.errors import EarshotError, FatalError, translate_asyncpg
from earshot_shared.migrations import missing_migrations

Check = Callable[[], Awaitable[str | None]]
"""Returns what is missing in a sentence, None when all is well."""

_log = logging.getLogger(__name__)
_CHECK_TIMEOUT_S: Final = 3.0
_PATIENCE_S: Final = 60.0  # a slice of 2,000 records on a busy machine takes a few seconds; a minute without a turn is a fault
_LOOK_S: Final = 5.0
_LOOKS: Final = 6  # looks in a row, not seconds: a process that was frozen for minutes has not been stuck


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "are you well?", with the reasons against it by name."""

    reasons: Mapping[str, str]

    @property
    def well(self) -> bool:
        """Return whether nothing speaks against it."""
        return not self.reasons


class Health:
    """Gathers heartbeats and checks of one process."""

    def __init__(self, *, patience_s: float = _PATIENCE_S, clock: Callable[[], float] = monotonic) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._turns: dict[str, Callable[[], float]] = {}
        self._checks: dict[str, Check] = {}

    def watch(self, part: str, turned_at: Callable[[], float]) -> None:
        """Expect a part (loop, relay) to go round; ``turned_at`` gives the clock's time of its last turn, 0 before its first."""
        self._turns[part] = turned_at

    def require(self, name: str, check: Check) -> None:
        """Ask ``check`` whenever readiness is asked for."""
        self._checks[name] = check

    def live(self) -> Verdict:
        """Return whether every part turned within its patience."""
        now = self._clock()
        silence = {part: now - (turned_at() or now) for part, turned_at in self._turns.items()}
        return Verdict({part: f"has not turned for {late:.0f} s" for part, late in silence.items() if late > self._patience_s})

    async def stand_guard(self, *, look_s: float = _LOOK_S) -> None:
        """Watch until a part does not turn, look after look: then it hangs for ever, and only a new process helps.

        Raises: FatalError, which ends the process; whoever runs it starts it again.
        """
        stuck = 0
        while True:
            await asyncio.sleep(look_s)
            reasons = self.live().reasons
            stuck = stuck + 1 if reasons else 0
            if stuck >= _LOOKS:
                told = "; ".join(f"{part} {reason}" for part, reason in reasons.items())
                _log.error("what hangs", extra={"action": "stalled", "tasks": standing_tasks()})
                raise FatalError(f"This process hangs ({told}) and ends, to be started again.", code="stalled")

    async def ready(self) -> Verdict:
        """Return whether all checks pass, asked at once and each with a deadline."""
        names = list(self._checks)
        found = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        reasons = {name: reason for name, reason in zip(names, found, strict=True) if reason is not None}
        return Verdict({**reasons, **self.live().reasons})

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT_S):
                return await check()
        except TimeoutError:
            return f"did not answer within {_CHECK_TIMEOUT_S:.0f} s"
        except EarshotError as error:
            return error.detail


def standing_tasks() -> dict[str, list[str]]:
    """Return where each task of this loop waits, innermost last, by the task's name: places in the code, never values."""
    return {task.get_name(): list(_places(task.get_coro())) for task in asyncio.all_tasks()}


def _places(waiting: object) -> Iterator[str]:
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)


def database_check(pool: "asyncpg.Pool[asyncpg.Record]", service: str) -> Check:
    """Return the check that Postgres answers and that the schema on the pool's search path has what this code needs."""

    async def check() -> str | None:
        try:
            async with pool.acquire() as connection:
                missing = await missing_migrations(connection, service)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            return translate_asyncpg(error).detail
        return f"run `earshot migrate`: the schema lacks {missing[0]}" if missing else None

    return check
