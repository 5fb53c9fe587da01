"""Facts: item revisions, actions, contacts, erasures, and what is left of a set of them once some supersede others.

Owns: the shapes of facts, highest revision wins, erasure. Must not: know any view.
Each record here is already what a topic carries: ingest has checked the claims of its source (README 3).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from oracle import ids

REPLY_SOURCE = "earshot"  # contract §4: the source of the items that `respond` makes


class Role(StrEnum):
    """Who speaks in one item, as far as its source may say so."""

    CUSTOMER = "customer"
    BRAND = "brand"
    STAFF = "staff"


class Verb(StrEnum):
    ASSIGN = "assign"
    RESPOND = "respond"
    NOTE = "note"
    ROUTE = "route"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author as one item shows it; at least one of account_id, handle and mail is given."""

    account_id: str | None = None
    handle: str | None = None
    name: str | None = None
    mail: str | None = None
    mail_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What erasure takes away from an item."""

    source: str
    external_id: str
    kind: str
    author: Author
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRevision:
    """One revision of one item, whole. `content` is None in the skeleton that an erasure leaves.

    replies_to and conversations are nodes of the graph of threads: feedback_ids and `ids.conversation_node`s.
    """

    feedback_id: UUID
    revision: int
    occurred_at: datetime
    received_at: datetime
    channel: str
    brand: str | None
    role: Role
    replies_to: frozenset[UUID]
    conversations: frozenset[UUID]
    content: Content | None
    withdrawn: bool = False

    @property
    def order(self) -> tuple[datetime, UUID]:
        """The one order of messages: "later" means greater here (contract §10)."""
        return (self.occurred_at, self.feedback_id)

    @property
    def author_key(self) -> str:
        """The key of the author as this item alone shows it; `erased` in a skeleton."""
        if self.content is None:
            return "erased"
        author = self.content.author
        if author.account_id is not None:
            return ids.account_key(self.channel, author.account_id)
        if author.handle is not None:
            return ids.handle_key(self.channel, author.handle)
        assert author.mail is not None, "an author with neither id, handle nor mail is refused at the door"
        return ids.mail_key(self.channel, author.mail)

    def skeleton(self) -> "ItemRevision":
        """What an erasure leaves of this item, as the next revision."""
        return self if self.content is None else replace(self, revision=self.revision + 1, content=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a person did. It names feedback_ids, never a derived id.

    subject: the feedback_id that opened the case the person looked at (README 13).
    seen: the feedback_ids of all messages that the version the person looked at had (respond, resolve).
    """

    action_id: UUID
    verb: Verb
    subject: UUID
    at: datetime
    actor: str = "somebody"
    seen: frozenset[UUID] = frozenset()
    assignee: str | None = None
    team: str | None = None
    priority: int | None = None
    text: str | None = None
    channel: str = ""
    brand: str | None = None

    @property
    def order(self) -> tuple[datetime, UUID]:
        return (self.at, self.action_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A value that ties records to one customer. kind: account, handle, mail or phone."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A record of another system. Only identifiers that system vouches for are listed."""

    connector: str
    record_id: str
    revision: int
    updated_at: datetime
    identifiers: frozenset[Identifier]
    name: str | None = None
    deleted: bool = False

    @property
    def contact_id(self) -> UUID:
        return ids.feedback_id(self.connector, self.record_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A person's wish to be forgotten: keyed hashes of the identifiers known to be theirs at that moment."""

    erasure_id: UUID
    hashes: frozenset[str]


Fact = ItemRevision | Action | Contact | Erasure
Revised = TypeVar("Revised", ItemRevision, Contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A set of facts with everything superseded gone: one record an item, action and contact."""

    items: dict[UUID, ItemRevision]
    actions: dict[UUID, Action]
    contacts: dict[UUID, Contact]
    erasures: dict[UUID, Erasure]

    @property
    def present(self) -> list[ItemRevision]:
        """Items that were not withdrawn, in the order of messages."""
        return sorted((item for item in self.items.values() if not item.withdrawn), key=lambda item: item.order)


def standing(facts: Iterable[Fact]) -> Standing:
    """Fold any sequence of facts, with repeats and in any order, to what stands.

    Raises: ValueError when two facts of one identity and revision differ (ingest lets only the first in).
    """
    items: dict[UUID, ItemRevision] = {}
    actions: dict[UUID, Action] = {}
    contacts: dict[UUID, Contact] = {}
    erasures: dict[UUID, Erasure] = {}
    for fact in facts:
        match fact:
            case ItemRevision():
                _keep_highest(items, fact.feedback_id, fact)
            case Action():
                _keep_action(actions, fact)
            case Contact():
                _keep_highest(contacts, fact.contact_id, fact)
            case Erasure():
                _keep_erasure(erasures, fact)
    for action in actions.values():
        if action.verb is Verb.RESPOND:
            reply = reply_item(action)
            items.setdefault(reply.feedback_id, reply)
    return _erased(Standing(items=items, actions=actions, contacts=contacts, erasures=erasures))


def reply_item(action: Action) -> ItemRevision:
    """The item that a `respond` action makes; ingest's copy of it is the same first revision."""
    fid = ids.feedback_id(REPLY_SOURCE, str(action.action_id))
    author = Author(account_id=f"{REPLY_SOURCE}:{action.brand or ''}")
    return ItemRevision(
        feedback_id=fid,
        revision=1,
        occurred_at=action.at,
        received_at=action.at,
        channel=action.channel,
        brand=action.brand,
        role=Role.BRAND,
        replies_to=frozenset({action.subject}),
        conversations=frozenset(),
        content=Content(source=REPLY_SOURCE, external_id=str(action.action_id), kind="reply", author=author, text=action.text or ""),
    )


def shown_identifiers(item: ItemRevision) -> tuple[Identifier, ...]:
    """The identifiers an item vouches for, the leading one first: account id, handle, verified mail, verified phone.

    A mail that is all an author has is his account on that channel, verified or not.
    """
    if item.content is None:
        return ()
    author, shown = item.content.author, []
    if author.account_id is not None:
        shown.append(Identifier(kind="account", value=ids.account_key(item.channel, author.account_id)))
    if author.handle is not None:
        shown.append(Identifier(kind="handle", value=ids.handle_key(item.channel, author.handle)))
    if not shown:
        shown.append(Identifier(kind="account", value=item.author_key))
    if author.mail is not None and author.mail_verified:
        shown.append(Identifier(kind="mail", value=ids.mail_name(author.mail)))
    if author.phone is not None and author.phone_verified:
        shown.append(Identifier(kind="phone", value=author.phone))
    return tuple(shown)


def erasure_hash(identifier: Identifier) -> str:
    return ids.hashed(f"{identifier.kind}{ids.SEPARATOR}{identifier.value}")


def _erased(facts: Standing) -> Standing:
    """Put skeletons for the items, and nothing for the contacts and notes, of those who asked to be forgotten."""
    hashes = frozenset[str]().union(*(erasure.hashes for erasure in facts.erasures.values()))

    def struck(identifiers: Iterable[Identifier]) -> bool:
        return any(erasure_hash(identifier) in hashes for identifier in identifiers)

    items = {fid: item.skeleton() if struck(shown_identifiers(item)) else item for fid, item in facts.items.items()}
    gone = {fid for fid, item in items.items() if item.content is None}
    actions = {
        key: replace(action, text=None) if action.verb is Verb.NOTE and action.subject in gone else action
        for key, action in facts.actions.items()
    }
    contacts = {key: contact for key, contact in facts.contacts.items() if not struck(contact.identifiers)}
    return Standing(items=items, actions=actions, contacts=contacts, erasures=facts.erasures)


def _keep_highest(kept: dict[UUID, Revised], key: UUID, record: Revised) -> None:
    known = kept.get(key)
    if known is None or record.revision > known.revision:
        kept[key] = record
    elif record.revision == known.revision and record != known:
        raise ValueError(f"two different records claim revision {record.revision} of {key}")


def _keep_action(kept: dict[UUID, Action], action: Action) -> None:
    """An action is the same for ever, but for a text that an erasure took away: then that stands."""
    known = kept.setdefault(action.action_id, action)
    if known != action:
        if replace(known, text=None) != replace(action, text=None) or None not in (known.text, action.text):
            raise ValueError(f"two different actions claim the id {action.action_id}")
        kept[action.action_id] = replace(action, text=None)


def _keep_erasure(kept: dict[UUID, Erasure], erasure: Erasure) -> None:
    if kept.setdefault(erasure.erasure_id, erasure) != erasure:
        raise ValueError(f"two different erasures claim the id {erasure.erasure_id}")
