"""The world: any sequence of facts to all views. This is what the product's services are compared with.

Owns: the order in which the folds are called, and compaction. Must not: hold rules of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from oracle.accounts import find_accounts
from oracle.cases import Case, Judge, fold_cases
from oracle.customers import Customers, fold_customers
from oracle.facts import Fact, Standing, standing
from oracle.ledger import Entry, fold_ledger
from oracle.threads import find_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Everything that follows from the facts. feedback: how many distinct items were applied (`stats.feedback`)."""

    feedback: int
    cases: dict[UUID, Case]
    case_of: dict[UUID, UUID]
    ledger: frozenset[Entry]
    customers: Customers


def views(facts: Iterable[Fact], judge: Judge) -> Views:
    """Fold facts in any order, with any repeats, whole or compacted; O(n log n)."""
    return views_of(standing(facts), judge)


def views_of(facts: Standing, judge: Judge) -> Views:
    present = facts.present
    cases = fold_cases(facts, find_threads(present), judge)
    accounts = find_accounts(present)
    return Views(
        feedback=len(facts.items),
        cases=cases.by_id,
        case_of=cases.holder,
        ledger=fold_ledger(present, accounts, judge),
        customers=fold_customers(present, facts.contacts.values(), accounts),
    )


def compacted(facts: Iterable[Fact]) -> list[Fact]:
    """What a compacted log holds once everything superseded is dropped: the newest record of each key, skeletons for the erased."""
    stands = standing(facts)
    return [*stands.items.values(), *stands.actions.values(), *stands.contacts.values(), *stands.erasures.values()]
