"""The routes of crm-sync that write: contacts, merges, locks, suggestions, consents, edits.

Owns their bodies. Everything they do is one call of `people.People` or `taking_contacts.ContactDoor`.
"""

import functools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StrictBool, StringConstraints, Tag, model_validator
from starlette.responses import Response

from earshot_crm_sync.answers import ACTED, ERASURE, PREVIEW, TAKEN
from earshot_crm_sync.contacts import Account, Contact, contact_id
from earshot_crm_sync.domain.lookup import identifiers_meant
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.people import Opinion, People, Wish
from earshot_crm_sync.taking_contacts import ContactDoor
from earshot_shared import ids
from earshot_shared.access.keys import Principal
from earshot_shared.actions import Actor
from earshot_shared.http.auth import actor, require
from earshot_shared.http.call import call_of
from earshot_shared.http.etags import IfMatch, if_match
from earshot_shared.http.idempotency import Ticket, ticket_of
from earshot_shared.http.problems import ForbiddenError
from earshot_shared.http.shapes import answers
from earshot_shared.http.strict import response_of
from earshot_shared.http.times import TimeText

MOST_CONTACTS: Final = 1000
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
RecordId = Annotated[str, AfterValidator(ids.clean_external)]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)  # clocks of others may be ahead of ours by so much


def _check_moment(moment: datetime) -> datetime:
    """Refuse times that nothing can have happened at: what claims to be of the future would overrule every later word."""
    if not _EARLIEST <= moment <= datetime.now(UTC) + _AHEAD:
        raise ValueError("must lie between 1990 and a day from now")
    return moment


Moment = Annotated[TimeText, AfterValidator(_check_moment)]
Acting = Annotated[Actor, Depends(actor)]
Once = Annotated[Ticket | None, Depends(ticket_of)]
_READ: Final = Depends(require("crm-sync:read", every_brand=True))
Writing = Annotated[Principal, Depends(require("crm-sync:write", every_brand=True))]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedIdentifier(_Asked):
    """An identifier as the customer view shows it."""

    kind: Word
    value: Word


AnIdentifier = Annotated[
    NamedIdentifier | Word, Field(description="As the view shows it (`kind` and `value`), or as text: an author key, a mail, a phone.")
]


def meant_by(given: NamedIdentifier | str) -> list[Identifier]:
    """Return everything that a given identifier may mean."""
    return [Identifier(given.kind, given.value)] if isinstance(given, NamedIdentifier) else identifiers_meant(given)


class Merge(_Asked):
    """The customer that is the same person: any id it ever had."""

    other: UUID


class Unmerge(_Asked):
    """The identifiers that are somebody else's; handles go with their account."""

    identifiers: Annotated[list[AnIdentifier], Field(min_length=1, max_length=1000)]


class Lock(_Asked):
    """Whether the customer stays as it is. The lock is bound to an identifier: the customer's lead unless another is chosen."""

    locked: StrictBool = True
    identifier: AnIdentifier | None = None


class ConsentIn(_Asked):
    """What the customer allows or forbids. Without an identifier: an opt-out for all. `*` is every purpose or brand."""

    identifier: AnIdentifier | None = None
    purpose: Word
    brand: Word = "*"
    granted: StrictBool
    at: Moment | None = None
    proof: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""
    source: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class Edit(_Asked):
    """Values set by hand, which win; null takes earlier ones back. Bound to an identifier: the lead unless another is chosen."""

    fields: Annotated[dict[Name, Word | None], Field(min_length=1, max_length=50)]
    identifier: AnIdentifier | None = None


class AccountIn(_Asked):
    """An account that the record lists as the person's."""

    channel: Channel
    account_id: Word | None = None
    handle: Word | None = None
    verified: StrictBool = True

    @model_validator(mode="after")
    def _check_named(self) -> "AccountIn":
        if self.account_id is None and self.handle is None:
            raise ValueError("give account_id or handle")
        return self


class ContactIn(_Asked):
    """One record of another system, whole, as it is there now."""

    connector: Channel
    record_id: RecordId
    updated_at: Moment
    name: Word | None = None
    email: Word | None = None
    email_verified: StrictBool = True
    phone: Word | None = None
    phone_verified: StrictBool = True
    accounts: Annotated[tuple[AccountIn, ...], Field(max_length=100)] = ()
    fields: Annotated[dict[Name, Word], Field(max_length=50)] = Field(default_factory=dict)
    deleted: StrictBool = False

    def contact(self) -> Contact:
        """Return it as it is kept; a deleted one lists nothing. Its revision is given later."""
        key = contact_id(self.connector, self.record_id)
        bare = Contact(
            contact_id=key, connector=self.connector, record_id=self.record_id, revision=0, updated_at=self.updated_at, deleted=self.deleted
        )
        if self.deleted:
            return bare
        return msgspec.structs.replace(
            bare,
            name=self.name,
            email=self.email,
            email_verified=self.email_verified,
            phone=self.phone,
            phone_verified=self.phone_verified,
            accounts=tuple(
                Account(channel=each.channel, account_id=each.account_id, handle=each.handle, verified=each.verified)
                for each in self.accounts
            ),
            fields=dict(self.fields),
        )


class ContactsIn(_Asked):
    """Many records at once: all are taken or none."""

    items: Annotated[list[ContactIn], Field(min_length=1, max_length=MOST_CONTACTS)]


def _how_many(given: Any) -> str:
    return "many" if isinstance(given, ContactsIn) or (isinstance(given, dict) and "items" in given) else "one"


GivenContacts = Annotated[Annotated[ContactIn, Tag("one")] | Annotated[ContactsIn, Tag("many")], Discriminator(_how_many)]


