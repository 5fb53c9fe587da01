"""What people do to customers over HTTP: one transaction from the request's ticket to the action's event.

Owns the order of checks and effects. What a word means is the engine's (``identity.changes``); it takes effect as any record does, by
being folded: so a rebuild from the topic comes to the same.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from earshot_crm_sync import repository, repository_erasing, repository_read
from earshot_crm_sync.acts import CONSENT, DECIDE, EDIT, SERVICE, Consented, Decided, Edited, read_act
from earshot_crm_sync.desk import Rules, Slice
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.domain.profile import sketch_of
from earshot_crm_sync.erasing import vouched_of
from earshot_crm_sync.events import ErasureRequested, tell_erasure
from earshot_crm_sync.finding import find, find_first
from earshot_crm_sync.identity import Decision, Identifier, Refusal, Refused, changes
from earshot_crm_sync.intake import erasure_of
from earshot_crm_sync.judging import envision
from earshot_crm_sync.picturing import Picture, picture_of
from earshot_crm_sync.rows import Held
from earshot_crm_sync.stage import CrmSync, view_of
from earshot_shared.actions import ActionWriter, Actor, new_action
from earshot_shared.envelope import rfc3339
from earshot_shared.http.etags import Change, IfMatch, etag
from earshot_shared.http.idempotency import Ticket, forget_answers, once
from earshot_shared.http.problems import Answer, ConflictError, InvalidError, NotFoundError
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import translated

_json = msgspec.json.Encoder()
_ACTIONS = ActionWriter(SERVICE)
_WORDS = {"same": "merge", "not_same": "parting"}
_REFUSED = {
    Refusal.TOO_LARGE: "Together they would be larger than one customer may be (config/crm-sync.yaml, caps).",
    Refusal.NOT_SAME: "Somebody said later that they are not the same.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who asks, for which customer, on which terms."""

    customer_id: UUID
    actor: Actor
    if_match: IfMatch
    ticket: Ticket | None
    traceparent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A consent as it was given: for one identifier, or, an opt-out, for all."""

    identifier: Sequence[Identifier] | None
    purpose: str
    brand: str
    granted: bool
    at: datetime | None
    proof: str
    source: str


class People:
    """Carries out what people ask for."""

    def __init__(
        self,
        writer: Writer,
        stage: CrmSync,
        rules: Callable[[], Rules],
        *,
        key: bytes,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._writer = writer
        self._stage = stage
        self._rules = rules
        self._key = key
        self._clock = clock
        self._new_id = new_id

    # What people ask for

    async def merge(self, wish: Wish, other: UUID) -> Answer:
        """Join two customers."""

        async def work(tx: Transaction, held: Held) -> Answer:
            decision = await self._decide_merge(tx.conn, held, await find(tx.conn, other), wish)
            return await self._decide(tx, wish, decision)

        return await self._carry_out(wish, work)

    async def preview_merge(self, customer_id: UUID, other: UUID, actor: Actor) -> Answer:
        """Return what a merge would change, with nothing done."""

        async def see(conn: Any, held: Held) -> Decision:
            wish = Wish(customer_id=customer_id, actor=actor, if_match=IfMatch(None), ticket=None, traceparent=None)
            return await self._decide_merge(conn, held, await find(conn, other), wish, preview=True)

        return await self._preview(customer_id, [other], see)

    async def unmerge(self, wish: Wish, identifiers: Sequence[Sequence[Identifier]]) -> Answer:
        """Take identifiers out of a customer; each is given as all it may mean."""

        async def work(tx: Transaction, held: Held) -> Answer:
            decision = await self._decide_unmerge(tx.conn, held, identifiers, wish.actor)
            return await self._decide(tx, wish, decision)

        return await self._carry_out(wish, work)

    async def preview_unmerge(self, customer_id: UUID, identifiers: Sequence[Sequence[Identifier]], actor: Actor) -> Answer:
        """Return what an unmerge would change, with nothing done."""

        async def see(conn: Any, held: Held) -> Decision:
            return await self._decide_unmerge(conn, held, identifiers, actor)

        return await self._preview(customer_id, [], see)

    async def lock(self, wish: Wish, *, locked: bool, identifier: Sequence[Identifier] | None) -> Answer:
        """Leave a customer as it is from now on, or no longer."""

        async def work(tx: Transaction, held: Held) -> Answer:
            picture = await self._picture(tx.conn, [held])
            customer = picture.customer(held)
            anchor = None if identifier is None else _one_of(identifier, customer.identifiers, held)
            decision = changes.lock(
                customer,
                at=await self._moment(tx.conn, held),
                decision_id=str(self._new_id()),
                actor=str(wish.actor),
                anchor=anchor,
                locked=locked,
            )
            return await self._decide(tx, wish, decision)

        return await self._carry_out(wish, work)

    async def judge_suggestion(
        self, suggestion_id: UUID, *, accept: bool, actor: Actor, ticket: Ticket | None, traceparent: str | None
    ) -> Answer:
        """Join the two customers of a suggestion, or remember that they are not one."""

        async def work(tx: Transaction) -> Answer:
            suggestion = await repository_read.read_suggestion(tx.conn, str(suggestion_id))
            if suggestion is None:
                raise NotFoundError("There is no such suggestion: it was decided, or its evidence has changed.", code="suggestion-unknown")
            held = await repository_read.read_held_of(tx.conn, (suggestion.a, suggestion.b))
            left, right = held.get(suggestion.a), held.get(suggestion.b)
            if left is None or right is None:
                raise NotFoundError("There is nothing left of one of the two.", code="suggestion-unknown")
            wish = Wish(
                customer_id=UUID(left.profile.customer_id), actor=actor, if_match=IfMatch(None), ticket=None, traceparent=traceparent
            )
            if accept:
                return await self._decide(tx, wish, await self._decide_merge(tx.conn, left, right, wish))
            picture = await self._picture(tx.conn, [left, right])
            decision = changes.reject(
                picture.customer(left),
                picture.customer(right),
                at=await self._moment(tx.conn, left, right),
                decision_id=str(self._new_id()),
                actor=str(actor),
            )
            return await self._decide(tx, wish, decision)

        return await self._in_one(ticket, work)

    async def consent(self, wish: Wish, opinion: Opinion) -> Answer:
        """Record what a customer allows or forbids."""
        if opinion.granted and opinion.identifier is None:
            raise InvalidError("An opt-in needs the identifier it was given for.", code="consent-needs-identifier")
        if opinion.granted and not opinion.proof:
            raise InvalidError("An opt-in needs its proof: where and how it was given.", code="consent-needs-proof")

        async def work(tx: Transaction, held: Held) -> Answer:
            picture = await self._picture(tx.conn, [held])
            members = picture.customer(held).identifiers
            named = sorted(members) if opinion.identifier is None else [_one_of(opinion.identifier, members, held)]
            given = Consented(
                tuple(self._alias(each) for each in named),
                opinion.purpose,
                opinion.brand,
                opinion.granted,
                opinion.at or await self._moment(tx.conn, held),
                opinion.proof,
                opinion.source or str(wish.actor),
            )
            return await self._take(tx, wish, CONSENT, self._alias(held.speaker), given, at=await self._moment(tx.conn, held))

        return await self._carry_out(wish, work)

    async def edit(self, wish: Wish, fields: dict[str, str | None], identifier: Sequence[Identifier] | None) -> Answer:
        """Set fields by hand, bound to an identifier (the customer's lead unless another is chosen)."""

        async def work(tx: Transaction, held: Held) -> Answer:
            customer = (await self._picture(tx.conn, [held])).customer(held)
            chosen = customer.lead if identifier is None else _one_of(identifier, customer.identifiers, held)
            edited = Edited(self._alias(chosen), fields)
            return await self._take(tx, wish, EDIT, edited.identifier, edited, at=await self._moment(tx.conn, held))

        return await self._carry_out(wish, work)

    async def erase(self, wish: Wish) -> Answer:
        """Forget a customer: everything up to now, here at once, elsewhere as soon as each service reads the wish."""

        async def work(tx: Transaction, held: Held) -> Answer:
            customer = (await self._picture(tx.conn, [held])).customer(held)
            own = {each for row in held.spoken.values() for each in vouched_of(row.saying)}
            aliases = tuple(sorted(self._alias(each) for each in own & customer.identifiers | {held.speaker}))
            asked = ErasureRequested(str(self._new_id()), aliases, await self._moment(tx.conn, held), str(wish.actor))
            tx.tell_facts([tell_erasure(asked, now=rfc3339(self._clock()))])
            outcome = await self._stage.apply(tx, Slice(erasures=[erasure_of(asked)]), cause=f"erased by {wish.actor}")
            await forget_answers(tx.conn, {held.profile.customer_id, *outcome.moved, *aliases, *(each.value for each in own)})
            return Answer(status=202, body=_json.encode(await self._erasure(tx.conn, asked.erasure_id)))

        return await self._carry_out(wish, work)

    async def erasure(self, erasure_id: UUID) -> Answer:
        """Return what services say they erased."""
        with translated():
            async with self._writer.pool.acquire() as conn:
                return Answer(body=_json.encode(await self._erasure(conn, str(erasure_id))))

    async def _erasure(self, conn: Any, erasure_id: str) -> dict[str, object]:
        row = await repository_erasing.read_erasure(conn, erasure_id)
        if row is None:
            raise NotFoundError("There is no such erasure.", code="erasure-unknown")
        receipts = [
            {"service": service, "at": at, "counts": msgspec.Raw(counts)}
            for service, at, counts in await repository_erasing.read_receipts(conn, erasure_id)
        ]
        return {"erasure_id": erasure_id, "requested_at": row["requested_at"], "identifiers": row["identifiers"], "receipts": receipts}

    # How it is done

    async def _moment(self, conn: Any, *customers: Held) -> datetime:
        """Return now, but later than all that was done to these customers: the latest word stands, whatever clocks say."""
        last = await repository_read.last_act_at(conn, set().union(*[held.links for held in customers]))
        now = self._clock()
        return now if last is None or now > last else last + timedelta(microseconds=1)

    async def _in_one(self, ticket: Ticket | None, work: Callable[[Transaction], Awaitable[Answer]]) -> Answer:
        try:
            async with self._writer.transaction() as tx:
                return await once(tx.conn, ticket, lambda: work(tx))
        except BaseException:
            self._stage.forget()  # its working copies may be ahead of what was kept
            raise

    async def _carry_out(self, wish: Wish, work: Callable[[Transaction, Held], Awaitable[Answer]]) -> Answer:
        async def checked(tx: Transaction) -> Answer:
            held = await find(tx.conn, wish.customer_id)

            async def since(version: int) -> list[Change]:
                acts = await repository_read.list_acts(tx.conn, held.links, version)
                return [
                    Change(version=act.version, actor=act.actor, verb=act.verb, at=act.at, words=_WORDS.get(act.verb, "")) for act in acts
                ]

            await wish.if_match.check(held.version, "customer", since)
            return await work(tx, held)

        return await self._in_one(wish.ticket, checked)

    async def _decide_merge(self, conn: Any, held: Held, other: Held, wish: Wish, *, preview: bool = False) -> Decision:
        if held.no == other.no:
            raise ConflictError("They are one customer already.", code="already-merged")
        picture = await self._picture(conn, [held, other])
        decision = changes.merge(
            picture.customer(held),
            picture.customer(other),
            at=await self._moment(conn, held, other),
            decision_id=str(self._new_id()),
            actor=str(wish.actor),
        )
        if not preview and (refused := picture.after(decision).refusals(decision)):
            raise ConflictError(_sentence(refused[0]), code="merge-refused")
        return decision

    async def _decide_unmerge(self, conn: Any, held: Held, identifiers: Sequence[Sequence[Identifier]], actor: Actor) -> Decision:
        customer = (await self._picture(conn, [held])).customer(held)
        chosen = [_one_of(meant, customer.identifiers, held) for meant in identifiers]
        try:
            at = await self._moment(conn, held)
            return changes.unmerge(customer, chosen, at=at, decision_id=str(self._new_id()), actor=str(actor))
        except ValueError as error:
            raise InvalidError(f"{str(error).capitalize()}.", code="unmerge-impossible") from error

    async def _decide(self, tx: Transaction, wish: Wish, decision: Decision) -> Answer:
        said = Decided(
            str(decision.verb),
            self._alias(decision.a),
            self._alias(decision.b),
            tuple(sorted(self._alias(each) for each in decision.left)),
            tuple(sorted(self._alias(each) for each in decision.right)),
        )
        return await self._take(tx, wish, DECIDE, said.a, said, action_id=UUID(decision.decision_id), at=decision.at)

    async def _take(
        self,
        tx: Transaction,
        wish: Wish,
        verb: str,
        subject: str,
        arguments: msgspec.Struct,
        *,
        at: datetime,
        action_id: UUID | None = None,
    ) -> Answer:
        """Apply an act at once, publish it, and answer with the customer after it."""
        action = new_action(
            action_id=action_id or self._new_id(),
            service=SERVICE,
            actor=wish.actor,
            verb=verb,
            subject=subject,
            at=at,
            arguments=arguments,
        )
        slice_ = Slice()
        read_act(action, slice_)
        tx.tell_facts([_ACTIONS.write(action, traceparent=wish.traceparent)])
        await self._stage.apply(tx, slice_, cause=f"{slice_.acts[0].verb} by {wish.actor}")
        # An unmerge may take away all that a customer is named after: then who keeps what stayed is told, or who has what left.
        word = arguments if isinstance(arguments, Decided) else None
        heirs = () if word is None else (word.b, *word.right, word.a, *word.left)
        held = await find_first(tx.conn, [str(wish.customer_id), *heirs])
        parted = [] if word is None else await self._parted(tx.conn, word, held)
        body = {"customer": view_of(held), "others": [view_of(each) for each in parted], "action_id": str(action.action_id)}
        return Answer(body=_json.encode(body), headers=((b"etag", etag(held.version).encode()),))

    async def _parted(self, conn: Any, said: Decided, held: Held) -> list[Held]:
        """Return the other customers who hold what a word named."""
        rows = await repository.load_identifiers_by_alias(conn, [said.a, said.b, *said.left, *said.right])
        numbers = {row.customer_no for row in rows if row.customer_no is not None} - {held.no}
        found = await repository_read.read_many(conn, numbers)
        return [found[number] for number in sorted(found)]

    async def _picture(self, conn: Any, customers: Sequence[Held]) -> Picture:
        return await picture_of(conn, customers, self._rules().identity)

    async def _preview(self, customer_id: UUID, others: Collection[UUID], see: Callable[[Any, Held], Awaitable[Decision]]) -> Answer:
        """Answer with the customers before and after a word, those that would differ."""
        with translated():
            async with self._writer.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                held = await find(conn, customer_id)
                decision = await see(conn, held)
                before = await self._picture(conn, [held, *[await find(conn, other) for other in others]])
                after = before.after(decision)
                seen = [await envision(conn, each.loaded, each.judgements, self._rules(), held.version) for each in (before, after)]
        was, now = ({each.profile.customer_id: view_of(each) for each in held_ones} for held_ones in seen)
        refused = [{"reason": str(one.reason), "detail": _sentence(one)} for one in after.refusals(decision)]
        body = {
            "before": [view for key, view in sorted(was.items()) if now.get(key) != view],
            "after": [view for key, view in sorted(now.items()) if was.get(key) != view],
            "refused": refused,
            "changes_nothing": was == now,
        }
        return Answer(body=_json.encode(body))

    def _alias(self, identifier: Identifier) -> str:
        return alias_of(identifier, self._key)


def _sentence(refused: Refused) -> str:
    return _REFUSED.get(refused.reason, "The rules forbid to join them.")


def _one_of(meant: Sequence[Identifier], members: Collection[Identifier], held: Held) -> Identifier:
    """Return the identifier among those meant that is the customer's.

    Raises: InvalidError when none is; it says so when the view shows it, as one of many people's.
    """
    for each in meant:
        if each in members:
            return each
    if not sketch_of(held.profile).shared.isdisjoint(meant):
        raise InvalidError(
            "Several people show that identifier, so it is nobody's: name another of this customer.", code="identifier-shared"
        )
    raise InvalidError("That is no identifier of this customer: see its `identifiers`.", code="identifier-unknown")
