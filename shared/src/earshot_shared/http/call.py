"""What the door knows of a request by the time a route sees it: who sends it, its whole body, its trace.

Owns that record and where it lies in the ASGI scope.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from earshot_shared.access.keys import Principal

SCOPE_KEY: Final = "earshot.call"


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. ``principal`` is None on open paths; ``body`` is whole and within the path's limit; ``traceparent`` our own part."""

    method: str
    path: str
    query: bytes
    headers: Iterable[tuple[bytes, bytes]]
    principal: Principal | None
    body: bytes
    traceparent: str | None

    def header(self, name: bytes) -> bytes | None:
        """Return the first header of that lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


def call_of(request: HTTPConnection) -> Call:
    """Return the call behind a FastAPI request.

    Raises: RuntimeError when the app is served without its door, which would leave it open.
    """
    call = request.scope.get(SCOPE_KEY)
    if not isinstance(call, Call):
        raise RuntimeError("this app must be served through its door")
    return call
