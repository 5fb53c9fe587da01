"""The door of every service: the ASGI application in front of the routes.

Owns what must hold for every request, whatever route takes it: a key (unless the path is open), a body that is bounded and whole, strict
JSON, problem+json for every error, security headers, a trace, counts. Hot routes are served here, without a framework in between.
Never logs or repeats what a client sent.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from earshot_shared.access.keys import Principal
from earshot_shared.errors import EarshotError
from earshot_shared.http import bodies
from earshot_shared.http.auth import Authenticator, check_scope
from earshot_shared.http.call import SCOPE_KEY, Call
from earshot_shared.http.problems import (
    Answer,
    BusyError,
    HttpError,
    MethodNotAllowedError,
    SlowClientError,
    TooLargeError,
    note,
    problem_of,
    unexpected,
)
from earshot_shared.http.rules import DEFAULT_BODY_LIMIT, PathRules
from earshot_shared.metrics import Metrics
from earshot_shared.tracing import part_of, working_in

Scope = MutableMapping[str, Any]
Receive = bodies.Receive
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Added where the route did not say otherwise (pages bring a policy of their own).
_DEFAULT_HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
_OURS: Final = (*_SECURITY_HEADERS, *_DEFAULT_HEADERS.items())
# Answered however busy the service is: those who ask are deciding whether to kill it.
_NEVER_BUSY: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_BODILESS: Final = bodies.BodyHeaders(present=False, length=0, content_type=b"", expects_continue=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HotRoute:
    """A route served at the door: for one exact path, at a fifth of a framework's price. ``handler`` raises HttpError and the like.
    A path with a hot route has no others: every method that it takes is hot.

    The body is given raw and unchecked: the handler decodes it once, into what it needs.
    """

    handler: Callable[[Call], Awaitable[Answer]]
    scope: str
    body_limit_bytes: int = DEFAULT_BODY_LIMIT
    too_large: str = TooLargeError.code
    """The code of what is over the limit."""


@dataclass(slots=True, kw_only=True)
class Door:
    """An ASGI application; give it to the server in place of ``api``, which stays reachable for its documents and tests."""

    api: AsgiApp
    authenticate: Authenticator
    rules: PathRules
    metrics: Metrics
    hot: Mapping[tuple[str, str], HotRoute] = field(default_factory=dict)
    max_in_flight: int = 2000
    slow_client_s: float = 30.0
    budget: bodies.Budget = field(default_factory=bodies.Budget)
    in_flight: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self.api(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        answering = _Answering(send)
        said = _BODILESS
        self.in_flight += 1
        try:
            said = bodies.read_body_headers(scope["headers"])
            if self.in_flight > self.max_in_flight and scope["path"] not in _NEVER_BUSY:
                raise BusyError("Too many requests at once: send this one again in a moment.", headers=[("retry-after", "1")])
            await self._pass_on(scope, receive, answering, said)
        except bodies.DisconnectedError:
            answering.status = 499  # as proxies count it: nobody was there to be answered
        except EarshotError as error:
            await self._refuse(problem_of(error), error, receive, answering, said)
        except Exception as error:  # noqa: BLE001  # the supervisor of a request: it alone must answer whatever happens
            _log.error("request failed", extra={"action": "request_failed", "path_kind": _route_of(scope)}, exc_info=error)
            await self._refuse(unexpected(), error, receive, answering, said)
        finally:
            self.in_flight -= 1
            route = _route_of(scope)
            self.metrics.count("http_requests_total", route, scope["method"], str(answering.status))
            self.metrics.observe("http_request_seconds", perf_counter() - started, route)

    async def _pass_on(self, scope: Scope, receive: Receive, answering: "_Answering", said: bodies.BodyHeaders) -> None:
        """Check key and body, then serve: a hot route here, all else by the api."""
        path, method, headers = scope["path"], scope["method"], scope["headers"]
        if "\x00" in path or b"%00" in scope["query_string"]:
            raise HttpError("The address holds the character NUL.", code="text-invalid")
        hot = self.hot.get((method, path))
        if hot is not None:
            await self._serve_hot(scope, receive, answering, said, hot)
            return
        rule = self.rules.of(path)
        principal = None if rule.open else await self.authenticate(headers)
        if allowed := [taken for taken, hot_path in self.hot if hot_path == path]:
            raise MethodNotAllowedError(allowed)
        body = b""
        if said.present:
            body = await bodies.read_body(
                receive, said, limit_bytes=rule.body_limit_bytes, patience_s=self.slow_client_s, budget=self.budget
            )
        answering.body_read = True
        try:
            if body and rule.body == "json":
                bodies.check_json(body, said.content_type)
            with working_in(_header(headers, b"traceparent")) as traceparent:
                scope[SCOPE_KEY] = _call(scope, principal, body, traceparent)
                await self.api(scope, _replaying(body, receive), answering)
        finally:
            self.budget.give_back(len(body))

    async def _serve_hot(self, scope: Scope, receive: Receive, answering: "_Answering", said: bodies.BodyHeaders, hot: HotRoute) -> None:
        """Serve a route at the door; its handler decodes the body and carries the trace on by itself."""
        scope["earshot.route"] = scope["path"]
        principal = await self.authenticate(scope["headers"])
        check_scope(principal, hot.scope)
        body = b""
        if said.present:
            body = await bodies.read_body(
                receive,
                said,
                limit_bytes=hot.body_limit_bytes,
                patience_s=self.slow_client_s,
                budget=self.budget,
                too_large=hot.too_large,
            )
        answering.body_read = True
        try:
            await answering.answer(await hot.handler(_call(scope, principal, body, part_of(_header(scope["headers"], b"traceparent")))))
        finally:
            self.budget.give_back(len(body))

    async def _refuse(self, answer: Answer, error: Exception, receive: Receive, answering: "_Answering", said: bodies.BodyHeaders) -> None:
        """Answer with a problem; a body that was not read is thrown away for a moment and the connection closed."""
        code = error.code if isinstance(error, EarshotError) else "unexpected"
        self.metrics.count("http_refused_total", code)
        if isinstance(error, EarshotError):
            note(error)
        if answering.started:
            return  # too late to say anything; the server closes what is not complete
        if not said.present or answering.body_read:
            await answering.answer(answer)
            return
        await answering.answer(answer, closing=True)
        if not said.expects_continue and not isinstance(error, SlowClientError):
            await bodies.drain(receive)
        await answering.finish()

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket through to the api when its headers carry a key; else refuse the handshake as any request would be refused."""
        headers = scope["headers"]
        principal: Principal | None = None
        if not self.rules.of(scope["path"]).open:
            try:
                principal = await self.authenticate(headers)
            except EarshotError as error:
                await receive()
                await _refuse_handshake(problem_of(error), scope, send)
                return
        with working_in(_header(headers, b"traceparent")) as traceparent:
            scope[SCOPE_KEY] = _call(scope, principal, b"", traceparent)
            await self.api(scope, receive, send)


