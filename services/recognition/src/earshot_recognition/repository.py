"""Every query of recognition. Takes a connection, returns domain values; never begins or ends a transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.ledger import Contribution, Entry, Help
from earshot_shared.postgres import Queries

QUERIES = Queries.load("earshot_recognition")

_PRESENT, _STAFF, _BRAND, _QUESTION = 1, 2, 4, 8


class _Rest(msgspec.Struct, array_like=True, gc=False):
    """What of an item is kept in one value, because nothing searches it."""

    kind: str
    parents: tuple[UUID, ...]
    name: str | None
    named_at: datetime | None
    followers: int | None
    handle_key: str | None


class Held(NamedTuple):
    """An item as it is stored: what it says, and who earns how much by it (nobody: None)."""

    item: Contribution
    member: str | None
    earned: int


_rest_encoder = msgspec.msgpack.Encoder()
_rest_decoder = msgspec.msgpack.Decoder(_Rest)


def _held(row: Any) -> Held:
    feedback_id, version, author_key, flags, occurred_at, member, earned, packed = row
    rest = _rest_decoder.decode(packed)
    item = Contribution(
        version,
        feedback_id,
        author_key,
        occurred_at,
        rest.handle_key,
        bool(flags & _PRESENT),
        bool(flags & _STAFF),
        bool(flags & _BRAND),
        bool(flags & _QUESTION),
        rest.kind,
        rest.parents,
        rest.name,
        rest.named_at,
        rest.followers,
    )
    return Held(item, member, earned)


def _row(held: Held) -> tuple[UUID, int, str, int, datetime, str | None, int, bytes]:
    item = held.item
    flags = item.present * _PRESENT | item.staff * _STAFF | item.brand * _BRAND | item.question * _QUESTION
    rest = _rest_encoder.encode((item.kind, item.parents, item.name, item.named_at, item.followers, item.handle_key))
    return (item.feedback_id, item.version, item.author_key, flags, item.occurred_at, held.member, held.earned, rest)


async def load_items(conn: Any, ids: Collection[UUID]) -> dict[UUID, Held]:
    """Return the items we hold of these."""
    rows = await conn.fetch(QUERIES["load_items"], list(ids)) if ids else ()
    return {row[0]: _held(row) for row in rows}


async def load_items_of(conn: Any, author_keys: Collection[str]) -> dict[UUID, Held]:
    """Return every item of these author keys."""
    rows = await conn.fetch(QUERIES["load_items_of"], list(author_keys)) if author_keys else ()
    return {row[0]: _held(row) for row in rows}


async def load_children(conn: Any, ids: Collection[UUID]) -> set[UUID]:
    """Return the ids of the items that reply to any of these."""
    rows = await conn.fetch(QUERIES["load_children"], list(ids)) if ids else ()
    return {row[0] for row in rows}


async def load_pairs(conn: Any, handles: Collection[str], accounts: Collection[str]) -> set[tuple[str, str]]:
    """Return the (handle_key, account_key) pairs of all these handles and all these accounts."""
    if not handles and not accounts:
        return set()
    return {(row[0], row[1]) for row in await conn.fetch(QUERIES["load_pairs"], list(handles), list(accounts))}


async def load_accounts(conn: Any, keys: Collection[str]) -> dict[str, Account]:
    """Return the accounts we hold of these."""
    rows = await conn.fetch(QUERIES["load_accounts"], list(keys)) if keys else ()
    return {row[0]: Account(*row) for row in rows}


async def load_helps(conn: Any, causes: Collection[UUID]) -> set[Help]:
    """Return the help entries of these items."""
    rows = await conn.fetch(QUERIES["load_helps"], list(causes)) if causes else ()
    return {Help(*row) for row in rows}


async def page_of_accounts(conn: Any, after: str, limit: int) -> list[str]:
    """Return the next author keys that have an account; ``after`` is empty at first."""
    return [row["author_key"] for row in await conn.fetch(QUERIES["page_of_accounts"], after, limit)]


async def insert_items(conn: Any, items: Sequence[Held]) -> None:
    """Store items that are known to be new."""
    if items:
        columns = ("feedback_id", "version", "author_key", "flags", "occurred_at", "member", "earned", "rest")
        await conn.copy_records_to_table("items", records=map(_row, items), columns=columns)


async def upsert_items(conn: Any, items: Sequence[Held]) -> None:
    """Store newer versions of items."""
    if items:
        await conn.execute(QUERIES["upsert_items"], *map(list, zip(*map(_row, items), strict=True)))


async def update_versions(conn: Any, items: Sequence[Contribution]) -> None:
    """Store the versions of items that say the same as before."""
    if items:
        await conn.execute(QUERIES["update_versions"], [item.feedback_id for item in items], [item.version for item in items])


async def update_earned(conn: Any, items: Sequence[Held]) -> None:
    """Store who earns what by items that have not changed themselves."""
    if items:
        ids, members, earned = [held.item.feedback_id for held in items], [held.member for held in items], [held.earned for held in items]
        await conn.execute(QUERIES["update_earned"], ids, members, earned)


async def change_replies(conn: Any, gone: Iterable[tuple[UUID, UUID]], fresh: Iterable[tuple[UUID, UUID]]) -> None:
    """Forget and remember (parent, reply) pairs."""
    if removed := list(gone):
        await conn.execute(QUERIES["delete_replies"], [reply for _, reply in removed], [parent for parent, _ in removed])
    if added := sorted(fresh):
        await conn.execute(QUERIES["insert_replies"], [parent for parent, _ in added], [reply for _, reply in added])


async def change_pairs(conn: Any, gone: Collection[tuple[str, str]], fresh: Collection[tuple[str, str]]) -> None:
    """Forget and remember pairs of handle and account."""
    if gone:
        await conn.execute(QUERIES["delete_pairs"], *map(list, zip(*sorted(gone), strict=True)))
    if fresh:
        await conn.execute(QUERIES["insert_pairs"], *map(list, zip(*sorted(fresh), strict=True)))


async def change_helps(conn: Any, gone: Collection[Help], fresh: Collection[Help]) -> None:
    """Take help entries out of the ledger and put new ones in."""
    if gone:
        await conn.execute(QUERIES["delete_helps"], [each.cause for each in gone], [each.beneficiary for each in gone])
    if fresh:
        await conn.copy_records_to_table("helps", records=fresh, columns=Help._fields)


async def store_accounts(conn: Any, accounts: Sequence[Account], version: int) -> None:
    """Store accounts as they stand now."""
    if not accounts:
        return
    rows = [
        (
            each.author_key, each.staff, each.brand, each.followers, each.name, each.named_at, each.named_by,
            each.entries, each.helped, each.active, each.helpful,
        )
        for each in accounts
    ]  # fmt: skip
    await conn.execute(QUERIES["upsert_accounts"], *map(list, zip(*rows, strict=True)), version)


async def add_counts(conn: Any, moved: Mapping[str, int]) -> None:
    """Move the exact figures by these."""
    if changes := {name: by for name, by in sorted(moved.items()) if by}:
        await conn.execute(QUERIES["add_counts"], list(changes), list(changes.values()))


@dataclass(frozen=True, slots=True)
class LedgerPoint:
    """Where a page of a ledger ended: the entry's time, cause, rule and beneficiary."""

    occurred_at: datetime
    cause: str
    rule: str
    beneficiary: str


