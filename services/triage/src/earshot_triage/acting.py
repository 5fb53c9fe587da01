"""What people do about cases over HTTP: one transaction from the request's ticket to the action's event.

Owns the order of checks and effects. What an act means is the domain's; what it changes is folded like any slice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from earshot_shared.access.keys import Principal
from earshot_shared.actions import Action, Actor, new_action
from earshot_shared.http.etags import Change, IfMatch, etag
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ConflictError, GoneError, InvalidError, NotFoundError, PreconditionFailedError
from earshot_shared.item import Visibility
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.replies import RespondArguments
from earshot_triage import alerts, reading
from earshot_triage.domain.acts import Verb
from earshot_triage.events import (
    ACTIONS,
    ASSIGN,
    DECIDE,
    ESCALATE,
    MERGE,
    MOVE_PRIVATE,
    NOTE,
    ROUTE,
    SERVICE,
    UNMERGE,
    key_of,
    reply_id,
)  # fmt: skip
from earshot_triage.reading import CaseLine, Found
from earshot_triage.repository import Held, Thread
from earshot_triage.stage import TriageStage

HIGHEST_PRIORITY: Final = 4

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person's wish, as the route has read it. ``seen`` is the version they looked at, None when they did not say."""

    case_id: str
    verb: Verb
    principal: Principal
    actor: Actor
    if_match: IfMatch
    ticket: Ticket | None
    traceparent: str | None
    seen: int | None = None
    assignee: str | None = None
    text: str = ""
    team: str | None = None
    priority: int | None = None
    reason: str | None = None
    other: str | None = None
    """With `merge`: the case that joins."""
    merge: str | None = None
    """With `unmerge`: the merge that is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A person's word that they have seen an alarm."""

    alert_id: str
    principal: Principal
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


class Acted(CaseLine, frozen=True, kw_only=True, omit_defaults=False):
    """The answer to an act: the case after it, the act's id, and the reply's when there is one."""

    action_id: str
    feedback_id: str | None = None


