"""What people decided, read as a set: which words still stand, and which pairs they keep apart.

Owns the order of decisions (the later by at, then id). Must not look at evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .model import Decision, Identifier, Verb

_Sides = tuple[frozenset[Identifier], frozenset[Identifier]]


def _when(decision: Decision) -> tuple[object, str]:
    return (decision.at, decision.decision_id)


class Standing:
    """The decisions that stand, indexed by identifier."""

    __slots__ = ("_apart_of", "_later_same", "_sides", "locks", "same")

    def __init__(self, decisions: Iterable[Decision]) -> None:
        known = sorted({decision.decision_id: decision for decision in decisions}.values(), key=_when)
        apart = [one for one in known if one.verb is Verb.NOT_SAME]
        same = [one for one in known if one.verb is Verb.SAME]
        self.same = tuple(one for one in same if not any(_when(no) > _when(one) and _covers(no, one.a, one.b) for no in apart))
        self.locks: dict[Identifier, Decision] = {}
        for one in known:
            if one.verb is Verb.LOCK:
                self.locks[one.a] = one
            elif one.verb is Verb.UNLOCK:
                self.locks.pop(one.a, None)
        self._sides: list[_Sides] = [(one.left, one.right) for one in apart]
        self._later_same = [tuple(yes for yes in same if _when(yes) > _when(one)) for one in apart]
        self._apart_of: dict[Identifier, set[int]] = defaultdict(set)
        for index, sides in enumerate(self._sides):
            for identifier in sides[0] | sides[1]:
                self._apart_of[identifier].add(index)

    def words_on(self, identifier: Identifier) -> frozenset[int]:
        """Return the numbers of the "not same" decisions that name this identifier."""
        return frozenset(self._apart_of.get(identifier, ()))

    def keeps_apart(self, word: int, one: Iterable[Identifier], other: Iterable[Identifier]) -> bool:
        """Whether "not same" decision `word` still stands between any of these and any of those."""
        left, right = self._sides[word]
        one, other = frozenset(one), frozenset(other)
        later = self._later_same[word]
        for first, second in ((one & left, other & right), (one & right, other & left)):
            if first and second and (not later or any(not _taken_back(later, x, y) for x in first for y in second)):
                return True
        return False


def _covers(decision: Decision, x: Identifier, y: Identifier) -> bool:
    return (x in decision.left and y in decision.right) or (y in decision.left and x in decision.right)


def _taken_back(later: tuple[Decision, ...], x: Identifier, y: Identifier) -> bool:
    return any(_covers(yes, x, y) or {yes.a, yes.b} == {x, y} for yes in later)


def by_lock(standing: Mapping[Identifier, Decision]) -> dict[Identifier, tuple[Decision, ...]]:
    """Return the locks that name each identifier."""
    found: dict[Identifier, list[Decision]] = defaultdict(list)
    for lock in standing.values():
        for identifier in lock.left | {lock.a}:
            found[identifier].append(lock)
    return {identifier: tuple(locks) for identifier, locks in found.items()}
