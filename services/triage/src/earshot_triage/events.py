"""The topics triage reads and writes, and their translation to and from the domain.

Owns the wire: how decisions, cases and their pointers are spelled. Decides nothing.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from earshot_shared import ids
from earshot_shared.actions import Action, ActionWriter
from earshot_shared.envelope import EventWriter
from earshot_shared.item import Item
from earshot_shared.replies import SOURCE, respond_arguments
from earshot_shared.topics import Topic
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.domain.cases import CaseState
from earshot_triage.domain.message import ROLE_WORDS, STANCE_WORDS, Message, Role, Stance
from earshot_triage.judgement import Label

SERVICE = "triage"
TRIAGED = EventWriter(Topic.FEEDBACK_TRIAGED, SERVICE)
FEEDS = {"product": EventWriter(Topic.FEEDBACK_PRODUCT, SERVICE), "support": EventWriter(Topic.FEEDBACK_SUPPORT, SERVICE)}
CASES = EventWriter(Topic.CASE_CHANGED, SERVICE)
ACTIONS = ActionWriter(SERVICE)
ERASED_AUTHOR = "erased"
_STANCES = dict(zip(STANCE_WORDS, Stance, strict=True))
_VERBS = frozenset(verb.value for verb in Verb)


class Corrected(msgspec.Struct, frozen=True, gc=False):
    """What a person said instead of the judge and the rules, what those had said, and who it was."""

    value: str | tuple[str, ...]
    was: str | tuple[str, ...]
    by: str
    at: datetime
    action_id: str


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What triage decided about one item, as topics and HTTP tell it (contract §10); the item itself is told beside it."""

    intent: str
    intents: dict[str, float]
    conduct: str
    sentiment: float
    sentiment_label: str
    severity: int
    urgency: float
    confidence: float
    needs_person: bool
    emotion: str | None
    language: str
    topics: tuple[str, ...]
    routes: tuple[str, ...]
    stance: str
    reasons: tuple[str, ...]
    model_version: str
    rules_version: str
    labels: dict[str, Label] | msgspec.UnsetType = msgspec.UNSET
    """The installation's own labels, by the name of their set."""
    corrections: dict[str, Corrected] | msgspec.UnsetType = msgspec.UNSET
    """What people corrected, by field: intent, conduct, routes."""


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A message as a case shows it."""

    feedback_id: str
    occurred_at: datetime
    author_key: str
    is_brand: bool
    text: str
    role: str
    channel: str


_SHOWN = msgspec.json.schema_components([Shown])[1]["Shown"]


class CaseChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A case after a change; ``messages`` are its latest 20, ``message_count`` says how many there are. ``private``: it was moved
    out of the public's eye.
    """

    case_id: str
    stance: str
    status: str
    team: str | None
    priority: int
    assignee: str | None
    brand: str | None
    channel: str
    author_key: str
    intent: str
    opened_at: datetime
    first_response_at: datetime | None
    first_response_due_at: datetime
    resolved_at: datetime | None
    version: int
    message_count: int
    private: bool
    messages: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "array", "items": _SHOWN})]


class CaseMerged(msgspec.Struct, frozen=True):
    """A case that joined another."""

    case_id: str
    id: str
    merged_into: str
    version: int


class CaseWithdrawn(msgspec.Struct, frozen=True):
    """A case that ceased."""

    case_id: str
    version: int
    withdrawn: bool = True


class _Assign(msgspec.Struct, frozen=True):
    assignee: str | None = None


class _Note(msgspec.Struct, frozen=True):
    text: str = ""


class _Route(msgspec.Struct, frozen=True):
    team: str | None = None
    reason: str | None = None


class _Escalate(msgspec.Struct, frozen=True):
    priority: int | None = None
    reason: str | None = None


class _Decide(msgspec.Struct, frozen=True, omit_defaults=True):
    seen: tuple[str, ...] = ()
    reason: str | None = None


class _Merge(msgspec.Struct, frozen=True, omit_defaults=True):
    other: str
    reason: str | None = None


class _Unmerge(msgspec.Struct, frozen=True, omit_defaults=True):
    merge: str
    reason: str | None = None


class _MovePrivate(msgspec.Struct, frozen=True, omit_defaults=True):
    reason: str | None = None


