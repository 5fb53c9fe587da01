"""The working set of one transaction: what was loaded, what changed, what must still be looked at.

Owns nothing but the shapes that the steps of a fold share: ``meeting`` (statements and identifiers get their rows), ``counting`` (records
and tallies), ``judging`` (who the customers are), ``profiles`` (how they look), ``deciding`` (who may be written to),
``erasing`` (what is to be forgotten).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from earshot_crm_sync.cache import Cache
from earshot_crm_sync.domain.outreach import OutreachRules
from earshot_crm_sync.domain.profile import StandingView
from earshot_crm_sync.domain.statements import Statement
from earshot_crm_sync.domain.words import Act, StoredConsent, StoredEdit
from earshot_crm_sync.identity import Identifier, IdentityRules, SurvivorshipRules
from earshot_crm_sync.rows import Held, IdentifierRow, StatementRow, Totals
from earshot_shared.outreach import OutreachDecided, OutreachRequested


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of all rules that a fold follows."""

    identity: IdentityRules = field(default_factory=IdentityRules)
    survivorship: SurvivorshipRules = field(default_factory=SurvivorshipRules)
    outreach: OutreachRules = field(default_factory=OutreachRules)


class Told(msgspec.Struct, gc=False):
    """One record: what it says of whom (None: of nobody), and when. ``revision`` orders what is told of one record."""

    record_id: str
    revision: int
    statement: Statement | None
    occurred_at: datetime
    heard_at: datetime
    kept: bytes  # items: the timeline's entry; contacts: the record
    connector: str = ""  # contacts only
    external_id: str = ""  # contacts only


@dataclass(slots=True)
class Said:
    """A person's decision as the topic has it: identifiers by their aliases."""

    action_id: str
    verb: str
    a: str
    b: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """A wish to be forgotten: identifiers by their aliases, up to a time."""

    erasure_id: str
    aliases: tuple[str, ...]
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish to write to somebody as the topic has it, and when it was made."""

    body: OutreachRequested
    at: datetime


@dataclass(slots=True)
class Slice:
    """Everything that one transaction applies; of each record the newest."""

    items: dict[str, Told] = field(default_factory=dict)
    contacts: dict[str, Told] = field(default_factory=dict)
    standings: dict[str, tuple[int, StandingView]] = field(default_factory=dict)
    erasures: list[Erasure] = field(default_factory=list)
    outreach: dict[str, Asked] = field(default_factory=dict)
    receipts: list[tuple[str, str, bytes]] = field(default_factory=list)  # erasure, service, counts as JSON
    acts: list[Act] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    edits: list[tuple[str, StoredEdit]] = field(default_factory=list)  # by alias of the identifier
    consents: list[tuple[str, StoredConsent]] = field(default_factory=list)


@dataclass(slots=True)
class Desk:
    """One transaction's working set. ``cache`` is changed as the store is: drop it when the transaction fails."""

    conn: Any
    version: int
    cache: Cache
    rules: Rules
    key: bytes
    now: datetime

    identifiers: dict[Identifier, IdentifierRow] = field(default_factory=dict)
    by_alias: dict[str, IdentifierRow] = field(default_factory=dict)
    fresh: set[Identifier] = field(default_factory=set)  # identifiers the store does not know yet
    new: dict[int, tuple[StatementRow, tuple[Identifier, ...]]] = field(default_factory=dict)  # with all they show

    judged: list[StatementRow] = field(default_factory=list)  # statements that judgement looked at
    duplicates: int = 0  # records that were known already
    touched: dict[int, StatementRow] = field(default_factory=dict)  # known statements whose tally changed
    moved_first: set[int] = field(default_factory=set)  # of these, the first time too
    seeds: set[int] = field(default_factory=set)  # identifiers whose components must be judged anew
    loosened: set[int] = field(default_factory=set)  # identifiers from which evidence was taken: what they share may bind again
    released: set[int] = field(default_factory=set)  # of these and around them, what may bind again: it was marked as shared until now
    rebuild: set[int] = field(default_factory=set)  # customers whose profile may change
    heard: dict[int, dict[int, StatementRow]] = field(default_factory=dict)  # customers by number: what was said later than all before
    promoted: set[int] = field(default_factory=set)  # customers of whom a standing changed, or whence a value is: the same words find them

    founded: dict[int, Held] = field(default_factory=dict)  # customers that nothing known could touch
    reshaped: dict[int, Held] = field(default_factory=dict)  # customers whose row changes
    gone: set[int] = field(default_factory=set)
    changed: dict[int, Held] = field(default_factory=dict)
    moved: dict[str, str | None] = field(default_factory=dict)  # ids that lead elsewhere now, or nowhere
    grounds: dict[str, str] = field(default_factory=dict)  # of these, by which rules evidence ties them to where they lead

    erased: dict[str, set[int]] = field(default_factory=dict)  # erasure -> identifiers
    receipts: dict[str, dict[str, int]] = field(default_factory=dict)  # erasure -> what was erased here
    decided: list[OutreachDecided] = field(default_factory=list)
    forgotten_contacts: set[str] = field(default_factory=set)
    forgotten_acts: set[str] = field(default_factory=set)

    @property
    def totals(self) -> Totals:
        """The counts as they will be."""
        assert self.cache.totals is not None
        return self.cache.totals

    def held_of(self, row: StatementRow) -> Held | None:
        """Return the customer that a statement speaks of."""
        return None if row.customer_no is None else self.cache.customers[row.customer_no]
