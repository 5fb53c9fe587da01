"""Customers: what deterministic evidence ties together over all channels (README 24, 25).

Owns: merging, customer ids and their aliases, timelines. Must not: guess (names and unverified values never join).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from oracle import ids
from oracle.accounts import Accounts
from oracle.disjoint import Disjoint
from oracle.facts import Contact, Identifier, ItemRevision

RANKS = {kind: rank for rank, kind in enumerate(("account", "handle", "contact", "mail", "phone"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """timeline: feedback_ids, newest first; the times are those of items and absent for a customer of contacts alone."""

    customer_id: UUID
    identifiers: frozenset[Identifier]
    author_keys: frozenset[str]
    roles: frozenset[str]
    name: str | None
    timeline: tuple[UUID, ...]
    contacts: frozenset[UUID]
    first_seen_at: datetime | None
    last_seen_at: datetime | None

    @property
    def feedback_count(self) -> int:
        return len(self.timeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """by_id: every customer; aliases: each id it could ever have been called -> its id now; owner: feedback_id -> customer id."""

    by_id: dict[UUID, Customer]
    aliases: dict[UUID, UUID]
    owner: dict[UUID, UUID]


@dataclass(frozen=True, slots=True)
class _Record:
    """An item or a contact as evidence. identifiers: the leading one first."""

    at: datetime
    record_id: UUID
    identifiers: tuple[Identifier, ...]
    item: ItemRevision | None
    contact: Contact | None


def customer_id(identifier: Identifier) -> UUID:
    """Stands for the keyed id of the product: the id of a customer whose earliest identifier this is."""
    return uuid5(ids.NAMESPACE, ids.SEPARATOR.join(("customer", identifier.kind, identifier.value)))


def fold_customers(present: Iterable[ItemRevision], contacts: Iterable[Contact], accounts: Accounts) -> Customers:
    records = _records(present, contacts, accounts)
    joined: Disjoint[Identifier] = Disjoint()
    for record in records:
        for other in record.identifiers[1:]:
            joined.join(record.identifiers[0], other)
    groups: dict[Identifier, list[_Record]] = {}
    for record in records:
        groups.setdefault(joined.root(record.identifiers[0]), []).append(record)
    by_id: dict[UUID, Customer] = {}
    aliases: dict[UUID, UUID] = {}
    owner: dict[UUID, UUID] = {}
    for group in groups.values():
        customer = _customer(group)
        by_id[customer.customer_id] = customer
        aliases |= {customer_id(identifier): customer.customer_id for identifier in customer.identifiers}
        owner |= dict.fromkeys(customer.timeline, customer.customer_id)
    for handle, account in accounts.shown_by.items():  # a handle that binds to nobody still leads somewhere
        holder = aliases[customer_id(Identifier(kind="account", value=account))]
        aliases.setdefault(customer_id(Identifier(kind="handle", value=handle)), holder)
    return Customers(by_id=by_id, aliases=aliases, owner=owner)


def _records(present: Iterable[ItemRevision], contacts: Iterable[Contact], accounts: Accounts) -> list[_Record]:
    """All evidence, earliest first."""
    records = [
        _Record(item.occurred_at, item.feedback_id, accounts.binding(item), item, None) for item in present if item.content is not None
    ]
    for contact in contacts:
        own = Identifier(kind="contact", value=str(contact.contact_id))
        if not contact.deleted:
            records.append(_Record(contact.updated_at, contact.contact_id, (own, *contact.identifiers), None, contact))
    return sorted(records, key=lambda record: (record.at, record.record_id))


def _customer(group: Sequence[_Record]) -> Customer:
    """Shapes: the records of one customer, earliest first."""
    first = group[0]
    earliest = min(first.identifiers, key=lambda identifier: (RANKS[identifier.kind], identifier.value))
    items = [record.item for record in group if record.item is not None]
    return Customer(
        customer_id=customer_id(earliest),
        identifiers=frozenset(identifier for record in group for identifier in record.identifiers),
        author_keys=frozenset(item.author_key for item in items),
        roles=frozenset(str(item.role) for item in items),
        name=_name(group),
        timeline=tuple(item.feedback_id for item in reversed(items)),
        contacts=frozenset(record.contact.contact_id for record in group if record.contact is not None),
        first_seen_at=items[0].occurred_at if items else None,
        last_seen_at=items[-1].occurred_at if items else None,
    )


def _name(group: Sequence[_Record]) -> str | None:
    """The latest name that is not blank, by (min(occurred_at, received_at), record id)."""
    named = []
    for record in group:
        if record.item is not None and record.item.content is not None:
            at, name = min(record.item.occurred_at, record.item.received_at), record.item.content.author.name
        else:
            at, name = record.at, record.contact.name if record.contact else None
        if name and name.strip():
            named.append((at, record.record_id, name.strip()))
    return max(named)[2] if named else None
