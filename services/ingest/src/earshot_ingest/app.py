"""The HTTP side of ingest: hot routes, quieter routes, and what the statistics say."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from earshot_ingest import repository
from earshot_ingest.door import MAX_BATCH_BYTES, MAX_SINGLE_BYTES, Intake
from earshot_ingest.group import GroupCommit
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import require
from earshot_shared.http.door import Door, HotRoute
from earshot_shared.http.problems import NotFoundError
from earshot_shared.item import decode_item
from earshot_shared.postgres import translated
from earshot_shared.runtime import Runtime
from earshot_shared.service import Parts

SINGLE = "/v1/feedback"
BATCH = "/v1/feedback/batch"
FeedbackIdPath = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The item's id.")]


class ItemStatus(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where an item stands at the door."""

    feedback_id: str
    status: str
    revision: int
    source: str
    external_id: str
    occurred_at: str
    received_at: str
    backfill: bool = False


def make_app(parts: Parts, *, group: GroupCommit, intake: Intake) -> Door:
    """Return the ASGI application of ingest."""
    hot = {
        ("POST", SINGLE): HotRoute(handler=intake.single, scope="ingest:write", body_limit_bytes=MAX_SINGLE_BYTES),
        ("POST", BATCH): HotRoute(handler=intake.batch, scope="ingest:write", body_limit_bytes=MAX_BATCH_BYTES),
    }
    return create_app(
        parts.settings,
        title="Earshot ingest",
        summary="The door through which everything customers say comes in, once, and stays.",
        routers=[_items(parts.runtime), _statistics(parts.runtime, group)],
        authenticate=parts.keyring,
        health=parts.health,
        metrics=parts.metrics,
        hot=hot,
    )


def _items(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(require("ingest:write"))])

    @router.get("/feedback/{feedback_id}", summary="Where an item stands", response_model=None)
    async def status(feedback_id: FeedbackIdPath) -> Response:
        with translated():
            found = await repository.load(runtime.pool, [feedback_id])
        if feedback_id not in found:
            raise NotFoundError("No item of that id has come in.")
        item = decode_item(found[feedback_id].body)
        state = "erased" if item.erased else "withdrawn" if item.withdrawn else "accepted"
        answer = ItemStatus(
            feedback_id=item.feedback_id,
            status=state,
            revision=item.revision,
            source=item.source,
            external_id=item.external_id,
            occurred_at=item.occurred_at.isoformat(),
            received_at=item.received_at.isoformat(),
            backfill=item.backfill,
        )
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return router


def _statistics(runtime: Runtime, group: GroupCommit) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["about this service"])

    @router.get("/stats", summary="Exact counts", response_model=None, dependencies=[Depends(require("ingest:write"))])
    async def stats() -> dict[str, Any]:
        await group.settle()
        with translated():
            totals = await repository.totals(runtime.pool)
        return {**totals, **await runtime.stats()}

    return router
