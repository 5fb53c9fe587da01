"""``GET/POST /feedback``: the public form, a private way in for everybody. What comes by it is never published.

Owns the page and the reading of its fields. Open to all, so it believes nothing: a mail given here is a claim.
"""

import html
from typing import Annotated, Final
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earshot_ingest import openapi
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import Grant
from earshot_ingest.door import Intake, error_of
from earshot_shared.envelope import rfc3339
from earshot_shared.http.call import call_of
from earshot_shared.http.problems import HttpError, UnsupportedMediaError
from earshot_shared.http.rules import PathRule

PATH: Final = "/feedback"
SOURCE: Final = "form"
RULE: Final = PathRule(open=True, body_limit_bytes=128 * 1024, body="raw")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_FIELDS: Final = ("text", "name", "email", "brand", "product", "form_id", "website")
Wanted = Annotated[str | None, Query(max_length=300)]

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tell us</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.05rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }}
label {{ display: block; margin: 1rem 0 .3rem; font-weight: 600; }}
input, textarea {{ width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; border: 1px solid #8886; border-radius: .5rem; }}
textarea {{ min-height: 9rem; }}
button {{ margin-top: 1.2rem; font: inherit; font-weight: 600; padding: .6rem 1.4rem; border: 0; border-radius: .5rem;
  background: #2b59c3; color: #fff; cursor: pointer; }}
small {{ opacity: .75; }} .hp {{ position: absolute; left: -100vw; }}
</style></head><body>{body}</body></html>"""
_FORM: Final = """<h1>Tell us</h1><p>{lead}</p>
<form method="post" action="{path}">
<input type="hidden" name="form_id" value="{form_id}"><input type="hidden" name="brand" value="{brand}">
<input type="hidden" name="product" value="{product}">
<label for="text">What would you like to say?</label><textarea id="text" name="text" maxlength="20000" required>{text}</textarea>
<label for="name">Your name <small>(if you like)</small></label><input id="name" name="name" maxlength="300" value="{name}">
<label for="email">Your mail address <small>(if you want an answer)</small></label>
<input id="email" name="email" type="email" maxlength="320" value="{email}">
<div class="hp" aria-hidden="true"><label>Website <input name="website" tabindex="-1" autocomplete="off"></label></div>
<button>Send</button></form>"""


def form_router(intake: Intake) -> APIRouter:
    """Return the page and what takes it."""
    router = APIRouter(tags=["the public form"])

    @router.get(PATH, summary="The form", response_model=None, response_class=HTMLResponse)
    async def show(brand: Wanted = None, product: Wanted = None) -> Response:
        return _page(_form("It goes to our team and is not published.", {"brand": brand or "", "product": product or ""}))

    @router.post(PATH, summary="What the form sends", response_model=None, response_class=HTMLResponse, openapi_extra=openapi.FORM)
    async def take(request: Request) -> Response:
        call = call_of(request)
        media = (call.header(b"content-type") or b"").partition(b";")[0].strip().lower()
        if media != b"application/x-www-form-urlencoded":
            raise UnsupportedMediaError("The form sends application/x-www-form-urlencoded.")
        given = _read(call.body)
        if given["website"]:  # a field that people do not see: only machines fill it in
            return _page(_thanks())
        try:
            await intake.take_one(_item(given, intake), Grant(sources=frozenset({SOURCE})), traceparent=call.traceparent)
        except Refusal as refusal:
            refused = error_of(refusal)
            return _page(_form(html.escape(refused.detail), given), status=refused.status)
        return _page(_thanks())

    return router


def _read(body: bytes) -> dict[str, str]:
    """Return the fields of the form, empty where absent.

    Raises: HttpError when they cannot be read.
    """
    try:
        parsed = parse_qs(body.decode("utf-8"), encoding="utf-8", errors="strict", max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise HttpError("The form cannot be read.", code="body-unreadable") from None
    return {name: parsed.get(name, [""])[0].strip() for name in _FIELDS}


def _item(given: dict[str, str], intake: Intake) -> bytes:
    """Return the item of a filled-in form; sent twice by a double click it is one item."""
    try:
        form_id = str(UUID(given["form_id"]))
    except ValueError:
        form_id = str(uuid4())
    author = {"name": given["name"], "email": given["email"]} if given["email"] else {"id": f"visitor:{form_id}", "name": given["name"]}
    return msgspec.json.encode(
        {
            "source": SOURCE,
            "external_id": form_id,
            "channel": SOURCE,
            "kind": "message",
            "visibility": "private",
            "author": author,
            "text": given["text"],
            "occurred_at": rfc3339(intake.now()),
            "brand": given["brand"] or None,
            "product": given["product"] or None,
        }
    )


def _form(lead: str, given: dict[str, str]) -> str:
    shown = {name: html.escape(given.get(name, "")) for name in _FIELDS}
    shown["form_id"] = shown["form_id"] or str(uuid4())
    return _FORM.format(lead=lead, path=PATH, **shown)


def _thanks() -> str:
    return "<h1>Thank you</h1><p>We have it, and we read everything.</p>"


def _page(body: str, *, status: int = 200) -> Response:
    return Response(_PAGE.format(body=body), status_code=status, media_type="text/html", headers={"content-security-policy": _POLICY})
