"""The sources: what each may assert, what it sent, when it was last heard of, and the secrets of its webhooks."""

import base64
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from earshot_ingest import repository
from earshot_ingest.config import NAME, SourceConfig
from earshot_ingest.registry import SourceRegistry
from earshot_shared.envelope import rfc3339
from earshot_shared.http.auth import require
from earshot_shared.http.idempotency import Ticket, once, ticket_of
from earshot_shared.http.paging import DEFAULT_LIMIT, Cursors, CursorText, Limit
from earshot_shared.http.problems import Answer, ConflictError, NotFoundError
from earshot_shared.http.shapes import answers, page_of, shape
from earshot_shared.http.strict import response_of
from earshot_shared.item import Visibility
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import translated

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # how a secret begins, no secret
SECRET_BYTES: Final = 32
_ROUTE: Final = "sources"
_NAME: Final = rf"^{NAME.pattern}$"
Keeping = Literal["file", "http"]
SourceName = Annotated[str, Path(pattern=_NAME, description="The source's name.")]


class NewSource(SourceConfig):
    """A source that is not kept yet: its name beside what it may assert."""

    name: Annotated[str, Field(pattern=_NAME)]


class SourceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What a source has sent, and whether it has been silent for longer than it may be."""

    accepted: int
    duplicates: int
    rejected: int
    last_seen_at: str | None
    last_occurred_at: str | None
    silent: bool


class SourceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A source: what it may assert, where that is kept (null: it only sent something), and how it is."""

    name: str
    title: str
    type: Literal["cluster", "connector"] | None
    verifies: list[str]
    speaks_for: list[str]
    staff: bool
    visibility: Visibility | None
    silent_after_s: int | None
    managed_by: Keeping | None
    webhook: bool
    cursor: None = None
    health: SourceHealth


class Rotation(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(extra="forbid")

    keep_previous_s: Annotated[StrictInt, Field(ge=0, le=30 * 24 * 3600)] = 24 * 3600
    """How long the old secret stays good."""


def sources_router(registry: SourceRegistry, writer: Writer, cursors: Cursors) -> APIRouter:
    """Return the routes of sources. Reading them needs ``ingest:write``, changing what they may assert ``admin``."""
    router = APIRouter(prefix="/v1/sources", tags=["sources"])
    reading, changing = Depends(require("ingest:write")), Depends(require("admin"))

    @router.get("", summary="All sources with their health", dependencies=[reading], responses=answers(page_of(shape(SourceShown))))
    async def sources(limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> Response:
        position = cursors.read(_ROUTE, {}, cursor, length=1)
        with translated():
            rows = await repository.list_sources(
                writer.pool, configured=registry.names, after=str(position[0]) if position else "", limit=limit + 1
            )
        page = rows[:limit]
        following = cursors.issue(_ROUTE, {}, [page[-1]["name"]]) if len(rows) > limit else None
        return _told({"items": [_known(row, registry) for row in page], "next_cursor": following})

    @router.post(
        "",
        summary="Keep a new source: its name and what it may assert",
        status_code=201,
        dependencies=[changing],
        responses=answers(shape(SourceShown), 201),
    )
    async def add(wanted: NewSource, ticket: Annotated[Ticket | None, Depends(ticket_of)]) -> Response:
        _refuse_the_files(wanted.name, registry)
        config = SourceConfig(**wanted.model_dump(exclude={"name"}))
        async with writer.transaction() as tx:
            answer = await once(tx.conn, ticket, lambda: _add(tx.conn, wanted.name, config))
        await registry.refresh()
        return response_of(answer)

    @router.get("/{name}", summary="One source with its health", dependencies=[reading], responses=answers(shape(SourceShown)))
    async def source(name: SourceName) -> Response:
        return _told(await _find(name))

    @router.put("/{name}", summary="Keep a source: what it may assert", dependencies=[changing], responses=answers(shape(SourceShown)))
    async def put(name: SourceName, wanted: SourceConfig) -> Response:
        _refuse_the_files(name, registry)
        async with writer.transaction() as tx:
            await repository.put_source(tx.conn, name, wanted.model_dump_json().encode())
        await registry.refresh()
        return _told(await _find(name))

    @router.delete("/{name}", summary="Forget a source; what it sent stays", status_code=204, dependencies=[changing])
    async def drop(name: SourceName) -> None:
        _refuse_the_files(name, registry)
        async with writer.transaction() as tx:
            if not await repository.drop_source(tx.conn, name):
                raise NotFoundError("No source of that name is kept here.")
        await registry.refresh()

    @router.post("/{name}/webhook-secret", summary="A new webhook secret, shown this once", status_code=201, dependencies=[changing])
    async def rotate(name: SourceName, rotation: Rotation) -> dict[str, str]:
        if registry.find(name) is None:
            raise NotFoundError("No source of that name is configured: PUT it first.")
        secret = secrets.token_bytes(SECRET_BYTES)
        async with writer.transaction() as tx:
            await repository.rotate_secret(tx.conn, name, secret, keep_previous_s=rotation.keep_previous_s)
        return {"source": name, "secret": SECRET_PREFIX + base64.b64encode(secret).decode()}

    async def _add(conn: Any, name: str, config: SourceConfig) -> Answer:
        if not await repository.add_source(conn, name, config.model_dump_json().encode()):
            raise ConflictError("A source of that name is kept already: PUT changes it.", code="source-exists")
        (row,) = await repository.list_sources(conn, configured=registry.names, name=name)
        body = msgspec.json.encode(_shown(row, config, managed_by="http"))
        return Answer(status=201, body=body, headers=((b"location", f"/v1/sources/{name}".encode()),))

    async def _find(name: str) -> SourceShown:
        with translated():
            rows = await repository.list_sources(writer.pool, configured=registry.names, name=name)
        if not rows:
            raise NotFoundError("There is no source of that name.")
        return _known(rows[0], registry)

    return router


def _refuse_the_files(name: str, registry: SourceRegistry) -> None:
    if name in registry.configured:
        raise ConflictError("This source stands in config/sources.yaml: change it there.", code="managed-by-file")


def _known(row: Any, registry: SourceRegistry) -> SourceShown:
    config = registry.find(row["name"])
    return _shown(row, config, managed_by="file" if row["name"] in registry.configured else "http" if config else None)


def _shown(row: Any, config: SourceConfig | None, *, managed_by: Keeping | None) -> SourceShown:
    asserted = config or SourceConfig()
    last_seen_at = row["last_seen_at"]
    silent_after_s = asserted.silent_after_s
    silent = silent_after_s is not None and (last_seen_at is None or (datetime.now(UTC) - last_seen_at).total_seconds() > silent_after_s)
    return SourceShown(
        name=row["name"],
        title=asserted.title,
        type=asserted.type,
        verifies=sorted(asserted.verifies),
        speaks_for=sorted(asserted.speaks_for),
        staff=asserted.staff,
        visibility=asserted.visibility,
        silent_after_s=silent_after_s,
        managed_by=managed_by,
        webhook=row["webhook"],
        health=SourceHealth(
            accepted=row["accepted"] or 0,
            duplicates=row["duplicates"] or 0,
            rejected=row["rejected"] or 0,
            last_seen_at=None if last_seen_at is None else rfc3339(last_seen_at),
            last_occurred_at=None if row["last_occurred_at"] is None else rfc3339(row["last_occurred_at"]),
            silent=silent,
        ),
    )


def _told(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
