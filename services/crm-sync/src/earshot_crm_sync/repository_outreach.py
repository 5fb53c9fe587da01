"""The queries of outreach. Takes a connection, begins and ends no transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from earshot_crm_sync.domain.outreach import Ask, Verdict
from earshot_crm_sync.repository import QUERIES


async def load_state(conn: Any) -> tuple[bool, datetime | None]:
    """Return whether anything is to be decided, and until when anything that was allowed may be sent."""
    row = await conn.fetchrow(QUERIES["load_outreach_state"])
    return row["to_decide"], row["open_until"]


async def is_being_folded_anew(conn: Any) -> bool:
    """Return whether a replay is under way."""
    found: bool = await conn.fetchval(QUERIES["is_being_folded_anew"])
    return found


async def insert(conn: Any, asks: Sequence[Ask]) -> None:
    """Keep wishes that are not known yet."""
    await conn.execute(
        QUERIES["insert_outreach"],
        [ask.outreach_id for ask in asks],
        [ask.author for ask in asks],
        [ask.purpose for ask in asks],
        [ask.template for ask in asks],
        [ask.brand for ask in asks],
        [ask.requested_at for ask in asks],
    )


async def prune(conn: Any, before: datetime) -> None:
    """Forget wishes older than this."""
    await conn.execute(QUERIES["prune_outreach"], before)


def _asks(rows: Iterable[Any]) -> list[Ask]:
    return [
        Ask(
            outreach_id=str(row["outreach_id"]),
            author=str(row["author"]),
            purpose=row["purpose"],
            template=row["template"],
            brand=row["brand"],
            requested_at=row["requested_at"],
        )
        for row in rows
    ]


async def load_to_decide(conn: Any, limit: int) -> list[Ask]:
    """Return the oldest wishes without a decision."""
    return _asks(await conn.fetch(QUERIES["load_outreach_to_decide"], limit))


async def load_open(conn: Any, identifiers: Collection[int], now: datetime) -> list[Ask]:
    """Return what may still be sent to some accounts, by the numbers of their identifiers."""
    return _asks(await conn.fetch(QUERIES["load_open_outreach"], sorted(identifiers), now))


async def decide(conn: Any, decided: Sequence[tuple[Ask, Verdict]], valid_until: Sequence[datetime]) -> None:
    """Keep decisions."""
    await conn.execute(
        QUERIES["decide_outreach"],
        [ask.outreach_id for ask, _ in decided],
        [verdict.allowed for _, verdict in decided],
        [verdict.reason.value for _, verdict in decided],
        list(valid_until),
    )
