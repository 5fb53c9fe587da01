"""What FastAPI does not do by itself: unknown query parameters refused, and every error of its own told as a problem.

Owns the dependency and the exception handlers that `app.create_app` installs, and how a query spells whole numbers.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.routing import APIRoute, APIWebSocketRoute
from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match

from earshot_shared.errors import EarshotError
from earshot_shared.http.problems import (
    Answer,
    FieldProblem,
    InvalidError,
    MethodNotAllowedError,
    note,
    problem,
    problem_of,
    unexpected,
)

ANY_QUERY: Final = "x-any-query"
"""Set in a route's ``openapi_extra`` when it hands its query on to another service."""


def _in_digits(given: Any) -> Any:
    if isinstance(given, str) and not (given.isascii() and given.isdigit()):
        raise PydanticKnownError("int_parsing")
    return given


DIGITS: Final = BeforeValidator(_in_digits)
"""Stands behind ``Query(…)`` of a whole number: digits and nothing else; pydantic alone takes ``5.0``, `` 5``, ``+5`` and ``1_0`` too."""

_MOST_ERRORS: Final = 50
_LONGEST_FIELD: Final = 120
_DETAILS: Final = {404: ("not-found", "There is nothing at this path: /docs lists what there is.")}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

# By the route's identity (it has no hash); the route is kept beside, so that its identity is never another's.
_KNOWN: dict[int, tuple[APIRoute | APIWebSocketRoute, frozenset[str], frozenset[str]]] = {}


async def refuse_unknown_query(request: HTTPConnection) -> None:
    """Let a request pass whose query names only parameters of its route, each once unless it is a list.

    Raises: InvalidError (422 ``query-unknown`` or ``query-repeated``) that names the parameter.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    if not names:
        return
    route = request.scope.get("route")
    if isinstance(route, APIRoute) and (route.openapi_extra or {}).get(ANY_QUERY):
        return  # it hands its query on; whoever gets it is strict
    known, lists = _query_of(route)
    for name in names:
        if name not in known:
            offered = f"this path takes {', '.join(sorted(known))}" if known else "this path takes none"
            raise query_error(name, "query-unknown", f"There is no such query parameter: {offered}.")
    for name in set(names):
        if names.count(name) > 1 and name not in lists:
            raise query_error(name, "query-repeated", f"Give the query parameter {name} once.")


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error as a problem; what is unexpected is then raised again, for the door to log."""
    app.add_exception_handler(EarshotError, _tell_ours)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(Exception, _tell_unexpected)


def response_of(answer: Answer) -> Response:
    """Return an answer as FastAPI sends it."""
    response = Response(answer.body, status_code=answer.status, media_type=None)
    response.raw_headers.append((b"content-type", answer.content_type))
    response.raw_headers.extend(answer.headers)
    return response


async def _tell_ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, EarshotError)
    note(error)
    return response_of(problem_of(error))


async def _tell_unexpected(_request: Request, _error: Exception) -> Response:
    return response_of(unexpected())


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == MethodNotAllowedError.status:
        return response_of(problem_of(MethodNotAllowedError(_methods_of(request))))
    code, detail = _DETAILS.get(error.status_code, ("request-refused", "The request cannot be served as it is."))
    response = response_of(problem(error.status_code, code, detail))
    response.raw_headers.extend((name.lower().encode(), value.encode("latin-1")) for name, value in (error.headers or {}).items())
    return response


def _methods_of(request: Request) -> set[str]:
    """Return every method that the path of a request takes, whichever route takes it; Starlette tells those of the first alone."""
    scopes = ({**request.scope, "method": method} for method in _METHODS)
    return {scope["method"] for scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)}


async def _tell_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    return response_of(problem_of(invalid_of(error.errors(), getattr(error, "body", None))))


def invalid_of(found: Sequence[Any], body: object = None) -> InvalidError:
    """Return pydantic's findings as one error: the fields by their path in ``body``, in our codes, without the values."""
    fields = [_field_problem(one, body) for one in found[:_MOST_ERRORS]]
    codes = {field.code for field in fields}
    first = fields[0] if fields else FieldProblem("", "invalid", "The request is not valid.")
    more = f" {len(found) - 1} more besides." if len(found) > 1 else ""
    return InvalidError(
        f"{first.field}: {first.detail}{more}", code="unknown-field" if codes == {"unknown-field"} else "invalid", errors=fields
    )


def _path_in(body: object, kind: str, parts: Sequence[str | int]) -> list[str | int]:
    """Return the parts of a place that the sender knows: pydantic also names which form of a union it tried."""
    told: list[str | int] = []
    for number, part in enumerate(parts, 1):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int):
            body = body[part] if part < len(body) else None
        elif kind != "missing" or number < len(parts):
            continue
        told.append(part)
    return told


def _field_problem(found: Any, body: object) -> FieldProblem:
    kind = str(found["type"])
    parts = found["loc"][1:] if body is None or found["loc"][0] != "body" else _path_in(body, kind, found["loc"][1:])
    place = ".".join(str(part) for part in parts) or str(found["loc"][0])
    if kind == "extra_forbidden":
        return FieldProblem(
            place[:_LONGEST_FIELD], "unknown-field", "There is no such field; what is your own goes into `extra`, where there is one."
        )
    if kind == "missing":
        return FieldProblem(place[:_LONGEST_FIELD], "required", "This field is required.")
    # The messages of these kinds quote the input.
    detail = "This is not valid." if kind.startswith("union_tag") else str(found["msg"]).removeprefix("Value error, ")
    return FieldProblem(place[:_LONGEST_FIELD], kind.replace("_", "-"), detail if detail.endswith(".") else f"{detail}.")


def query_error(name: str, code: str, detail: str) -> InvalidError:
    """Return the error that names a query parameter."""
    return InvalidError(detail, code=code, errors=[FieldProblem(name[:_LONGEST_FIELD], code, detail)])


def _query_of(route: object) -> tuple[frozenset[str], frozenset[str]]:
    """Return the query parameters of a route, and those of them that may be repeated."""
    if not isinstance(route, APIRoute | APIWebSocketRoute):
        return frozenset(), frozenset()
    known = _KNOWN.get(id(route))
    if known is None:
        found = [param for param in get_flat_params(route.dependant) if isinstance(param.field_info, params.Query)]
        lists = frozenset(param.alias for param in found if "list" in str(param.field_info.annotation).lower())
        known = _KNOWN[id(route)] = (route, frozenset(param.alias for param in found), lists)
    return known[1], known[2]
