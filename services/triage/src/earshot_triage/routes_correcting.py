"""The routes of corrections: saying what an item truly is, and listing what was said.

Owns their bodies. What they do is `correcting`'s.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor
from earshot_shared.http.call import call_of
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.paging import CursorText, Limit
from earshot_shared.http.shapes import answers, page_of, shape
from earshot_shared.http.strict import response_of
from earshot_shared.postgres import translated
from earshot_shared.service import Parts
from earshot_triage.config import IntentName
from earshot_triage.config_timing import Team
from earshot_triage.correcting import Correction, CorrectionsDesk, Made, list_corrections
from earshot_triage.decisions_reading import DecisionView
from earshot_triage.events import Correct
from earshot_triage.routes_acting import Text, Writing
from earshot_triage.routes_reading import FeedbackId, Reader, answer_json, brands_of


class CorrectAsked(BaseModel):
    """What the item truly is; what is left out stays as it was judged. Where it goes follows, unless ``routes`` says where."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    intent: IntentName | None = None
    conduct: Literal["ok", "abusive", "spam", "off_topic"] | None = None
    routes: Annotated[list[Team] | None, Field(max_length=20, description="The teams it goes to; an empty list for none.")] = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "CorrectAsked":
        if self.intent is None and self.conduct is None and self.routes is None:
            raise ValueError("give an intent, a conduct or routes")
        return self

    def said(self) -> Correct:
        """Return it as the action tells it."""
        routes = None if self.routes is None else tuple(dict.fromkeys(self.routes))
        return Correct(intent=self.intent, conduct=self.conduct, routes=routes, reason=self.reason)


def correcting_routes(parts: Parts, desk: CorrectionsDesk) -> APIRouter:
    """Return the router."""
    router = APIRouter(prefix="/v1", tags=["feedback"])

    @router.post(
        "/feedback/{feedback_id}/correct", summary="Say what an item truly is", response_model=None, responses=answers(shape(DecisionView))
    )
    async def correct(
        request: Request,
        feedback_id: FeedbackId,
        asked: CorrectAsked,
        principal: Writing,
        who: Annotated[Actor, Depends(actor)],
        ticket: Annotated[Ticket | None, Depends(ticket_of)],
    ) -> Response:
        wish = Correction(
            feedback_id=feedback_id,
            said=asked.said(),
            principal=principal,
            actor=who,
            ticket=ticket,
            traceparent=call_of(request).traceparent,
        )
        return response_of(await desk.correct(wish))

    @router.get(
        "/corrections",
        summary="What people corrected, with the words: what a judge learns from",
        response_model=None,
        responses=answers(page_of(shape(Made))),
    )
    async def read_corrections(reader: Reader, limit: Limit = 50, cursor: CursorText = None) -> Response:
        after = parts.cursors.read("corrections", {}, cursor, length=1)
        with translated():
            found, last = await list_corrections(
                parts.runtime.pool, brands=brands_of(reader), after=None if after is None else str(after[0]), limit=limit
            )
        following = None if last is None else parts.cursors.issue("corrections", {}, [last])
        return answer_json({"items": found, "next_cursor": following})

    return router