class Correct(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an item truly is; what is None stays as it was judged."""

    intent: str | None = None
    conduct: str | None = None
    routes: tuple[str, ...] | None = None
    reason: str | None = None


ASSIGN, NOTE, ROUTE, ESCALATE, DECIDE = _Assign, _Note, _Route, _Escalate, _Decide
MERGE, UNMERGE, MOVE_PRIVATE = _Merge, _Unmerge, _MovePrivate

_encoder = msgspec.json.Encoder()
_assign = msgspec.json.Decoder(_Assign)
_note = msgspec.json.Decoder(_Note)
_route = msgspec.json.Decoder(_Route)
_escalate = msgspec.json.Decoder(_Escalate)
_decide = msgspec.json.Decoder(_Decide)
_merge = msgspec.json.Decoder(_Merge)
_unmerge = msgspec.json.Decoder(_Unmerge)
_move_private = msgspec.json.Decoder(_MovePrivate)
_correct = msgspec.json.Decoder(Correct)


def key_of(feedback_id: str) -> str:
    """Return the key of an item: the id of the case it would be alone.

    Raises: ValueError when ``feedback_id`` is no canonical UUID.
    """
    namespace = bytes.fromhex(feedback_id.replace("-", ""))
    if len(namespace) != 16 or len(feedback_id) != 36:
        raise ValueError("the feedback_id is no canonical UUID")
    return ids.uuid5_text(namespace, "case")


def role_of(item: Item) -> Role:
    """Return who speaks in an item (README of the oracle, 3)."""
    if item.author.on_behalf_of_brand:
        return Role.BRAND
    return Role.STAFF if item.author.is_staff else Role.CUSTOMER


def message_of(item: Item, decision: Decision, key: str, parents: tuple[str, ...]) -> Message:
    """Return what threads need of an item and the decision on it; ``key`` and ``parents`` are keys, as `heard` has checked them."""
    occurred_at = item.occurred_at
    return Message(
        key=key,
        feedback_id=item.feedback_id,
        revision=item.revision,
        occurred_at=occurred_at if occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC),
        role=role_of(item),
        channel=item.channel,
        author_key=ERASED_AUTHOR if item.erased else item.author_key,
        brand=item.brand,
        intent=decision.intent,
        severity=decision.severity,
        stance=_STANCES[decision.stance],
        routes=decision.routes,
        parents=parents,
        talks=item.conversations,
        withdrawn=item.withdrawn,
        erased=item.erased,
        backfill=item.backfill,
    )


def shown(message: Message, text: str) -> bytes:
    """Return a message as a case shows it, as JSON."""
    return _encoder.encode(
        Shown(
            message.feedback_id,
            message.occurred_at,
            message.author_key,
            message.role == Role.BRAND,
            text,
            ROLE_WORDS[message.role],
            message.channel,
        )
    )


def encode_decision(decision: Decision) -> bytes:
    """Return the decision as JSON."""
    return _encoder.encode(decision)


def triaged_body(item: bytes, decision: bytes, case_id: str | None, version: int) -> msgspec.Raw:
    """Return the body of `feedback.triaged`: known JSON put side by side, since encoding it anew would cost twice as much."""
    case = "null" if case_id is None else f'"{case_id}"'
    return msgspec.Raw(b"".join((b'{"item":', item, b",", decision[1:-1], f',"case_id":{case},"version":{version}}}'.encode())))


def case_body(state: CaseState, *, due_at: datetime, tail: bytes, version: int) -> CaseChanged:
    """Return a case as `case.changed` tells it."""
    return CaseChanged(
        case_id=state.label,
        stance=STANCE_WORDS[state.stance],
        status=state.status,
        team=state.owner,
        priority=state.priority,
        assignee=state.acted.assignee if state.acted is not None else None,
        brand=state.brand,
        channel=state.channel,
        author_key=state.author_key,
        intent=state.intent,
        opened_at=state.opening[0],
        first_response_at=state.first_response_at,
        first_response_due_at=due_at,
        resolved_at=state.resolved_at,
        version=version,
        message_count=state.count,
        private=state.private,
        messages=msgspec.Raw(tail),
    )


def is_ours(action: Action) -> bool:
    """Say whether an action is one of triage's verbs."""
    return action.service == SERVICE and action.verb in _VERBS


def act_of(action: Action, *, version: int = 0) -> Act:
    """Return an action as the fold of a case sees it.

    Raises: msgspec.DecodeError for arguments of another form; ValueError for a subject that is no feedback_id.
    """
    verb = Verb(action.verb)
    act = Act(
        action_id=str(action.action_id),
        verb=verb,
        subject=key_of(action.subject),
        at=action.at.astimezone(UTC),
        actor=str(action.actor),
        key_id=action.actor.key_id,
        version=version,
    )
    return _with_arguments(act, action)


def _with_arguments(act: Act, action: Action) -> Act:
    given = action.arguments
    match act.verb:
        case Verb.ASSIGN:
            return replace(act, assignee=_assign.decode(given).assignee)
        case Verb.NOTE:
            return replace(act, text=_note.decode(given).text)
        case Verb.ROUTE:
            routed = _route.decode(given)
            return replace(act, team=routed.team, reason=routed.reason)
        case Verb.ESCALATE:
            escalated = _escalate.decode(given)
            return replace(act, priority=escalated.priority, reason=escalated.reason)
        case Verb.RESPOND:
            answer = respond_arguments(action)
            return replace(act, seen=frozenset(answer.seen), text=answer.text, reply=reply_id(action.action_id))
        case Verb.RESOLVE | Verb.REOPEN:
            decided = _decide.decode(given)
            return replace(act, seen=frozenset(decided.seen), reason=decided.reason)
        case Verb.MERGE:
            merged = _merge.decode(given)
            return replace(act, other=key_of(merged.other), reason=merged.reason)
        case Verb.UNMERGE:
            taken_back = _unmerge.decode(given)
            return replace(act, undoes=taken_back.merge, reason=taken_back.reason)
        case Verb.MOVE_PRIVATE:
            return replace(act, reason=_move_private.decode(given).reason)
        case Verb.CORRECT:
            said = _correct.decode(given)
            return replace(act, intent=said.intent, conduct=said.conduct, routes=said.routes, reason=said.reason)


def silenced(action: Action) -> Action | None:
    """Return an act of ours without the free words in it (a note, a reason), or None when there are none.

    What we replied stays: it is an item of ours, said to the person.
    """
    given = msgspec.json.decode(action.arguments, type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in given.items() if name != "reason" and not (name == "text" and action.verb == Verb.NOTE)}
    if len(kept) == len(given):
        return None
    return msgspec.structs.replace(action, arguments=msgspec.Raw(_encoder.encode(kept)))


def reply_id(action_id: UUID) -> str:
    """Return the feedback_id of the item that a `respond` makes."""
    return ids.feedback_id(SOURCE, str(action_id))
