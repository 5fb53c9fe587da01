"""The acting routes of triage: assign, respond, note, route, escalate, resolve, reopen, merge, unmerge, move-private.

Owns their bodies. Everything they do is one call of `acting.Desk`.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints
from starlette.responses import Response

from earshot_shared.access.keys import Principal
from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor, require
from earshot_shared.http.call import call_of
from earshot_shared.http.etags import IfMatch, if_match
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.shapes import answers, shape
from earshot_shared.http.strict import response_of
from earshot_shared.item import MAX_TEXT_CHARACTERS
from earshot_triage.acting import HIGHEST_PRIORITY, Acknowledgement, Acted, Desk
from earshot_triage.acting import Request as Wish
from earshot_triage.domain.acts import Verb
from earshot_triage.routes_reading import ALERT, CaseId

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARACTERS)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Seen = Annotated[
    StrictInt | None, Field(ge=0, description="The version you looked at: a customer's message that was not in it keeps the case open.")
]
Writing = Annotated[Principal, Depends(require("triage:write"))]
Acting = Annotated[Actor, Depends(actor)]
Matching = Annotated[IfMatch, Depends(if_match)]
Once = Annotated[Ticket | None, Depends(ticket_of)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assign(_Asked):
    """Who owns the case from now on; null for nobody."""

    assignee: Word | None


class Respond(_Asked):
    """What the customer is told, where they spoke."""

    text: Text
    seen: Seen = None


class Note(_Asked):
    """What colleagues are told; the customer never sees it."""

    text: Text


class RouteTo(_Asked):
    """The team whose case it is from now on; null for none."""

    team: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")] | None
    reason: Text | None = None


class Escalate(_Asked):
    """The priority from now on, 4 being the highest; one higher than it is unless given."""

    priority: Annotated[StrictInt, Field(ge=1, le=HIGHEST_PRIORITY)] | None = None
    reason: Text | None = None


class Resolve(_Asked):
    """That it is settled."""

    seen: Seen = None
    reason: Text | None = None


class Reopen(_Asked):
    """That it is not settled after all."""

    reason: Text | None = None


class Merge(_Asked):
    """The case that joins this one: any id it ever had."""

    other: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    reason: Text | None = None


class Unmerge(_Asked):
    """The merge that is taken back, by the id of its action; the latest unless given."""

    merge: Annotated[str | None, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] = None
    reason: Text | None = None


class MovePrivate(_Asked):
    """That it goes on in private; ``text``, when given, is said where it was public."""

    text: Text | None = None
    seen: Seen = None
    reason: Text | None = None


_NO_UNMERGE: Final = Unmerge()
_NO_MOVE: Final = MovePrivate()
_NO_ESCALATE: Final = Escalate()
_NO_RESOLVE: Final = Resolve()
_NO_REOPEN: Final = Reopen()


class _Common:
    """What every acting route takes beside its body."""

    def __init__(self, request: Request, case_id: CaseId, principal: Writing, who: Acting, matching: Matching, ticket: Once) -> None:
        self.case_id = case_id
        self.principal = principal
        self.actor = who
        self.if_match = matching
        self.ticket = ticket
        self.traceparent = call_of(request).traceparent

    def wish(self, verb: Verb, **fields: object) -> Wish:
        """Return the wish that these and the body's fields make."""
        return Wish(
            case_id=self.case_id, verb=verb, principal=self.principal, actor=self.actor, if_match=self.if_match, ticket=self.ticket,
            traceparent=self.traceparent, **fields,  # type: ignore[arg-type]  # each route gives its verb's own fields
        )  # fmt: skip


Common = Annotated[_Common, Depends()]
AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The alarm's id.")]


def alert_routes(desk: Desk) -> APIRouter:
    """Return the router of what is done about alarms."""
    router = APIRouter(prefix="/v1/alerts", tags=["alarms"])

    @router.post("/{alert_id}/acknowledge", summary="Say that somebody has seen it", response_model=None, responses=answers(ALERT))
    async def acknowledge(request: Request, alert_id: AlertId, principal: Writing, who: Acting, ticket: Once) -> Response:
        wish = Acknowledgement(alert_id=alert_id, principal=principal, actor=who, ticket=ticket, traceparent=call_of(request).traceparent)
        return response_of(await desk.acknowledge(wish))

    return router


def acting_routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(prefix="/v1/cases/{case_id}", tags=["cases"])
    acted = answers(shape(Acted))

    async def done(wish: Wish) -> Response:
        return response_of(await desk.act(wish))

    @router.post("/assign", summary="Give the case an owner", response_model=None, responses=acted)
    async def assign(common: Common, asked: Assign) -> Response:
        return await done(common.wish(Verb.ASSIGN, assignee=asked.assignee))

    @router.post("/respond", summary="Answer the customer", response_model=None, responses=acted)
    async def respond(common: Common, asked: Respond) -> Response:
        return await done(common.wish(Verb.RESPOND, text=asked.text, seen=asked.seen))

    @router.post("/note", summary="Leave a word for colleagues", response_model=None, responses=acted)
    async def note(common: Common, asked: Note) -> Response:
        return await done(common.wish(Verb.NOTE, text=asked.text))

    @router.post("/route", summary="Hand the case to a team", response_model=None, responses=acted)
    async def route(common: Common, asked: RouteTo) -> Response:
        return await done(common.wish(Verb.ROUTE, team=asked.team, reason=asked.reason))

    @router.post("/escalate", summary="Raise the case's priority", response_model=None, responses=acted)
    async def escalate(common: Common, asked: Annotated[Escalate, Body()] = _NO_ESCALATE) -> Response:
        return await done(common.wish(Verb.ESCALATE, priority=asked.priority, reason=asked.reason))

    @router.post("/resolve", summary="Say that it is settled", response_model=None, responses=acted)
    async def resolve(common: Common, asked: Annotated[Resolve, Body()] = _NO_RESOLVE) -> Response:
        return await done(common.wish(Verb.RESOLVE, seen=asked.seen, reason=asked.reason))

    @router.post("/reopen", summary="Say that it is not settled after all", response_model=None, responses=acted)
    async def reopen(common: Common, asked: Annotated[Reopen, Body()] = _NO_REOPEN) -> Response:
        return await done(common.wish(Verb.REOPEN, reason=asked.reason))

    @router.post("/merge", summary="Make one case of two", response_model=None, responses=acted)
    async def merge(common: Common, asked: Merge) -> Response:
        return await done(common.wish(Verb.MERGE, other=asked.other, reason=asked.reason))

    @router.post("/unmerge", summary="Take a merge back", response_model=None, responses=acted)
    async def unmerge(common: Common, asked: Annotated[Unmerge, Body()] = _NO_UNMERGE) -> Response:
        return await done(common.wish(Verb.UNMERGE, merge=asked.merge, reason=asked.reason))

    @router.post("/move-private", summary="Go on in private", response_model=None, responses=acted)
    async def move_private(common: Common, asked: Annotated[MovePrivate, Body()] = _NO_MOVE) -> Response:
        return await done(common.wish(Verb.MOVE_PRIVATE, text=asked.text or "", seen=asked.seen, reason=asked.reason))

    return router
