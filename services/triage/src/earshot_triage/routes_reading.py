"""The reading routes of triage: feedback, cases, questions, alarms, statistics.

Owns parameters and answers of these routes. Reads only; people's writes are in `routes_acting`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NoReturn

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from earshot_shared.access.keys import Principal
from earshot_shared.envelope import rfc3339
from earshot_shared.http.auth import require
from earshot_shared.http.etags import etag
from earshot_shared.http.paging import CursorText, Limit
from earshot_shared.http.problems import GoneError, InvalidError, NotFoundError
from earshot_shared.http.shapes import NUMBER, NUMBERS, answers, fields, list_of, page_of, shape, stats_of
from earshot_shared.http.strict import DIGITS
from earshot_shared.http.times import parse_time
from earshot_shared.postgres import translated
from earshot_shared.service import Parts
from earshot_triage import alerts, decisions_reading, reading, themes_reading
from earshot_triage.alarms import KINDS, RuleName
from earshot_triage.decisions import Decider
from earshot_triage.domain.message import Role, Stance
from earshot_triage.events import key_of
from earshot_triage.rulebook import RuleBook

CaseId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="Any id the case ever had.")]
FeedbackId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The item's id.")]
StanceWord = Literal["respond", "watch", "leave"]
Reader = Annotated[Principal, Depends(require("triage:read"))]
MAX_TEXTS = 1000
ALERT: Final = {"anyOf": [{"allOf": [shape(kind), shape(alerts.Taken)]} for kind in KINDS]}
"""An alarm as HTTP tells it, for the OpenAPI document."""
_encoder = msgspec.json.Encoder()


class ClassifyRequest(BaseModel):
    """Texts to judge."""

    model_config = ConfigDict(extra="forbid")
    texts: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=MAX_TEXTS)]


def answer_json(body: object, *, version: int | None = None) -> Response:
    """Return a body as JSON, with its version as ETag."""
    headers = {} if version is None else {"etag": etag(version)}
    return Response(_encoder.encode(body), media_type="application/json", headers=headers)


def brands_of(principal: Principal) -> tuple[str, ...] | None:
    """Return the brands a key is bound to, None when to none."""
    return None if principal.brands is None else tuple(sorted(principal.brands))


def reading_routes(parts: Parts, book: RuleBook, clock: Callable[[], datetime]) -> list[APIRouter]:
    """Return the routers."""
    decider = book.decider
    return [_feedback(parts, decider), _cases(parts, clock), _alerts(parts), _about(parts)]


def _feedback(parts: Parts, decider: Decider) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["feedback"])

    @router.get(
        "/feedback/{feedback_id}",
        summary="The decision on an item, and its reasons",
        response_model=None,
        responses=answers(shape(decisions_reading.DecisionView)),
    )
    async def read_feedback(feedback_id: FeedbackId, reader: Reader) -> Response:
        with translated():
            found = await decisions_reading.decision(parts.runtime.pool, key_of(feedback_id), decider.judge)
        if found is None or not reading.may_see(reader, found.brand):
            raise NotFoundError("No item of that id has come in.")
        return Response(found.body, media_type="application/json")

    @router.post(
        "/classify",
        summary="Judge texts, keeping nothing",
        response_model=None,
        responses=answers(fields(items=list_of(shape(decisions_reading.JudgedText)))),
    )
    async def classify(request: ClassifyRequest, _: Reader) -> Response:
        return answer_json({"items": await decisions_reading.judged(decider.judge, request.texts)})

    return router


def _cases(parts: Parts, clock: Callable[[], datetime]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["cases"])

    @router.get("/cases", summary="Cases, newest first", response_model=None, responses=answers(page_of(shape(reading.ListedCase))))
    async def list_cases(
        reader: Reader,
        team: Annotated[str | None, Query(max_length=64)] = None,
        status: Annotated[Literal["open", "waiting", "resolved", "closed"] | None, Query()] = None,
        priority: Annotated[int | None, Query(ge=1, le=4), DIGITS] = None,
        assignee: Annotated[str | None, Query(max_length=200)] = None,
        overdue: Annotated[bool | None, Query(description="Unanswered past the time when the first response was due.")] = None,
        brand: Annotated[str | None, Query(max_length=512)] = None,
        stance: Annotated[StanceWord | None, Query()] = None,
        q: Annotated[str | None, Query(max_length=200, description="Words in any message.")] = None,
        limit: Limit = 50,
        cursor: CursorText = None,
    ) -> Response:
        q = q or None  # `?q=` asks for nothing
        filters = {
            "team": team, "status": status, "priority": priority, "assignee": assignee, "overdue": overdue, "brand": brand,
            "stance": stance, "q": q,
        }  # fmt: skip
        wanted = reading.CaseFilter(
            team=team,
            status=status,
            priority=priority,
            assignee=assignee,
            brand=brand,
            stance=None if stance is None else Stance[stance.upper()],
            overdue=overdue,
            q=q,
            brands=brands_of(reader),
        )
        after = _place(parts.cursors.read("cases", filters, cursor, length=2))
        with translated():
            lines = await reading.list_cases(parts.runtime.pool, wanted, after=after, limit=limit + 1, now=clock())
        return _page(parts, "cases", filters, lines, limit)

    @router.get(
        "/cases/{case_id}",
        summary="A case with its messages, clocks and history",
        response_model=None,
        responses=answers(shape(reading.CaseView)),
    )
    async def read_case(case_id: CaseId, reader: Reader) -> Response:
        with translated():
            async with parts.runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                found = await reading.find(conn, case_id)
                thread = found.case if found is not None else None
                if thread is None or not reading.may_see(reader, thread.state.brand):
                    refuse(found if thread is None else None)
                articles, people = await themes_reading.suggestions(conn, thread)
                view = await reading.case_view(conn, thread, now=clock(), articles=articles, people=people)
        return answer_json(view, version=view.version)

    @router.get("/questions", summary="Questions, oldest first", response_model=None, responses=answers(page_of(shape(reading.ListedCase))))
    async def list_questions(
        reader: Reader,
        unanswered: Annotated[bool, Query(description="Only those without an answer.")] = False,
        limit: Limit = 50,
        cursor: CursorText = None,
    ) -> Response:
        filters = {"unanswered": unanswered}
        after = _place(parts.cursors.read("questions", filters, cursor, length=2))
        with translated():
            lines = await reading.list_questions(
                parts.runtime.pool, unanswered=unanswered, brands=brands_of(reader), after=after, limit=limit + 1
            )
        return _page(parts, "questions", filters, lines, limit)

    return router


def _alerts(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["alarms"])

    @router.get("/alerts", summary="Alarms, newest first", response_model=None, responses=answers(page_of(ALERT)))
    async def list_alerts(
        reader: Reader,
        rule: Annotated[RuleName | None, Query(description="Only those of one kind.")] = None,
        acknowledged: Annotated[bool | None, Query(description="Only those that somebody has, or nobody has, acknowledged.")] = None,
        limit: Limit = 50,
        cursor: CursorText = None,
    ) -> Response:
        filters = {"rule": rule, "acknowledged": acknowledged}
        after = _place(parts.cursors.read("alerts", filters, cursor, length=2))
        with translated():
            found = await alerts.list_alerts(
                parts.runtime.pool, rule=rule, acknowledged=acknowledged, brands=brands_of(reader), after=after, limit=limit + 1
            )
        following = None
        if len(found) > limit:
            last = found[limit - 1]
            following = parts.cursors.issue("alerts", filters, [rfc3339(last.raised_at), last.alert_id])
        return answer_json({"items": [each.body for each in found[:limit]], "next_cursor": following})

    return router


def _about(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["about this service"])

    @router.get(
        "/stats",
        summary="Exact counts",
        response_model=None,
        responses=answers(stats_of(feedback=NUMBER, cases=NUMBER, by_route=NUMBERS)),
    )
    async def stats(_: Reader) -> dict[str, Any]:
        with translated():
            found = await reading.counts(parts.runtime.pool)
        return {**found, **await parts.runtime.stats()}

    return router


def refuse(found: reading.Found | None) -> NoReturn:
    """Say that an id leads to no case: what it is about was withdrawn, or hangs in a thread of ours (410), or it never was one."""
    if found is not None and (found.thread is None or found.held.message.role == Role.CUSTOMER):
        raise GoneError("This case has ceased: what it was about was withdrawn, or hangs in a thread of ours.", code="case-withdrawn")
    raise NotFoundError("No case has or had this id.")


def _place(position: list[str | int | float | None] | None) -> tuple[datetime, str] | None:
    return None if position is None else (parse_time(str(position[0])), str(position[1]))


def _page(parts: Parts, route: str, filters: dict[str, Any], lines: list[reading.ListedCase], limit: int) -> Response:
    following = None
    if len(lines) > limit:
        last = lines[limit - 1]
        following = parts.cursors.issue(route, filters, [rfc3339(last.opened_at), last.case_id])
    return answer_json({"items": lines[:limit], "next_cursor": following})


def asked_time(name: str, text: str | None) -> datetime | None:
    """Return the time in a query parameter.

    Raises: InvalidError that names the parameter.
    """
    if text is None:
        return None
    try:
        return parse_time(text).astimezone(UTC)
    except ValueError as error:
        raise InvalidError(f"{name} {error}.", code="time-invalid") from None
