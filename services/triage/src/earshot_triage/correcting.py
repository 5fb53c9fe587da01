"""What people say of single items against the judge and the rules: taken down, applied at once, and handed out to learn from.

Owns the one transaction of a correction and the list of all. What it changes is folded like any slice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from earshot_shared.access.keys import Principal
from earshot_shared.actions import Actor, decode_action, new_action
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ConflictError, InvalidError, NotFoundError
from earshot_shared.item import decode_item
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_triage import decisions_reading, reading, repository
from earshot_triage.decisions import words_of
from earshot_triage.domain.acts import Verb
from earshot_triage.events import ACTIONS, SERVICE, Correct, act_of, key_of
from earshot_triage.repository import QUERIES
from earshot_triage.stage import TriageStage


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A person's wish to correct one item."""

    feedback_id: str
    said: Correct
    principal: Principal
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One correction, with the words it is about: what a judge learns from."""

    action_id: str
    feedback_id: str
    text: str
    intent: str | None
    conduct: str | None
    routes: tuple[str, ...] | None
    reason: str | None
    by: str
    at: datetime


class CorrectionsDesk:
    """Takes corrections down."""

    def __init__(self, writer: Writer, stage: TriageStage, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._writer = writer
        self._stage = stage
        self._clock = clock
        self._new_id = new_id

    async def correct(self, wish: Correction) -> Answer:
        """Do it, once, and return the decision after it.

        Raises: NotFoundError, ConflictError, InvalidError; then nothing has happened.
        """
        strange = set(wish.said.routes or ()) - set(self._stage.decider.rules.teams)
        if strange:
            teams = ", ".join(self._stage.decider.rules.teams)
            raise InvalidError(f"There is no team {min(strange)}: choose from {teams}.", code="team-unknown")
        async with self._writer.transaction() as tx:
            return await once(tx.conn, wish.ticket, lambda: self._correct(tx, wish))

    async def _correct(self, tx: Transaction, wish: Correction) -> Answer:
        key = key_of(wish.feedback_id)
        held = (await repository.load_known(tx.conn, [key])).get(key)
        if held is None or not reading.may_see(wish.principal, held.message.brand):
            raise NotFoundError("No item of that id has come in.")
        if held.message.withdrawn or held.message.erased:
            raise ConflictError("This item was withdrawn or erased: there is nothing to correct.", code="item-gone")
        action = new_action(
            action_id=self._new_id(),
            service=SERVICE,
            actor=wish.actor,
            verb=Verb.CORRECT.value,
            subject=wish.feedback_id,
            at=self._clock(),
            arguments=wish.said,
        )
        await self._stage.apply(tx, [], [self._stage.doing(action)])
        tx.tell_facts([ACTIONS.write(action, traceparent=wish.traceparent)])
        decided = await decisions_reading.decision(tx.conn, key, self._stage.decider.judge)
        assert decided is not None, "the item is still there"
        return Answer(body=decided.body)


async def list_corrections(conn: Any, *, brands: Sequence[str] | None, after: str | None, limit: int) -> tuple[list[Made], str | None]:
    """Return a page of corrections about items that still have words, in the order of their ids, and where the next page begins."""
    rows = await conn.fetch(QUERIES["list_corrections"], after, limit + 1)
    found = []
    for row in rows[:limit]:
        action, item = decode_action(row["body"]), decode_item(row["item"])
        if item.withdrawn or item.erased or (brands is not None and item.brand not in brands):
            continue
        act = act_of(action)
        found.append(
            Made(
                action_id=act.action_id,
                feedback_id=item.feedback_id,
                text=words_of(item),
                intent=act.intent,
                conduct=act.conduct,
                routes=act.routes,
                reason=act.reason,
                by=act.actor,
                at=act.at,
            )
        )
    return found, str(rows[limit - 1]["action_id"]) if len(rows) > limit else None
