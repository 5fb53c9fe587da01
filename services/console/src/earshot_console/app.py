"""The routes of the console: the page, sessions, streams, and the way to the services.

Thin: what a stream is stands in ``streams``, who may what in ``sessions`` and ``proxy``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from earshot_console.hub import Event, Hub
from earshot_console.proxy import SHOWS_ALL, Proxy
from earshot_console.sessions import COOKIE, Sessions
from earshot_console.settings import ConsoleSettings
from earshot_console.streams import Condition, Streams, as_json, as_sse, parse_filter, parse_topics
from earshot_shared.access import Principal
from earshot_shared.administration.routes import key_routes
from earshot_shared.health import Health
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import Keyring, check_scope, check_unbound, require
from earshot_shared.http.call import call_of
from earshot_shared.http.door import Door
from earshot_shared.http.paging import Cursors
from earshot_shared.http.problems import ForbiddenError, NotFoundError, UnauthorizedError
from earshot_shared.http.rules import PathRule
from earshot_shared.http.shapes import FLAG, NUMBER, WORD, answers, fields, list_of, or_null
from earshot_shared.http.strict import ANY_QUERY
from earshot_shared.metrics import Metrics

_STATIC = resources.files("earshot_console").joinpath("static")
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

_SESSION = fields(key_id=WORD, scopes=list_of(WORD), person=or_null(WORD))
_STATS = fields(streams=NUMBER, ready=FLAG)
_GOING_AWAY = 1001  # how a WebSocket says that the server stops

TopicsText = Annotated[str, Query(max_length=2000, description="Topics without prefix and version, such as `case.changed,alert.raised`.")]
FilterText = Annotated[str | None, Query(max_length=4000, description="Fields of the event's data: `team:support,status:open|waiting`.")]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class EventStream(StreamingResponse):
    """Server-Sent Events."""

    media_type = "text/event-stream"


class SignIn(BaseModel):
    """How a person signs in without the one-time address: with an API key, and under a name."""

    model_config = ConfigDict(extra="forbid")

    api_key: Annotated[str, Field(min_length=1, max_length=500)]
    person: PersonName | None = None


class Naming(BaseModel):
    """Under which name a signed-in person acts from now on."""

    model_config = ConfigDict(extra="forbid")

    person: PersonName


class Console:
    """The routes over their parts."""

    def __init__(
        self,
        settings: ConsoleSettings,
        *,
        hub: Hub,
        streams: Streams,
        sessions: Sessions,
        keyring: Keyring,
        proxy: Proxy,
        cursors: Cursors,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._streams = streams
        self._sessions = sessions
        self._keyring = keyring
        self._proxy = proxy
        self._cursors = cursors

    def app(self, health: Health, metrics: Metrics) -> Door:
        """Return the ASGI application."""
        return create_app(
            self._settings,
            title="Earshot console",
            summary="The page where people watch, and the stream that dashboards subscribe to.",
            routers=[self._page_routes(), self._data_routes(), key_routes(self._keyring.store, self._cursors)],
            authenticate=self._sessions,
            health=health,
            metrics=metrics,
            rules={
                "/": PathRule(open=True, body_limit_bytes=0),
                "/static/": PathRule(open=True, body_limit_bytes=0),
                "/favicon.ico": PathRule(open=True, body_limit_bytes=0),
                "/session": PathRule(open=True, body_limit_bytes=4096),
            },
        )

    def _page_routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/", self.page, methods=["GET"])
        router.add_api_route("/favicon.ico", self.icon, methods=["GET"])
        router.add_api_route("/static/{name}", self.static, methods=["GET"])
        router.add_api_route("/session", self.sign_in, methods=["POST"])
        router.add_api_route("/session", self.name, methods=["PUT"])
        router.add_api_route("/session", self.sign_out, methods=["DELETE"])
        return router

    def _data_routes(self) -> APIRouter:
        router = APIRouter()
        router.add_api_route(
            "/v1/stream",
            self.stream,
            methods=["GET"],
            summary="Server-Sent Events of topics, resumable by Last-Event-ID",
            response_class=EventStream,
        )
        router.add_api_websocket_route("/v1/ws", self.websocket)
        router.add_api_route(
            "/v1/session", self.session, methods=["GET"], summary="Who this session is", response_model=None, responses=answers(_SESSION)
        )
        router.add_api_route(
            "/v1/stats",
            self.stats,
            methods=["GET"],
            summary="Exact counts",
            response_model=None,
            dependencies=[Depends(require("console:read"))],
            responses=answers(_STATS),
        )
        for path, pass_on in (("/api/{service}/{path:path}", self.forward), ("/services/{service}/{path:path}", self.hand_on)):
            router.add_api_route(
                path, pass_on, methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False, openapi_extra={ANY_QUERY: True}
            )
        return router

    async def page(self, request: Request, token: Annotated[str | None, Query(max_length=500)] = None) -> Response:
        if token is not None:
            answer = RedirectResponse("/", status_code=303)
            cookie = await self._sessions.redeem(token)
            if cookie is not None:
                self._remember(answer, cookie)
            return answer
        del request
        return _asset("index.html")

    async def icon(self) -> Response:
        return _asset("icon.svg")

    async def static(self, name: str) -> Response:
        return _asset(name)

    async def sign_in(self, body: SignIn) -> Response:
        principal = await self._keyring([(b"authorization", f"Bearer {body.api_key}".encode("ascii", "replace"))])
        check_unbound(principal, SHOWS_ALL)
        answer = Response(status_code=204)
        self._remember(answer, self._sessions.issue(principal.key_id, sorted(principal.scopes), body.person))
        return answer

    async def name(self, request: Request, body: Naming) -> Response:
        check_same_origin(request)
        headers = request.scope["headers"]
        session = self._sessions.read(headers)
        if session is None or not await self._sessions.holds(headers):
            raise UnauthorizedError("Sign in first.", code="session-missing")
        answer = Response(status_code=204)
        self._remember(answer, self._sessions.issue(session.key_id, session.scopes, body.person))
        return answer

    async def sign_out(self) -> Response:
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self._settings.secure_cookies)
        return answer

    def _remember(self, answer: Response, cookie: str) -> None:
        age_s = int(self._settings.session_hours * 3600)
        answer.set_cookie(COOKIE, cookie, max_age=age_s, path="/", httponly=True, samesite="strict", secure=self._settings.secure_cookies)

    async def session(self, request: Request) -> dict[str, Any]:
        principal = _principal(request)
        session = self._sessions.read(request.scope["headers"])
        return {"key_id": principal.key_id, "scopes": sorted(principal.scopes), "person": session.person if session else None}

    async def stats(self) -> dict[str, Any]:
        return {"streams": self._streams.open, "ready": self._hub.ready}

    async def stream(
        self,
        request: Request,
        principal: Annotated[Principal, Depends(require("console:read"))],
        topics: TopicsText,
        filter: FilterText = None,  # noqa: A002  # the contract's name
        from_beginning: bool = False,
        last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=4096)] = None,
    ) -> EventStream:
        """Stream topics as Server-Sent Events, for as long as the key is good.

        A client that comes back with its Last-Event-ID gets what it missed: no gap, no repeat.
        """
        check_unbound(principal, SHOWS_ALL)
        wanted, conditions = parse_topics(topics), parse_filter(filter)
        start = await self._streams.start(wanted, last_event_id, from_beginning=from_beginning)

        async def body() -> AsyncIterator[bytes]:
            yield self._streams.opening(wanted, start)
            async for told in self._streams.follow(wanted, start, conditions, welcome=self._welcome(request)):
                yield b"".join(as_sse(event_id, event) for event_id, event in told) or b": still here\n\n"

        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        return EventStream(body(), headers=headers)

    async def websocket(
        self,
        socket: WebSocket,
        topics: str = "",
        filter: str | None = None,  # noqa: A002  # the contract's name
        from_beginning: bool = False,
        last_event_id: str | None = None,
    ) -> None:
        """Stream topics over a WebSocket. What is refused is refused as over HTTP: the handshake is answered with a problem."""
        check_same_origin(socket)
        check_scope(_principal(socket), "console:read")
        check_unbound(_principal(socket), SHOWS_ALL)
        wanted, conditions = parse_topics(topics), parse_filter(filter)
        start = await self._streams.start(wanted, last_event_id, from_beginning=from_beginning)
        await socket.accept()
        await self._talk(socket, wanted, start, conditions)

    async def _talk(self, socket: WebSocket, topics: Any, start: Any, conditions: tuple[Condition, ...]) -> None:
        try:
            async for told in self._streams.follow(topics, start, conditions, welcome=self._welcome(socket)):
                for event_id, event in told:
                    await socket.send_text(_as_message(event_id, event))
                if not told:
                    await socket.send_text('{"heartbeat":true}')
            await socket.close(_GOING_AWAY)
        except (WebSocketDisconnect, RuntimeError):  # the client went away, before or while we wrote
            return

    def _welcome(self, connection: Request | WebSocket) -> Callable[[], Awaitable[bool]]:
        return lambda: self._sessions.holds(connection.scope["headers"])

    async def forward(self, request: Request, service: str) -> Response:
        principal = _principal(request)
        if request.method != "GET":
            check_same_origin(request)
        session = self._sessions.read(request.scope["headers"])
        answer = await self._proxy.forward(
            principal,
            service,
            request.scope["raw_path"].decode("latin-1").removeprefix(f"/api/{service}/"),
            method=request.method,
            query=request.url.query,
            body=call_of(request).body,
            headers=request.headers,
            person=(session.person if session else None) or principal.key_id,
        )
        headers = {name.decode(): value.decode() for name, value in answer.headers}
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type.decode(), headers=headers)

    async def hand_on(self, request: Request, service: str, path: str) -> Response:
        answer = await self._proxy.hand_on(
            service,
            path,
            method=request.method,
            query=request.url.query,
            body=call_of(request).body,
            authorization=request.headers.get("authorization"),
        )
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type.decode())


def _as_message(event_id: str, event: Event) -> str:
    told = {"id": event_id, "topic": event.topic.value.noun, "event": msgspec.Raw(as_json(event))}
    return msgspec.json.encode(told).decode()


def _principal(connection: Request | WebSocket) -> Principal:
    principal = call_of(connection).principal
    if principal is None:
        raise UnauthorizedError("Sign in, or send an API key.", code="session-missing")
    return principal


def check_same_origin(connection: Request | WebSocket) -> None:
    """Refuse what a page of another origin sends with our cookie: another port of this host counts as the same site.

    Raises: ForbiddenError.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or urlsplit(origin).netloc == connection.headers.get("host")
    if not own:
        raise ForbiddenError("Only the console's own page may use its session.", code="other-origin")


def _asset(name: str) -> Response:
    """Return a file of the page; only names that are there, so no path can lead elsewhere.

    Raises: NotFoundError for any other name.
    """
    known = {entry.name: entry for entry in _STATIC.iterdir() if entry.is_file()}
    entry = known.get(name)
    if entry is None:
        raise NotFoundError("There is no such file.")
    suffix = name[name.rfind(".") :]
    headers = {"content-security-policy": _PAGE_POLICY, "cache-control": "no-cache"}
    return Response(entry.read_bytes(), media_type=_TYPES.get(suffix, "application/octet-stream"), headers=headers)
