"""The routes of the rules: which hold, putting others, trying them on the past.

Owns their parameters and bodies. What they do is `ruling`'s and the rule book's.
"""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints
from starlette.responses import Response

from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor
from earshot_shared.http.call import call_of
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.shapes import WORD, answers, fields, list_of, or_null, shape
from earshot_shared.http.strict import response_of
from earshot_shared.http.times import TimeText
from earshot_shared.postgres import translated
from earshot_shared.service import Parts
from earshot_triage.decisions import model_version
from earshot_triage.routes_acting import Writing
from earshot_triage.routes_reading import Reader, answer_json, brands_of
from earshot_triage.rulebook import KeptRules, PutNow, RuleBook, list_rules
from earshot_triage.ruling import Put, Rehearsal, RulesDesk, parse_rules, rehearse

MOST_TRIED = 50_000
_SOURCE: Final = {"enum": ["file", "http"]}
_DOCUMENT: Final = {"type": "object", "description": "All rules, in the form of `config/triage.yaml`."}
_RULES: Final = fields(
    version=WORD,
    model_version=WORD,
    source=_SOURCE,
    put=or_null(shape(PutNow)),
    rules=_DOCUMENT,
    versions=list_of(shape(KeptRules)),
)
_PUT: Final = fields(action_id=WORD, version=WORD, replaced=WORD, source=_SOURCE, rules=_DOCUMENT)
Document = Annotated[
    dict[str, Any] | None, Field(description="All rules, in the form of `config/triage.yaml`; what is left out keeps its default.")
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PutAsked(_Asked):
    """The rules that are to hold; null: those of the file."""

    rules: Document
    replaces: Annotated[str | None, Field(max_length=64, description="The version you looked at: refused when another holds now.")] = None
    reason: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")] = None


class RehearseAsked(_Asked):
    """The rules to try; null: those of the file."""

    rules: Document
    since: Annotated[TimeText | None, Field(description="Try them on items heard at this time or later; all unless given.")] = None
    most: Annotated[StrictInt, Field(ge=1, le=MOST_TRIED, description="How many items are tried at most: of more, an even sample.")] = (
        10_000
    )
    limit: Annotated[StrictInt, Field(ge=1, le=500, description="How many changed items are shown.")] = 50


def rules_routes(parts: Parts, book: RuleBook, desk: RulesDesk) -> APIRouter:
    """Return the router."""
    router = APIRouter(prefix="/v1/rules", tags=["rules"])
    pool = parts.runtime.pool

    @router.get("", summary="The rules in use, and every version that decisions name", response_model=None, responses=answers(_RULES))
    async def read_rules(_: Reader) -> Response:
        with translated():
            await book.look_up(pool)
            kept = await list_rules(pool)
        current = book.current
        return answer_json(
            {
                "version": current.version,
                "model_version": model_version(book.decider.judge),
                "source": "http" if book.put_by is not None else "file",
                "put": book.put_by,
                "rules": book.written,
                "versions": kept,
            }
        )

    @router.put("", summary="Let these rules hold, in every replica", response_model=None, responses=answers(_PUT))
    async def put_rules(
        request: Request,
        asked: PutAsked,
        principal: Writing,
        who: Annotated[Actor, Depends(actor)],
        ticket: Annotated[Ticket | None, Depends(ticket_of)],
    ) -> Response:
        wish = Put(
            rules=None if asked.rules is None else parse_rules(asked.rules, "rules"),
            replaces=asked.replaces,
            reason=asked.reason,
            principal=principal,
            actor=who,
            ticket=ticket,
            traceparent=call_of(request).traceparent,
        )
        return response_of(await desk.put(wish))

    @router.post("/rehearse", summary="Try rules on the past, changing nothing", response_model=None, responses=answers(shape(Rehearsal)))
    async def rehearse_rules(asked: RehearseAsked, reader: Reader) -> Response:
        with translated():
            await book.look_up(pool)
        after = book.from_file if asked.rules is None else book.named(parse_rules(asked.rules, "rules"))
        since: datetime | None = asked.since
        found = await rehearse(
            pool,
            book.decider.judge,
            book.current,
            after,
            since=since,
            most=asked.most,
            shown=asked.limit,
            brands=brands_of(reader),
        )
        return answer_json(found)

    return router
