"""Accounts: what author keys show, which handle is whose, and who stands apart as staff or brand.

Owns those three rules over what has been loaded. Knows no database; whoever fills it sees to it that what is asked about is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before any item: those begin in 1990
_NOBODY: Final = UUID(int=0)
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class Account:
    """What the present items of an author key show, and what the account has earned. ``version`` 0: not stored yet."""

    author_key: str
    staff: bool = False
    brand: bool = False
    followers: int = 0
    name: str = ""
    named_at: datetime = _NEVER
    named_by: UUID = _NOBODY
    entries: int = 0
    helped: int = 0
    active: int = 0
    helpful: int = 0
    version: int = 0

    @property
    def is_member(self) -> bool:
        """Whether it has anything in the ledger."""
        return self.entries > 0 or self.helped > 0

    def show(
        self, *, staff: bool, brand: bool, followers: int | None, name: str | None, named_at: datetime | None, feedback_id: UUID
    ) -> None:
        """Take in what one present item shows of its author."""
        if staff:
            self.staff = True
        if brand:
            self.brand = True
        if followers and followers > self.followers:
            self.followers = followers
        if name and named_at and (named_at, feedback_id) > (self.named_at, self.named_by):
            self.name, self.named_at, self.named_by = name, named_at, feedback_id

    def blank(self) -> None:
        """Forget what items show; the sums stay."""
        self.staff = self.brand = False
        self.followers, self.name, self.named_at, self.named_by = 0, "", _NEVER, _NOBODY


def may_be_handle(key: str) -> bool:
    """Say whether an author key has the form of a handle's (``channel:@…``). An account id may look the same."""
    return key.partition(":")[2].startswith("@")


class Accounts:
    """Accounts and handles by key. A handle that present items show with exactly one account is that account's name."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.accounts_of: dict[str, set[str]] = {}  # by handle
        self.handles_of: dict[str, set[str]] = {}  # by account

    def pair(self, handle: str, account: str) -> None:
        """Note that some present item shows both."""
        self.accounts_of.setdefault(handle, set()).add(account)
        self.handles_of.setdefault(account, set()).add(handle)

    def part(self, handle: str, account: str) -> None:
        """Note that no present item shows both any more."""
        self.accounts_of.get(handle, set()).discard(account)
        self.handles_of.get(account, set()).discard(handle)

    def bound_to(self, handle: str) -> str | None:
        """Return the account that a handle leads to, if there is exactly one."""
        accounts = self.accounts_of.get(handle)
        return next(iter(accounts)) if accounts and len(accounts) == 1 else None

    def owner(self, key: str) -> str:
        """Return the account that items of this author key belong to."""
        return self.bound_to(key) or key

    def names_of(self, account: str) -> Iterator[str]:
        """Yield the handles that lead to this account alone."""
        return (handle for handle in self.handles_of.get(account, _NONE) if len(self.accounts_of[handle]) == 1)

    def whole(self, account: Account) -> Account:
        """Return an account with what items under its handles show of it too: the most followers, and the name given last."""
        named = [found for handle in self.names_of(account.author_key) if (found := self.accounts.get(handle)) is not None]
        if not named:
            return account
        latest = max(account, *named, key=lambda each: (each.named_at, each.named_by))
        return replace(account, followers=max(each.followers for each in (account, *named)), name=latest.name)

    def find(self, key: str) -> Account | None:
        """Return the whole account that an author key leads to; None for nobody."""
        account = self.accounts.get(self.owner(key))
        return None if account is None else self.whole(account)

    def excluded(self, owner: str) -> bool:
        """Say whether an account is staff's or a brand's: any present item of it, or of a handle that leads to it, says so."""
        account = self.accounts.get(owner)
        if account is not None and (account.staff or account.brand):
            return True
        for handle in self.handles_of.get(owner, _NONE):  # a loop and no generator: this is asked three times an item
            named = self.accounts.get(handle)
            if named is not None and (named.staff or named.brand) and len(self.accounts_of[handle]) == 1:
                return True
        return False

    def account(self, key: str) -> Account:
        """Return the account of a key, new when there is none."""
        found = self.accounts.get(key)
        if found is None:
            found = self.accounts[key] = Account(key)
        return found
