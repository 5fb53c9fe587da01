"""A small service for tests of the HTTP commons."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from earshot_shared.access import Principal
from earshot_shared.actions import Actor
from earshot_shared.errors import FatalError, RetryableError
from earshot_shared.health import Health
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import Keyring, actor, require
from earshot_shared.http.door import Door, HotRoute
from earshot_shared.http.paging import Limit
from earshot_shared.http.rules import PathRule
from earshot_shared.metrics import Metrics
from earshot_shared.settings import ServiceSettings
from earshot_shared.testing import MemoryKeys
from earshot_shared.testing.app import TEST_KEY


class EchoSettings(ServiceSettings):
    """Settings of a service that exists in tests only."""

    model_config = SettingsConfigDict()
    service = "triage"


class Note(BaseModel):
    """What the service takes."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=40)]
    priority: int = 1


def echo_router() -> APIRouter:
    """Return routes that use what the commons offer."""
    router = APIRouter(prefix="/v1")

    @router.get("/notes")
    async def list_notes(
        principal: Annotated[Principal, Depends(require("triage:read"))],
        limit: Limit = 50,
        tag: Annotated[list[str] | None, Query()] = None,
    ) -> dict[str, object]:
        return {"limit": limit, "tags": tag, "key": principal.key_id}

    @router.post("/notes", status_code=201)
    async def add_note(
        note: Note,
        _: Annotated[Principal, Depends(require("triage:write"))],
        who: Annotated[Actor, Depends(actor)],
    ) -> dict[str, object]:
        return {"text": note.text, "person": who.person}

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the secret text of a customer")

    @router.get("/busy")
    async def busy() -> None:
        raise RetryableError("Postgres could not be reached.", code="postgres-unreachable", retry_after_s=3)

    @router.get("/wrong")
    async def wrong() -> None:
        raise FatalError("The ground is another.", code="other-cluster")

    return router


def settings(**changes: object) -> EchoSettings:
    """Return settings without asking the environment."""
    values: dict[str, object] = {"kafka_bootstrap": "nowhere:1", "postgres_dsn": "postgresql://nowhere/none", "port": 0, **changes}
    return EchoSettings(**values)  # type: ignore[arg-type]  # pydantic checks the values


def echo_door(
    *,
    keys: MemoryKeys | None = None,
    hot: Mapping[tuple[str, str], HotRoute] | None = None,
    rules: Mapping[str, PathRule] | None = None,
    health: Health | None = None,
    **changes: object,
) -> Door:
    """Return the small service, whose first key is `TEST_KEY`."""
    return create_app(
        settings(**changes),
        title="Echo",
        summary="A service for tests.",
        routers=[echo_router()],
        authenticate=Keyring(keys or MemoryKeys(), first_key=TEST_KEY),
        health=health or Health(),
        metrics=Metrics("echo"),
        hot=hot,
        rules=rules,
    )
