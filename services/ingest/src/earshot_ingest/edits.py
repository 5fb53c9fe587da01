"""Changes to an item after its acceptance: edited by ``PUT``, withdrawn by ``DELETE``, each a revision and an action in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec

from earshot_ingest import repository
from earshot_ingest.acceptance import put
from earshot_ingest.domain import revisions
from earshot_ingest.domain.normalise import LATEST_AHEAD, Normaliser
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import Grant
from earshot_ingest.erasing import Forgotten
from earshot_ingest.events import SERVICE, decode_edit_in, decode_withdrawal_in
from earshot_shared.actions import ActionWriter, Actor, new_action
from earshot_shared.envelope import rfc3339
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ForbiddenError, NotFoundError
from earshot_shared.item import Item, decode_item
from earshot_shared.pipeline.writer import Transaction, Writer


class Changed(msgspec.Struct, frozen=True):
    """What became of a change: ``unchanged`` when a later one stands already."""

    feedback_id: str
    status: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changes which item, when, by a request that may come again."""

    feedback_id: str
    edited_at: datetime | None
    """None for now: then it stands even above a change whose source's clock is ahead of ours."""
    grant: Grant
    actor: Actor
    ticket: Ticket | None
    now: datetime
    traceparent: str | None

    def moment(self, item: Item) -> datetime:
        """Return the time that this change of ``item`` has."""
        return self.edited_at or max(self.now, item.edited_at or self.now)


class Edits:
    """Applies changes one by one: they are rare."""

    def __init__(self, writer: Writer, forgotten: Forgotten) -> None:
        self._writer = writer
        self._forgotten = forgotten
        self._actions = ActionWriter(SERVICE)

    async def edit(self, change: Change, now_it_is: Item) -> Answer:
        """Put the edited item in place of the one that is there.

        Raises: NotFoundError when there is none; ForbiddenError when its source is another key's.
        """
        return await self._apply(change, "edit", lambda item: revisions.edited(item, now_it_is, change.moment(item)))

    async def withdraw(self, change: Change) -> Answer:
        """Withdraw the item that is there.

        Raises: as `edit`.
        """
        return await self._apply(change, "withdraw", lambda item: revisions.withdrawn(item, change.moment(item)))

    async def _apply(self, change: Change, verb: str, decide: Callable[[Item], Item | None]) -> Answer:
        async with self._writer.transaction() as tx:

            async def work() -> Answer:
                item = await _load(tx, change)
                after = decide(item)
                if after is None:
                    return _told(Changed(item.feedback_id, "unchanged", item.revision))
                if await self._forgotten.any(tx):
                    after = self._forgotten.heed(after)
                await put(tx, [after], now=change.now)
                action = new_action(
                    action_id=uuid4(),
                    service=SERVICE,
                    actor=change.actor,
                    verb=verb,
                    subject=item.feedback_id,
                    at=change.now,
                    arguments={"edited_at": rfc3339(change.moment(item)), "revision": after.revision},
                )
                tx.tell_facts([self._actions.write(action, traceparent=change.traceparent)])
                return _told(Changed(item.feedback_id, "withdrawn" if after.withdrawn else "edited", after.revision))

            return await once(tx.conn, change.ticket, work)


async def _load(tx: Transaction, change: Change) -> Item:
    found = await repository.load(tx.conn, [change.feedback_id])
    if change.feedback_id not in found:
        raise NotFoundError("No item of that id has come in: send it with POST /v1/feedback first.")
    item = decode_item(found[change.feedback_id].body)
    if change.grant.sources is not None and item.source not in change.grant.sources:
        raise ForbiddenError("This key is bound to other sources than this item's.", code="source-forbidden")
    return item


def read_edit(body: bytes, feedback_id: str, normaliser: Normaliser, now: datetime) -> tuple[Item, datetime]:
    """Return the item as a ``PUT`` body has it, and when it was edited.

    Raises: Refusal when it cannot be taken, or is another item than the path names.
    """
    given = decode_edit_in(body)
    item = normaliser.item(given)
    if item.feedback_id != feedback_id:
        raise Refusal("id-mismatch", "source and external_id are those of another item than the address names.", "external_id")
    check_edited_at(given.edited_at, now)
    return item, given.edited_at


def read_withdrawal(body: bytes) -> datetime | None:
    """Return when an item was withdrawn, as a ``DELETE`` body ``{"edited_at"}`` has it; None without a body.

    Raises: Refusal when the body is something else.
    """
    return decode_withdrawal_in(body).edited_at if body.strip() else None


def check_edited_at(edited_at: datetime, now: datetime) -> None:
    """Let a time pass that a change may have.

    Raises: Refusal when it lies ahead, where it would outdo every honest change to come.
    """
    if edited_at > now + LATEST_AHEAD:
        raise Refusal("edited-at-out-of-range", "edited_at lies at most a day from now.", "edited_at")


def _told(changed: Changed) -> Answer:
    return Answer(status=202, body=msgspec.json.encode(changed))
