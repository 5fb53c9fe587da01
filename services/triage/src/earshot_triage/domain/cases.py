"""The case: a fold of one thread's messages and of what people did about it.

Owns when there is a case, its fields and its status, in two ways that must agree (a property test holds them to it): `fold` takes the
whole thread; `append` takes one message more and answers False when only the whole thread can tell. The numbers in comments are those of
the sentences in ``tests/oracle/README.md``. Must not know texts, tables or the clock.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from earshot_triage.domain.acts import Act, Verb, latest
from earshot_triage.domain.message import Message, Order, Role, Stance
from earshot_triage.domain.threads import opening_of

OPEN, WAITING, RESOLVED = "open", "waiting", "resolved"


class Acted(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """What people's acts come to, as far as later messages depend on it.

    ``pending`` are feedback_ids that were seen or replied with, yet are no messages of the thread (now): should one come, only the whole
    thread can tell what it means.
    """

    decided: str | None = None
    decided_at: datetime | None = None
    looked_at: datetime | None = None
    team: str | None = None
    routed: bool = False
    priority: int | None = None
    assignee: str | None = None
    pending: tuple[str, ...] = ()
    private: bool = False


class CaseState(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """All that a thread comes to. ``label`` is the key of the message that opens it, and the id of its case when it has one."""

    label: str
    opening: Order
    opened_by_customer: bool
    live: bool
    channel: str
    author_key: str
    intent: str
    team: str | None
    brand: str | None
    branded: Order | None
    has_customer: bool
    count: int = 0
    severity: int = 1
    stance: Stance = Stance.LEAVE
    first_response: Order | None = None
    last_response: Order | None = None
    last_elsewhere: Order | None = None
    last_unseen: Order | None = None
    undecided: int = 0
    acted: Acted | None = None

    @property
    def has_case(self) -> bool:
        """A thread has a case when a customer opened it, or a person acted on it (8)."""
        return self.opened_by_customer or self.acted is not None

    @property
    def case_id(self) -> str | None:
        """The id of its case, None without one."""
        return self.label if self.has_case else None

    @property
    def priority(self) -> int:
        """The highest severity of the customers' messages, unless a person set one (14)."""
        acted = self.acted
        return self.severity if acted is None or acted.priority is None else acted.priority

    @property
    def owner(self) -> str | None:
        """The team: the first route of the opening message, unless a person routed it (14)."""
        return self.acted.team if self.acted is not None and self.acted.routed else self.team

    @property
    def private(self) -> bool:
        """Somebody moved it out of the public's eye: from then on it is answered in private."""
        return self.acted is not None and self.acted.private

    @property
    def first_response_at(self) -> datetime | None:
        """When the first response later than the opening message occurred (16)."""
        return self.first_response[0] if self.first_response else None

    @property
    def resolved_at(self) -> datetime | None:
        """When it was resolved, None when it is not (17)."""
        acted = self.acted
        return acted.decided_at if acted is not None and acted.decided == Verb.RESOLVE and self.undecided == 0 else None

    @property
    def status(self) -> str:
        """Open, waiting or resolved (17 to 21)."""
        if self.resolved_at is not None:
            return RESOLVED
        if self.last_response is None:
            return OPEN
        acted = self.acted
        reopened_at = acted.decided_at if acted is not None and acted.decided == Verb.REOPEN else None
        if reopened_at is not None and self.last_response[0] <= reopened_at:
            return OPEN
        return WAITING if self._answered(acted) else OPEN

    def _answered(self, acted: Acted | None) -> bool:
        """Was every customer message seen by somebody who answered, or answered later without looking here (19)?"""
        if self.last_unseen is None:
            return True
        if self.last_elsewhere is None or self.last_elsewhere < self.last_unseen:
            return False
        return acted is None or acted.looked_at is None or self.last_elsewhere[0] > acted.looked_at


def fold(messages: Sequence[Message], acts: Sequence[Act]) -> CaseState | None:
    """Return what a thread comes to, None when it has no message.

    Shapes: present messages in their order, acts of the thread in theirs.
    """
    opening = opening_of(messages)
    if opening is None:
        return None
    branded = next((message for message in messages if message.brand is not None), None)
    state = CaseState(
        label=opening.key,
        opening=opening.order,
        opened_by_customer=messages[0].role == Role.CUSTOMER,
        live=not opening.backfill,
        channel=opening.channel,
        author_key=opening.author_key,
        intent=opening.intent,
        team=opening.team,
        brand=branded.brand if branded else None,  # 10
        branded=branded.order if branded else None,
        has_customer=opening.role == Role.CUSTOMER,
        stance=opening.stance,
    )
    if acts:
        _fold_acts(state, messages, acts)
    else:
        for message in messages:
            _count(state, message)
    return state


