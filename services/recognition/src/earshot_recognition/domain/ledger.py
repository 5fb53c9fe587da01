"""The ledger as a function of the items: an entry exists while its ground holds.

Owns which item earns what, for whom. Knows neither database nor clock; the same set of items gives the same entries in any order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from earshot_recognition.domain.accounts import Accounts
from earshot_shared import ids

RULE_ITEM = "item"
RULE_HELP = "help"
BOARD_ACTIVE = "active"
BOARD_HELPFUL = "helpful"


class Contribution(NamedTuple):
    """What the ledger needs of one item, as its newest version stands. A tuple, because a slice makes thousands of them.

    ``author_key`` is the account as this item alone shows it; ``handle_key`` the key its handle would give when it shows an id too.
    ``present`` is false for withdrawn and erased items: they are ground for nothing.
    """

    version: int
    feedback_id: UUID
    author_key: str
    occurred_at: datetime
    handle_key: str | None = None
    present: bool = True
    staff: bool = False
    brand: bool = False
    question: bool = False
    kind: str = "post"
    parents: tuple[UUID, ...] = ()
    name: str | None = None
    named_at: datetime | None = None
    followers: int | None = None

    @property
    def said(self) -> tuple[object, ...]:
        """Everything but the version: newer versions often only say that an item is in another case now."""
        return self[1:]

    @property
    def shown(self) -> tuple[object, ...]:
        """What the item shows of its author: all that accounts are made from."""
        return (self.author_key, self.handle_key, self.present, self.staff, self.brand, self.name, self.named_at, self.followers)


class Entry(NamedTuple):
    """One line of the ledger; (member, rule, cause, beneficiary) is unique. ``beneficiary`` is empty where nobody else gains."""

    cause: UUID
    rule: str
    member: str
    beneficiary: str
    board: str
    points: int
    occurred_at: datetime

    @property
    def entry_id(self) -> str:
        """The id of the entry: a function of what makes it unique."""
        name = ids.UNIT_SEPARATOR.join((self.rule, self.member, self.beneficiary))
        return ids.uuid5_text(self.cause.bytes, name)


class Help(NamedTuple):
    """An entry of rule ``help``: ``member`` helped ``beneficiary`` by the item ``cause``."""

    cause: UUID
    beneficiary: str
    member: str
    points: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What each kind of item and each person helped is worth."""

    item: Mapping[str, int]
    item_default: int
    help: int


def earner_of(item: Contribution, accounts: Accounts) -> str | None:
    """Return the member whom ``item`` earns points; None when it earns none: it is gone, or of staff or a brand."""
    if not item.present:
        return None
    member = accounts.owner(item.author_key)
    return None if accounts.excluded(member) else member


def worth_of(item: Contribution, points: Points) -> int:
    """Return what an item is worth by itself."""
    return points.item.get(item.kind, points.item_default)


def helps_of(item: Contribution, member: str, parents: Iterable[Contribution], accounts: Accounts, points: Points) -> set[Help]:
    """Return what ``item`` earns ``member`` by helping: one entry per person.

    ``parents`` are the items it replies to, as far as they are known. Helping staff or a brand earns nothing; nor does answering oneself,
    or what is not a question.
    """
    helped = {accounts.owner(parent.author_key) for parent in parents if parent.present and parent.question}
    return {
        Help(item.feedback_id, person, member, points.help, item.occurred_at)
        for person in helped
        if person != member and not accounts.excluded(person)
    }
