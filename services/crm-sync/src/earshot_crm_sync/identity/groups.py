"""Groups that grow by joins, and the vetoes between them.

Owns the disjoint sets and what each group must remember to answer "may these two join?" quickly. Must not choose the
order of joins.
"""

from __future__ import annotations

from collections.abc import Iterable

from .decisions import Standing, by_lock
from .model import Identifier, Refusal
from .rules import IdentityRules


class _Group:
    __slots__ = ("accounts", "anchors", "locks", "members", "records", "staff", "words")

    def __init__(self, identifier: Identifier) -> None:
        self.members = [identifier]
        self.accounts: dict[str, set[Identifier]] = {}  # by channel: what would be a second account there
        self.records: dict[str, set[Identifier]] = {}  # by CRM: verified ids
        self.words: set[int] = set()
        self.locks: set[Identifier] = set()
        self.anchors: list[Identifier] = []  # those that were seen by themselves
        self.staff = 0  # 0 unknown, 1 customer, 2 staff, 3 both


class Groups:
    """The identifiers of one component, each first alone."""

    def __init__(
        self,
        identifiers: Iterable[Identifier],
        *,
        rules: IdentityRules,
        standing: Standing,
        account_of: dict[Identifier, Identifier],
        verified_records: frozenset[Identifier],
        staff: frozenset[Identifier],
        seen: frozenset[Identifier],
    ) -> None:
        """`account_of` maps a handle to the account it is a name of; such handles are no accounts of their own."""
        self._rules = rules
        self._standing = standing
        self._locks = by_lock(standing.locks)
        self._group: dict[Identifier, _Group] = {}
        for identifier in identifiers:
            group = self._group[identifier] = _Group(identifier)
            group.words.update(standing.words_on(identifier))
            group.locks.update(lock.a for lock in self._locks.get(identifier, ()))
            if identifier.kind in ("account", "handle") and identifier not in account_of:
                group.accounts[identifier.namespace] = {identifier}
            if identifier in verified_records:
                group.records[identifier.namespace] = {identifier}
            if identifier in seen:
                group.anchors.append(identifier)
                group.staff = 2 if identifier in staff else 1

    def together(self, a: Identifier, b: Identifier) -> bool:
        """Whether the two are joined already."""
        return self._group[a] is self._group[b]

    def members(self, identifier: Identifier) -> list[Identifier]:
        """Return everybody in the identifier's group; not to be changed."""
        return self._group[identifier].members

    def all(self) -> list[list[Identifier]]:
        """Return every group once."""
        return [group.members for group in {id(group): group for group in self._group.values()}.values()]

    def is_locked(self, identifier: Identifier) -> bool:
        """Whether a lock holds the group."""
        return bool(self._group[identifier].locks)

    def veto(self, a: Identifier, b: Identifier, *, verified: bool, person: bool, same_account: bool = False) -> Refusal | None:
        """Return what forbids to join the groups of `a` and `b`, or None.

        `verified` and `person` say what kind of evidence asks; `same_account` that it is an account and its own handle.
        """
        left, right = self._group[a], self._group[b]
        if left is right:
            return None
        if (
            left.words
            and right.words
            and any(self._standing.keeps_apart(word, left.members, right.members) for word in left.words & right.words)
        ):
            return Refusal.NOT_SAME
        if len(left.members) + len(right.members) > self._rules.max_identifiers:
            return Refusal.TOO_LARGE
        if _count(left) + _count(right) > self._rules.max_accounts:
            return Refusal.TOO_LARGE
        if person:
            return None
        if self._is_held(left, right) or self._is_held(right, left):
            return Refusal.LOCKED
        if _two(left.records, right.records):
            return Refusal.TWO_RECORDS
        if verified or same_account:
            return None
        if _two(left.accounts, right.accounts):
            return Refusal.TWO_ACCOUNTS
        mixed = left.staff and right.staff and left.staff | right.staff == 3
        return Refusal.STAFF if mixed else None

    def join(self, a: Identifier, b: Identifier) -> None:
        """Make one group of two; the caller has asked for a veto."""
        large, small = self._group[a], self._group[b]
        if large is small:
            return
        if len(large.members) < len(small.members):
            large, small = small, large
        for identifier in small.members:
            self._group[identifier] = large
        large.members += small.members
        large.anchors += small.anchors
        large.words |= small.words
        large.locks |= small.locks
        large.staff |= small.staff
        for ours, theirs in ((large.accounts, small.accounts), (large.records, small.records)):
            for namespace, ids in theirs.items():
                ours.setdefault(namespace, set()).update(ids)

    def _is_held(self, locked: _Group, other: _Group) -> bool:
        """Whether a lock on one group leaves out somebody of the other; plain values may still come to it.

        What one lock names belongs together, also when a person has added somebody to a part of it: it holds no two parts apart.
        """
        return any(not self._standing.locks[lock].left.issuperset(other.anchors) for lock in locked.locks - other.locks)


def _count(group: _Group) -> int:
    return sum(len(ids) for ids in group.accounts.values())


def _two(left: dict[str, set[Identifier]], right: dict[str, set[Identifier]]) -> bool:
    return any(left[namespace] | right[namespace] != left[namespace] & right[namespace] for namespace in left.keys() & right.keys())
