"""Reading request bodies without being hurt by them: bounded in size, in time and in memory over all requests; JSON checked as a whole.

Owns those limits. Nothing of a body ever enters an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from earshot_shared.http.problems import BusyError, HttpError, SlowClientError, TooLargeError, UnsupportedMediaError
from earshot_shared.item import holds_nul

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# All bodies being read in one process together; more are told to come again, so that no crowd of uploads can exhaust the memory.
BUDGET_BYTES: Final = 96 * 1024 * 1024
# A sender slower than this for longer than its patience is cut off.
_SLOWEST_BYTES_PER_S: Final = 16 * 1024
# After a refusal the rest of the body is thrown away for a moment, because closing at once would lose our answer on its way to the
# client.
_DRAIN_BYTES: Final = 64 * 1024 * 1024
_DRAIN_IDLE_S: Final = 1.0
_DRAIN_S: Final = 10.0


class BodyError(HttpError):
    """The body cannot be read as what it says it is."""

    code = "body-unreadable"


class DisconnectedError(Exception):
    """The client went away while sending; nobody waits for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHeaders:
    """What the headers say about a body. ``length`` is None when they do not say (chunked)."""

    present: bool
    length: int | None
    content_type: bytes
    expects_continue: bool


class Budget:
    """Counts the bytes of all bodies held at once."""

    def __init__(self, limit_bytes: int = BUDGET_BYTES) -> None:
        self._limit = limit_bytes
        self.held_bytes = 0

    def take(self, count: int) -> None:
        """Hold ``count`` more bytes.

        Raises: BusyError when that would be too many.
        """
        if self.held_bytes + count > self._limit:
            raise BusyError("Too many large requests at once: send this one again in a moment.", headers=[("retry-after", "1")])
        self.held_bytes += count

    def give_back(self, count: int) -> None:
        """Hold ``count`` bytes less."""
        self.held_bytes -= count


def read_body_headers(headers: Iterable[tuple[bytes, bytes]]) -> BodyHeaders:
    """Return what the headers say about the body.

    Raises: UnsupportedMediaError for a compressed body, which could unpack to anything; BodyError for a length that is no number.
    """
    length: int | None = None
    chunked = expects = False
    content_type = b""
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit() or len(value) > 15:
                raise BodyError("Content-Length is not a number.")
            length = int(value)
        elif name == b"content-type":
            content_type = value
        elif name == b"transfer-encoding":
            chunked = True
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise UnsupportedMediaError("Send the body as it is, without Content-Encoding.", code="encoding-unsupported")
        elif name == b"expect":
            expects = True
    return BodyHeaders(
        present=chunked or bool(length), length=None if chunked else length, content_type=content_type, expects_continue=expects
    )


async def read_body(
    receive: Receive, said: BodyHeaders, *, limit_bytes: int, patience_s: float, budget: Budget, too_large: str = TooLargeError.code
) -> bytes:
    """Return the whole body; the caller gives its length back to the budget when done. ``too_large`` is the code over the limit.

    Raises: TooLargeError over the limit, before reading when the length is known; SlowClientError; BusyError; DisconnectedError.
    """
    if said.length is not None and said.length > limit_bytes:
        raise _too_large(limit_bytes, too_large)
    loop = asyncio.get_running_loop()
    held = 0
    pieces: list[bytes] = []
    deadline = loop.time() + patience_s
    try:
        async with asyncio.timeout_at(deadline) as timer:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise DisconnectedError
                piece: bytes = message.get("body", b"")
                if piece:
                    budget.take(len(piece))
                    held += len(piece)
                    pieces.append(piece)
                    if held > limit_bytes:
                        raise _too_large(limit_bytes, too_large)
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                timer.reschedule(deadline + held / _SLOWEST_BYTES_PER_S)
    except TimeoutError:
        budget.give_back(held)
        raise SlowClientError("The body did not arrive in time: send it again over a faster line, or in smaller pieces.") from None
    except BaseException:
        budget.give_back(held)
        raise


async def drain(receive: Receive) -> None:
    """Throw away what a refused client still sends, up to a limit in bytes and time."""
    thrown = 0
    try:
        async with asyncio.timeout(_DRAIN_S):
            while thrown < _DRAIN_BYTES:
                async with asyncio.timeout(_DRAIN_IDLE_S):
                    message = await receive()
                thrown += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def media_type(content_type: bytes) -> bytes:
    """Return the media type that a Content-Type names: in lower case, without its parameters."""
    return content_type.partition(b";")[0].strip().lower()


def is_json(media: bytes) -> bool:
    """Tell whether a media type says that a body is JSON."""
    return media == b"application/json" or (media.startswith(b"application/") and media.endswith(b"+json"))


def check_json(body: bytes, content_type: bytes) -> None:
    """Let a body pass that is strict JSON in UTF-8, without NUL, lone surrogates, NaN, or nesting beyond sense.

    Raises: UnsupportedMediaError when it says it is something else; BodyError with what is wrong and where, never with what it says.
    """
    if not is_json(media_type(content_type)):
        raise UnsupportedMediaError("Send JSON and say so: `Content-Type: application/json`.")
    try:
        msgspec.json.decode(body)
    except RecursionError:
        raise BodyError("The JSON is nested too deeply.", code="json-too-deep") from None
    except UnicodeDecodeError as error:
        raise BodyError(f"The body is not UTF-8 (byte {error.start}).", code="encoding-invalid") from None
    except msgspec.DecodeError as error:
        raise BodyError(f"The body is not JSON: {error}.", code="json-invalid") from None
    if holds_nul(body):
        raise BodyError("A text holds the character NUL (\\u0000), which nothing can store.", code="text-invalid")


def _too_large(limit_bytes: int, code: str) -> TooLargeError:
    return TooLargeError(f"The body is larger than the {limit_bytes:,} bytes this path takes: send less at once.", code=code)
