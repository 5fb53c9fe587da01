"""Cases: the fold of one thread and what people did about it.

Owns: when there is a case, its id, its fields, its status. Must not: know customers or points.
The numbers in comments are those of the README's sentences.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from oracle import ids
from oracle.facts import REPLY_SOURCE, Action, ItemRevision, Role, Standing, Verb
from oracle.threads import Thread, Threads


class Status(StrEnum):
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What triage decided about one item. severity: 1 (low) to 4 (critical); team: the first of its routes."""

    intent: str
    severity: int = 1
    team: str | None = None


UNJUDGED = Judgement(intent="unknown")  # what triage says of a skeleton: there is nothing left to judge
Judge = Callable[[ItemRevision], Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The case after all facts (contract §10), without what depends on calendars, stances and arrival (version)."""

    case_id: UUID
    status: Status
    team: str | None
    priority: int
    assignee: str | None
    brand: str | None
    channel: str
    author_key: str
    intent: str
    opened_at: datetime
    opened_by_customer: bool
    first_response_at: datetime | None
    resolved_at: datetime | None
    messages: tuple[UUID, ...]
    notes: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """by_id: every case; holder: feedback_id of an item to the id of the case that holds it."""

    by_id: dict[UUID, Case]
    holder: dict[UUID, UUID]

    def resolve(self, case_id: UUID, items: Iterable[UUID]) -> UUID | None:
        """The case an id of old leads to now, or None when it ceased (410). items: every feedback_id ever seen."""
        return next((self.holder.get(item) for item in items if ids.case_id(item) == case_id), None)


def fold_cases(facts: Standing, threads: Threads, judge: Judge) -> Cases:
    acted: dict[int, list[Action]] = {}
    for action in sorted(facts.actions.values(), key=lambda action: action.order):
        thread = threads.holding(action.subject)  # 13: wherever the node of the subject is now
        if thread is not None:
            acted.setdefault(id(thread), []).append(action)
    by_id: dict[UUID, Case] = {}
    of_thread: dict[int, UUID] = {}
    for thread in threads.all:
        case = fold_case(thread, acted.get(id(thread), []), facts, judge)
        if case is not None:
            by_id[case.case_id] = case
            of_thread[id(thread)] = case.case_id
    holder = {}
    for item in facts.items:
        thread = threads.holding(item)
        if thread is not None and id(thread) in of_thread:
            holder[item] = of_thread[id(thread)]
    return Cases(by_id=by_id, holder=holder)


def fold_case(thread: Thread, actions: Sequence[Action], facts: Standing, judge: Judge) -> Case | None:
    """Fold one thread. Shapes: actions of this thread by (at, action_id). None when nothing makes it a case (8)."""
    messages = thread.messages
    by_customers = [message for message in messages if message.role is Role.CUSTOMER]
    opened_by_customer = messages[0].role is Role.CUSTOMER
    if not opened_by_customer and not actions:
        return None
    opening = by_customers[0] if by_customers else messages[0]
    brand = next((message.brand for message in messages if message.brand is not None), None)
    responses = [message for message in messages if message.role is Role.BRAND and message.brand == brand]
    first_response = next((response for response in responses if response.order > opening.order), None)
    status, resolved_at = _status(by_customers, responses, actions, facts)
    judged = _judged(opening, judge)
    worst = max((_judged(message, judge).severity for message in by_customers), default=1)
    return Case(
        case_id=ids.case_id(opening.feedback_id),
        status=status,
        team=_latest_team(actions, judged.team),
        priority=_latest_priority(actions, worst),
        assignee=next((action.assignee for action in reversed(actions) if action.verb is Verb.ASSIGN), None),
        brand=brand,
        channel=opening.channel,
        author_key=opening.author_key,
        intent=judged.intent,
        opened_at=opening.occurred_at,
        opened_by_customer=opened_by_customer,
        first_response_at=first_response.occurred_at if first_response else None,
        resolved_at=resolved_at,
        messages=tuple(message.feedback_id for message in messages),
        notes=tuple(action.text for action in actions if action.verb is Verb.NOTE),
    )


def _judged(item: ItemRevision, judge: Judge) -> Judgement:
    return UNJUDGED if item.content is None else judge(item)


def _latest_team(actions: Sequence[Action], routed: str | None) -> str | None:
    return next((action.team for action in reversed(actions) if action.verb is Verb.ROUTE), routed)


def _latest_priority(actions: Sequence[Action], worst: int) -> int:
    return next((a.priority for a in reversed(actions) if a.verb is Verb.ESCALATE and a.priority is not None), worst)


def _status(
    by_customers: Sequence[ItemRevision], responses: Sequence[ItemRevision], actions: Sequence[Action], facts: Standing
) -> tuple[Status, datetime | None]:
    """Return the status and, when resolved, since when (17 to 22)."""
    decided = next((a for a in reversed(actions) if a.verb in (Verb.RESOLVE, Verb.REOPEN)), None)
    if decided and decided.verb is Verb.RESOLVE and all(m.feedback_id in decided.seen for m in by_customers):
        return Status.RESOLVED, decided.at
    if not responses:
        return Status.OPEN, None
    if decided and decided.verb is Verb.REOPEN and responses[-1].occurred_at <= decided.at:
        return Status.OPEN, None
    return (Status.WAITING if _answered(by_customers, responses, actions, facts) else Status.OPEN), None


def _answered(by_customers: Sequence[ItemRevision], responses: Sequence[ItemRevision], actions: Sequence[Action], facts: Standing) -> bool:
    """Was every customer message seen by somebody who answered or resolved, or answered later without looking here?"""
    looks = [action for action in actions if _is_look(action, facts)]
    seen = frozenset[UUID]().union(*(look.seen for look in looks))
    unseen = [message for message in by_customers if message.feedback_id not in seen]
    if not unseen:
        return True
    replies = {ids.feedback_id(REPLY_SOURCE, str(look.action_id)) for look in looks}
    elsewhere = [response for response in responses if response.feedback_id not in replies]
    if not elsewhere or elsewhere[-1].order < unseen[-1].order:
        return False
    return not looks or elsewhere[-1].occurred_at > looks[-1].at


def _is_look(action: Action, facts: Standing) -> bool:
    """A resolve, or a respond whose reply still stands (a withdrawn reply answered nobody)."""
    if action.verb is Verb.RESPOND:
        return not facts.items[ids.feedback_id(REPLY_SOURCE, str(action.action_id))].withdrawn
    return action.verb is Verb.RESOLVE
