"""The benchmark's cheap connection, against a server that answers in every way a service may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from earshot_shared.bench.wire import Wire, wires

ANSWERS = {
    "/whole": [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    "/in-pieces": [b"HTTP/1.1 202 Acc", b"epted\r\nContent-Length: 4\r\n\r\nab", b"cd"],
    "/chunked": [b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n", b"0\r\n\r\n"],
    "/empty": [b"HTTP/1.1 204 No Content\r\n\r\n"],
}


@asynccontextmanager
async def answering(met: list[bytes]) -> AsyncIterator[str]:
    """Give the address of a server that answers by `ANSWERS` and notes each request; anything else it hangs up on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                met.append(head + await reader.readexactly(length))
                answer = ANSWERS.get(head.split()[1].decode())
                if answer is None:
                    return
                for piece in answer:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.005)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"http://{host}:{port}"


async def test_every_answer_is_read_to_its_end_over_one_connection() -> None:
    met: list[bytes] = []
    async with answering(met) as address:
        wire = await Wire.open(address, "KEY")
        said = [await wire.ask("POST", target, b'{"a":1}') for target in ANSWERS]
        wire.close()
    assert said == [200, 202, 404, 204]
    assert all(b"\r\nauthorization: Bearer KEY\r\n" in each and each.endswith(b'\r\n\r\n{"a":1}') for each in met)


async def test_as_many_connections_as_are_in_use_and_no_more() -> None:
    met: list[bytes] = []
    async with answering(met) as address, wires(address, "KEY") as door:
        assert await asyncio.gather(*(door.ask("GET", "/in-pieces") for _ in range(8))) == [202] * 8
        free = list(door._free)
        assert await asyncio.gather(*(door.ask("GET", "/whole") for _ in range(8))) == [200] * 8
        assert sorted(map(id, door._free)) == sorted(map(id, free))


async def test_a_connection_that_ends_before_the_answer_is_told() -> None:
    async with answering([]) as address:
        wire = await Wire.open(address, "KEY")
        with pytest.raises(ConnectionError, match="closed"):
            await wire.ask("GET", "/nobody")
        with pytest.raises(ConnectionError, match="closed"):
            await wire.ask("GET", "/whole")