def check_connectors(principal: Principal, given: Iterable[ContactIn]) -> None:
    """Let records pass that are of systems which the key is bound to, if it is: what a system lists counts as vouched for.

    Raises: ForbiddenError.
    """
    if principal.sources is not None and any(each.connector not in principal.sources for each in given):
        raise ForbiddenError("This key is bound to other sources than this record's connector.", code="source-forbidden")


class _Common:
    """What every writing route about a customer takes beside its body."""

    def __init__(
        self,
        request: Request,
        customer_id: UUID,
        _: Writing,
        who: Acting,
        matching: Annotated[IfMatch, Depends(if_match)],
        ticket: Once,
    ) -> None:
        self.wish = Wish(customer_id=customer_id, actor=who, if_match=matching, ticket=ticket, traceparent=call_of(request).traceparent)


Common = Annotated[_Common, Depends()]


class WriteRoutes:
    """The writing routes."""

    def __init__(self, people: People, contacts: ContactDoor) -> None:
        self._people = people
        self._contacts = contacts

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1")
        get, post, put = (functools.partial(router.add_api_route, methods=[method]) for method in ("GET", "POST", "PUT"))
        acted, seen = answers(ACTED), answers(PREVIEW)
        one, suggestion = "/customers/{customer_id}", "/merge-suggestions/{suggestion_id}"
        router.add_api_route(
            one, self.erase, methods=["DELETE"], status_code=202, summary="Forget a customer everywhere", responses=answers(ERASURE, 202)
        )
        get("/erasures/{erasure_id}", self.erasure, summary="What each service erased", dependencies=[_READ], responses=answers(ERASURE))
        post(f"{one}/merge", self.merge, summary="Two customers are one person", responses=acted)
        post(f"{one}/merge/preview", self.preview_merge, summary="What a merge would change; nothing is done", responses=seen)
        post(f"{one}/unmerge", self.unmerge, summary="Some identifiers are somebody else's", responses=acted)
        post(f"{one}/unmerge/preview", self.preview_unmerge, summary="What an unmerge would change; nothing is done", responses=seen)
        post(f"{one}/lock", self.lock, summary="Leave the customer as it is, or no longer", responses=acted)
        put(f"{one}/consents", self.consent, summary="What the customer allows or forbids", responses=acted)
        put(f"{one}/fields", self.edit, summary="Values set by hand", responses=acted)
        post(f"{suggestion}/accept", self.accept, summary="They are one person", responses=acted)
        post(f"{suggestion}/reject", self.reject, summary="They are not; it is remembered", responses=acted)
        post("/contacts", self.take_contacts, summary="Records of a CRM: one, or many as items", responses=answers(TAKEN))
        return router

    async def erase(self, common: Common) -> Response:
        return response_of(await self._people.erase(common.wish))

    async def erasure(self, erasure_id: UUID) -> Response:
        return response_of(await self._people.erasure(erasure_id))

    async def merge(self, common: Common, body: Merge) -> Response:
        return response_of(await self._people.merge(common.wish, body.other))

    async def preview_merge(self, common: Common, body: Merge) -> Response:
        return response_of(await self._people.preview_merge(common.wish.customer_id, body.other, common.wish.actor))

    async def unmerge(self, common: Common, body: Unmerge) -> Response:
        return response_of(await self._people.unmerge(common.wish, [meant_by(each) for each in body.identifiers]))

    async def preview_unmerge(self, common: Common, body: Unmerge) -> Response:
        meant = [meant_by(each) for each in body.identifiers]
        return response_of(await self._people.preview_unmerge(common.wish.customer_id, meant, common.wish.actor))

    async def lock(self, common: Common, body: Lock = Lock()) -> Response:  # noqa: B008  # frozen
        identifier = None if body.identifier is None else meant_by(body.identifier)
        return response_of(await self._people.lock(common.wish, locked=body.locked, identifier=identifier))

    async def consent(self, common: Common, body: ConsentIn) -> Response:
        identifier = None if body.identifier is None else meant_by(body.identifier)
        opinion = Opinion(
            identifier=identifier,
            purpose=body.purpose,
            brand=body.brand,
            granted=body.granted,
            at=body.at,
            proof=body.proof,
            source=body.source,
        )
        return response_of(await self._people.consent(common.wish, opinion))

    async def edit(self, common: Common, body: Edit) -> Response:
        identifier = None if body.identifier is None else meant_by(body.identifier)
        return response_of(await self._people.edit(common.wish, dict(body.fields), identifier))

    async def accept(self, request: Request, suggestion_id: UUID, _: Writing, who: Acting, ticket: Once) -> Response:
        return await self._judge(request, suggestion_id, who, ticket, accept=True)

    async def reject(self, request: Request, suggestion_id: UUID, _: Writing, who: Acting, ticket: Once) -> Response:
        return await self._judge(request, suggestion_id, who, ticket, accept=False)

    async def _judge(self, request: Request, suggestion_id: UUID, who: Actor, ticket: Ticket | None, *, accept: bool) -> Response:
        traceparent = call_of(request).traceparent
        return response_of(
            await self._people.judge_suggestion(suggestion_id, accept=accept, actor=who, ticket=ticket, traceparent=traceparent)
        )

    async def take_contacts(self, principal: Writing, ticket: Once, body: GivenContacts) -> Response:
        given = body.items if isinstance(body, ContactsIn) else [body]
        check_connectors(principal, given)
        alone = isinstance(body, ContactIn)
        return response_of(await self._contacts.take([each.contact() for each in given], ticket, alone=alone))
