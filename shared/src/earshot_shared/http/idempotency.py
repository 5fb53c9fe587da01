"""``Idempotency-Key``: a request sent again gets the answer it got, and does nothing twice.

Owns the table ``idempotency`` of a service's schema. The answer is kept in the transaction of the effect, so there is never one without
the other; a refusal keeps nothing, for it had no effect. An erasure takes the words out of answers that name the erased. Of two twins at
once the second waits for the first, then gets its answer.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from starlette.requests import HTTPConnection

from earshot_shared.errors import RetryableError
from earshot_shared.http.call import Call, call_of
from earshot_shared.http.problems import Answer, ConflictError, InvalidError
from earshot_shared.postgres import Queries, translated

AnyConnection = asyncpg.Connection | PoolConnectionProxy
Work = Callable[[], Awaitable[Answer]]

_QUERIES: Final = Queries.load("earshot_shared.http")
_FORM: Final = re.compile(rb"[\x21-\x7e]{1,255}")
ERASED: Final = b'{"erased":true}'
"""The body of an answer whose words were erased."""
_json = msgspec.json.Encoder()
_PRUNE_AT_ONCE: Final = 5_000
_PRUNE_EVERY_S: Final = 3600.0
_log = logging.getLogger(__name__)
_headers_encoder = msgspec.msgpack.Encoder()
_headers_decoder = msgspec.msgpack.Decoder(tuple[bytes, tuple[tuple[bytes, bytes], ...]])


class MismatchError(ConflictError):
    """The Idempotency-Key was used for another request; make a new key for a new request."""

    code = "idempotency-mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request that may come again: unique to key, route and Idempotency-Key; the hash tells whether it is the same request."""

    key_id: str
    route: str
    idempotency_key: str
    request_sha256: bytes


def ticket_of(request: HTTPConnection) -> Ticket | None:
    """Return the ticket of a FastAPI request, None when it brings no Idempotency-Key: the dependency of writing routes.

    Raises: InvalidError (422 ``idempotency-key-invalid``) for a key that is not 1 to 255 visible ASCII characters.
    """
    route = getattr(request.scope.get("route"), "path", request.scope["path"])
    return make_ticket(call_of(request), route=str(route))


def make_ticket(call: Call, *, route: str) -> Ticket | None:
    """Return the ticket of a call; ``route`` is the path's template."""
    sent = [value for name, value in call.headers if name == b"idempotency-key"]
    if not sent or call.principal is None:
        return None
    if len(sent) > 1 or not _FORM.fullmatch(sent[0]):
        raise InvalidError("Idempotency-Key takes 1 to 255 visible ASCII characters, once.", code="idempotency-key-invalid")
    # Path and query belong to the request as much as its body: the same key for another case is another request.
    told = b"\n".join((call.path.encode("utf-8", "surrogatepass"), call.query, call.body))
    return Ticket(
        key_id=call.principal.key_id,
        route=f"{call.method} {route}",
        idempotency_key=sent[0].decode("ascii"),
        request_sha256=hashlib.sha256(told).digest(),
    )


async def once(connection: AnyConnection, ticket: Ticket | None, work: Work) -> Answer:
    """Do ``work`` in the caller's open transaction and keep its answer, or return the answer that is kept.

    Without a ticket the work is simply done. A kept answer comes with the header ``idempotency-replayed: true``.
    Raises: MismatchError for the same key with another request; what ``work`` raises (then nothing is kept).
    """
    if ticket is None:
        return await work()
    name = (ticket.key_id, ticket.route, ticket.idempotency_key)
    if not await connection.fetchval(_QUERIES["claim_ticket"], *name, ticket.request_sha256):
        return _kept(await connection.fetchrow(_QUERIES["read_ticket"], *name), ticket)
    answer = await work()
    told = _headers_encoder.encode((answer.content_type, answer.headers))
    await connection.execute(_QUERIES["keep_answer"], *name, answer.status, told, answer.body)
    return answer


async def forget_answers(connection: AnyConnection, named: Collection[str]) -> int:
    """Take the bodies out of kept answers that name somebody or something erased, in the caller's transaction; return how many.

    An answer names what stands in its body as a whole JSON text: an id, an author key. The ticket stays, so that a request sent again
    does nothing twice; it is answered with its status and `ERASED`.
    """
    spelt = [_json.encode(each)[1:-1].decode() for each in named]
    return int(await connection.fetchval(_QUERIES["forget_answers"], spelt, ERASED))


async def prune(connection: AnyConnection) -> int:
    """Forget tickets older than seven days, at most some thousand; return how many."""
    return int(await connection.fetchval(_QUERIES["prune_tickets"], _PRUNE_AT_ONCE))


async def keep_pruned(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Forget old tickets every hour until cancelled: a background task of a service."""
    while True:
        try:
            with translated():
                async with pool.acquire() as connection:
                    while await prune(connection) == _PRUNE_AT_ONCE:
                        pass
        except RetryableError as error:
            _log.warning("tickets not pruned", extra={"action": "tickets_retry", "code": error.code})
        await asyncio.sleep(_PRUNE_EVERY_S)


def _kept(row: Any, ticket: Ticket) -> Answer:
    if row is None or row["request_sha256"] != ticket.request_sha256:
        raise MismatchError("This Idempotency-Key was used for another request: make a new one for each request.")
    content_type, headers = _headers_decoder.decode(row["headers"])
    answer = Answer(status=row["status"], body=row["body"], content_type=content_type, headers=headers)
    return replace(answer, headers=(*answer.headers, (b"idempotency-replayed", b"true")))
