"""What people do about members over HTTP: one transaction from the request's ticket to the action's event.

Owns the order of checks and effects. What an act comes to is the domain's; it is folded like any slice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from earshot_recognition import repository_acts
from earshot_recognition.book import Book
from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.deeds import Act, Particulars, Verb, may
from earshot_recognition.events import ACTIONS, SERVICE, arguments_of, tell_outreach
from earshot_recognition.stage import Prepared, Recognition
from earshot_recognition.views import advocate_view, member_view, thank_you_view
from earshot_shared import ids
from earshot_shared.actions import Actor, new_action
from earshot_shared.envelope import rfc3339
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ConflictError, InvalidError, NotFoundError
from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachRequested
from earshot_shared.pipeline.writer import Transaction, Writer

INVITATION: Final = "advocate-invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants done about a member, as the route has read it."""

    author_key: str
    verb: Verb
    particulars: Particulars
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanks:
    """A person's word that a member was thanked."""

    thank_you_id: UUID
    particulars: Particulars
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


class Desk:
    """Carries out what people ask for."""

    def __init__(self, writer: Writer, stage: Recognition, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._writer = writer
        self._stage = stage
        self._clock = clock
        self._new_id = new_id

    async def act(self, wish: Wish) -> Answer:
        """Do it, once, and return the member or the advocate after it.

        Raises: NotFoundError, ConflictError, InvalidError; then nothing has happened.
        """
        async with self._writer.transaction() as tx:
            return await once(tx.conn, wish.ticket, lambda: self._act(tx, wish))

    async def thank(self, thanks: Thanks) -> Answer:
        """Note that a member was thanked, once for each cause.

        Raises: NotFoundError, ConflictError.
        """
        async with self._writer.transaction() as tx:
            return await once(tx.conn, thanks.ticket, lambda: self._thank(tx, thanks))

    async def _act(self, tx: Transaction, wish: Wish) -> Answer:
        book, account = await self._find(tx, wish.author_key)
        self._check(book, account, wish)
        act = await self._do(tx, account, wish.verb, wish.particulars, wish.actor, wish.traceparent)
        if wish.verb is Verb.INVITE:
            tx.send([self._invitation(account.author_key, act)])
        book, account = await self._find(tx, account.author_key)
        if wish.verb is Verb.BADGE:
            return Answer(body=_json(member_view(account, book, self._stage.rules())))
        return Answer(body=_json(advocate_view(account, book)))

    async def _thank(self, tx: Transaction, thanks: Thanks) -> Answer:
        found = await repository_acts.find_thank_you(tx.conn, thanks.thank_you_id)
        if found is None:
            raise NotFoundError("There is no such thank-you: nothing is due for it, or not any more.")
        book, account = await self._find(tx, found[0])
        if found[1] in book.deeds(account.author_key).thanked:
            raise ConflictError("Thanks for this were said before; once is enough.", code="already-thanked")
        particulars = replace(thanks.particulars, cause=found[1])
        await self._do(tx, account, Verb.THANK, particulars, thanks.actor, thanks.traceparent)
        book, account = await self._find(tx, account.author_key)
        return Answer(body=_json(thank_you_view(thanks.thank_you_id, account, found[1], book)))

    async def _find(self, tx: Transaction, author_key: str) -> tuple[Book, Account]:
        book = self._stage.book(tx)
        await book.know(tx.conn, [author_key])
        account = book.find(author_key)
        if account is None:
            raise NotFoundError("No author of that key has been heard.", code="member-unknown")
        return book, account

    def _check(self, book: Book, account: Account, wish: Wish) -> None:
        """Refuse what leads nowhere.

        Raises: ConflictError, InvalidError.
        """
        if book.excluded(account.author_key):
            raise ConflictError("Staff and brand accounts stand apart: they get no badges and are no advocates.", code="member-excluded")
        deeds = book.deeds(account.author_key)
        if wish.verb is Verb.BADGE:
            by_hand = [badge.name for badge in self._stage.rules().badges if badge.by_hand]
            if wish.particulars.badge not in by_hand:
                offered = f"it is one of {', '.join(by_hand)}" if by_hand else "config/recognition.yaml names none without thresholds"
                raise InvalidError(f"There is no such badge to give by hand: {offered}.", code="badge-unknown")
            if wish.particulars.badge in deeds.badges:
                raise ConflictError("This member has the badge.", code="badge-given")
        elif not may(wish.verb, deeds.stage):
            stage = deeds.stage.value if deeds.stage is not None else "nobody invited"
            raise ConflictError(f"This does not follow from where the member stands: {stage}.", code="stage-conflict")

    async def _do(
        self, tx: Transaction, account: Account, verb: Verb, particulars: Particulars, actor: Actor, traceparent: str | None
    ) -> Act:
        at = self._clock()
        action = new_action(
            action_id=self._new_id(),
            service=SERVICE,
            actor=actor,
            verb=verb.value,
            subject=account.author_key,
            at=at,
            arguments=arguments_of(particulars),
        )
        act = Act(action_id=action.action_id, subject=action.subject, verb=verb, at=at, actor=str(actor), particulars=particulars)
        await self._stage.apply(tx, Prepared(acts=[act]))
        tx.tell_facts([ACTIONS.write(action, traceparent=traceparent)])
        return act

    def _invitation(self, author_key: str, act: Act) -> Message:
        body = OutreachRequested(
            outreach_id=ids.uuid5_text(act.action_id.bytes, INVITATION),
            author_key=author_key,
            purpose=INVITATION,
            template=self._stage.rules().invitation_template,
        )
        return tell_outreach(body, now=rfc3339(act.at))


def _json(shown: BaseModel) -> bytes:
    return shown.model_dump_json().encode()
