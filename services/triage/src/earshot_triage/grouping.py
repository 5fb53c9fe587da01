"""What hangs together of what a transaction touches: by the links of its items and acts, over the threads that were there.

Owns the grouping. Must not know what becomes of a group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from earshot_triage.decisions import Arrival
from earshot_triage.domain.acts import Act
from earshot_triage.domain.threads import Components
from earshot_triage.repository import Held


@dataclass(slots=True)
class Group:
    """What hangs together. ``labels``: threads that were there before; ``nodes``: no items (yet); ``simple``: it begins or continues one
    thread, and nobody did anything about it.
    """

    labels: set[str] = field(default_factory=set)
    arrivals: list[Arrival] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    simple: bool = True


class Grouping:
    """Groups what one transaction touches.

    ``known``: items that are there, by key; ``nodes``: threads of nodes that are no items; ``accepted``: what is new, by key.
    """

    def __init__(self, known: Mapping[str, Held], nodes: Mapping[str, str], accepted: Mapping[str, Arrival]) -> None:
        self._known = known
        self._nodes = nodes
        self._accepted = accepted

    def group(self, acts: Sequence[Act]) -> tuple[list[Arrival], list[Group]]:
        """Return what hangs with nothing, and what hangs together by the links of this transaction over the threads that were there."""
        known, nodes = self._known, self._nodes
        linked = {link for arrival in self._accepted.values() for link in arrival.message.links}
        linked.update(act.subject for act in acts)
        groups = Components()
        for act in acts:
            if act.other is not None:
                linked.add(act.other)
                groups.join(self._element(act.subject), self._element(act.other))
        lone: list[Arrival] = []
        wide: list[Arrival] = []
        for key, arrival in self._accepted.items():
            links = arrival.message.links
            if not links and key not in linked and key not in known and key not in nodes:
                lone.append(arrival)
                continue
            wide.append(arrival)
            own = self._element(key)
            groups.root(own)
            for link in links:
                groups.join(own, self._element(link))
        by_root: dict[str, Group] = {}
        for arrival in wide:
            group = by_root.setdefault(groups.root(self._element(arrival.message.key)), Group())
            group.arrivals.append(arrival)
            self._enter(group, arrival.message.key)
            for link in arrival.message.links:
                self._enter(group, link)
            if arrival.message.withdrawn or arrival.message.key in known:
                group.simple = False
        for act in acts:
            group = by_root.setdefault(groups.root(self._element(act.subject)), Group())
            group.acts.append(act)
            group.simple = False
            self._enter(group, act.subject)
            if act.other is not None:
                self._enter(group, act.other)
        for group in by_root.values():
            if len(group.labels) > 1:
                group.simple = False
        return lone, list(by_root.values())

    def _element(self, node: str) -> str:
        """Return what stands for a node among groups: the label of its thread, or itself when nobody knew it."""
        held = self._known.get(node)
        return held.label if held is not None else self._nodes.get(node, node)

    def _enter(self, group: Group, node: str) -> None:
        held = self._known.get(node)
        if held is not None:
            group.labels.add(held.label)
            return
        label = self._nodes.get(node)
        if label is not None:
            group.labels.add(label)
        if node not in self._accepted:
            group.nodes.add(node)
