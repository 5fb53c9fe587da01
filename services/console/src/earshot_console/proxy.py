"""The console's way to the services: what the page asks for goes through here, with the session's scopes.

Owns which paths a browser may reach and which scope each wants. The browser never sees a service's address or key. The services see our
own key, which is bound to no brand: so nobody whose key is bound to some comes through here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from earshot_shared.access import Principal
from earshot_shared.http.auth import check_scope, check_unbound
from earshot_shared.http.problems import Answer, BusyError, NotFoundError, UnauthorizedError

SHOWS_ALL = "the console shows all"
TIMEOUT_S = 15.0
KEEPING_TIMEOUT_S = 60.0  # a replay empties tables before it answers
_PASSED_ON = ("content-type", "etag", "idempotency-replayed")
_TAKEN_ALONG = ("if-match", "idempotency-key")
_UNSAFE_IN_PATH = ("//", "\\", "?", "#")
_UNSAFE_ONCE_READ = (*_UNSAFE_IN_PATH, "..", "%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One service as the console reaches it; ``write`` says whether people act on it from the page."""

    url: str
    scope: str
    write: bool = False


class Proxy:
    """Forwards the page's ``/api/{service}/…`` to ``/v1/…`` of the service, and commands' ``/services/{service}/admin/…`` as they are."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, api_key: str | None, client: httpx.AsyncClient) -> None:
        self._upstreams = upstreams
        self._api_key = api_key
        self._client = client

    async def forward(
        self,
        principal: Principal,
        service: str,
        path: str,
        *,
        method: str,
        query: str,
        body: bytes,
        headers: Mapping[str, str],
        person: str,
    ) -> Answer:
        """Return the service's answer. ``path`` is as the browser wrote it: ids may hold escaped slashes.

        Raises: NotFoundError for an unknown service; ForbiddenError without the scope; BusyError when the service does not answer.
        """
        upstream = self._upstreams.get(service)
        if upstream is None or _leads_elsewhere(path) or (method != "GET" and not upstream.write):
            raise NotFoundError("There is nothing at this address.", code="not-found")
        check_unbound(principal, SHOWS_ALL)
        check_scope(principal, f"{upstream.scope}:{'read' if method == 'GET' else 'write'}")
        sent = {b"authorization": f"Bearer {self._api_key}".encode(), b"earshot-actor": person.encode()}  # names are UTF-8
        sent |= {name.encode(): headers[name].encode() for name in _TAKEN_ALONG if name in headers}
        if body:
            sent[b"content-type"] = b"application/json"
        answer = await self._ask(service, method, f"/v1/{path}", query=query, body=body, headers=sent, timeout_s=TIMEOUT_S)
        passed = tuple((name.encode(), answer.headers[name].encode()) for name in _PASSED_ON[1:] if name in answer.headers)
        content_type = answer.headers.get("content-type", "application/json").encode()
        return Answer(status=answer.status_code, body=answer.content, content_type=content_type, headers=passed)

    async def hand_on(self, service: str, path: str, *, method: str, query: str, body: bytes, authorization: str | None) -> Answer:
        """Return what a service answers to the caller's own key, which it judges itself: how commands keep an installation from here.

        Raises: NotFoundError for an unknown service or any other path; UnauthorizedError without a key (a session is none); BusyError when
        the service does not answer.
        """
        known = path == "v1/stats" or path.startswith("admin/")
        if service not in self._upstreams or not known or any(mark in path for mark in _UNSAFE_ONCE_READ):
            raise NotFoundError("There is nothing at this address.", code="not-found")
        if authorization is None:
            raise UnauthorizedError("Send an API key: `Authorization: Bearer KEY`.", code="key-missing")
        sent = {b"authorization": authorization.encode("latin-1")}
        if body:
            sent[b"content-type"] = b"application/json"
        answer = await self._ask(service, method, f"/{path}", query=query, body=body, headers=sent, timeout_s=KEEPING_TIMEOUT_S)
        content_type = answer.headers.get("content-type", "application/json").encode()
        return Answer(status=answer.status_code, body=answer.content, content_type=content_type)

    async def _ask(
        self, service: str, method: str, path: str, *, query: str, body: bytes, headers: Mapping[bytes, bytes], timeout_s: float
    ) -> httpx.Response:
        url = self._upstreams[service].url.rstrip("/") + path + (f"?{query}" if query else "")
        try:
            return await self._client.request(method, url, content=body or None, headers=dict(headers), timeout=timeout_s)
        except httpx.HTTPError as error:
            raise BusyError(f"{service} does not answer: it may be starting again.", headers=[("retry-after", "1")]) from error


def _leads_elsewhere(path: str) -> bool:
    """Say whether a path as written is more than names one after another, or climbs once it is read."""
    climbs = any(step in (".", "..") for step in unquote(path).split("/"))
    return climbs or path.startswith("/") or any(mark in path for mark in _UNSAFE_IN_PATH)
