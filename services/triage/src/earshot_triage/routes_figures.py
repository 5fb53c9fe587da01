"""The routes of figures: how soon customers were answered, and what became of what they said.

Owns what both ask and how a page of either is told. The figures are `reading`'s and `themes_reading`'s.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from earshot_shared.http.paging import CursorText, Limit
from earshot_shared.http.shapes import answers, page_of, shape
from earshot_shared.postgres import translated
from earshot_shared.service import Parts
from earshot_triage import reading, themes_reading
from earshot_triage.domain.message import Stance
from earshot_triage.routes_reading import Reader, StanceWord, answer_json, asked_time, brands_of


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


class _Asked:
    """Of which cases the figures are, by what, and which page of them."""

    def __init__(
        self,
        reader: Reader,
        by: Annotated[Literal["brand", "channel", "team"], Query()] = "brand",
        opened_from: Annotated[str | None, Query(alias="from", description="Opened at this time or later.")] = None,
        opened_to: Annotated[str | None, Query(alias="to", description="Opened before this time.")] = None,
        stance: Annotated[StanceWord | None, Query()] = None,
        limit: Limit = 50,
        cursor: CursorText = None,
    ) -> None:
        self._filters = {"by": by, "from": opened_from, "to": opened_to, "stance": stance}
        self._reader, self._by, self._from, self._to, self._stance = reader, by, opened_from, opened_to, stance
        self._limit, self._cursor = limit, cursor

    def wanted(self, parts: Parts, route: str) -> dict[str, Any]:
        """Return what the figures are asked by: one line more than the page has.

        Raises: InvalidError for a cursor or a time that is none.
        """
        after = parts.cursors.read(route, self._filters, self._cursor, length=1)
        return {
            "by": self._by,
            "opened_from": asked_time("from", self._from),
            "opened_to": asked_time("to", self._to),
            "stance": None if self._stance is None else Stance[self._stance.upper()],
            "brands": brands_of(self._reader),
            "after": None if after is None else str(after[0]),
            "limit": self._limit + 1,
        }

    def page(self, parts: Parts, route: str, found: Sequence[_Keyed]) -> Response:
        """Return the lines as a page."""
        more = len(found) > self._limit
        following = parts.cursors.issue(route, self._filters, [found[self._limit - 1].key]) if more else None
        return answer_json({"items": found[: self._limit], "next_cursor": following})


def figures_routes(parts: Parts, clock: Callable[[], datetime]) -> APIRouter:
    """Return the router."""
    router = APIRouter(prefix="/v1/metrics", tags=["figures"])

    @router.get(
        "/service-levels",
        summary="How soon customers were answered first",
        response_model=None,
        responses=answers(page_of(shape(reading.ServiceLevel))),
    )
    async def service_levels(asked: Annotated[_Asked, Depends()]) -> Response:
        wanted = asked.wanted(parts, "service-levels")
        with translated():
            found = await reading.service_levels(parts.runtime.pool, **wanted)
        return asked.page(parts, "service-levels", found)

    @router.get(
        "/loop",
        summary="What became of what customers said",
        response_model=None,
        responses=answers(page_of(shape(themes_reading.LoopHealth))),
    )
    async def loop(asked: Annotated[_Asked, Depends()]) -> Response:
        wanted = asked.wanted(parts, "loop")
        with translated():
            found = await themes_reading.loop_health(parts.runtime.pool, now=clock(), **wanted)
        return asked.page(parts, "loop", found)

    return router
