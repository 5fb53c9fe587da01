"""One item by its id: where it stands, its edit, its withdrawal."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from earshot_ingest import openapi, repository
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.door import Intake, error_of, grant_of
from earshot_ingest.edits import Change, Edits, check_edited_at, read_edit, read_withdrawal
from earshot_shared.actions import Actor
from earshot_shared.envelope import rfc3339
from earshot_shared.http.auth import actor, require
from earshot_shared.http.call import call_of
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.problems import FieldProblem, ForbiddenError, InvalidError, NotFoundError
from earshot_shared.http.shapes import answers, shape
from earshot_shared.http.strict import response_of
from earshot_shared.http.times import parse_time
from earshot_shared.item import decode_item
from earshot_shared.postgres import Pool, translated

FeedbackIdPath = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The item's id.")]
EditedAt = Annotated[str | None, Query(description="When it was withdrawn at its source (RFC 3339); now, unless given.", max_length=64)]


class ItemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item stands at the door."""

    feedback_id: str
    status: str
    revision: int
    source: str
    external_id: str
    occurred_at: str
    received_at: str
    backfill: bool


def items_router(pool: Pool, intake: Intake, edits: Edits) -> APIRouter:
    """Return the routes of single items."""
    router = APIRouter(prefix="/v1/feedback", tags=["items"], dependencies=[Depends(require("ingest:write"))])

    @router.get("/{feedback_id}", summary="Where an item stands", response_model=None, responses=answers(shape(ItemStatus)))
    async def status(feedback_id: FeedbackIdPath, request: Request) -> Response:
        with translated():
            found = await repository.load(pool, [feedback_id])
        if feedback_id not in found:
            raise NotFoundError("No item of that id has come in.")
        answer = _status(found[feedback_id].body)
        grant = grant_of(call_of(request))
        if grant.sources is not None and answer.source not in grant.sources:
            raise ForbiddenError("This key is bound to other sources than this item's.", code="source-forbidden")
        return Response(msgspec.json.encode(answer), media_type="application/json")

    @router.put(
        "/{feedback_id}",
        summary="Edit an item: the whole of it, and edited_at",
        status_code=202,
        response_model=None,
        openapi_extra=openapi.EDIT,
    )
    async def edit(
        feedback_id: FeedbackIdPath,
        request: Request,
        who: Annotated[Actor, Depends(actor)],
        ticket: Annotated[Ticket | None, Depends(ticket_of)],
    ) -> Response:
        call, now = call_of(request), datetime.now(UTC)
        try:
            item, edited_at = read_edit(call.body, feedback_id, intake.normaliser(grant_of(call)), now)
        except Refusal as refusal:
            raise error_of(refusal) from None
        return response_of(await edits.edit(_change(request, feedback_id, edited_at, who, ticket, now), item))

    @router.delete("/{feedback_id}", summary="Withdraw an item", status_code=202, response_model=None, openapi_extra=openapi.WITHDRAWAL)
    async def withdraw(
        feedback_id: FeedbackIdPath,
        request: Request,
        who: Annotated[Actor, Depends(actor)],
        ticket: Annotated[Ticket | None, Depends(ticket_of)],
        edited_at: EditedAt = None,
    ) -> Response:
        """Withdraw an item. When it was withdrawn at its source stands in the query, or in a body `{"edited_at"}`. Unless given it is
        withdrawn now, whatever stands.
        """
        now = datetime.now(UTC)
        try:
            said = read_withdrawal(call_of(request).body)
            if said is not None and edited_at is not None:
                raise Refusal("given-twice", "Give edited_at once: in the query or in the body.", "edited_at")
            at = said or (None if edited_at is None else _time(edited_at))
            if at is not None:
                check_edited_at(at, now)
        except Refusal as refusal:
            raise error_of(refusal) from None
        return response_of(await edits.withdraw(_change(request, feedback_id, at, who, ticket, now)))

    return router


def _change(request: Request, feedback_id: str, edited_at: datetime | None, who: Actor, ticket: Ticket | None, now: datetime) -> Change:
    call = call_of(request)
    return Change(
        feedback_id=feedback_id,
        edited_at=None if edited_at is None else edited_at.astimezone(UTC),
        grant=grant_of(call),
        actor=who,
        ticket=ticket,
        now=now,
        traceparent=call.traceparent,
    )


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise InvalidError(
            f"edited_at {error}.", code="time-invalid", errors=[FieldProblem("edited_at", "time-invalid", f"It {error}.")]
        ) from None


def _status(body: bytes) -> ItemStatus:
    item = decode_item(body)
    return ItemStatus(
        feedback_id=item.feedback_id,
        status="erased" if item.erased else "withdrawn" if item.withdrawn else "accepted",
        revision=item.revision,
        source=item.source,
        external_id=item.external_id,
        occurred_at=rfc3339(item.occurred_at),
        received_at=rfc3339(item.received_at),
        backfill=item.backfill,
    )
