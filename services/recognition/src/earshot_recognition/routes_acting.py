"""The acting routes of recognition: badges by hand, the advocate's path, thanks that were said.

Owns their bodies. Everything they do is one call of `acting.Desk`. Rewards are recognition, access and gifts: there is no field for money.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from earshot_recognition.acting import Desk, Thanks, Wish
from earshot_recognition.domain import deeds
from earshot_recognition.domain.deeds import Particulars, Verb
from earshot_recognition.keyed import KeyedRoute
from earshot_recognition.views import Advocate, Member, ThankYou
from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor, require
from earshot_shared.http.call import call_of
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.strict import response_of

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Link = Annotated[str, StringConstraints(pattern=r"^https?://\S{1,2000}$")]
Acting = Annotated[Actor, Depends(actor)]
Once = Annotated[Ticket | None, Depends(ticket_of)]
_WRITE: Final = Depends(require("recognition:write", every_brand=True))


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GiveBadge(_Asked):
    """Which badge, and why; the reason is shown with it."""

    badge: Word
    reason: Text


class Evidence(_Asked):
    """What speaks for an advocate."""

    kind: Literal["blog", "following", "talks", "answers", "other"]
    what: Text
    url: Link | None = None


class Invite(_Asked):
    """Nobody is invited without evidence; ``topics`` are those they may be asked about."""

    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=20)]
    topics: Annotated[list[Word], Field(max_length=50)] = []
    reason: Text | None = None


class Accept(_Asked):
    """The topics they choose to be asked about."""

    topics: Annotated[list[Word], Field(max_length=50)] = []


class Decline(_Asked):
    """Why, if they said."""

    reason: Text | None = None


class Disclose(_Asked):
    """How the tie to the company is made plain, and where that stands."""

    statement: Text
    url: Link | None = None


class Leave(_Asked):
    """Why it ends. It cannot be what they said of the company: that never costs anybody access."""

    reason: Text


class SayThanks(_Asked):
    """How the member was thanked, and with what words or deed."""

    how: Literal["public", "offline"]
    what: Text | None = None
    url: Link | None = None


_NO_ACCEPT: Final = Accept()
_NO_DECLINE: Final = Decline()


class _Common:
    """What every acting route takes beside its path and body."""

    def __init__(self, request: Request, who: Acting, ticket: Once) -> None:
        self.actor = who
        self.ticket = ticket
        self.traceparent = call_of(request).traceparent

    def wish(self, author_key: str, verb: Verb, particulars: Particulars) -> Wish:
        """Return the wish that these, the path and the body make."""
        return Wish(
            author_key=author_key,
            verb=verb,
            particulars=particulars,
            actor=self.actor,
            ticket=self.ticket,
            traceparent=self.traceparent,
        )


Common = Annotated[_Common, Depends()]


def acting_routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(prefix="/v1", dependencies=[_WRITE], route_class=KeyedRoute)

    async def done(wish: Wish) -> Response:
        return response_of(await desk.act(wish))

    @router.post("/members/{author_key:path}/badges", summary="Give a badge by hand", response_model=Member)
    async def badge(common: Common, author_key: str, asked: GiveBadge) -> Response:
        return await done(common.wish(author_key, Verb.BADGE, Particulars(badge=asked.badge, reason=asked.reason)))

    @router.post("/advocates/{author_key:path}/invite", summary="Invite somebody to be an advocate", response_model=Advocate)
    async def invite(common: Common, author_key: str, asked: Invite) -> Response:
        evidence = tuple(deeds.Evidence(kind=each.kind, what=each.what, url=each.url) for each in asked.evidence)
        particulars = Particulars(evidence=evidence, topics=tuple(asked.topics), reason=asked.reason)
        return await done(common.wish(author_key, Verb.INVITE, particulars))

    @router.post("/advocates/{author_key:path}/accept", summary="Note that they accepted", response_model=Advocate)
    async def accept(common: Common, author_key: str, asked: Accept = _NO_ACCEPT) -> Response:
        return await done(common.wish(author_key, Verb.ACCEPT, Particulars(topics=tuple(asked.topics))))

    @router.post("/advocates/{author_key:path}/decline", summary="Note that they declined", response_model=Advocate)
    async def decline(common: Common, author_key: str, asked: Decline = _NO_DECLINE) -> Response:
        return await done(common.wish(author_key, Verb.DECLINE, Particulars(reason=asked.reason)))

    @router.post("/advocates/{author_key:path}/disclose", summary="Note how their tie is disclosed", response_model=Advocate)
    async def disclose(common: Common, author_key: str, asked: Disclose) -> Response:
        return await done(common.wish(author_key, Verb.DISCLOSE, Particulars(statement=asked.statement, url=asked.url)))

    @router.post("/advocates/{author_key:path}/leave", summary="Note that they are an advocate no more", response_model=Advocate)
    async def leave(common: Common, author_key: str, asked: Leave) -> Response:
        return await done(common.wish(author_key, Verb.LEAVE, Particulars(reason=asked.reason)))

    @router.post("/thank-yous/{thank_you_id}/done", summary="Note that the member was thanked", response_model=ThankYou)
    async def thank(common: Common, thank_you_id: UUID, asked: SayThanks) -> Response:
        particulars = Particulars(how=asked.how, statement=asked.what, url=asked.url)
        thanks = Thanks(
            thank_you_id=thank_you_id, particulars=particulars, actor=common.actor, ticket=common.ticket, traceparent=common.traceparent
        )
        return response_of(await desk.thank(thanks))

    return router
