"""The queries about people's acts, thank-yous and erasures. Takes a connection, returns domain values; begins and ends nothing."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from earshot_recognition.domain.deeds import Act, Particulars, Verb
from earshot_recognition.domain.network import Tie
from earshot_recognition.domain.thanks import thank_you_id
from earshot_recognition.repository import QUERIES

_KEYS_AT_ONCE: Final = 5_000
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Particulars)


def _act(row: Any) -> Act:
    action_id, subject, verb, at, actor, particulars = row
    return Act(action_id=action_id, subject=subject, verb=Verb(verb), at=at, actor=actor, particulars=_decoder.decode(particulars))


async def insert_acts(conn: Any, acts: Sequence[Act]) -> list[Act]:
    """Keep acts; return those that were not known."""
    if not acts:
        return []
    rows = [(act.action_id, act.subject, act.verb.value, act.at, act.actor, _encoder.encode(act.particulars)) for act in acts]
    fresh = {row[0] for row in await conn.fetch(QUERIES["insert_acts"], *map(list, zip(*rows, strict=True)))}
    return [act for act in acts if act.action_id in fresh]


async def load_acts(conn: Any, subjects: Collection[str]) -> list[Act]:
    """Return what was done about these."""
    return [_act(row) for row in await conn.fetch(QUERIES["load_acts"], list(subjects))] if subjects else []


async def page_of_subjects(conn: Any, verbs: Collection[Verb], after: str, limit: int) -> list[str]:
    """Return the next author keys that one of the verbs was ever said of."""
    return [row[0] for row in await conn.fetch(QUERIES["page_of_subjects"], [verb.value for verb in verbs], after, limit)]


async def change_thank_yous(conn: Any, gone: Iterable[tuple[str, str]], fresh: Iterable[tuple[str, str]]) -> None:
    """Forget and remember (author_key, cause) that were reached."""
    if removed := [thank_you_id(*each) for each in gone]:
        await conn.execute(QUERIES["delete_thank_yous"], removed)
    if added := [(thank_you_id(*each), *each) for each in sorted(fresh)]:
        await conn.execute(QUERIES["insert_thank_yous"], *map(list, zip(*added, strict=True)))


async def find_thank_you(conn: Any, wanted: UUID) -> tuple[str, str] | None:
    """Return whom and what for, if that was reached."""
    row = await conn.fetchrow(QUERIES["find_thank_you"], wanted)
    return (row[0], row[1]) if row is not None else None


async def page_of_thank_yous(conn: Any, after: tuple[str, str], limit: int) -> list[tuple[UUID, str, str]]:
    """Return the next (id, author_key, cause)."""
    return [(row[0], row[1], row[2]) for row in await conn.fetch(QUERIES["page_of_thank_yous"], *after, limit)]


async def has_erasures(conn: Any) -> bool:
    """Return whether anybody ever asked to be forgotten."""
    return bool(await conn.fetchval(QUERIES["has_erasures"]))


async def store_erasures(conn: Any, until: Sequence[tuple[str, datetime]]) -> None:
    """Keep until when what each hash stands for is erased; a hash stands once in it."""
    await conn.execute(QUERIES["upsert_erasures"], [alias for alias, _ in until], [at for _, at in until])


async def load_erasures(conn: Any, aliases: Collection[str]) -> dict[str, datetime]:
    """Return until when these are erased."""
    rows = await conn.fetch(QUERIES["load_erasures"], list(aliases)) if aliases else ()
    return {str(row[0]): row[1] for row in rows}


async def list_keys(conn: Any) -> AsyncIterator[str]:
    """Yield every author key and handle that is held; the connection is in a transaction."""
    async for row in conn.cursor(QUERIES["list_keys"], prefetch=_KEYS_AT_ONCE):
        yield row[0]


async def delete_accounts(conn: Any, keys: Collection[str]) -> None:
    """Delete accounts."""
    if keys:
        await conn.execute(QUERIES["delete_accounts"], list(keys))


async def delete_acts(conn: Any, subjects: Collection[str], until: datetime) -> list[str]:
    """Delete what was done about these up to a time; return the ids of those acts."""
    return [str(row[0]) for row in await conn.fetch(QUERIES["delete_acts"], list(subjects), until)] if subjects else []


async def load_ties(conn: Any, limit: int) -> list[Tie]:
    """Return who helped whom how often, the strongest first."""
    return [Tie(row[0], row[1], row[2]) for row in await conn.fetch(QUERIES["network"], limit)]
