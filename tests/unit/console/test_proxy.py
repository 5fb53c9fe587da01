"""The console's way to the services: names as they are, nobody bound to a brand, nothing from another origin."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.requests import Request

from earshot_console.app import Naming, SignIn, check_same_origin
from earshot_console.proxy import Proxy, Upstream
from earshot_shared.access import ALL_SCOPES, Principal
from earshot_shared.http.problems import ForbiddenError, NotFoundError, UnauthorizedError

ALL = Principal(key_id="k", scopes=frozenset(ALL_SCOPES))
UPSTREAMS = {
    "crm-sync": Upstream(url="http://crm", scope="crm-sync", write=True),
    "ingest": Upstream(url="http://ingest", scope="ingest"),
}


async def forward(principal: Principal = ALL, *, service: str = "crm-sync", method: str = "POST", **more: Any) -> tuple[Any, httpx.Request]:
    """Send one request through a proxy whose services answer 200, and return the answer with what the service saw."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={}, headers={"etag": '"7"', "set-cookie": "no"})

    asked: dict[str, Any] = {"path": "customers/1", "query": "", "body": b"{}", "headers": {}, "person": "Pat", **more}
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        told = await Proxy(UPSTREAMS, api_key="ours", client=client).forward(principal, service, method=method, **asked)
    return told, seen[0]


async def test_a_name_goes_on_as_utf_8_and_terms_go_along_but_cookies_do_not() -> None:
    terms = {"if-match": '"6"', "idempotency-key": "once", "cookie": "session", "x-forwarded-for": "1.2.3.4"}
    told, seen = await forward(person="Jürgen Möller", headers=terms)
    raw = dict(seen.headers.raw)
    assert next(value for name, value in raw.items() if name.lower() == b"earshot-actor").decode() == "Jürgen Möller"
    assert (seen.headers["if-match"], seen.headers["idempotency-key"]) == ('"6"', "once")
    assert not {"cookie", "x-forwarded-for"} & set(seen.headers)
    assert dict(told.headers) == {b"etag": b'"7"'}


@pytest.mark.parametrize("bound", [{"brands": frozenset({"Acme"})}, {"sources": frozenset({"forum"})}])
async def test_a_key_bound_to_some_sees_nothing_of_all(bound: Mapping[str, frozenset[str]]) -> None:
    with pytest.raises(ForbiddenError) as refused:
        await forward(Principal(key_id="k", scopes=frozenset(ALL_SCOPES), **bound))
    assert refused.value.code == "key-bound"


async def test_who_may_only_read_writes_nothing() -> None:
    reader = Principal(key_id="k", scopes=frozenset({"crm-sync:read"}))
    assert (await forward(reader, method="GET"))[0].status == 200
    for method in ("POST", "PUT", "DELETE"):
        with pytest.raises(ForbiddenError):
            await forward(reader, method=method)


async def test_an_id_goes_on_as_it_was_written() -> None:
    path = "members/mastodon%3Ahttps%3A%2F%2Fsocial.example%2F%40anna/ledger"
    _, seen = await forward(path=path, method="GET", query="limit=1")
    assert seen.url.raw_path == f"/v1/{path}?limit=1".encode()


@pytest.mark.parametrize("path", ["../admin", "%2e%2e/admin", "/a", "a//b", "a%2f..", "a/./b", "a?x=1", "a\\b"])
async def test_no_path_leads_elsewhere(path: str) -> None:
    with pytest.raises(NotFoundError):
        await forward(path=path)


async def test_nobody_writes_to_services_on_which_the_page_only_looks() -> None:
    with pytest.raises(NotFoundError):
        await forward(service="ingest")
    with pytest.raises(NotFoundError):
        await forward(service="postgres", method="GET")


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": pairs})


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"sec_fetch_site": "same-site"}, id="another port of this host"),
        pytest.param({"sec_fetch_site": "cross-site"}, id="another site"),
        pytest.param({"origin": "http://evil.example", "host": "console.example"}, id="an old browser"),
        pytest.param({"origin": "null", "host": "console.example"}, id="a sandboxed frame"),
    ],
)
def test_pages_of_other_origins_use_no_session(headers: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError):
        check_same_origin(request(**headers))


@pytest.mark.parametrize(
    "headers", [{}, {"sec_fetch_site": "same-origin"}, {"origin": "https://console.example", "host": "console.example"}]
)
def test_our_own_page_and_programs_do(headers: dict[str, str]) -> None:
    check_same_origin(request(**headers))


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "x" * 201, "bell\x07"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValidationError):
        Naming(person=name)
    with pytest.raises(ValidationError):
        SignIn(api_key="k", person=name)


async def hand_on(path: str, *, method: str = "POST", authorization: str | None = "Bearer k") -> httpx.Request:
    """Send one request of a command's through the console, and return what the service saw."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        proxy = Proxy(UPSTREAMS, api_key="ours", client=client)
        told = await proxy.hand_on("crm-sync", path, method=method, query="a=1", body=b"{}", authorization=authorization)
    assert told.status == 202
    return seen[0]


async def test_commands_come_through_under_their_own_key_and_never_under_ours() -> None:
    seen = await hand_on("admin/replay")
    assert (str(seen.url), seen.headers["authorization"]) == ("http://crm/admin/replay?a=1", "Bearer k")
    with pytest.raises(UnauthorizedError):
        await hand_on("admin/replay", authorization=None)


@pytest.mark.parametrize("path", ["v1/customers", "admin", "admin/../v1/customers", "docs"])
async def test_commands_reach_nothing_else_through_the_console(path: str) -> None:
    with pytest.raises(NotFoundError):
        await hand_on(path)


async def test_the_page_never_reaches_what_keeps_the_installation() -> None:
    for path in ("admin/keys", "admin/replay"):
        assert str((await forward(path=path))[1].url) == f"http://crm/v1/{path}"
