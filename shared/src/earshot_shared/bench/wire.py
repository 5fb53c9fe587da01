"""A kept connection over which requests are sent one after the other, cheap: what measures must not cost what is measured.

Owns the bytes of requests and the reading of answers' status (httptools parses). Reads no answer's body.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

import httptools


class Wire(asyncio.Protocol):
    """One connection; ask again only once the last answer came."""

    def __init__(self, authority: str, headers: str) -> None:
        self._head = f" HTTP/1.1\r\nhost: {authority}\r\n{headers}content-length: "
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, url: str, api_key: str) -> Self:
        """Connect to ``http://HOST:PORT``; every request carries the key and sends JSON. Raises: OSError."""
        authority = url.removeprefix("http://")
        host, port = authority.rsplit(":", 1)
        headers = f"authorization: Bearer {api_key}\r\ncontent-type: application/json\r\n"
        _, wire = await asyncio.get_running_loop().create_connection(lambda: cls(authority, headers), host, int(port))
        return wire

    async def ask(self, method: str, target: str, body: bytes = b"") -> int:
        """Return the status of the answer, once all of it came. Raises: ConnectionError when the connection ends before."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(f"{method} {target}{self._head}{len(body)}\r\n\r\n".encode() + body)
        return await self._answer

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # what streams are given
        """Keep the way out."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Tell who asks: an answer came whole."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing will come."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the service closed the connection"))


class Wires:
    """As many connections to one service as are in use at a time, kept open between uses."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url, self._api_key = url, api_key
        self._free: list[Wire] = []

    async def ask(self, method: str, target: str, body: bytes = b"") -> int:
        """Return the status of the answer. Raises: OSError, ConnectionError."""
        wire = self._free.pop() if self._free else await Wire.open(self._url, self._api_key)
        status = await wire.ask(method, target, body)
        self._free.append(wire)
        return status

    def close(self) -> None:
        """End the connections that nobody uses."""
        for wire in self._free:
            wire.close()


@contextlib.asynccontextmanager
async def wires(url: str, api_key: str) -> AsyncIterator[Wires]:
    """Give connections to a service until the block ends."""
    found = Wires(url, api_key)
    try:
        yield found
    finally:
        found.close()
