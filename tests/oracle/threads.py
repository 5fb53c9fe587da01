"""Threads: what reply links and common conversations connect, taken together, in whatever order the items came.

Owns: the graph. Must not: know who speaks in a thread or what a case is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from oracle.disjoint import Disjoint
from oracle.facts import ItemRevision


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """messages: the present items of one component, in the order of messages, at least one."""

    messages: tuple[ItemRevision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Every thread, and which of them holds a node."""

    all: tuple[Thread, ...]
    _nodes: Disjoint[UUID]
    _by_root: dict[UUID, Thread]

    def holding(self, node: UUID) -> Thread | None:
        """The thread that holds a feedback_id: as a message, or as the missing parent of one."""
        return self._by_root.get(self._nodes.root(node))


def find_threads(present: Iterable[ItemRevision]) -> Threads:
    """Join items by their links. Shapes: items that were not withdrawn; O(n log n)."""
    nodes: Disjoint[UUID] = Disjoint()
    ordered = sorted(present, key=lambda item: item.order)
    for item in ordered:
        for link in (*item.replies_to, *item.conversations):
            nodes.join(item.feedback_id, link)
    gathered: dict[UUID, list[ItemRevision]] = {}
    for item in ordered:
        gathered.setdefault(nodes.root(item.feedback_id), []).append(item)
    by_root = {root: Thread(messages=tuple(messages)) for root, messages in gathered.items()}
    return Threads(all=tuple(by_root.values()), _nodes=nodes, _by_root=by_root)
