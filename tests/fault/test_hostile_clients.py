"""The real ingest process against clients that mean harm, over sockets: the right 4xx, nothing stored, nothing logged, still alive."""

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psutil
import pytest

from earshot_shared.access import PostgresKeys, new_key, open_access_pool
from integration.ingest.test_bad_input import CASES, SECRET_WORD
from support.ingest import an_item
from support.replicas import API_KEY, Plain, Replica

pytestmark = pytest.mark.fault

SLOW_CLIENT_S = 3
CROWD = 400
AUTHORIZED = f"authorization: Bearer {API_KEY}\r\n".encode()
POST = b"POST /v1/feedback HTTP/1.1\r\nhost: ingest\r\n" + AUTHORIZED + b"content-type: application/json\r\n"
BOMB = gzip.compress(b"0" * 200_000_000, compresslevel=1)
ZIPPED = b"content-encoding: gzip\r\ncontent-length: " + str(len(BOMB)).encode() + b"\r\n\r\n"
CHUNK = b"100000\r\n" + b"P" * 0x100000 + b"\r\n"

# Requests as they go over the wire, with what must come back.
RAW = [
    ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00PERSONAL\r\n\r\n", 400, "http-invalid"),
    ("endless headers", POST + b"x-a: " + b"PERSONAL" * 20_000, 431, "headers-too-large"),
    ("a bomb", POST + ZIPPED + BOMB, 415, "encoding-unsupported"),
    ("a length that is none", POST + b"content-length: 1x\r\n\r\n{}", 400, None),
    ("chunks of 30 MB", POST + b"transfer-encoding: chunked\r\n\r\n" + CHUNK * 30 + b"0\r\n\r\n", 413, "item-too-large"),
    ("no key", POST.replace(AUTHORIZED, b"") + b"content-length: 2\r\n\r\n{}", 401, "key-missing"),
    ("an unknown key", POST.replace(API_KEY.encode(), b"esk_PERSONAL_x") + b"content-length: 2\r\n\r\n{}", 401, "key-unknown"),
    ("a forged cursor", b"GET /v1/sources?cursor=PERSONAL HTTP/1.1\r\nhost: ingest\r\n" + AUTHORIZED + b"\r\n", 422, None),
    ("a limit of none", b"GET /v1/sources?limit=0 HTTP/1.1\r\nhost: ingest\r\n" + AUTHORIZED + b"\r\n", 422, None),
]  # fmt: skip
ABSURD = ["0000-01-01T00:00:00Z", "1989-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2016-12-31T23:59:60Z",
          "2026-01-01T00:00:00", "+999999-01-01T00:00:00Z", "1e9", "", 7, None, []]  # fmt: skip


async def test_what_is_refused_leaves_nothing_behind(plain: Plain) -> None:
    ingest = plain.start("ingest", slow_client_s=str(SLOW_CLIENT_S))
    await asyncio.to_thread(ingest.until_ready)
    token, stored = new_key(name="reader", scopes=["triage:read"])
    async with open_access_pool(plain.dsn, plain.prefix, application="test") as pool:
        await PostgresKeys(pool).add(stored)
    conn = await plain.connect("ingest")
    await asyncio.to_thread(besiege, ingest, token)
    assert await conn.fetchval("select count(*) from items") == 0
    assert await conn.fetchval("select count(*) from outbox") == 0
    assert SECRET_WORD not in ingest.log.read_text()
    assert ingest.process.poll() is None
    assert psutil.Process(ingest.process.pid).memory_info().rss < 250_000_000
    assert post(ingest, json.dumps(an_item()).encode())[0] == 202
    assert await conn.fetchval("select count(*) from items") == 1


def besiege(ingest: Replica, reader: str) -> None:
    """Send everything that must be refused, and let a crowd of slow clients stand at the door meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        crowd = [slow_client(ingest, number) for number in range(CROWD)]
        began = time.monotonic()
        farewells = thread.submit(lambda: [farewell(each) for each in crowd])
        for name, path, body, headers, status, code in CASES:
            assert (name, *refusal(post(ingest, body, path=path, headers=headers))) == (name, status, code)
        assert time.monotonic() - began < 20, "slow clients hold nobody up"
        told = farewells.result(60)
    assert {status for status, _ in told} == {408}
    assert {code for _, code in told} == {"client-slow"}
    for name, raw, wanted, word in RAW:
        answer = send_raw(ingest, raw)
        assert (name, answer[0]) == (name, wanted)
        assert word in (None, answer[1])
    for moment in ABSURD:
        assert post(ingest, msgspec.json.encode(an_item(occurred_at=moment)))[0] == 422, moment
    assert refusal(post(ingest, msgspec.json.encode(an_item()), key=reader)) == (403, "scope-missing")


def slow_client(ingest: Replica, number: int) -> socket.socket:
    """Open a connection and send half of a request: half the headers, or half the body."""
    client = socket.create_connection(("127.0.0.1", ingest.port), timeout=30)
    client.sendall(POST + (b"content-length: 1000\r\n\r\n{" if number % 2 else b"x-slow: "))
    return client


def farewell(client: socket.socket) -> tuple[int, str]:
    """Read what a slow client is told in the end."""
    with client:
        return read_answer(client)


def send_raw(ingest: Replica, raw: bytes) -> tuple[int, str]:
    """Send bytes and return the status and the code of the answer."""
    with socket.create_connection(("127.0.0.1", ingest.port), timeout=30) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough; the answer stands in our buffer
            client.sendall(raw)
        return read_answer(client)


def read_answer(client: socket.socket) -> tuple[int, str]:
    answer = http.client.HTTPResponse(client)
    answer.begin()
    return answer.status, str(json.loads(answer.read())["code"])


def post(
    ingest: Replica, body: bytes, *, path: str = "/v1/feedback", headers: dict[str, str] | None = None, key: str = API_KEY
) -> tuple[int, Any]:
    """Post a body and return status and JSON, also when the server hears only half of it."""
    connection = http.client.HTTPConnection("127.0.0.1", ingest.port, timeout=30)
    given = {"content-type": "application/json", **(headers or {}), "authorization": f"Bearer {key}"}
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # as above
            connection.request("POST", path, body=body, headers=given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def refusal(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["code"]
