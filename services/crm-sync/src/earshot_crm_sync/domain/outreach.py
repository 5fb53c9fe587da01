"""May this account be written to, for this purpose: the decision, and by which rule.

Owns what holds where nobody said anything, and the reasons. What consents amount to is the engine's (`identity.consents`). Pure.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from earshot_crm_sync.domain.statements import Saying, shown_by
from earshot_crm_sync.identity import EVERY, Consent, ConsentStatus, Identifier, Rule, standing_consents, strictest


class Reason(StrEnum):
    """Why an outreach is allowed (the first two) or refused."""

    OPTED_IN = "opted-in"
    NOT_OPTED_OUT = "not-opted-out"
    OPTED_OUT = "opted-out"
    NO_OPT_IN = "no-opt-in"
    UNKNOWN = "unknown-author"
    SHARED = "shared-account"  # more than one account has this handle: who would be written to is not sure
    ERASED = "erased"
    TOO_LATE = "too-late"


ALLOWS = frozenset({Reason.OPTED_IN, Reason.NOT_OPTED_OUT})


class Unasked(StrEnum):
    """What holds for a purpose where the customer said nothing."""

    OPT_IN = "opt_in"  # refused
    OPT_OUT = "opt_out"  # allowed


@dataclass(frozen=True, slots=True)
class OutreachRules:
    """One version of the rules. ``valid_for``: how long after the request a decision may be taken, and what is allowed be sent."""

    default: Unasked = Unasked.OPT_IN
    purposes: Mapping[str, Unasked] = field(default_factory=dict)
    valid_for: timedelta = timedelta(hours=72)

    def unasked(self, purpose: str) -> Unasked:
        """Return what holds for a purpose where nothing was said."""
        return self.purposes.get(purpose, self.default)

    @property
    def version(self) -> str:
        """The first 12 hex digits of the content's hash."""
        plain = [self.default, sorted(self.purposes.items()), self.valid_for.total_seconds()]
        return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A wish to write to somebody. ``author`` is the alias of the identifier that the author key names."""

    outreach_id: str
    author: str
    purpose: str
    template: str
    brand: str | None
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom an outreach would reach: all names of the account, the customer's identifiers, and what he said about any of them."""

    names: frozenset[Identifier]
    members: frozenset[Identifier]
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided; ``consents`` are the ids of the words on record that spoke on it."""

    reason: Reason
    consents: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it may be sent."""
        return self.reason in ALLOWS


def decide_outreach(ask: Ask, whom: Reached | Reason, rules: OutreachRules, now: datetime) -> Verdict:
    """Return the decision on a wish; ``whom`` is a reason where it would reach nobody for sure.

    The strictest word of the whole customer stands; a grant speaks for its own account alone. A wish for no brand in particular is refused
    by a denial for any brand, and allowed by a grant for every brand only.
    """
    if now > ask.requested_at + rules.valid_for:
        return Verdict(Reason.TOO_LATE)
    if isinstance(whom, Reason):
        return Verdict(whom)
    spoke = tuple(sorted({one.consent_id for one in _about(ask, whom)}))
    match _status(ask, whom):
        case ConsentStatus.DENIED:
            return Verdict(Reason.OPTED_OUT, spoke)
        case ConsentStatus.GRANTED:
            return Verdict(Reason.OPTED_IN, spoke)
        case _:
            return Verdict(Reason.NOT_OPTED_OUT if rules.unasked(ask.purpose) is Unasked.OPT_OUT else Reason.NO_OPT_IN, spoke)


def _about(ask: Ask, whom: Reached) -> list[Consent]:
    return [
        one
        for one in standing_consents(whom.consents)
        if one.identifier in whom.members
        and one.purpose in (ask.purpose, EVERY)
        and (one.brand in (ask.brand, EVERY) or (ask.brand is None and not one.granted))
    ]


def _status(ask: Ask, whom: Reached) -> ConsentStatus:
    consents, members = whom.consents, whom.members
    brands = {EVERY, *(one.brand for one in consents)} if ask.brand is None else {ask.brand}
    if any(strictest(consents, members, purpose=ask.purpose, brand=brand) is ConsentStatus.DENIED for brand in brands):
        return ConsentStatus.DENIED
    granted = {
        strictest(consents, members, purpose=ask.purpose, brand=EVERY if ask.brand is None else ask.brand, identifier=name)
        for name in whom.names
    }
    return ConsentStatus.GRANTED if ConsentStatus.GRANTED in granted else ConsentStatus.UNKNOWN


def names_of(account: Identifier, sayings: Iterable[Saying]) -> frozenset[Identifier]:
    """Return all names of one account among what is said of its customer: its id, its handles; of a mailbox, its address."""
    names = {account}
    for saying in sayings:
        own = {saying.anchor, *(link.identifier for link in saying.links if link.rule is Rule.ACCOUNT)}
        if account in own:
            names |= own
        if saying.anchor == account and account.kind == "mailbox":
            names |= {link.identifier for link in saying.links if link.kind == "email"}
    return frozenset(names)


def numbered(saying: Saying, links: Sequence[int]) -> dict[int, Identifier]:
    """Return the identifiers of a statement by their numbers in the store: the speaker's own first, each once."""
    return dict(zip(links, shown_by(saying), strict=True))


def only(known: Mapping[int, Identifier], members: Collection[Identifier]) -> dict[int, Identifier]:
    """Return those that are the customer's own."""
    return {number: each for number, each in known.items() if each in members}
