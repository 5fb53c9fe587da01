"""Whole threads folded anew: how they join and fall apart, and what that moves.

Owns the comparison of before and after. Pure: rows were loaded before, and are written after.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from earshot_triage.decisions import Arrival
from earshot_triage.domain import cases
from earshot_triage.domain.acts import Act, Verb, joined
from earshot_triage.domain.message import Message
from earshot_triage.domain.threads import components
from earshot_triage.repository import Held, Thread


@dataclass(slots=True)
class Part:
    """One thread afterwards, with its present messages in their order."""

    state: cases.CaseState
    messages: list[Message]
    replaying: bool


@dataclass(slots=True)
class Refold:
    """What becomes of threads. ``before`` are their rows by label, ``hanging`` the label of each node that is no item,
    ``acts`` what people did about each node.

    ``moved`` are rows to change as (key, label, joined, opened); ``retold`` are messages, other than arrivals, that came into another case
    (or none); ``pointers`` are ids of cases that lead elsewhere now (or nowhere).
    """

    version: int
    before: Mapping[str, Thread]
    hanging: Mapping[str, str]
    acts: Mapping[str, Sequence[Act]]
    parts: list[Part] = field(default_factory=list)
    fresh: list[tuple[Arrival, str, bool]] = field(default_factory=list)
    moved: list[tuple[str, str, int, bool]] = field(default_factory=list)
    retold: list[tuple[Message, str | None]] = field(default_factory=list)
    pointers: list[tuple[str, str | None]] = field(default_factory=list)
    case_of: dict[str, str | None] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    gone_nodes: set[str] = field(default_factory=set)

    def take(self, arrivals: Iterable[Arrival], held: Iterable[Held], nodes: Collection[str], *, replaying: bool) -> None:
        """Fold what hangs together: everything held of some threads, and what arrived. ``nodes`` are those that are no items."""
        rows = {each.key: each for each in held}
        came = {arrival.message.key: arrival for arrival in arrivals}
        messages = {key: each.message for key, each in rows.items() if key not in came}
        messages.update((key, arrival.message) for key, arrival in came.items())
        whole = components(messages.values(), nodes)
        for one, other in joined(act for node in (*messages, *nodes) for act in self.acts.get(node, ())):
            whole.join(one, other)
        for members in whole.sets():
            items = [messages[node] for node in members if node in messages]
            about = [act for node in members for act in self.acts.get(node, ())]
            present = sorted((message for message in items if not message.withdrawn), key=lambda message: message.order)
            # A correction changes what is decided about its item, and nothing else about the case.
            state = cases.fold(present, sorted((act for act in about if act.verb is not Verb.CORRECT), key=lambda act: act.order))
            if state is not None:
                self.parts.append(Part(state, present, replaying))
            label = state.label if state is not None else min(members)  # without a message it holds together by people's merges alone
            # Who looked at a case that has another id now, or fell apart, saw all of it that was held; of cases that became one, half.
            together = len({rows[message.key].label for message in items if message.key in rows}) == 1
            for message in items:
                self._place(message, label, state, rows.get(message.key), came.get(message.key), together=together)
            for node in members:
                if node not in messages:
                    self._hang(node, label, named=state is not None or bool(about))

    def _place(
        self, message: Message, label: str, state: cases.CaseState | None, row: Held | None, arrival: Arrival | None, *, together: bool
    ) -> None:
        """Say where an item hangs now, and tell what changed by that."""
        case_id = state.case_id if state is not None else None
        if arrival is not None:
            self.case_of[message.key] = None if message.withdrawn else case_id
        if row is None:
            assert arrival is not None, "an item is held or has arrived"
            self.fresh.append((arrival, label, case_id == message.key))
            return
        was = self.before.get(row.label)
        led_to = was.state.case_id if was is not None else None
        opened = row.opened or case_id == message.key
        joined = row.joined if together or label == row.label else self.version
        if (label, joined, opened) != (row.label, row.joined, row.opened):
            self.moved.append((message.key, label, joined, opened))
        if case_id == led_to:
            return
        if arrival is None and not message.withdrawn:
            self.retold.append((message, case_id))
        if row.opened and case_id != message.key:
            self.pointers.append((message.key, case_id))

    def _hang(self, node: str, label: str, *, named: bool) -> None:
        if not named:
            self.gone_nodes.add(node)
        elif self.hanging.get(node) != label:
            self.nodes[node] = label
