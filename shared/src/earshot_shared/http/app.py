"""Makes the HTTP side of a service: its routes in FastAPI, its hot routes, and the door in front of both.

Owns the putting together, and the paths every service has. Holds no rule of its own: those are in ``door``, ``strict`` and ``rules``.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import JSONResponse, PlainTextResponse, Response

from earshot_shared.health import Health, Verdict
from earshot_shared.http import shapes, strict
from earshot_shared.http.auth import Authenticator
from earshot_shared.http.docs_page import docs_page
from earshot_shared.http.door import Door, HotRoute
from earshot_shared.http.rules import PathRule, PathRules
from earshot_shared.metrics import CONTENT_TYPE, Metrics
from earshot_shared.settings import ServiceSettings

_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_SCHEME: Final = "API key"
_SCHEME_TOLD: Final = "A key made by `earshot keys create`."
_PROBLEM: Final = {
    "description": "What is wrong, and what to do (RFC 9457).",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
                        },
                    },
                },
            }
        }
    },
}
_VERDICT: Final = shapes.fields(
    service=shapes.WORD, status={"enum": ["ok", "failing"]}, reasons={"type": "object", "additionalProperties": shapes.WORD}
)
_HEALTH: Final = {**shapes.answers(_VERDICT), **shapes.answers(_VERDICT, 503)}


def create_app(
    settings: ServiceSettings,
    *,
    title: str,
    summary: str,
    routers: Sequence[APIRouter],
    authenticate: Authenticator,
    health: Health,
    metrics: Metrics,
    version: str = "1",
    hot: Mapping[tuple[str, str], HotRoute] | None = None,
    rules: Mapping[str, PathRule] | None = None,
    openapi_extra: Mapping[str, object] | None = None,
) -> Door:
    """Return the ASGI application of one service.

    ``hot`` maps (method, exact path) to routes served without FastAPI; ``rules`` maps paths (a prefix ends in ``/``) to what the door
    asks of them, for those that are open, larger than a megabyte or not JSON; ``openapi_extra`` maps paths to the documents of hot
    routes.
    """
    api = FastAPI(
        title=title,
        summary=summary,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        dependencies=[Depends(strict.refuse_unknown_query)],
        responses={"4XX": _PROBLEM},
    )
    strict.install(api)
    routers = [_common_routes(api, settings.service, health, metrics), *routers]
    for router in routers:
        api.include_router(router)
    known = PathRules(rules or {})
    _document(api, routers, known, openapi_extra or {})
    door = Door(
        api=api,
        authenticate=authenticate,
        rules=known,
        metrics=metrics,
        hot=hot or {},
        max_in_flight=settings.max_connections,
        slow_client_s=settings.slow_client_s,
    )
    metrics.follow("http_in_flight", lambda: door.in_flight)
    return door


def _common_routes(api: FastAPI, service: str, health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["about this service"])

    @router.head("/healthz", include_in_schema=False)  # load balancers ask so; the server leaves the body out
    @router.get("/healthz", summary="Is the process alive?", responses=_HEALTH)
    async def healthz() -> Response:
        return _told(service, health.live())

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", summary="Is it ready to work, and if not, why?", responses=_HEALTH)
    async def readyz() -> Response:
        return _told(service, await health.ready())

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def show_metrics() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE.decode())

    @router.get("/docs", summary="This interface, to read", include_in_schema=False)
    async def docs() -> Response:
        page = docs_page(api.openapi())
        return Response(page, media_type="text/html", headers={"content-security-policy": _PAGE_POLICY})

    return router


def _told(service: str, verdict: Verdict) -> Response:
    body = {"service": service, "status": "ok" if verdict.well else "failing", "reasons": dict(verdict.reasons)}
    return JSONResponse(body, status_code=200 if verdict.well else 503)


def _document(api: FastAPI, routers: Sequence[APIRouter], rules: PathRules, extra: Mapping[str, object]) -> None:
    """Complete the OpenAPI document, which FastAPI makes once and keeps: hot routes, shapes and headers, and the key that every path but
    the open ones asks.
    """
    document = api.openapi()
    shapes.complete(document, [route for router in routers for route in router.routes])
    document["paths"] = {**document.get("paths", {}), **extra}
    for path in extra:
        for operation in document["paths"][path].values():
            operation["responses"].setdefault("4XX", _PROBLEM)
    document.setdefault("components", {})["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer", "description": _SCHEME_TOLD}}
    document["security"] = [{_SCHEME: []}]
    for path, operations in document["paths"].items():
        if rules.of(path).open:
            for operation in operations.values():
                operation["security"] = []
