"""The HTTP side of ingest: hot routes, quieter routes, and what the statistics say."""

from typing import Any

from fastapi import APIRouter, Depends

from earshot_ingest import repository
from earshot_ingest.door import ITEM_TOO_LARGE, MAX_BATCH_BYTES, MAX_SINGLE_BYTES, Intake
from earshot_ingest.edits import Edits
from earshot_ingest.erasing import Forgotten
from earshot_ingest.group import GroupCommit
from earshot_ingest.openapi import hot_paths
from earshot_ingest.registry import SourceRegistry
from earshot_ingest.routes import form, webhooks
from earshot_ingest.routes.form import form_router
from earshot_ingest.routes.items import items_router
from earshot_ingest.routes.sources import sources_router
from earshot_ingest.routes.webhooks import webhooks_router
from earshot_shared.administration.routes import administration
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import require
from earshot_shared.http.door import Door, HotRoute
from earshot_shared.http.shapes import NUMBER, answers, stats_of
from earshot_shared.postgres import translated
from earshot_shared.runtime import Runtime
from earshot_shared.service import Parts

SINGLE = "/v1/feedback"
BATCH = "/v1/feedback/batch"


def make_app(parts: Parts, *, group: GroupCommit, intake: Intake, registry: SourceRegistry, forgotten: Forgotten) -> Door:
    """Return the ASGI application of ingest."""
    runtime = parts.runtime
    hot = {
        ("POST", SINGLE): HotRoute(
            handler=intake.single, scope="ingest:write", body_limit_bytes=MAX_SINGLE_BYTES, too_large=ITEM_TOO_LARGE
        ),
        ("POST", BATCH): HotRoute(handler=intake.batch, scope="ingest:write", body_limit_bytes=MAX_BATCH_BYTES),
    }
    return create_app(
        parts.settings,
        title="Earshot ingest",
        summary="The door through which everything customers say comes in, once, and stays.",
        routers=[
            items_router(runtime.pool, intake, Edits(runtime.writer, forgotten)),
            sources_router(registry, runtime.writer, parts.cursors),
            webhooks_router(runtime.pool, intake),
            form_router(intake),
            _statistics(runtime, group),
            *administration(parts, replayed=False),
        ],
        rules={form.PATH: form.RULE, webhooks.PREFIX: webhooks.RULE},
        authenticate=parts.keyring,
        health=parts.health,
        metrics=parts.metrics,
        hot=hot,
        openapi_extra=hot_paths(SINGLE, BATCH),
    )


def _statistics(runtime: Runtime, group: GroupCommit) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["about this service"])

    counts = stats_of(accepted=NUMBER, duplicates=NUMBER, rejected=NUMBER)

    @router.get(
        "/stats",
        summary="Exact counts",
        response_model=None,
        dependencies=[Depends(require("ingest:write"))],
        responses=answers(counts),
    )
    async def stats() -> dict[str, Any]:
        await group.settle()
        with translated():
            totals = await repository.totals(runtime.pool)
        return {**totals, **await runtime.stats()}

    return router
