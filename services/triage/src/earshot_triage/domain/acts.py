"""What people did about cases, as the fold of a case sees it.

Owns the verbs of triage and the reading of their arguments. An act names feedback_ids, never a derived id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verb(StrEnum):
    """What can be done about a case; to correct is to say of one item that it is judged wrongly."""

    ASSIGN = "assign"
    RESPOND = "respond"
    NOTE = "note"
    ROUTE = "route"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    MERGE = "merge"
    UNMERGE = "unmerge"
    MOVE_PRIVATE = "move-private"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on the thread that holds its subject.

    ``subject`` is the key of the message it names; ``seen`` are feedback_ids of the messages the person had looked at; ``reply`` is the
    feedback_id of the item that a `respond` makes; ``other`` is the key of a message of the case that is merged, ``undoes`` the merge that
    is taken back. ``intent``, ``conduct`` and ``routes`` are what a correction says, None for what it leaves.
    """

    action_id: str
    verb: Verb
    subject: str
    at: datetime
    actor: str
    key_id: str = ""
    version: int = 0
    seen: frozenset[str] = frozenset()
    assignee: str | None = None
    team: str | None = None
    priority: int | None = None
    text: str | None = None
    reason: str | None = None
    reply: str | None = None
    other: str | None = None
    undoes: str | None = None
    intent: str | None = None
    conduct: str | None = None
    routes: tuple[str, ...] | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """Its place among acts."""
        return (self.at, self.action_id)


def latest(acts: Sequence[Act], *verbs: Verb) -> Act | None:
    """Return the last act with one of the verbs. Shapes: acts in their order."""
    return next((act for act in reversed(acts) if act.verb in verbs), None)


def joined(acts: Iterable[Act]) -> list[tuple[str, str]]:
    """Return the nodes that people's merges tie together, without those that were taken back."""
    known = list(acts)
    undone = {act.undoes for act in known if act.verb is Verb.UNMERGE}
    return [(act.subject, act.other) for act in known if act.verb is Verb.MERGE and act.other is not None and act.action_id not in undone]
