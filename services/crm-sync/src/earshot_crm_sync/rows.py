"""Rows of the store as working copies: what the fold changes in memory while it changes the store.

Owns their shapes. Knows no query. Those that a slice makes or remembers by thousands are structs that the garbage collector need not look
at: nothing in them leads back to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from earshot_crm_sync.domain.profile import Profile
from earshot_crm_sync.domain.statements import Saying, Tally, unpack_saying
from earshot_crm_sync.domain.suggestions import StoredSuggestion
from earshot_crm_sync.identity import Identifier


class StatementRow(msgspec.Struct, gc=False):
    """One statement in the store, as a working copy. ``customer_no`` is who its speaker belongs to.

    What it says stays packed from slice to slice: unpacked it takes four times the room (`pack_up`).
    """

    no: int
    digest: bytes
    links: tuple[int, ...]
    packed: bytes
    author_key: str
    tally: Tally
    customer_no: int | None
    version: int
    unpacked: Saying | None = None

    @property
    def saying(self) -> Saying:
        """What is said, unpacked until `pack_up`."""
        if self.unpacked is None:
            self.unpacked = unpack_saying(self.packed)
        return self.unpacked

    @property
    def is_item(self) -> bool:
        """Whether items say it; else a contact does."""
        return bool(self.author_key)

    def pack_up(self) -> None:
        """Let go of what need not be remembered."""
        self.unpacked = None


class IdentifierRow(msgspec.Struct, gc=False):
    """One identifier in the store, as a working copy."""

    no: int
    alias: str
    identifier: Identifier
    customer_no: int | None = None
    shared: int = 0
    published: bool = False


@dataclass(slots=True)
class CustomerRow:
    """One customer in the store, as a working copy."""

    no: int
    statements: tuple[int, ...]
    profile: Profile
    version: int


class Held(msgspec.Struct, gc=False):
    """A customer with all statements that speak of him."""

    no: int
    profile: Profile
    spoken: dict[int, StatementRow]
    version: int
    feedback_count: int

    @property
    def links(self) -> set[int]:
        """The numbers of all identifiers that are said of the customer."""
        return {link for row in self.spoken.values() for link in row.links}

    @property
    def speaker(self) -> Identifier:
        """An identifier that is the customer's for certain: one that speaks of him."""
        return next(iter(self.spoken.values())).saying.anchor

    def count_feedback(self) -> None:
        """Work out ``feedback_count`` from the statements anew."""
        self.feedback_count = sum(row.tally.count for row in self.spoken.values() if row.is_item)


def held_of(customer: CustomerRow, rows: Iterable[StatementRow]) -> Held:
    """Return a customer row with the statements that speak of him."""
    held = Held(customer.no, customer.profile, {row.no: row for row in rows}, customer.version, 0)
    held.version = max([customer.version, *(row.version for row in held.spoken.values())])
    held.count_feedback()
    return held


@dataclass(slots=True)
class Totals:
    """The exact counts, and the next numbers to give."""

    feedback: int
    customers: int
    identifiers: int
    contacts: int
    next_identifier: int
    next_statement: int


class ActivityRow(NamedTuple):
    """What the store knows of an item: by what it was decided, whom it speaks of."""

    version: int
    statement_no: int | None
    occurred_at: datetime
    heard_at: datetime


class NewActivity(NamedTuple):
    """One item to write, in the order of the columns."""

    feedback_id: str
    version: int
    statement_no: int | None
    occurred_at: datetime
    heard_at: datetime | None
    entry: bytes


@dataclass(slots=True)
class ContactRow:
    """One record of another system, newest revision."""

    contact_id: str
    connector: str
    record_id: str
    revision: int
    statement_no: int | None
    updated_at: datetime
    record: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """The newest revision we ever gave a record, and by what its content is known again."""

    contact_id: str
    revision: int
    updated_at: datetime
    digest: bytes


@dataclass(slots=True)
class SuggestionRow:
    """Two customers that may be one, by their earliest identifiers."""

    a: int
    b: int
    weight: float
    packed: bytes = field(repr=False)


@dataclass(slots=True)
class FoundSuggestion:
    """A stored suggestion: two identifiers by number, and why."""

    suggestion_id: str
    a: int
    b: int
    why: StoredSuggestion


class ActLine(msgspec.Struct, gc=False):
    """One thing a person did, under which key."""

    action_id: str
    version: int
    verb: str
    actor: str
    at: datetime
    key_id: str


class MoveLine(msgspec.Struct, gc=False):
    """One id that led elsewhere (None: nowhere) from then on, and why."""

    customer_id: str
    into_id: str | None
    version: int
    cause: str
    at: datetime