def begin(message: Message) -> CaseState:
    """Return what a thread of one message comes to: what `fold` returns for it alone, at a fifth of the price."""
    order = message.order
    customer = message.role == Role.CUSTOMER
    response = order if message.role == Role.BRAND else None
    return CaseState(
        label=message.key,
        opening=order,
        opened_by_customer=customer,
        live=not message.backfill,
        channel=message.channel,
        author_key=message.author_key,
        intent=message.intent,
        team=message.routes[0] if message.routes else None,
        brand=message.brand,
        branded=None if message.brand is None else order,
        has_customer=customer,
        count=1,
        severity=message.severity if customer else 1,
        stance=message.stance,
        last_response=response,
        last_elsewhere=response,
        last_unseen=order if customer else None,
    )


def append(state: CaseState, message: Message) -> bool:
    """Count one message more of a thread into ``state``; False, and nothing changed, when only the whole thread can tell.

    Right for any present message that was not in the thread before and is later than the opening one, unless it changes the thread's
    opening or brand, or people's acts spoke of it before it came.
    """
    if message.order < state.opening or (message.role == Role.CUSTOMER and not state.has_customer):
        return False
    if state.acted is not None and message.feedback_id in state.acted.pending:
        return False
    if message.brand is not None:
        if state.brand is None or state.branded is None:
            return False
        if message.order < state.branded:
            if message.brand != state.brand:
                return False
            state.branded = message.order
    _count(state, message)
    return True


def _count(state: CaseState, message: Message) -> None:
    """Count a message that no act speaks of."""
    state.count += 1
    order = message.order
    if message.role == Role.CUSTOMER:
        _count_customer(state, message)
        if state.last_unseen is None or order > state.last_unseen:
            state.last_unseen = order
        if state.acted is not None and state.acted.decided == Verb.RESOLVE:
            state.undecided += 1
    elif message.role == Role.BRAND and message.brand == state.brand:
        _count_response(state, order)
        if state.last_elsewhere is None or order > state.last_elsewhere:
            state.last_elsewhere = order


def _count_customer(state: CaseState, message: Message) -> None:
    if message.severity > state.severity:
        state.severity = message.severity
    if message.stance > state.stance:
        state.stance = message.stance


def _count_response(state: CaseState, order: Order) -> None:
    if order > state.opening and (state.first_response is None or order < state.first_response):
        state.first_response = order
    if state.last_response is None or order > state.last_response:
        state.last_response = order


def _fold_acts(state: CaseState, messages: Sequence[Message], acts: Sequence[Act]) -> None:
    """Count messages and acts together (13 to 20)."""
    present = {message.feedback_id for message in messages}
    looks = [act for act in acts if act.verb is Verb.RESOLVE or (act.verb is Verb.RESPOND and act.reply in present)]
    seen: set[str] = set().union(*(look.seen for look in looks))
    replies = {look.reply for look in looks if look.reply is not None}
    decided = latest(acts, Verb.RESOLVE, Verb.REOPEN)
    routed = latest(acts, Verb.ROUTE)
    assigned = latest(acts, Verb.ASSIGN)
    spoken_of = set().union(*(act.seen for act in acts)) | {act.reply for act in acts if act.reply is not None}
    state.acted = Acted(
        decided=decided.verb.value if decided else None,
        decided_at=decided.at if decided else None,
        looked_at=looks[-1].at if looks else None,
        team=routed.team if routed else None,
        routed=routed is not None,
        priority=next((act.priority for act in reversed(acts) if act.verb is Verb.ESCALATE and act.priority is not None), None),
        assignee=assigned.assignee if assigned else None,
        pending=tuple(sorted(spoken_of - present)),
        private=latest(acts, Verb.MOVE_PRIVATE) is not None,
    )
    decided_seen = decided.seen if decided is not None and decided.verb is Verb.RESOLVE else None
    for message in messages:
        state.count += 1
        if message.role == Role.CUSTOMER:
            _count_customer(state, message)
            if message.feedback_id not in seen:
                state.last_unseen = message.order
            if decided_seen is not None and message.feedback_id not in decided_seen:
                state.undecided += 1
        elif message.role == Role.BRAND and message.brand == state.brand:
            _count_response(state, message.order)
            if message.feedback_id not in replies:
                state.last_elsewhere = message.order
