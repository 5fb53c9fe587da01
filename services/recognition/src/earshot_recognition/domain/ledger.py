"""The ledger as a function of the items: an entry exists while its ground holds.

Owns which item earns what, for whom. Knows neither database nor clock; the same set of items gives the same entries in any order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from earshot_shared import ids

RULE_ITEM = "item"
RULE_HELP = "help"
BOARD_ACTIVE = "active"
BOARD_HELPFUL = "helpful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What the ledger needs of one item, as its newest version stands.

    ``author_key`` is the account as this item alone shows it; ``handle_key`` the key its handle would give when it shows an id too.
    ``present`` is false for withdrawn and erased items: they are ground for nothing.
    """

    feedback_id: UUID
    version: int
    author_key: str
    handle_key: str | None = None
    present: bool = True
    staff: bool = False
    brand: bool = False
    question: bool = False
    kind: str = "post"
    occurred_at: datetime
    parents: tuple[UUID, ...] = ()
    name: str | None = None
    named_at: datetime | None = None
    followers: int | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What each kind of item and each person helped is worth."""

    item: Mapping[str, int]
    item_default: int
    help: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who owns what: handles that lead to exactly one account, and the accounts that are staff's or a brand's."""

    bindings: Mapping[str, str]
    excluded: frozenset[str]

    def owner(self, author_key: str) -> str:
        """Return the account that an item of ``author_key`` belongs to."""
        return self.bindings.get(author_key, author_key)


def entries_of(item: Contribution, parents: Iterable[Contribution], accounts: Accounts, points: Points) -> list[Entry]:
    """Return what ``item`` earns: one entry for itself and one per person helped.

    ``parents`` are the items it replies to, as far as they are known. An item of staff or a brand earns nothing, and helping them earns
    nothing; nor does answering oneself, or what is not a question.
    """
    member = accounts.owner(item.author_key)
    if not item.present or member in accounts.excluded:
        return []
    worth = points.item.get(item.kind, points.item_default)
    entries = [Entry(item.feedback_id, RULE_ITEM, member, "", BOARD_ACTIVE, worth, item.occurred_at)]
    helped = {accounts.owner(parent.author_key) for parent in parents if parent.present and parent.question}
    entries += [
        Entry(item.feedback_id, RULE_HELP, member, person, BOARD_HELPFUL, points.help, item.occurred_at)
        for person in sorted(helped - {member} - accounts.excluded)
    ]
    return entries
