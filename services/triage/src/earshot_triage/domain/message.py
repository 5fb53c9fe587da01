"""A message: what threads and cases need to know of one item.

Owns the shape that is kept beside every item. Must not know texts, topics or tables.
"""

from datetime import datetime
from enum import IntEnum

import msgspec

Order = tuple[datetime, str]
"""The one order of messages, (occurred_at, feedback_id): "later" means greater in it, to the microsecond."""


class Role(IntEnum):
    """Who speaks in one item, as far as its source may say so."""

    CUSTOMER = 0
    BRAND = 1
    STAFF = 2


class Stance(IntEnum):
    """Whether a message is answered, watched or left alone; the strongest of its customers' messages is the case's."""

    LEAVE = 0
    WATCH = 1
    RESPOND = 2


STANCE_WORDS = ("leave", "watch", "respond")
"""The stances as topics spell them, by number: an enum's `name` costs a function call each time."""
ROLE_WORDS = ("customer", "brand", "staff")


class Message(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """One revision of one item, without its words. A msgspec struct, since a slice makes thousands and each is kept packed.

    ``key`` is the id of the case that the item alone would be: a function of feedback_id, and the name under which its row is kept.
    ``parents`` are the keys of the items it replies to, ``talks`` the nodes of its conversations.
    """

    key: str
    feedback_id: str
    revision: int
    occurred_at: datetime
    role: Role
    channel: str
    author_key: str
    brand: str | None = None
    intent: str = "unknown"
    severity: int = 1
    stance: Stance = Stance.LEAVE
    routes: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    talks: tuple[str, ...] = ()
    withdrawn: bool = False
    erased: bool = False
    backfill: bool = False

    @property
    def links(self) -> tuple[str, ...]:
        """The nodes it joins; nothing when it was withdrawn."""
        return () if self.withdrawn else self.parents + self.talks

    @property
    def order(self) -> Order:
        """Its place among messages."""
        return (self.occurred_at, self.feedback_id)

    @property
    def team(self) -> str | None:
        """The first of its routes: whose case it opens."""
        return self.routes[0] if self.routes else None
