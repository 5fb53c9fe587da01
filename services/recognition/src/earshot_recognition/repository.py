"""Every query of recognition. Takes a connection, returns domain values; never begins or ends a transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from earshot_recognition.domain.ledger import Contribution, Entry
from earshot_shared.postgres import Queries

QUERIES = Queries.load("earshot_recognition")

_PRESENT, _STAFF, _BRAND, _QUESTION = 1, 2, 4, 8
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # before any item: those begin in 1990
_NOBODY = UUID(int=0)


class _Rest(msgspec.Struct, array_like=True, gc=False):
    """What of an item is kept in one value, because nothing searches it."""

    kind: str
    parents: tuple[UUID, ...]
    name: str | None
    named_at: datetime | None
    followers: int | None
    handle_key: str | None


@dataclass(slots=True)
class Account:
    """One row of ``accounts``: what the present items of an author key show, and what the account has earned."""

    author_key: str
    staff: bool = False
    brand: bool = False
    followers: int = 0
    name: str = ""
    named_at: datetime = _NEVER
    named_by: UUID = _NOBODY
    entries: int = 0
    helped: int = 0
    active: int = 0
    helpful: int = 0
    version: int = 0

    def show(self, item: Contribution) -> None:
        """Take in what one present item shows of its author."""
        self.staff |= item.staff
        self.brand |= item.brand
        self.followers = max(self.followers, item.followers or 0)
        if item.name and item.named_at and (item.named_at, item.feedback_id) > (self.named_at, self.named_by):
            self.name, self.named_at, self.named_by = item.name, item.named_at, item.feedback_id

    def blank(self) -> None:
        """Forget what items show; the sums stay."""
        self.staff = self.brand = False
        self.followers, self.name, self.named_at, self.named_by = 0, "", _NEVER, _NOBODY


_rest_encoder = msgspec.msgpack.Encoder()
_rest_decoder = msgspec.msgpack.Decoder(_Rest)


def _contribution(row: Any) -> Contribution:
    rest = _rest_decoder.decode(row["rest"])
    flags = row["flags"]
    return Contribution(
        feedback_id=row["feedback_id"],
        version=row["version"],
        author_key=row["author_key"],
        handle_key=rest.handle_key,
        present=bool(flags & _PRESENT),
        staff=bool(flags & _STAFF),
        brand=bool(flags & _BRAND),
        question=bool(flags & _QUESTION),
        kind=rest.kind,
        occurred_at=row["occurred_at"],
        parents=rest.parents,
        name=rest.name,
        named_at=rest.named_at,
        followers=rest.followers,
    )


def _row(item: Contribution) -> tuple[UUID, int, str, int, datetime, bytes]:
    flags = item.present * _PRESENT | item.staff * _STAFF | item.brand * _BRAND | item.question * _QUESTION
    rest = _Rest(item.kind, item.parents, item.name, item.named_at, item.followers, item.handle_key)
    return (item.feedback_id, item.version, item.author_key, flags, item.occurred_at, _rest_encoder.encode(rest))


async def load_items(conn: Any, ids: Collection[UUID]) -> dict[UUID, Contribution]:
    """Return the items we hold of these."""
    rows = await conn.fetch(QUERIES["load_items"], list(ids)) if ids else ()
    return {row["feedback_id"]: _contribution(row) for row in rows}


async def load_items_of(conn: Any, author_keys: Collection[str]) -> dict[UUID, Contribution]:
    """Return every item of these author keys."""
    rows = await conn.fetch(QUERIES["load_items_of"], list(author_keys)) if author_keys else ()
    return {row["feedback_id"]: _contribution(row) for row in rows}


async def load_children(conn: Any, ids: Collection[UUID]) -> set[UUID]:
    """Return the ids of the items that reply to any of these."""
    rows = await conn.fetch(QUERIES["load_children"], list(ids)) if ids else ()
    return {row["feedback_id"] for row in rows}


async def load_pairs(conn: Any, handles: Collection[str], accounts: Collection[str]) -> set[tuple[str, str]]:
    """Return the (handle_key, account_key) pairs that involve any of these handles or accounts."""
    if not handles and not accounts:
        return set()
    return {(row["handle_key"], row["account_key"]) for row in await conn.fetch(QUERIES["load_pairs"], list(handles), list(accounts))}


async def load_accounts(conn: Any, keys: Collection[str]) -> dict[str, Account]:
    """Return the accounts we hold of these."""
    rows = await conn.fetch(QUERIES["load_accounts"], list(keys)) if keys else ()
    return {row["author_key"]: Account(*row) for row in rows}


async def page_of_accounts(conn: Any, after: str, limit: int) -> list[str]:
    """Return the next author keys that have an account; ``after`` is empty at first."""
    return [row["author_key"] for row in await conn.fetch(QUERIES["page_of_accounts"], after, limit)]


async def load_entries(conn: Any, causes: Collection[UUID]) -> list[Entry]:
    """Return the ledger entries of these items."""
    rows = await conn.fetch(QUERIES["load_entries"], list(causes)) if causes else ()
    return [Entry(*row) for row in rows]


async def insert_items(conn: Any, items: Sequence[Contribution]) -> None:
    """Store items that are known to be new."""
    if items:
        columns = ("feedback_id", "version", "author_key", "flags", "occurred_at", "rest")
        await conn.copy_records_to_table("items", records=map(_row, items), columns=columns)


async def upsert_items(conn: Any, items: Sequence[Contribution]) -> None:
    """Store newer versions of items."""
    if items:
        await conn.execute(QUERIES["upsert_items"], *map(list, zip(*map(_row, items), strict=True)))


async def change_replies(conn: Any, gone: Iterable[tuple[UUID, UUID]], fresh: Iterable[tuple[UUID, UUID]]) -> None:
    """Forget and remember (parent, reply) pairs."""
    if removed := list(gone):
        await conn.execute(QUERIES["delete_replies"], [reply for _, reply in removed], [parent for parent, _ in removed])
    if added := sorted(set(fresh)):
        await conn.execute(QUERIES["insert_replies"], [parent for parent, _ in added], [reply for _, reply in added])


async def change_pairs(conn: Any, gone: Collection[tuple[str, str]], fresh: Collection[tuple[str, str]]) -> None:
    """Forget and remember pairs of handle and account."""
    if gone:
        await conn.execute(QUERIES["delete_pairs"], *map(list, zip(*sorted(gone), strict=True)))
    if fresh:
        await conn.execute(QUERIES["insert_pairs"], *map(list, zip(*sorted(fresh), strict=True)))


async def change_entries(conn: Any, gone: Collection[Entry], fresh: Collection[Entry]) -> None:
    """Take entries out of the ledger and put new ones in."""
    if gone:
        await conn.execute(
            QUERIES["delete_entries"], [each.cause for each in gone], [each.rule for each in gone], [each.beneficiary for each in gone]
        )
    if fresh:
        await conn.copy_records_to_table("ledger", records=fresh, columns=Entry._fields)


async def store_accounts(conn: Any, accounts: Mapping[str, Account], version: int) -> None:
    """Store accounts as they stand now."""
    if not accounts:
        return
    rows = [
        (
            each.author_key, each.staff, each.brand, each.followers, each.name, each.named_at, each.named_by,
            each.entries, each.helped, each.active, each.helpful,
        )
        for each in accounts.values()
    ]  # fmt: skip
    await conn.execute(QUERIES["upsert_accounts"], *map(list, zip(*rows, strict=True)), version)


async def page_of_ledger(
    conn: Any, member: str, before: datetime | None, cause: object, rule: object, beneficiary: object, limit: int
) -> list[Entry]:
    """Return a member's entries, newest first, beginning before the given point."""
    rows = await conn.fetch(QUERIES["member_ledger"], member, before, cause, rule, beneficiary, limit)
    return [Entry(*row) for row in rows]


async def page_of_board(
    conn: Any, board: str, since: datetime | None, points: object, author_key: object, limit: int
) -> list[tuple[str, str, int]]:
    """Return (author_key, name, points) of those with the most points, beginning after the given point; ties by author_key.

    Reach does not depend on a window: it is what the account's items show now.
    """
    if since is None or board == "reach":
        rows = await conn.fetch(QUERIES["leaderboard_all"], board, points, author_key, limit)
    else:
        rows = await conn.fetch(QUERIES["leaderboard_window"], board, points, author_key, limit, since)
    return [(row["author_key"], row["name"], row["points"]) for row in rows]


async def count_all(conn: Any) -> dict[str, int]:
    """Return the exact figures of ``/v1/stats``."""
    return dict(await conn.fetchrow(QUERIES["count_all"]))
