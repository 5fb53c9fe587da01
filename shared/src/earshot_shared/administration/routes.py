"""The routes by which an installation is kept: ``/admin/keys``, ``/admin/dead-letters``, and ``/admin/replay`` of views.

Owns what is asked and answered; keys are `earshot_shared.access`, letters and replays `earshot_shared.pipeline`. They stand outside
``/v1/``, which is all that the console hands on for its page. Nothing secret comes in: whoever makes a key draws its secret and sends the
hash.
"""

import logging
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from earshot_shared.access import KeyStore, Principal, make_key
from earshot_shared.access.keys import KeyRequestError
from earshot_shared.administration.shapes import UNKNOWN_LETTER, Letter, listed_letter, told_key, whole_letter
from earshot_shared.errors import FatalError
from earshot_shared.http.auth import administrator
from earshot_shared.http.paging import DEFAULT_LIMIT, Cursors, CursorText, Limit
from earshot_shared.http.problems import ConflictError, InvalidError, NotFoundError
from earshot_shared.http.shapes import NUMBER, NUMBERS, WORD, answers, fields, list_of, or_null, page_of, shape
from earshot_shared.http.times import parse_time
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.replay import Replay, begin_replay
from earshot_shared.postgres import Queries, translated
from earshot_shared.runtime import Runtime
from earshot_shared.service import Parts

_QUERIES = Queries.load("earshot_shared.pipeline")
_MOST_NAMES: Final = 1000
_KEY: Final = fields(
    id=WORD,
    name=WORD,
    scopes=list_of(WORD),
    sources=or_null(list_of(WORD)),
    brands=or_null(list_of(WORD)),
    created_at=or_null(WORD),
    revoked_at=or_null(WORD),
    last_used_on=or_null(WORD),
)
_LISTED: Final = {"allOf": [shape(Letter), fields(retry_requested_at=or_null(WORD))]}
_WHOLE: Final = {
    "allOf": [_LISTED, fields(key=or_null(WORD), value=or_null(WORD), headers=list_of(list_of(or_null(WORD))))],
}
_BEGUN: Final = fields(service=WORD, events=NUMBER, until=NUMBERS)
_log = logging.getLogger(__name__)

KeyId = Annotated[str, Path(pattern=r"^[a-z0-9]{12}$", description="The key's id: the part after `esk_`.")]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=512)]], Field(min_length=1, max_length=_MOST_NAMES)]
Keeper = Annotated[Principal, Depends(administrator)]


class WantedKey(BaseModel):
    """A key whose secret the sender drew: 32 random bytes as 64 hex digits, of which only the SHA-256 is told."""

    model_config = ConfigDict(extra="forbid")

    secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: str = "unnamed"
    scopes: Annotated[list[str], Field(max_length=_MOST_NAMES)]
    sources: Names | None = None
    brands: Names | None = None