class Desk:
    """Carries out what people ask for."""

    def __init__(self, writer: Writer, stage: TriageStage, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._writer = writer
        self._stage = stage
        self._clock = clock
        self._new_id = new_id

    async def act(self, request: Request) -> Answer:
        """Do it, once, and return the case after it.

        Raises: NotFoundError, GoneError, PreconditionFailedError, InvalidError; then nothing has happened.
        """
        if request.verb is Verb.ROUTE and request.team not in (None, *self._stage.decider.rules.teams):
            teams = ", ".join(self._stage.decider.rules.teams)
            raise InvalidError(f"There is no such team: it is one of {teams}.", code="team-unknown")
        async with self._writer.transaction() as tx:
            return await once(tx.conn, request.ticket, lambda: self._act(tx, request))

    async def _act(self, tx: Transaction, request: Request) -> Answer:
        found = await reading.find(tx.conn, request.case_id)
        thread = _actable(found, request.principal)
        messages = await reading.messages_of(tx.conn, thread.state.label)
        await request.if_match.check(thread.version, "case", lambda version: _since(tx.conn, thread, messages, version))
        subject = thread.state.opening[1]
        arguments: msgspec.Struct
        if request.verb is Verb.MERGE:
            arguments = MERGE(await _other(tx.conn, request, thread), request.reason)
        elif request.verb is Verb.UNMERGE:
            subject, arguments = await _taken_back(tx.conn, request, thread, messages)
        else:
            visibility = await _visibility(tx.conn, thread)
            arguments = _arguments(request, thread, visibility, _seen(request, found, thread, messages))
        actions: list[Action] = []
        if request.verb is Verb.MOVE_PRIVATE and request.text:  # where everybody reads, a word that it goes on elsewhere
            seen = _seen(request, found, thread, messages)
            note = _reply(request, thread, await reading.visibility_of(tx.conn, thread.state.label), seen)
            actions.append(self._action(request, Verb.RESPOND, subject, note))
        actions.append(self._action(request, request.verb, subject, arguments))
        await self._stage.apply(tx, [], [self._stage.doing(action) for action in actions])
        tx.tell_facts([ACTIONS.write(action, traceparent=request.traceparent) for action in actions])
        after = await reading.find(tx.conn, key_of(subject))
        left = after.thread if after is not None else None
        assert left is not None, "the message acted on is still there"
        line = reading.line(left)
        reply = next((reply_id(action.action_id) for action in actions if action.verb == Verb.RESPOND), None)
        fields = {name: getattr(line, name) for name in CaseLine.__struct_fields__}
        body = _encoder.encode(Acted(**fields, action_id=str(actions[-1].action_id), feedback_id=reply))
        return Answer(body=body, headers=((b"etag", etag(line.version).encode()),))

    def _action(self, request: Request, verb: Verb, subject: str, arguments: msgspec.Struct) -> Action:
        return new_action(
            action_id=self._new_id(),
            service=SERVICE,
            actor=request.actor,
            verb=verb.value,
            subject=subject,
            at=self._clock(),
            arguments=arguments,
        )

    async def acknowledge(self, request: Acknowledgement) -> Answer:
        """Note that somebody has seen an alarm; the first to say so stands.

        Raises: NotFoundError.
        """
        async with self._writer.transaction() as tx:
            return await once(tx.conn, request.ticket, lambda: self._acknowledge(tx, request))

    async def _acknowledge(self, tx: Transaction, request: Acknowledgement) -> Answer:
        found = await alerts.read_alert(tx.conn, request.alert_id)
        if found is None or not reading.may_see(request.principal, found.brand):
            raise NotFoundError("There is no such alarm.")
        if found.acknowledged_at is None:
            now = self._clock()
            action = new_action(
                action_id=self._new_id(),
                service=SERVICE,
                actor=request.actor,
                verb="acknowledge",
                subject=request.alert_id,
                at=now,
                arguments={},
            )
            await alerts.acknowledge(tx.conn, request.alert_id, by=str(request.actor), at=now)
            tx.tell_facts([ACTIONS.write(action, traceparent=request.traceparent)])
            found = await alerts.read_alert(tx.conn, request.alert_id)
        assert found is not None, "an alarm is never taken away"
        return Answer(body=bytes(found.body))


def _actable(found: Found | None, principal: Principal) -> Thread:
    """Return the thread to act on: one with a case, or one that becomes a case by this act.

    Raises: NotFoundError, GoneError.
    """
    if found is None:
        raise NotFoundError("No case has or had this id.")
    thread = found.thread
    if thread is None:
        raise GoneError("This case has ceased: what it was about was withdrawn.", code="case-withdrawn")
    if not reading.may_see(principal, thread.state.brand):
        raise NotFoundError("No case has or had this id.")
    return thread


def _seen(request: Request, found: Found | None, thread: Thread, messages: Sequence[Held]) -> tuple[str, ...]:
    """Return the messages that the person had before them (README of the oracle, 15).

    Raises: InvalidError for a version that is not there yet; PreconditionFailedError when the id they used led elsewhere then.
    """
    assert found is not None, "a case was found"
    version = request.seen
    if version is None:
        version = thread.version
    if version > thread.version:
        raise InvalidError(f"The case is at version {thread.version}; {version} is none it ever had.", code="seen-unknown")
    if request.case_id != thread.state.label and version < found.held.joined:
        raise PreconditionFailedError(
            f"The case you looked at became part of {thread.state.label} at version {found.held.joined}: read that one first."
        )
    return tuple(held.message.feedback_id for held in messages if held.joined <= version and not held.message.withdrawn)


def _arguments(request: Request, thread: Thread, visibility: Visibility, seen: tuple[str, ...]) -> msgspec.Struct:
    match request.verb:
        case Verb.ASSIGN:
            return ASSIGN(request.assignee)
        case Verb.NOTE:
            return NOTE(request.text)
        case Verb.ROUTE:
            return ROUTE(request.team, request.reason)
        case Verb.ESCALATE:
            return ESCALATE(request.priority or min(thread.state.priority + 1, HIGHEST_PRIORITY), request.reason)
        case Verb.RESPOND:
            return _reply(request, thread, visibility, seen)
        case Verb.MOVE_PRIVATE:
            return MOVE_PRIVATE(request.reason)
        case _:
            return DECIDE(seen, request.reason)


def _reply(request: Request, thread: Thread, visibility: Visibility, seen: tuple[str, ...]) -> RespondArguments:
    state = thread.state
    return RespondArguments(text=request.text, channel=state.channel, brand=state.brand, visibility=visibility, seen=seen)


async def _visibility(conn: Any, thread: Thread) -> Visibility:
    """Return who may read an answer: a private word is answered in private, and so is a case that was moved there."""
    return "private" if thread.state.private else await reading.visibility_of(conn, thread.state.label)


async def _other(conn: Any, request: Request, thread: Thread) -> str:
    """Return the feedback_id that opens the case to be merged.

    Raises: NotFoundError, GoneError; ConflictError when both are one already.
    """
    assert request.other is not None, "a merge names another case"
    other = _actable(await reading.find(conn, request.other), request.principal)
    if other.state.label == thread.state.label:
        raise ConflictError("These are one case already.", code="already-one")
    return other.state.opening[1]


async def _taken_back(conn: Any, request: Request, thread: Thread, messages: Sequence[Held]) -> tuple[str, msgspec.Struct]:
    """Return the feedback_id that a merge names, and the arguments that take the merge back.

    Raises: NotFoundError when no such merge holds this case together.
    """
    acts = await reading.acts_of(conn, thread.state.label, messages)
    undone = {act.undoes for act in acts if act.verb is Verb.UNMERGE}
    merges = [act for act in acts if act.verb is Verb.MERGE and act.action_id not in undone]
    wanted = next((act for act in reversed(merges) if request.merge in (None, act.action_id)), None)
    if wanted is None:
        raise NotFoundError("No merge of this id holds the case together: its history lists those that do.")
    subject = next(held.message.feedback_id for held in messages if held.key == wanted.subject)
    return subject, UNMERGE(wanted.action_id, request.reason)


async def _since(conn: Any, thread: Thread, messages: Sequence[Held], version: int) -> list[Change]:
    """Return what happened to a case after a version, oldest first."""
    acts = await reading.acts_of(conn, thread.state.label, messages)
    changes = [Change(version=act.version, actor=act.actor, verb=act.verb.value, at=act.at) for act in acts if act.version > version]
    changes += [
        Change(version=held.joined, actor=held.message.author_key, verb="message", at=held.message.occurred_at)
        for held in messages
        if held.joined > version
    ]
    return sorted(changes, key=lambda change: change.version)