class _Answering:
    """The way back to the client: adds our headers and remembers how far the answer has gone."""

    __slots__ = ("_send", "body_read", "started", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.body_read = False
        self.status = 500

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = _with_our_headers(message.get("headers", ()))
        await self._send(message)

    async def answer(self, answer: Answer, *, closing: bool = False) -> None:
        """Send a whole answer; ``closing`` keeps it open until `finish`, then the connection closes."""
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        if closing:
            headers.append((b"connection", b"close"))
        headers += _with_our_headers(answer.headers) if answer.headers else _OURS
        self.started = True
        self.status = answer.status
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body, "more_body": closing})

    async def finish(self) -> None:
        """End an answer that was kept open."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _call(scope: Scope, principal: Principal | None, body: bytes, traceparent: str) -> Call:
    return Call(
        method=scope.get("method", "GET"),  # a WebSocket has none
        path=scope["path"],
        query=scope["query_string"],
        headers=scope["headers"],
        principal=principal,
        body=body,
        traceparent=traceparent,
    )


async def _refuse_handshake(answer: Answer, scope: Scope, send: Send) -> None:
    """Answer a WebSocket's handshake with a problem; a server that cannot (an ASGI extension) closes it, which clients see as 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = _with_our_headers([(b"content-type", answer.content_type), *answer.headers])
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})


def _with_our_headers(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in headers}
    defaults = [(name, value) for name, value in _DEFAULT_HEADERS.items() if name not in names]
    return [*headers, *_SECURITY_HEADERS, *defaults]


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the body that was read, then what comes after it (the client going away)."""
    given = False

    async def replay() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _route_of(scope: Scope) -> str:
    """Return the route's template for metrics, never the path itself, which may hold a name."""
    hot: str | None = scope.get("earshot.route")
    if hot is not None:
        return hot
    return getattr(scope.get("route"), "path", "none")


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None
