"""The words of identity: identifiers, what was seen of them, what people decided, and what follows.

Owns the value types alone. Must not normalise, decide or read anything.

An *anchor* is an identifier that speaks for itself (an account, a bare handle, a mailbox, a record of a CRM); a
*value* (mail, phone)
only ever appears beside an anchor. A customer is derived, never stored: it is what the evidence joins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

_KIND_ORDER = {kind: rank for rank, kind in enumerate(("account", "handle", "mailbox", "crm_id", "email", "phone"))}
ANCHOR_KINDS = frozenset({"account", "handle", "mailbox", "crm_id"})
VALUE_KINDS = frozenset({"email", "phone"})


class Identifier(NamedTuple):
    """A normalised identifier; a tuple, because the stream hashes and sorts millions of them.

    kind: account (`x:123`), handle (`x:@anna`), mailbox (`mail:mail:<hash>`), crm_id (`crm:0031`), email, phone
    (E.164).
    The value of the first three is the author key itself.
    """

    kind: str
    value: str

    @property
    def is_anchor(self) -> bool:
        """Whether it can stand for a person by itself."""
        return self.kind in ANCHOR_KINDS

    @property
    def namespace(self) -> str:
        """The channel of an account or handle, the system of a CRM id, "" of a value."""
        return self.value.partition(":")[0] if self.kind in ANCHOR_KINDS else ""


Order = tuple[datetime, str, int, Identifier]


def place_of(identifier: Identifier, at: datetime, evidence_id: str) -> Order:
    """Return the place of an identifier among others: by time, then evidence, then kind."""
    return (at, evidence_id, _KIND_ORDER.get(identifier[0], 9), identifier)


class Rule(StrEnum):
    """Why two identifiers belong together."""

    PERSON = "person"  # somebody decided it
    ACCOUNT = "account"  # one item showed the account's id and its handle
    CRM_ID = "crm_id"  # a system we trust names its record
    EMAIL = "email"  # seen with this mail, verified or claimed
    PHONE = "phone"  # seen with this phone, verified or claimed
    LISTED = "listed"  # a record or a profile link lists this account
    SCORED = "scored"  # the weight of all they have in common
    HELD = "held"  # a value nobody else has a better claim to


@dataclass(frozen=True, slots=True)
class Sighting:
    """An anchor was seen by itself: it wrote an item, or its record arrived."""

    identifier: Identifier
    first_at: datetime
    last_at: datetime
    evidence_id: str  # of the first sighting: feedback_id or contact id


@dataclass(frozen=True, slots=True)
class Edge:
    """Anchor `a` was seen with identifier `b`. Several observations fold into one edge: see `evidence.fold_edges`."""

    a: Identifier
    b: Identifier
    rule: Rule
    verified: bool
    source: str
    first_at: datetime
    last_at: datetime
    evidence_id: str  # of the first observation
    last_evidence_id: str = ""  # of the last one, when it is another


@dataclass(frozen=True, slots=True)
class Trait:
    """What an anchor says of itself that never links by itself: a name, a city, a flag (`staff`, `bot`, `brand`)."""

    owner: Identifier
    kind: str
    value: str
    source: str
    first_at: datetime
    last_at: datetime
    evidence_id: str
    verified: bool = False
    last_evidence_id: str = ""


class Verb(StrEnum):
    """What a person may decide about identifiers."""

    SAME = "same"
    NOT_SAME = "not_same"
    LOCK = "lock"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word, bound to identifiers, never to derived ids.

    SAME joins `a` and `b` and takes back earlier NOT_SAME between `left` and `right`; NOT_SAME holds for every pair of
    `left` × `right` and takes back an earlier SAME there; LOCK holds `left` (the customer as it was) together with
    nobody else,
    UNLOCK ends it: both are known by `a`, the anchor the editor chose. Of two decisions on one pair the later by (at,
    decision_id) stands.
    """

    verb: Verb
    a: Identifier
    b: Identifier
    left: frozenset[Identifier]
    right: frozenset[Identifier]
    at: datetime
    decision_id: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceSet:
    """All that is known of one connected component, in any order and with repeats."""

    sightings: tuple[Sighting, ...] = ()
    edges: tuple[Edge, ...] = ()
    traits: tuple[Trait, ...] = ()
    decisions: tuple[Decision, ...] = ()
    hubs: frozenset[Identifier] = frozenset()  # values the store knows to be over their limit; their edges may be left out

    def __add__(self, other: EvidenceSet) -> EvidenceSet:
        """Both together."""
        return EvidenceSet(
            self.sightings + other.sightings,
            self.edges + other.edges,
            self.traits + other.traits,
            self.decisions + other.decisions,
            self.hubs | other.hubs,
        )


@dataclass(frozen=True, slots=True)
class Join:
    """A step by which a customer came about: the answer to "why"."""

    a: Identifier
    b: Identifier
    rule: Rule
    verified: bool
    weight: float  # see `rules.IdentityRules.weights`; bits when scored
    at: datetime
    evidence_id: str
    source: str
    reasons: tuple[str, ...] = ()


class Refusal(StrEnum):
    """Why evidence joined nobody."""

    NOT_SAME = "not_same"  # a person said so
    LOCKED = "locked"
    TWO_ACCOUNTS = "two_accounts"  # two accounts on one channel, and nothing verified says they are one's
    TWO_RECORDS = "two_records"  # different verified ids of one CRM
    TOO_LARGE = "too_large"  # a cap of one customer
    SHARED = "shared"  # the value is on more accounts than its limit
    BLOCKED = "blocked"  # a role mailbox, a throw-away domain, a value that is none
    AUTOMATON = "automaton"  # a bot's or a brand's account
    STAFF = "staff"  # a guess never ties staff to a customer
    OVERSIZE = "oversize"  # the component is too large to be judged edge by edge


@dataclass(frozen=True, slots=True)
class Refused:
    """Evidence that was seen and did not join, with the reason."""

    a: Identifier
    b: Identifier
    rule: Rule
    reason: Refusal
    evidence_id: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two customers that may be one: for a person to say."""

    a: Identifier  # earliest identifier of one customer
    b: Identifier
    weight: float  # bits
    reasons: tuple[str, ...]
    refused: Refusal | None  # the veto that forbade the merge, when the score would have sufficed
    evidence_id: str


@dataclass(frozen=True, slots=True)
class Customer:
    """One person as far as the evidence goes."""

    anchor: Identifier  # the earliest identifier: it gives the customer its id
    lead: Identifier  # the earliest that speaks for itself (or the anchor): people's decisions are bound to it
    identifiers: frozenset[Identifier]
    joins: tuple[Join, ...]  # a spanning tree of the identifiers
    locked: bool = False
    merges: tuple[Decision, ...] = ()  # people's words that stand and hold within this customer, earliest first


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the evidence of one component amounts to; every identifier is in exactly one customer."""

    customers: tuple[Customer, ...]
    refused: tuple[Refused, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    oversize: bool = False
    by_identifier: dict[Identifier, Customer] = field(default_factory=dict, compare=False, repr=False)
