"""The action event: what a person or another system did through HTTP.

Owns its wire form and its making. An action names feedback_ids and identifiers, never derived ids, so that a rebuild from the topic
applies it to whatever holds them then. Reads no clock and draws no number: id and time are given.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from earshot_shared.envelope import EventWriter, rfc3339
from earshot_shared.item import Moment
from earshot_shared.messages import Message
from earshot_shared.topics import Topic


class Actor(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who acts: the API key, and the person it says it acts for (``Earshot-Actor``, or the one of the session)."""

    key_id: str
    person: str | None = None

    def __str__(self) -> str:
        return self.person or self.key_id


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One act. ``verb`` is an imperative of the service ("resolve"), ``subject`` a fact's id, ``arguments`` the verb's own JSON object."""

    action_id: UUID
    service: str
    actor: Actor
    verb: str
    subject: str
    at: Moment
    arguments: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Action)


def new_action(
    *, action_id: UUID, service: str, actor: Actor, verb: str, subject: str, at: datetime, arguments: msgspec.Struct | dict[str, object]
) -> Action:
    """Return an action; ``at`` is aware, ``arguments`` is encoded at once so that nothing changes it afterwards."""
    encoded = msgspec.Raw(_encoder.encode(arguments))
    return Action(action_id=action_id, service=service, actor=actor, verb=verb, subject=subject, at=at, arguments=encoded)


def decode_action(body: bytes | msgspec.Raw) -> Action:
    """Return the action in an event's ``data``.

    Raises: msgspec.DecodeError when it is none.
    """
    return _decoder.decode(body)


class ActionWriter:
    """Makes the ``action.taken`` messages of one service; build one and keep it."""

    def __init__(self, service: str) -> None:
        self._events = EventWriter(Topic.ACTION_TAKEN, service)

    def write(self, action: Action, *, traceparent: str | None = None) -> Message:
        """Return the message that tells an action, to be sent in the transaction that applies it."""
        text = str(action.action_id)
        return self._events.write(text, text, action, time=rfc3339(action.at), traceparent=traceparent)
