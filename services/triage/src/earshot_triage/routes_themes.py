"""The routes of themes: lists, one theme, what becomes of it, and questions worth an article.

Owns their parameters and bodies. What they do is `theming`'s and `themes_reading`'s.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor
from earshot_shared.http.call import call_of
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.paging import CursorText, Limit
from earshot_shared.http.problems import NotFoundError
from earshot_shared.http.shapes import answers, page_of, shape
from earshot_shared.http.strict import DIGITS, response_of
from earshot_shared.postgres import translated
from earshot_shared.service import Parts
from earshot_triage import reading, themes_reading
from earshot_triage.routes_acting import Text, Writing
from earshot_triage.routes_reading import FeedbackId, Reader, answer_json, brands_of
from earshot_triage.theming import Themed, ThemesDesk, Wish
from earshot_triage.wide_acts import MERGE_THEME, SPLIT_THEME, THEME_STATUS, MergeTheme, SetThemeStatus, SplitTheme, ThemeStatus

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Least = Annotated[int, Query(ge=1, le=1000, description="How many items make one that is shown."), DIGITS]
Kind = Literal["idea", "bug", "question"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StatusAsked(_Asked):
    """What becomes of it: everybody behind it is told. ``text`` is for colleagues."""

    status: ThemeStatus
    text: Text | None = None


class MergeAsked(_Asked):
    """The id of another theme, or of any item in it, that is the same."""

    other: Id
    reason: Text | None = None


class SplitAsked(_Asked):
    """Items of this theme that are one of their own."""

    items: Annotated[list[Id], Field(min_length=1, max_length=500)]
    reason: Text | None = None


class _Common:
    """What every acting route takes beside its body."""

    def __init__(
        self,
        request: Request,
        theme_id: FeedbackId,
        principal: Writing,
        who: Annotated[Actor, Depends(actor)],
        ticket: Annotated[Ticket | None, Depends(ticket_of)],
    ) -> None:
        self._given = (theme_id, principal, who, ticket, call_of(request).traceparent)

    def wish(self, verb: str, said: SetThemeStatus | MergeTheme | SplitTheme) -> Wish:
        """Return the wish that these and the body make."""
        theme_id, principal, who, ticket, traceparent = self._given
        return Wish(feedback_id=theme_id, verb=verb, said=said, principal=principal, actor=who, ticket=ticket, traceparent=traceparent)


Common = Annotated[_Common, Depends()]


def themes_routes(parts: Parts, desk: ThemesDesk) -> list[APIRouter]:
    """Return the routers."""
    return [_reading(parts), _acting(desk)]


def _reading(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["themes"])

    @router.get(
        "/themes",
        summary="What many say, the most voices first",
        response_model=None,
        responses=answers(page_of(shape(themes_reading.ThemeLine))),
    )
    async def list_themes(
        reader: Reader,
        kind: Annotated[Kind | None, Query()] = None,
        brand: Annotated[str | None, Query(max_length=512)] = None,
        status: Annotated[ThemeStatus | None, Query()] = None,
        least: Least = 2,
        limit: Limit = 50,
        cursor: CursorText = None,
    ) -> Response:
        filters = {"kind": kind, "brand": brand, "status": status, "least": least}
        after = parts.cursors.read("themes", filters, cursor, length=2)
        with translated():
            lines, places = await themes_reading.list_themes(
                parts.runtime.pool,
                kind=kind,
                brand=brand,
                status=status,
                brands=brands_of(reader),
                least=least,
                after=None if after is None else (int(after[0] or 0), str(after[1])),
                limit=limit + 1,
            )
        following = parts.cursors.issue("themes", filters, list(places[limit - 1])) if len(lines) > limit else None
        return answer_json({"items": lines[:limit], "next_cursor": following})

    @router.get(
        "/themes/{theme_id}",
        summary="A theme, by its id or that of any item in it",
        response_model=None,
        responses=answers(shape(themes_reading.ThemeView)),
    )
    async def read_theme(theme_id: FeedbackId, reader: Reader) -> Response:
        with translated():
            async with parts.runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                found = await themes_reading.theme_of(conn, theme_id)
                if found is None or not reading.may_see(reader, found[1]):
                    raise NotFoundError("No theme holds an item of this id.")
                view = await themes_reading.theme_view(conn, found[0])
        return answer_json(view)

    @router.get(
        "/faq-candidates",
        summary="Questions that recur and were answered",
        response_model=None,
        responses=answers(page_of(shape(themes_reading.FaqCandidate))),
    )
    async def list_faq_candidates(reader: Reader, least: Least = 2, limit: Limit = 50, cursor: CursorText = None) -> Response:
        filters = {"least": least}
        after = parts.cursors.read("faq-candidates", filters, cursor, length=2)
        with translated():
            found, places = await themes_reading.list_faq_candidates(
                parts.runtime.pool,
                brands=brands_of(reader),
                least=least,
                after=None if after is None else (int(after[0] or 0), str(after[1])),
                limit=limit + 1,
            )
        following = parts.cursors.issue("faq-candidates", filters, list(places[limit - 1])) if len(found) > limit else None
        return answer_json({"items": found[:limit], "next_cursor": following})

    return router


def _acting(desk: ThemesDesk) -> APIRouter:
    router = APIRouter(prefix="/v1/themes/{theme_id}", tags=["themes"])
    done = answers(shape(Themed))

    @router.post("/status", summary="Say what becomes of it, and tell everybody behind it", response_model=None, responses=done)
    async def status(common: Common, asked: StatusAsked) -> Response:
        return response_of(await desk.act(common.wish(THEME_STATUS, SetThemeStatus(asked.status, asked.text))))

    @router.post("/merge", summary="Make one theme of two", response_model=None, responses=done)
    async def merge(common: Common, asked: MergeAsked) -> Response:
        return response_of(await desk.act(common.wish(MERGE_THEME, MergeTheme(asked.other, asked.reason))))

    @router.post("/split", summary="Make some of its items a theme of their own", response_model=None, responses=done)
    async def split(common: Common, asked: SplitAsked) -> Response:
        return response_of(await desk.act(common.wish(SPLIT_THEME, SplitTheme(tuple(dict.fromkeys(asked.items)), asked.reason))))

    return router
