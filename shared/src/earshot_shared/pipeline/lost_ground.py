"""Whether a service stands on lost ground: a log that is another one, or older, than the one its positions and its relay speak of.

Owns the finding and the remembering of a loss. A log that is too short grows again as soon as somebody writes to it, and would then look
sound: so a loss that was found once is remembered, and the service stays stopped, until it is brought onto new ground (``regrounding``).
What a service says of the log is read first and the log looked at after it: a system that runs moves both, and a sound log is never behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from earshot_shared.errors import FatalError
from earshot_shared.pipeline.expectation import Expectation, check_expectation, unpack
from earshot_shared.pipeline.positions import Ground, check_position, load_loss
from earshot_shared.postgres import Pool, Queries

_QUERIES = Queries.load("earshot_shared.pipeline")

OVERWRITTEN = "log-overwritten"
LOSSES = frozenset({"other-cluster", "other-topic", "log-too-short", OVERWRITTEN})
"""The codes of errors that say: the ground is lost."""
# A broker that has just come back may for a moment tell an end that is too low; only a loss that is still there then is one.
CONFIRM_AFTER_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a service says of the log: a loss it remembers, its positions, and where its relay expects the log to end."""

    remembered: FatalError | None
    positions: Sequence[Any]
    expected: Expectation

    def loss_on(self, ground: Ground) -> FatalError | None:
        """Return why the service cannot stand on this ground, which covers all its topics and was looked at later; None when it can."""
        if self.remembered is not None:
            return self.remembered
        try:
            for row in self.positions:
                check_position((row["topic"], row["partition"]), row, ground)
            check_expectation(self.expected, ground)
        except FatalError as error:
            return error
        return None


async def load_standing(conn: Any) -> Standing:
    """Return what the service whose schema ``conn`` sees says of the log."""
    return Standing(
        remembered=await load_loss(conn),
        positions=await conn.fetch(_QUERIES["all_positions"]),
        expected=unpack(await conn.fetchval(_QUERIES["load_expected"])),
    )


async def remember(pool: Pool, schema: str, error: FatalError, survey: Callable[[], Awaitable[Ground]]) -> None:
    """Remember a loss that a service ran into, once a second look confirms it; what a broker answered us needs no confirmation.

    The pen is held meanwhile, as by whoever brings the service onto new ground: what was found before that is not remembered after it.
    """
    if error.code not in LOSSES:
        return
    expected = await pool.fetchval(_QUERIES["load_expected"])
    if error.code != OVERWRITTEN:
        await asyncio.sleep(CONFIRM_AFTER_S)
    async with pool.acquire() as conn, conn.transaction():
        await conn.fetchval(_QUERIES["take_pen"], schema)
        if error.code != OVERWRITTEN:
            standing = await load_standing(conn)
            found = standing.loss_on(await survey())
        else:
            found = error if await conn.fetchval(_QUERIES["load_expected"]) == expected else None
        if found is not None:
            await conn.execute(_QUERIES["remember_loss"], found.code, found.detail)
