"""Which nodes belong together: feedback and conversations, joined by links.

Owns the graph. Must not know who speaks in a thread or what a case is.
"""

from collections.abc import Iterable

from earshot_triage.domain.message import Message


class Components:
    """Disjoint sets of nodes (union by size with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._size: dict[str, int] = {}

    def root(self, node: str) -> str:
        """Return the node that stands for the set that holds ``node``."""
        parent = self._parent
        above = parent.setdefault(node, node)
        while above != node:
            parent[node] = node = parent[above]
            above = parent[node]
        return node

    def join(self, one: str, other: str) -> None:
        """Make one set of the two that hold the nodes."""
        one, other = self.root(one), self.root(other)
        if one == other:
            return
        size = self._size
        if size.get(one, 1) < size.get(other, 1):
            one, other = other, one
        self._parent[other] = one
        size[one] = size.get(one, 1) + size.get(other, 1)

    def sets(self) -> list[list[str]]:
        """Return every set of the nodes seen so far."""
        gathered: dict[str, list[str]] = {}
        for node in list(self._parent):
            gathered.setdefault(self.root(node), []).append(node)
        return list(gathered.values())


def components(messages: Iterable[Message], nodes: Iterable[str]) -> Components:
    """Return how messages and further nodes hang together; a withdrawn message is a node that joins nothing."""
    found = Components()
    for node in nodes:
        found.root(node)
    for message in messages:
        found.root(message.key)
        for link in message.links:
            found.join(message.key, link)
    return found


def opening_of(messages: Iterable[Message]) -> Message | None:
    """Return the message that opens a thread: the first of a customer, else the first; None when there is none.

    Shapes: present messages of one thread in their order.
    """
    first = None
    for message in messages:
        if message.role == 0:  # Role.CUSTOMER: a number, as it comes from the row
            return message
        first = first or message
    return first
