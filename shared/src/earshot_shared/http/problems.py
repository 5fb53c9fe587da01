"""Errors as HTTP tells them: RFC 9457 problem+json with a stable ``code``.

Owns the HTTP side of the error taxonomy and the spelling of problem bodies. A problem never repeats what the client sent beyond the names
of fields: bodies hold personal data, and problems end up in other people's logs.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final

import msgspec

from earshot_shared.errors import EarshotError, FencedError, PoisonError, RetryableError

CONTENT_TYPE: Final = b"application/problem+json"
_log = logging.getLogger(__name__)
_URN: Final = "urn:earshot:problem:"
METHOD_NOT_ALLOWED: Final = "This path does not take this method: the header Allow names those it takes."
_OUR_FAULT: Final = "Something is wrong on our side; the log of the service says what."


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field; ``field`` is its path such as ``items.3.author.email``."""

    field: str
    code: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The body of an error answer (contract §10). ``changes`` says at a 412 who changed what."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()
    changes: tuple[dict[str, str], ...] = ()


class HttpError(EarshotError):
    """The request cannot be granted; raised by routes and the door. ``status`` is the answer's, ``headers`` go with it."""

    code = "bad-request"
    status: ClassVar[int] = 400

    def __init__(
        self, detail: str, *, code: str | None = None, errors: Sequence[FieldProblem] = (), headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail, code=code)
        self.errors = tuple(errors)
        self.headers = tuple(headers)


class UnauthorizedError(HttpError):
    """No key, or one that is not known; send ``Authorization: Bearer KEY``."""

    code, status = "key-unknown", 401


class ForbiddenError(HttpError):
    """The key is known but may not do this; the detail names what it lacks."""

    code, status = "scope-missing", 403


class NotFoundError(HttpError):
    """Nothing of that name is here."""

    code, status = "not-found", 404


class MethodNotAllowedError(HttpError):
    """The path is there, but does not take this method; the header Allow names those it takes."""

    code, status = "method-not-allowed", 405

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__(METHOD_NOT_ALLOWED, headers=[("allow", ", ".join(sorted(allowed)))])


class ConflictError(HttpError):
    """The request is right by itself, yet does not fit the state of things; look at it again."""

    code, status = "conflict", 409


class GoneError(HttpError):
    """It was here once and has ceased to be."""

    code, status = "gone", 410


class PreconditionFailedError(HttpError):
    """Somebody changed it since the version the client has seen; ``changes`` says who and what."""

    code, status = "version-mismatch", 412

    def __init__(self, detail: str, *, changes: Sequence[dict[str, str]] = (), headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail, headers=headers)
        self.changes = tuple(changes)


class TooLargeError(HttpError):
    """The body is larger than this route takes; split it."""

    code, status = "body-too-large", 413


class UnsupportedMediaError(HttpError):
    """The body is compressed or of a kind this route does not read."""

    code, status = "media-unsupported", 415


class InvalidError(HttpError):
    """The request can be read, but a field or parameter is wrong; ``errors`` names each."""

    code, status = "invalid", 422


class SlowClientError(HttpError):
    """The client took too long to send its request."""

    code, status = "client-slow", 408


class BusyError(HttpError):
    """Too much at once; the same request will succeed later."""

    code, status = "busy", 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer: what hot routes return, what idempotency keeps, what problems become. Header names are lower case."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


_encoder = msgspec.json.Encoder()


def title_of(status: int) -> str:
    """Return the standard phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def problem(status: int, code: str, detail: str, *, errors: Sequence[FieldProblem] = ()) -> Answer:
    """Return a problem as an answer."""
    return _answer(Problem(type=_URN + code, title=title_of(status), status=status, detail=detail, code=code, errors=tuple(errors)))


def problem_of(error: EarshotError) -> Answer:
    """Return the answer for one of our errors, by its type: what passes is 503, what the data cannot be is 422, our own faults are 500."""
    if isinstance(error, HttpError):
        changes = error.changes if isinstance(error, PreconditionFailedError) else ()
        body = Problem(
            type=_URN + error.code,
            title=title_of(error.status),
            status=error.status,
            detail=error.detail,
            code=error.code,
            errors=error.errors,
            changes=tuple(changes),
        )
        return _answer(body, headers=tuple((name.lower().encode(), value.encode("latin-1")) for name, value in error.headers))
    if isinstance(error, PoisonError):
        return problem(422, error.code, error.detail)
    if isinstance(error, RetryableError | FencedError):
        wait = error.retry_after_s if isinstance(error, RetryableError) else None
        body = Problem(type=_URN + error.code, title=title_of(503), status=503, detail=error.detail, code=error.code)
        return _answer(body, headers=((b"retry-after", str(max(1, round(wait or 1))).encode()),))
    return problem(500, error.code, _OUR_FAULT)


def note(error: EarshotError) -> None:
    """Log a refusal that is not the client's doing: what passes as a warning, our own faults as errors with their place."""
    if isinstance(error, HttpError):
        return
    if isinstance(error, RetryableError | FencedError | PoisonError):
        _log.warning("request refused", extra={"action": "request_refused", "code": error.code})
    else:
        _log.error("request failed", extra={"action": "request_failed", "code": error.code}, exc_info=error)


def unexpected() -> Answer:
    """Return the answer to what nobody foresaw."""
    return problem(500, "unexpected", _OUR_FAULT)


def _answer(body: Problem, *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    return Answer(status=body.status, body=_encoder.encode(body), content_type=CONTENT_TYPE, headers=headers)
