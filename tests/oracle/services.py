"""Services in miniature: each folds the topics it reads, in whatever order the records come, and triage says its items on.

Owns: what each service keeps, and which part of a view a new fact can touch. Must not: publish twice or look at another's state.
Triage is folded step by step, as the product must: a fact dirties nodes, the threads around them before and after are folded anew,
nothing else is. Recognition and crm-sync fold all they have kept; that they are fed by triage's topic alone is the point here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from oracle.accounts import find_accounts
from oracle.cases import Case, Judge, fold_cases
from oracle.customers import Customers, fold_customers
from oracle.facts import Action, Contact, Erasure, Fact, ItemRevision, Standing, Verb, reply_item, standing
from oracle.ledger import Entry, fold_ledger
from oracle.threads import find_threads


@dataclass(slots=True)
class Kept:
    """The facts a service has, as it would keep them in tables: superseded ones overwritten."""

    facts: dict[object, Fact] = field(default_factory=dict)

    def add(self, fact: Fact) -> bool:
        """Whether the fact was new: a duplicate or an older revision changes nothing."""
        key = key_of(fact)
        known = self.facts.get(key)
        merged = fact if known is None else next(iter(_one(standing([known, fact]), key)))
        if merged == known:
            return False
        self.facts[key] = merged
        return True

    def standing(self) -> Standing:
        return standing(self.facts.values())


def key_of(fact: Fact) -> object:
    """The key of the fact's records on its topic."""
    match fact:
        case ItemRevision():
            return ("item", fact.feedback_id)
        case Action():
            return ("action", fact.action_id)
        case Contact():
            return ("contact", fact.contact_id)
        case Erasure():
            return ("erasure", fact.erasure_id)


def _one(facts: Standing, key: object) -> Iterable[Fact]:
    return (fact for kind in (facts.items, facts.actions, facts.contacts, facts.erasures) for fact in kind.values() if key_of(fact) == key)


class Triage:
    """Reads items, actions and erasures; keeps cases; says every item on."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.kept = Kept()
        self.cases: dict[UUID, Case] = {}
        self.case_of: dict[UUID, UUID] = {}
        self._stands = standing([])

    def apply(self, facts: Iterable[Fact]) -> list[ItemRevision]:
        """Fold a slice; return what goes out to feedback.triaged."""
        before = self._stands
        for fact in facts:
            self.kept.add(fact)
        self._stands = self.kept.standing()
        changed = _changed(before, self._stands)
        around = _around(changed, before) | _around(changed, self._stands)
        self._fold_anew(around)
        said = (self.kept.facts.get(("item", node), self._stands.items.get(node)) for node in sorted(changed))
        return [item for item in said if isinstance(item, ItemRevision)]

    def _fold_anew(self, nodes: set[UUID]) -> None:
        """Replace the cases of every item among these nodes: whole threads, as they were and as they are."""
        for node in nodes & self.case_of.keys():
            self.cases.pop(self.case_of.pop(node), None)
        actions = {key: action for key, action in self._stands.actions.items() if action.subject in nodes}
        # A withdrawn reply of ours is in no thread any more, yet the status of its case depends on it.
        replies = {reply_item(action).feedback_id for action in actions.values() if action.verb is Verb.RESPOND}
        items = {fid: item for fid, item in self._stands.items.items() if fid in nodes or fid in replies}
        part = Standing(items=items, actions=actions, contacts={}, erasures={})
        anew = fold_cases(part, find_threads(part.present), self._judge)
        self.cases |= anew.by_id
        self.case_of |= anew.holder


class Recognition:
    """Reads triage's items and erasures."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.kept = Kept()

    def apply(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.kept.add(fact)

    def ledger(self) -> frozenset[Entry]:
        present = self.kept.standing().present
        return fold_ledger(present, find_accounts(present), self._judge)


class CrmSync:
    """Reads triage's items, contacts and erasures."""

    def __init__(self) -> None:
        self.kept = Kept()

    def apply(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.kept.add(fact)

    def customers(self) -> Customers:
        stands = self.kept.standing()
        return fold_customers(stands.present, stands.contacts.values(), find_accounts(stands.present))


def _changed(before: Standing, after: Standing) -> set[UUID]:
    """The feedback_ids whose item or whose acts are not what they were (an erasure changes many at once)."""
    items = {fid for fid, item in after.items.items() if before.items.get(fid) != item}
    return items | {action.subject for key, action in after.actions.items() if before.actions.get(key) != action}


def _around(start: Collection[UUID], facts: Standing) -> set[UUID]:
    """Every node that links reach from these, withdrawn items included as bare nodes."""
    neighbours: dict[UUID, set[UUID]] = {}
    for item in facts.present:
        for link in item.replies_to | item.conversations:
            neighbours.setdefault(item.feedback_id, set()).add(link)
            neighbours.setdefault(link, set()).add(item.feedback_id)
    reached, edge = set(start), list(start)
    while edge:
        for node in neighbours.get(edge.pop(), set()) - reached:
            reached.add(node)
            edge.append(node)
    return reached
