"""``POST /v1/webhooks/{source}``: deliveries that a system signs, instead of a key it sends."""

from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from earshot_ingest import openapi, repository
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import Grant
from earshot_ingest.door import Intake, error_of
from earshot_ingest.events import refusal_of
from earshot_ingest.routes.sources import SourceName
from earshot_ingest.webhooks import check_signature
from earshot_shared.http.call import Call, call_of
from earshot_shared.http.rules import PathRule
from earshot_shared.http.strict import response_of
from earshot_shared.postgres import Pool, translated

PREFIX = "/v1/webhooks/"
MAX_BYTES = 5 * 1024 * 1024
RULE = PathRule(open=True, body_limit_bytes=MAX_BYTES, body="raw")


def webhooks_router(pool: Pool, intake: Intake) -> APIRouter:
    """Return the route. A delivery holds one item, or ``{"items": […]}``; each may leave out ``source``, which the address names."""
    router = APIRouter(tags=["sources"])

    @router.post(PREFIX + "{source}", summary="A signed delivery", status_code=202, response_model=None, openapi_extra=openapi.DELIVERY)
    async def deliver(source: SourceName, request: Request) -> Response:
        """Take one item, or `{"items": […]}`, signed as Standard Webhooks has it.

        Headers: `webhook-id`, `webhook-timestamp` (seconds since 1970, at most 300 from our clock) and `webhook-signature`:
        `v1,` and the base64 of HMAC-SHA-256 over `webhook-id.webhook-timestamp.body`, the body byte by byte as it is sent; several
        signatures are parted by blanks. The key is what follows `whsec_` in the secret, decoded from base64. Items may leave out
        `source`. The answer is that of a batch.
        """
        call = call_of(request)
        with translated():
            secrets = await repository.live_secrets(pool, source)
        check_signature(
            secrets,
            message_id=_header(call, b"webhook-id"),
            timestamp=_header(call, b"webhook-timestamp"),
            signatures=_header(call, b"webhook-signature"),
            body=call.body,
            now_s=datetime.now(UTC).timestamp(),
        )
        items = _items(call.body, source)
        grant = Grant(sources=frozenset({source}))
        return response_of(await intake.take(items, grant, traceparent=call.traceparent, sender=source))

    return router


def _header(call: Call, name: bytes) -> str | None:
    value = call.header(name)
    return None if value is None else value.decode("latin-1")


def _items(body: bytes, source: str) -> list[bytes]:
    """Return the items of a delivery, each with its source.

    Raises: HttpError when the body is none.
    """
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise error_of(refusal_of(error)) from None
    items = parsed["items"] if isinstance(parsed, dict) and set(parsed) == {"items"} else [parsed]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise error_of(Refusal("wrong-type", 'A delivery is one item, or {"items": […]}.'))
    return [msgspec.json.encode({"source": source, **item}) for item in items]
