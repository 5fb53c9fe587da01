"""The gathering of themes while the service runs: beside the fold, in small transactions of its own, without the pen.

Owns the following of what changed, and the pace. One process at a time gathers.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from earshot_shared.errors import PoisonError, RetryableError
from earshot_shared.postgres import Pool, translated
from earshot_triage.domain.gathering import Voice
from earshot_triage.domain.leaders import Leaders
from earshot_triage.placing import Placing
from earshot_triage.repository import NO_KEY, QUERIES
from earshot_triage.settling import settle
from earshot_triage.stage import SLICE_RECORDS
from earshot_triage.theme_rows import ThemeRows
from earshot_triage.voices import Knowing, Telling, version_of, voices_of

BATCH: Final = SLICE_RECORDS
"""So many rows are taken in at a time, in whole slices as the fold wrote them: half a slice would come late to the other half."""
EVERY_S: Final = 1.0
SOON_S: Final = 0.3
"""While there is always something: what a second brings, taken in at once, would hold up the fold for a good part of the next."""
REST: Final = 3.0
"""While more waits, gathering rests for so many times what it took. A quarter of the time carries some 3,000 rows a second;
with half of it the fold's p99 doubled while themes caught up.
"""
BUSY_REST: Final = 9.0
"""So many times while the fold has a backlog: nobody waits for a theme as for an answer. A tenth of the time still takes in a good part of
what a fold at its limit writes, so themes come late by then, but come.
"""
MOST_LEADERS: Final = 40_000
"""So many are kept in memory (some 500 bytes each); with more, all are forgotten and come back as they are asked for."""
_log = logging.getLogger(__name__)


class Stand(NamedTuple):
    """How far the gathering has come: the last row, and by whose weights of words."""

    changed: int
    key: str
    model: str


def rest_s(took_s: float, *, found: int, more: bool, busy: bool) -> float:
    """Return for how many seconds to rest after a batch of ``found`` rows that took so many.

    ``more``: rows wait; ``busy``: the fold has a backlog.
    """
    if not found:
        return EVERY_S
    if not more:
        return SOON_S
    return took_s * (BUSY_REST if busy else REST)


class Gatherer:
    """Gathers, batch by batch."""

    def __init__(
        self,
        pool: Pool,
        judge: Callable[[], Knowing],
        *,
        wanted: Callable[[], bool] = lambda: True,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """``judge`` returns the one in use; ``wanted`` says whether this process gathers; ``busy`` whether the fold has a backlog."""
        self._pool = pool
        self._judge = judge
        self._wanted = wanted
        self._busy = busy
        self._telling: Telling | None = None
        self._leaders = Leaders()
        self._stood: Stand | None = None  # as far as the leaders are true
        self._more = False  # whether rows were left when it looked last

    async def run(self) -> None:
        """Gather until cancelled."""
        while True:
            began, found = time.monotonic(), 0
            try:
                if self._wanted():
                    found = await self.gather()
            except RetryableError as error:  # the next round tries again
                _log.warning("gathering put off", extra={"action": "gather_retry", "code": error.code})
            except PoisonError as error:  # themes stand still; judging, routing and cases do not hang on them
                _log.error("gathering cannot go on", exc_info=error, extra={"action": "gather_stuck", "code": error.code})
            await asyncio.sleep(rest_s(time.monotonic() - began, found=found, more=self._more, busy=self._busy()))

    async def gather(self) -> int:
        """Take in one batch of what changed; return how many rows it was."""
        stood, self._stood = self._stood, None  # if anything fails, what is in memory may be wrong
        with translated():
            async with self._pool.acquire() as conn, conn.transaction():
                stands, count = await self._go_on(conn, stood)
        self._stood = stands
        return count

    async def _go_on(self, conn: Any, stood: Stand | None) -> tuple[Stand, int]:
        """Return how far the gathering stands now, and how many rows were taken in."""
        telling = self._words()
        await conn.execute(QUERIES["begin_gathering"], telling.version)
        row = await conn.fetchrow(QUERIES["lock_gathering"])
        assert row is not None, "the row was made"
        stands = Stand(row["changed"], str(row["key"]), row["model"])
        anew = stands.model != telling.version
        if anew or stands != stood or len(self._leaders) > MOST_LEADERS:
            self._leaders = Leaders()
        if anew:
            await conn.execute(QUERIES["drop_gathering"])
            stands = Stand(-1, NO_KEY, telling.version)
        rows = await self._changed(conn, stands)
        if rows:
            await self._take_in(conn, rows, telling)
            stands = Stand(rows[-1]["changed"], str(rows[-1]["key"]), telling.version)
        if rows or anew:
            await conn.execute(QUERIES["move_gathering"], *stands)
        return stands, len(rows)

    def _words(self) -> Telling:
        judge = self._judge()
        if self._telling is None or self._telling.version != version_of(judge):
            self._telling = Telling(judge)
        return self._telling

    async def _changed(self, conn: Any, since: Stand) -> Sequence[Any]:
        """Return the next rows: whole slices, or as much as is taken at a time of one that is larger."""
        rows: Sequence[Any] = await conn.fetch(QUERIES["load_changed"], since.changed, since.key, BATCH + 1)
        self._more = len(rows) > BATCH
        if not self._more:
            return rows
        cut = rows[-1]["changed"]
        return [row for row in rows if row["changed"] != cut] or rows[:BATCH]

    async def _take_in(self, conn: Any, rows: Sequence[Any], telling: Telling) -> None:
        shelf = ThemeRows(conn)
        fresh = await asyncio.to_thread(voices_of, [row for row in rows if row["item"] is not None], telling)
        known = {str(row["key"]) for row in rows if row["known"]}
        orphans: list[Voice] = []
        if known:
            orphans = [voice for voice in await shelf.followers(sorted(known)) if voice.key not in known]
            await shelf.drop(sorted(known))
            for key in known:
                self._leaders.remove(key)
        placed = await Placing(shelf, self._leaders).run([*(each.voice for each in fresh), *orphans])
        await shelf.write(fresh, placed)
        await settle(conn, placed)
