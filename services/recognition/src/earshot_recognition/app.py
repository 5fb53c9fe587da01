"""The routes of recognition: members, their ledgers, leaderboards, figures.

Thin: parameters are checked here, queries are in ``repository``, standing is decided in ``domain``.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from earshot_recognition import repository
from earshot_recognition.acting import Desk
from earshot_recognition.book import Book, names_of
from earshot_recognition.domain.accounts import Account
from earshot_recognition.keyed import KeyedRoute
from earshot_recognition.repository import LedgerPoint
from earshot_recognition.routes_acting import acting_routes
from earshot_recognition.routes_community import CommunityRoutes
from earshot_recognition.rules import RecognitionRules
from earshot_recognition.stage import Recognition
from earshot_recognition.views import Member, member_view
from earshot_shared.administration.routes import administration
from earshot_shared.envelope import rfc3339
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import require
from earshot_shared.http.door import Door
from earshot_shared.http.paging import DEFAULT_LIMIT, CursorText, Limit
from earshot_shared.http.problems import NotFoundError
from earshot_shared.http.shapes import NUMBER, answers, stats_of
from earshot_shared.http.times import parse_time
from earshot_shared.postgres import translated
from earshot_shared.service import Parts

Board = Literal["helpful", "active", "reach"]
Window = Literal["all", "year", "month", "week"]
_WINDOWS = {"year": timedelta(days=365), "month": timedelta(days=30), "week": timedelta(days=7)}
_READ = Depends(require("recognition:read", every_brand=True))


class LedgerEntry(BaseModel):
    """One line of the ledger; ``beneficiary`` is who was helped, null where nobody else gains."""

    entry_id: str
    cause: UUID
    rule: str
    beneficiary: str | None
    board: str
    points: int
    occurred_at: str


class Ledger(BaseModel):
    """A page of a member's ledger, newest first."""

    items: list[LedgerEntry]
    next_cursor: str | None


class Place(BaseModel):
    """One place of a leaderboard."""

    rank: int
    author_key: str
    name: str
    points: int


class Leaderboard(BaseModel):
    """A page of a leaderboard."""

    items: list[Place]
    next_cursor: str | None


class BadgeShown(BaseModel):
    """A badge and what it is earned for; ``by_hand``: people give it."""

    name: str
    helped: int
    items: int
    by_hand: bool


class BadgeList(BaseModel):
    """The badges there are."""

    items: list[BadgeShown]
    next_cursor: str | None


def create_recognition_app(parts: Parts, stage: Recognition, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Door:
    """Return the ASGI application."""
    desk = Desk(parts.runtime.writer, stage, clock=clock, new_id=uuid4)
    return create_app(
        parts.settings,
        title="Earshot recognition",
        summary="Who helps, and the standing that follows from it.",
        routers=[_Routes(parts, stage.rules).router(), CommunityRoutes(parts).router(), acting_routes(desk), *administration(parts)],
        authenticate=parts.keyring,
        health=parts.health,
        metrics=parts.metrics,
    )


def _account(book: Book, author_key: str) -> Account:
    """Return the account that a key names.

    Raises: NotFoundError for nobody.
    """
    account = book.find(author_key)
    if account is None:
        raise NotFoundError("No author of that key has been heard.", code="member-unknown")
    return account


class _Routes:
    def __init__(self, parts: Parts, rules: Callable[[], RecognitionRules]) -> None:
        self._pool = parts.runtime.pool
        self._runtime = parts.runtime
        self._cursors = parts.cursors
        self._rules = rules

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1", dependencies=[_READ], route_class=KeyedRoute)
        # Author keys may hold slashes, as account ids do; so what follows a key is looked for before the key alone.
        one = "/members/{author_key:path}"
        router.add_api_route(f"{one}/ledger", self.ledger, methods=["GET"], summary="What a member has earned, and for what")
        router.add_api_route(one, self.member, methods=["GET"], summary="A member's standing, why, and the next step")
        router.add_api_route("/leaderboards/{board}", self.leaderboard, methods=["GET"], summary="Who has the most points")
        router.add_api_route("/badges", self.badges, methods=["GET"], summary="The badges there are, by rule and by hand")
        counts = stats_of(feedback=NUMBER, entries=NUMBER, points=NUMBER, members=NUMBER)
        router.add_api_route("/stats", self.stats, methods=["GET"], summary="Exact counts", response_model=None, responses=answers(counts))
        return router

    async def member(self, author_key: str) -> Member:
        rules = self._rules()
        with translated():
            async with self._pool.acquire() as conn:
                book = await Book.load(conn, [author_key])
        return member_view(_account(book, author_key), book, rules)

    async def ledger(self, author_key: str, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> Ledger:
        filters = {"author_key": author_key}
        after = self._cursors.read("ledger", filters, cursor, length=4)
        before = None if after is None else LedgerPoint(parse_time(str(after[0])), str(after[1]), str(after[2]), str(after[3]))
        with translated():
            async with self._pool.acquire() as conn:
                book = await Book.load(conn, [author_key])
                owner = _account(book, author_key).author_key
                entries = await repository.page_of_ledger(conn, owner, list(book.names_of(owner)), before, limit + 1)
        page = entries[:limit]
        following = None
        if len(entries) > limit:
            last = page[-1]
            following = self._cursors.issue("ledger", filters, [rfc3339(last.occurred_at), str(last.cause), last.rule, last.beneficiary])
        items = [
            LedgerEntry(
                entry_id=each.entry_id,
                cause=each.cause,
                rule=each.rule,
                beneficiary=each.beneficiary or None,
                board=each.board,
                points=each.points,
                occurred_at=rfc3339(each.occurred_at),
            )
            for each in page
        ]
        return Ledger(items=items, next_cursor=following)

    async def leaderboard(
        self, board: Board, window: Annotated[Window, Query()] = "all", limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
    ) -> Leaderboard:
        filters = {"board": board, "window": window}
        after = self._cursors.read("leaderboard", filters, cursor, length=3) or [None, None, 0]
        since = None if window == "all" else datetime.now(UTC) - _WINDOWS[window]
        with translated():
            async with self._pool.acquire() as conn:
                rows = await repository.page_of_board(conn, board, since, after[0], after[1], limit + 1)
                names = await names_of(conn, [key for key, _ in rows[:limit]])
        rank = int(after[2] or 0)
        page = [Place(rank=rank + n, author_key=key, name=names[key], points=points) for n, (key, points) in enumerate(rows[:limit], 1)]
        following = None
        if len(rows) > limit:
            following = self._cursors.issue("leaderboard", filters, [page[-1].points, page[-1].author_key, page[-1].rank])
        return Leaderboard(items=page, next_cursor=following)

    async def badges(self, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> BadgeList:
        page, following = self._cursors.page_of("badges", self._rules().badges, limit, cursor)
        items = [BadgeShown(name=each.name, helped=each.helped, items=each.items, by_hand=each.by_hand) for each in page]
        return BadgeList(items=items, next_cursor=following)

    async def stats(self) -> dict[str, Any]:
        with translated():
            async with self._pool.acquire() as conn:
                counts = await repository.read_counts(conn)
        return {**counts, **await self._runtime.stats()}
