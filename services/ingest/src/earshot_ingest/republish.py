"""Says again what changed since a moment: the mend after the loss of a broker, or onto a new one.

Owns the going through the items. Each slice is a transaction of its own under the pen, so it tells the revision that stands then, and
whatever changes meanwhile is told after it. Positions on the new ground are the services' own business.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from earshot_ingest import repository
from earshot_ingest.events import item_message
from earshot_shared.envelope import rfc3339
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import translated

SLICE_ITEMS: Final = 2_000


async def republish(writer: Writer, since: datetime, *, progress: Callable[[int], None] = lambda _: None) -> int:
    """Put every item that changed at or after ``since`` into the outbox again; return how many. The running service's relay sends them.

    Event ids are those of the first time, so whoever had an item sees a duplicate. Killed half-way it may simply be run again.
    """
    told = 0
    with translated():
        async with writer.pool.acquire() as conn, conn.transaction(readonly=True):
            await conn.execute("set local idle_in_transaction_session_timeout = 0")  # it holds no lock that anybody waits for
            cursor = await conn.cursor(repository.QUERIES["changed_since"], since)
            while rows := await cursor.fetch(SLICE_ITEMS):
                async with writer.transaction() as tx:
                    await _tell(tx, [str(row["feedback_id"]) for row in rows])
                told += len(rows)
                progress(told)
    return told


async def _tell(tx: Transaction, feedback_ids: list[str]) -> None:
    time = rfc3339(datetime.now(UTC))
    tx.send(
        item_message(stored.feedback_id, stored.revision, stored.body, live=stored.live, time=time)
        for stored in (await repository.load(tx.conn, feedback_ids)).values()
    )