class WantedReplay(BaseModel):
    """Since when the service folds its topics again (RFC 3339), on top of its view; without it the view is emptied and made anew."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = None


def administration(parts: Parts, *, replayed: bool = True) -> list[APIRouter]:
    """Return the routes of one service; ``replayed`` says whether its view can be folded anew."""
    routers = [key_routes(parts.keyring.store, parts.cursors), _letter_routes(parts.runtime, parts.cursors)]
    return [*routers, _replay_routes(parts.runtime)] if replayed else routers


def key_routes(store: KeyStore, cursors: Cursors) -> APIRouter:
    """Return the routes of API keys, which are the same at every service."""
    router = APIRouter(prefix="/admin/keys", tags=["keeping the installation"], dependencies=[Depends(administrator)])

    @router.get("", summary="All API keys, without their secrets, oldest first", response_model=None, responses=answers(page_of(_KEY)))
    async def keys(limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> dict[str, Any]:
        page, following = cursors.page_of("keys", await store.list(), limit, cursor)
        return {"items": [told_key(key) for key in page], "next_cursor": following}

    @router.put(
        "/{key_id}", summary="Keep a key whose secret the sender drew", status_code=201, response_model=None, responses=answers(_KEY, 201)
    )
    async def keep(key_id: KeyId, wanted: WantedKey, keeper: Keeper) -> dict[str, Any]:
        try:
            key = make_key(
                key_id,
                bytes.fromhex(wanted.secret_sha256),
                name=wanted.name,
                scopes=wanted.scopes,
                sources=wanted.sources,
                brands=wanted.brands,
            )
        except KeyRequestError as error:
            raise InvalidError(error.detail, code=error.code) from error
        known = await store.find(key_id)
        if known is None:
            await store.add(key)
            _log.info("key kept", extra={"action": "key_kept", "key_id": key_id, "by": keeper.key_id})
        elif (known.secret_sha256, known.scopes, known.sources, known.brands) != (key.secret_sha256, key.scopes, key.sources, key.brands):
            raise ConflictError("There is another key of this id: draw a new one.", code="key-exists")
        return told_key(known or await store.find(key_id) or key)

    @router.delete("/{key_id}", summary="End a key; services notice within seconds", status_code=204)
    async def revoke(key_id: KeyId, keeper: Keeper) -> None:
        if not await store.revoke(key_id):
            raise NotFoundError("There is no key of that id.", code="key-id-unknown")
        _log.info("key revoked", extra={"action": "key_revoked", "key_id": key_id, "by": keeper.key_id})

    return router


def _letter_routes(runtime: Runtime, cursors: Cursors) -> APIRouter:
    router = APIRouter(prefix="/admin/dead-letters", tags=["keeping the installation"], dependencies=[Depends(administrator)])
    service, pool = runtime.ground.service, runtime.pool
    asked = answers(fields(service=WORD, asked=list_of(WORD)), 202)

    @router.get(
        "",
        summary="What this service set aside, oldest first, without the content",
        response_model=None,
        responses=answers(page_of(_LISTED)),
    )
    async def letters(limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> dict[str, Any]:
        after = cursors.read("dead-letters", {}, cursor, length=2)
        at, last = (datetime.fromisoformat(str(after[0])), UUID(str(after[1]))) if after else (None, None)
        with translated():
            rows = await pool.fetch(_QUERIES["list_dead_letters"], limit + 1, at, last)
        page = rows[:limit]
        following = cursors.issue("dead-letters", {}, [page[-1]["at"].isoformat(), str(page[-1]["id"])]) if len(rows) > limit else None
        return {"items": [listed_letter(row, service) for row in page], "next_cursor": following}

    @router.get("/{letter_id}", summary="One with its bytes, which may hold personal data", response_model=None, responses=answers(_WHOLE))
    async def letter(letter_id: UUID) -> dict[str, Any]:
        with translated():
            row = await pool.fetchrow(_QUERIES["read_dead_letter"], letter_id)
        if row is None:
            raise _no_letter()
        return whole_letter(row, service)

    @router.post(
        "/replay",
        summary="Ask for another try of all; those that fail again are listed again",
        status_code=202,
        response_model=None,
        responses=asked,
    )
    async def replay_all(keeper: Keeper) -> dict[str, Any]:
        return await _ask(None, keeper)

    @router.post("/{letter_id}/replay", summary="Ask for another try of one", status_code=202, response_model=None, responses=asked)
    async def replay(letter_id: UUID, keeper: Keeper) -> dict[str, Any]:
        await letter(letter_id)
        return await _ask(letter_id, keeper)

    @router.delete("/{letter_id}", summary="Forget one for good", status_code=204)
    async def drop(letter_id: UUID, keeper: Keeper) -> None:
        with translated():
            dropped = await pool.fetchval(_QUERIES["drop_dead_letter"], letter_id)
        if dropped is None:
            raise _no_letter()
        _log.info("dead letter dropped", extra={"action": "letter_dropped", "letter_id": str(letter_id), "by": keeper.key_id})

    async def _ask(letter_id: UUID | None, keeper: Principal) -> dict[str, Any]:
        with translated():
            rows = await pool.fetch(_QUERIES["request_retry"], letter_id)
        _log.info("another try asked for", extra={"action": "letters_asked", "count": len(rows), "by": keeper.key_id})
        return {"service": service, "asked": [str(row["id"]) for row in rows]}

    return router


def _no_letter() -> NotFoundError:
    return NotFoundError("This service set nothing aside under that id.", code=UNKNOWN_LETTER)


def _replay_routes(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/admin", tags=["keeping the installation"])
    ground = runtime.ground

    @router.post(
        "/replay",
        summary="Fold the topics anew; done when `position` in /v1/stats has reached `until`",
        status_code=202,
        response_model=None,
        responses=answers(_BEGUN, 202),
    )
    async def replay(wanted: WantedReplay, keeper: Keeper) -> dict[str, Any]:
        since = _moment(wanted.since)
        asked = Replay(service=ground.service, package=services_with_schema()[ground.service], since=since)
        try:
            begun = await begin_replay(asked, dsn=ground.postgres_dsn, bootstrap=ground.kafka_bootstrap, prefix=ground.topic_prefix)
        except FatalError as error:  # it says what to do; no fault of this process
            raise ConflictError(error.detail, code=error.code) from error
        _log.info("replay begun", extra={"action": "replay_begun", "events": begun.events, "by": keeper.key_id})
        until = {f"{topic}-{partition}": end for (topic, partition), end in sorted(begun.ends.items())}
        return {"service": ground.service, "events": begun.events, "until": until}

    return router


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise InvalidError(f"since {error}.", code="time-invalid") from error