async def page_of_ledger(conn: Any, member: str, names: Collection[str], before: LedgerPoint | None, limit: int) -> list[Entry]:
    """Return a member's entries, newest first, beginning before the given point; ``names`` are the handles that lead to the member."""
    point = (None, None, None, None) if before is None else (before.occurred_at, before.cause, before.rule, before.beneficiary)
    rows = await conn.fetch(QUERIES["member_ledger"], member, *point, limit, [member, *names])
    return [Entry(*row) for row in rows]


async def page_of_board(
    conn: Any, board: str, since: datetime | None, points: object, author_key: object, limit: int
) -> list[tuple[str, int]]:
    """Return (author_key, points) of those with the most points, beginning after the given point; ties by author_key.

    Reach does not depend on a window: it is what the account's items show now.
    """
    if board == "reach":
        rows = await conn.fetch(QUERIES["leaderboard_reach"], points, author_key, limit)
    elif since is None:
        rows = await conn.fetch(QUERIES["leaderboard_all"], board, points, author_key, limit)
    else:
        rows = await conn.fetch(QUERIES["leaderboard_window"], board, points, author_key, limit, since)
    return [(row["author_key"], row["points"]) for row in rows]


async def read_counts(conn: Any) -> dict[str, int]:
    """Return the exact figures of ``/v1/stats``."""
    return {"feedback": 0, "entries": 0, "points": 0, "members": 0} | {row[0]: row[1] for row in await conn.fetch(QUERIES["read_counts"])}
