"""uvicorn's HTTP protocol, made safe against clients that never finish: slow or endless headers, and readers that do not read.

Owns the limits of connections that no ASGI application can see: how many there are, the time to send a request's headers, their size, and
the time to take an answer. Everything else is uvicorn's.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from earshot_shared.http.problems import CONTENT_TYPE, problem

HEADER_BYTES: Final = 64 * 1024
_PATIENCE_S: Final = 30.0
_READ_PATIENCE_S: Final = 60.0
# A refused client may still be sending; closing at once would lose our answer on its way, so what it sends is thrown away for a moment.
_FAREWELL_S: Final = 1.0


class GuardedProtocol(HttpToolsProtocol):
    """One connection. A timer runs whenever a request's headers are wanted or half there, another while the client does not read."""

    max_connections: int = 2_200
    header_patience_s: float = _PATIENCE_S
    read_patience_s: float = _READ_PATIENCE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_bytes = 0
        self._in_headers = True
        self._refused = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(503, "busy", "Too many connections at once: come again in a moment.")
            return
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_header_timer()
        self._stop_read_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of headers before they are parsed and kept."""
        if self._refused:
            return
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES and not self._holds_end_of_headers(data):
                self._refuse(431, "headers-too-large", f"The headers are larger than {HEADER_BYTES:,} bytes.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request: on a kept connection the wait for its headers starts now."""
        super().on_message_begin()
        self._in_headers = True
        if self._header_timer is None:
            self._await_headers()

    def on_headers_complete(self) -> None:
        """End the wait: from here on the door watches the body."""
        self._in_headers = False
        self._header_bytes = 0
        self._stop_header_timer()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Give a client that does not read its answer a limited time."""
        super().pause_writing()
        if self._read_timer is None:
            self._read_timer = self.loop.call_later(self.read_patience_s, self._abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._stop_read_timer()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """Answer what is no HTTP with a problem, as everything else."""
        self._refuse(400, "http-invalid", "This is not a valid HTTP request.")

    def _holds_end_of_headers(self, data: bytes) -> bool:
        # The first piece may hold headers and a large body at once; only headers that go on count.
        return self._header_bytes - len(data) <= HEADER_BYTES and data.find(b"\r\n\r\n", 0, HEADER_BYTES) >= 0

    def _await_headers(self) -> None:
        self._header_timer = self.loop.call_later(self.header_patience_s, self._headers_late)

    def _headers_late(self) -> None:
        self._header_timer = None
        self._refuse(408, "client-slow", "The headers of the request did not arrive in time.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        self._stop_header_timer()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]  # None before the first request
            self.transport.abort()  # an answer is under way: another in its midst would be read as part of it
            return
        answer = problem(status, code, detail)
        self.transport.write(
            b"".join(
                (
                    STATUS_LINE[status],
                    b"content-type: " + CONTENT_TYPE + b"\r\ncontent-length: " + str(len(answer.body)).encode(),
                    b"\r\nconnection: close\r\n\r\n",
                    answer.body,
                )
            )
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_FAREWELL_S, self.transport.close)

    def eof_received(self) -> None:
        """The client has said all; a refused one has read the answer."""
        if self._refused:
            self.transport.close()

    def _abort(self) -> None:
        self._read_timer = None
        self.transport.abort()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
