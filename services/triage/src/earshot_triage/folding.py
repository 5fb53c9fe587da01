"""The fold: what arrivals and acts change, under the pen.

Owns the path from arrivals to rows and messages: which threads they touch, which of those can be continued and which must be folded anew.
Decides no meaning (the domain does) and holds no query (the repository does).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from earshot_shared.actions import Action
from earshot_shared.envelope import rfc3339
from earshot_shared.pipeline.writer import Transaction
from earshot_triage import repository, spiking
from earshot_triage.decisions import Arrival
from earshot_triage.domain import cases, tail
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.domain.message import Role, Stance
from earshot_triage.domain.routing import Rules
from earshot_triage.events import shown, triaged_body
from earshot_triage.grouping import Group, Grouping
from earshot_triage.refolding import Part, Refold
from earshot_triage.repository import Changes, Counted, FreshFeedback, Held, Thread
from earshot_triage.telling import Teller

# A source that delivers last month's posts late would page for each of them; nobody can answer those in time any more.
STALE = timedelta(days=1)
_NO_TIME = timedelta()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Doing:
    """An action, as its event and as the fold of a case sees it; ``reply`` is the item that a `respond` makes."""

    action: Action
    act: Act
    reply: Arrival | None = None


class _Words(msgspec.Struct, gc=False):
    text: str = ""


_words = msgspec.json.Decoder(_Words)


Deciding = Callable[[bytes, Sequence[Act], bool], Arrival]
"""Decides about an item (JSON) anew, with what people said of it; the last says whether it is replayed."""


class Fold:
    """One transaction's fold. Build one, `run` it once."""

    def __init__(self, tx: Transaction, rules: Rules, now: datetime, decide: Deciding) -> None:
        self._tx = tx
        self._decide = decide
        self._rules = rules
        self._now = now
        self._teller = Teller(tx.version, rfc3339(now))
        self._known: dict[str, Held] = {}
        self._nodes: dict[str, str] = {}
        self._accepted: dict[str, Arrival] = {}
        self._case_of: dict[str, str | None] = {}
        self._changes = Changes()
        self._cases: list[Thread] = []
        self._pointers: list[tuple[str, str | None]] = []

    async def run(self, arrivals: Iterable[Arrival], doings: Sequence[Doing] = ()) -> None:
        """Fold arrivals and actions in, whatever order they come in; what is known already changes nothing."""
        acts = await self._gather(arrivals, doings)
        if not self._accepted and not acts:
            return
        self._changes.gone_nodes |= self._nodes.keys() & self._accepted.keys()  # they have come as items
        lone, groups = Grouping(self._known, self._nodes, self._accepted).group(acts)
        for arrival in lone:
            self._begin_lone(arrival)
        for group in groups:
            if group.simple and not group.labels:
                self._begin(group)
        again = [group for group in groups if not group.simple]
        again += await self._continue([group for group in groups if group.simple and group.labels])
        if again:
            await self._fold_anew(again)
        self._tell_arrivals()
        for thread in self._cases:
            self._teller.case(thread)
        for case_id, target in self._pointers:
            self._teller.gone(case_id, target)
        if self._rules.spikes is not None:
            await spiking.count(self._tx.conn, self._rules.spikes, self._accepted, self._known, self._now)
        self._tx.send(self._teller.said)
        await repository.apply(self._tx.conn, self._changes, self._tx.version)

    async def _gather(self, arrivals: Iterable[Arrival], doings: Sequence[Doing]) -> list[Act]:
        """Load what is known of everything that is named; keep what is new; return the acts that are."""
        conn = self._tx.conn
        newest: dict[str, Arrival] = {}
        for arrival in arrivals:
            key = arrival.message.key
            held = newest.get(key)
            if held is None or arrival.message.revision > held.message.revision:
                newest[key] = arrival
        acts: list[Act] = []
        if doings:
            fresh = await repository.insert_actions(conn, [(each.action, each.act) for each in doings], self._tx.version)
            for each in doings:
                if each.act.action_id in fresh:
                    acts.append(each.act)
                    if each.reply is not None:
                        newest.setdefault(each.reply.message.key, each.reply)
        wanted = set(newest)
        for arrival in newest.values():
            wanted.update(arrival.message.parents)
        wanted.update(act.subject for act in acts)
        wanted.update(act.other for act in acts if act.other is not None)
        if not wanted:
            return acts
        self._known = known = await repository.load_known(conn, wanted)
        same: dict[str, Arrival] = {}
        for key, arrival in newest.items():
            if key not in known or arrival.message.revision > known[key].revision:
                self._accepted[key] = arrival
            elif arrival.replaying and arrival.message.revision == known[key].revision:
                same[key] = arrival
        self._tx.duplicates += len(newest) - len(self._accepted)
        nodes = {node for node in wanted if node not in known}
        for arrival in self._accepted.values():
            nodes.update(arrival.message.talks)
        self._nodes = await repository.load_nodes(conn, nodes)
        await self._decide_again(acts, same)
        return acts

    async def _decide_again(self, acts: Sequence[Act], same: Mapping[str, Arrival]) -> None:
        """Accept what is decided otherwise than we have it, though the item is the same: a person corrected it, or it is replayed
        (``same``) under other rules or by another judge. What people said of an item stands above every new decision on it.
        """
        conn, known, accepted = self._tx.conn, self._known, self._accepted
        told = {act.subject for act in acts if act.verb is Verb.CORRECT}
        asked = told | set(same) | {key for key in accepted if key in known or key in self._nodes}
        if not asked:
            return
        said: dict[str, list[Act]] = {}
        for act in await repository.load_acts(conn, asked):
            if act.verb is Verb.CORRECT:
                said.setdefault(act.subject, []).append(act)
        stored = await repository.load_items(conn, [key for key in (told | set(same)) if key in known and key not in accepted])
        for key in sorted(asked & (accepted.keys() | stored.keys())):
            arrival = accepted.get(key) or same.get(key)
            if key in said:
                item = arrival.item if arrival is not None else stored[key].item
                arrival = self._decide(item, said[key], arrival is not None and arrival.replaying)
            if arrival is not None and (key not in stored or arrival.decision != stored[key].decision):
                accepted[key] = arrival

    def _begin_lone(self, arrival: Arrival) -> None:
        """A message that hangs with no other: most are such."""
        message = arrival.message
        key = message.key
        if message.withdrawn:  # before we ever heard of it
            self._case_of[key] = None
            self._add(arrival, key, opened=False)
            return
        state = cases.begin(message)
        body = shown(message, arrival.text)
        self._open(state, tail.Tail([state.opening], [len(body)]), b"[" + body + b"]", replaying=arrival.replaying)
        self._case_of[key] = key if state.opened_by_customer else None
        self._add(arrival, key, opened=state.opened_by_customer)

    def _open(self, state: cases.CaseState, latest: tail.Tail, json: bytes, *, replaying: bool) -> None:
        thread = Thread(state, latest, json, self._tx.version, *clock(state, self._rules))
        self._watch(thread, replaying=replaying)
        self._changes.new_threads.append(thread)
        if state.has_case:
            self._changes.count("cases", 1)
            self._cases.append(thread)

    def _begin(self, group: Group) -> None:
        """A thread of which nothing was known, and about which nobody has done anything. Shapes: present messages, at least two nodes."""
        arrivals = sorted(group.arrivals, key=lambda arrival: arrival.message.order)
        state = cases.fold([arrival.message for arrival in arrivals], ())
        assert state is not None, "a group has a message"
        label, case_id = state.label, state.case_id
        latest, json = tail.build(
            (arrival.message.order, shown(arrival.message, arrival.text)) for arrival in arrivals[-tail.TAIL_MESSAGES :]
        )
        self._open(state, latest, json, replaying=arrivals[-1].replaying)
        for arrival in arrivals:
            key = arrival.message.key
            self._case_of[key] = case_id
            self._add(arrival, label, opened=key == case_id)
        for node in group.nodes:
            self._changes.nodes[node] = label

    async def _continue(self, groups: list[Group]) -> list[Group]:
        """Continue threads with messages that came after what is known; return those that must be folded anew."""
        if not groups:
            return []
        labels = [next(iter(group.labels)) for group in groups]
        threads = await repository.load_threads(self._tx.conn, labels)
        left = []
        for label, group in zip(labels, groups, strict=True):
            thread = threads.get(label)
            if thread is None or not self._append(thread, group):
                group.simple = False
                left.append(group)
        return left

    def _append(self, thread: Thread, group: Group) -> bool:
        arrivals = sorted(group.arrivals, key=lambda arrival: arrival.message.order)
        state = thread.state
        for arrival in arrivals:
            if not cases.append(state, arrival.message):
                return False
        for arrival in arrivals:
            message = arrival.message
            thread.tail_json = tail.insert(thread.tail, thread.tail_json, message.order, shown(message, arrival.text))
            self._case_of[message.key] = state.case_id
            self._add(arrival, state.label, opened=False)
        for node in group.nodes:
            if node not in self._nodes:
                self._changes.nodes[node] = state.label
        self._change(thread, replaying=arrivals[-1].replaying)
        return True

    def _change(self, thread: Thread, *, replaying: bool) -> None:
        thread.version = self._tx.version
        thread.due_at, thread.counted = clock(thread.state, self._rules)
        self._watch(thread, replaying=replaying)
        self._changes.changed_threads.append(thread)
        if thread.state.has_case:
            self._cases.append(thread)

    def _add(self, arrival: Arrival, label: str, *, opened: bool) -> None:
        # A replay meets items as they stand now, and cannot know which of them stood alone once and were told as cases.
        opened = opened or (arrival.replaying and arrival.message.role == Role.CUSTOMER)
        self._changes.fresh.append(FreshFeedback(arrival.message, label, opened, arrival.item, arrival.decision))

    def _watch(self, thread: Thread, *, replaying: bool) -> None:
        """Look for a breach when the case is due, if it is to be answered, was not, and nobody was told.

        Never for the past: not for imports, not for what was due before a replay, nor what was `STALE` before we heard of it.
        """
        state = thread.state
        wanted = (
            state.live
            and state.has_case
            and state.first_response is None
            and state.stance == Stance.RESPOND
            and state.resolved_at is None
            and thread.due_at != thread.told_due_at
            and thread.due_at > self._now - (_NO_TIME if replaying else STALE)
        )
        thread.watch_at = thread.due_at if wanted else None

    async def _fold_anew(self, groups: list[Group]) -> None:
        """Load whole threads and fold them from all their messages, links and acts; they may join and fall apart."""
        conn = self._tx.conn
        labels = {label for group in groups for label in group.labels}
        members: dict[str, list[Held]] = {}
        hanging: dict[str, str] = {}
        before: dict[str, Thread] = {}
        if labels:
            for held in await repository.load_members(conn, labels):
                members.setdefault(held.label, []).append(held)
            hanging = await repository.load_nodes_of(conn, labels)
            before = await repository.load_threads(conn, labels)
        nodes_of: dict[str, list[str]] = {}
        for node, label in hanging.items():
            nodes_of.setdefault(label, []).append(node)
        subjects = {held.key for each in members.values() for held in each} | set(hanging)
        for group in groups:
            subjects.update(arrival.message.key for arrival in group.arrivals)
            subjects |= group.nodes
        acts: dict[str, list[Act]] = {}
        for act in await repository.load_acts(conn, subjects):
            acts.setdefault(act.subject, []).append(act)
        refold = Refold(self._tx.version, before, hanging, acts)
        for group in groups:
            rows = [each for label in group.labels for each in members.get(label, ())]
            nodes = {node for label in group.labels for node in nodes_of.get(label, ())} | group.nodes
            refold.take(group.arrivals, rows, nodes, replaying=any(arrival.replaying for arrival in group.arrivals))
        await self._settle(refold)

    async def _settle(self, refold: Refold) -> None:
        """Turn what threads became into rows and messages."""
        changes = self._changes
        needed = {message.key for part in refold.parts for message in part.messages[-tail.TAIL_MESSAGES :]}
        needed.update(message.key for message, _ in refold.retold)
        stored = await repository.load_items(self._tx.conn, needed - set(self._accepted))
        for part in refold.parts:
            self._settle_part(part, refold.before.get(part.state.label), stored)
        left = set(refold.before) - {part.state.label for part in refold.parts}
        for label in sorted(left):
            changes.count("cases", -refold.before[label].state.has_case)
            changes.gone_threads.append(label)
        for arrival, label, opened in refold.fresh:
            self._add(arrival, label, opened=opened)
        changes.moved += refold.moved
        changes.nodes |= refold.nodes
        changes.gone_nodes |= refold.gone_nodes
        self._case_of |= refold.case_of
        self._pointers += refold.pointers
        for message, case_id in refold.retold:
            found = stored[message.key]
            self._teller.item(message, triaged_body(found.item, found.decision, case_id, self._tx.version))

    def _settle_part(self, part: Part, before: Thread | None, stored: Mapping[str, repository.Stored]) -> None:
        latest, json = tail.build(
            (message.order, shown(message, self._text(message.key, stored))) for message in part.messages[-tail.TAIL_MESSAGES :]
        )
        thread = Thread(part.state, latest, json, self._tx.version, *clock(part.state, self._rules))
        thread.told_due_at = before.told_due_at if before is not None else None
        self._watch(thread, replaying=part.replaying)
        had_case = before.state.has_case if before is not None else False
        self._changes.count("cases", part.state.has_case - had_case)
        (self._changes.new_threads if before is None else self._changes.changed_threads).append(thread)
        if part.state.has_case:
            self._cases.append(thread)

    def _text(self, key: str, stored: Mapping[str, repository.Stored]) -> str:
        arrival = self._accepted.get(key)
        return arrival.text if arrival is not None else _words.decode(stored[key].item).text

    def _tell_arrivals(self) -> None:
        """Tell every accepted item, and count it; one that leaves a feed leaves a tombstone there."""
        changes, version = self._changes, self._tx.version
        for key, arrival in self._accepted.items():
            message = arrival.message
            held = self._known.get(key)
            if held is not None:
                changes.revised.append(FreshFeedback(message, held.label, held.opened, arrival.item, arrival.decision))
                for team in held.message.routes:
                    changes.count(f"route {team}", -1)
                    if team not in message.routes:
                        self._teller.taken_from(team, message.feedback_id)
            for team in message.routes:
                changes.count(f"route {team}", 1)
            self._teller.item(message, triaged_body(arrival.item, arrival.decision, self._case_of[key], version))
        changes.count("feedback", len(self._accepted) - len(changes.revised))


def clock(state: cases.CaseState, rules: Rules) -> tuple[datetime, Counted | None]:
    """Return when the first response to a case is due, and what a calendar makes of it when one holds."""
    target = rules.target_of(priority=state.priority, brand=state.brand, team=state.owner)
    opened_at = state.opening[0]
    if target.calendar is None:
        return target.due(opened_at), None
    answered_at = state.first_response_at
    took_us = None if answered_at is None else target.calendar.counted(opened_at, answered_at) // _MICROSECOND
    return target.due(opened_at), Counted(target.calendar.name, target.within_s, took_us)
