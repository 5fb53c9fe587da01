"""Every query of the fold: rows in, domain values out. Takes a connection; begins and ends no transaction.

Keys are canonical UUID texts inside, uuid in the tables.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from earshot_shared.actions import Action, decode_action
from earshot_shared.postgres import Queries
from earshot_triage.domain.acts import Act
from earshot_triage.domain.cases import CaseState
from earshot_triage.domain.message import Message
from earshot_triage.domain.tail import Tail
from earshot_triage.events import act_of

QUERIES = Queries.load("earshot_triage")
NO_KEY = "00000000-0000-0000-0000-000000000000"  # before every key
_FEEDBACK_COLUMNS = ("key", "thread", "revision", "opened", "joined", "changed", "brief", "item", "decision")
_THREAD_COLUMNS = (
    "thread", "version", "has_case", "opened_by_customer", "stance", "status", "priority", "intent", "team", "assignee", "brand", "channel",
    "opened_at", "due_at", "first_response_at", "resolved_at", "watch_at", "told_due_at", "state", "tail", "calendar",
    "target_s", "took_us",
)  # fmt: skip


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """What a thread's row keeps packed."""

    state: CaseState
    tail: Tail


_NOT_COUNTED = (None, None, None)
_encoder = msgspec.msgpack.Encoder()
_message_decoder = msgspec.msgpack.Decoder(Message)
_packed_decoder = msgspec.msgpack.Decoder(_Packed)
_action_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Held:
    """An item we hold. ``label`` names its thread; ``message`` is read when asked for."""

    key: str
    label: str
    revision: int
    opened: bool
    joined: int
    brief: bytes
    _message: Message | None = None

    @property
    def message(self) -> Message:
        """What threads and cases know of it."""
        if self._message is None:
            self._message = _message_decoder.decode(self.brief)
        return self._message


@dataclass(frozen=True, slots=True)
class Counted:
    """What a business calendar makes of a case: the target, and the time until the first response (None without one), in its hours."""

    calendar: str
    target_s: int
    took_us: int | None


@dataclass(slots=True)
class Thread:
    """A thread as its row holds it, or will.

    ``tail_json`` are its latest messages; ``told_due_at`` is the due time of a breach that was told; ``counted`` is written, never read.
    """

    state: CaseState
    tail: Tail
    tail_json: bytes
    version: int
    due_at: datetime
    counted: Counted | None = None
    watch_at: datetime | None = None
    told_due_at: datetime | None = None


@dataclass(slots=True)
class Stored:
    """An item with its decision, both JSON."""

    item: bytes
    decision: bytes


class FreshFeedback(NamedTuple):
    """A row of feedback to be."""

    message: Message
    label: str
    opened: bool
    item: bytes
    decision: bytes


@dataclass(slots=True)
class Changes:
    """All rows that one fold writes."""

    fresh: list[FreshFeedback] = field(default_factory=list)
    revised: list[FreshFeedback] = field(default_factory=list)
    moved: list[tuple[str, str, int, bool]] = field(default_factory=list)
    """(key, label, joined, opened)"""
    new_threads: list[Thread] = field(default_factory=list)
    changed_threads: list[Thread] = field(default_factory=list)
    gone_threads: list[str] = field(default_factory=list)
    nodes: dict[str, str] = field(default_factory=dict)
    gone_nodes: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int) -> None:
        """Move an exact count."""
        if by:
            self.counts[name] = self.counts.get(name, 0) + by


async def load_known(conn: Any, keys: Collection[str]) -> dict[str, Held]:
    """Return those of ``keys`` that we hold."""
    return {held.key: held for held in map(_held, await conn.fetch(QUERIES["load_known"], list(keys)))}


async def page_of_feedback(conn: Any, after: str, limit: int) -> list[Held]:
    """Return the next items by key; ``after`` is empty at first."""
    return [_held(row) for row in await conn.fetch(QUERIES["page_of_feedback"], after or NO_KEY, limit)]


async def page_of_opened(conn: Any, after: str, limit: int) -> list[str]:
    """Return the next ids of cases that were ever told of; ``after`` is empty at first."""
    return [str(row[0]) for row in await conn.fetch(QUERIES["page_of_opened"], after or NO_KEY, limit)]


async def load_nodes(conn: Any, nodes: Collection[str]) -> dict[str, str]:
    """Return the label of those of ``nodes`` that hang in a thread without being items."""
    return {str(row[0]): str(row[1]) for row in await conn.fetch(QUERIES["load_nodes"], list(nodes))} if nodes else {}


async def load_members(conn: Any, labels: Collection[str]) -> list[Held]:
    """Return every item of some threads."""
    return [_held(row) for row in await conn.fetch(QUERIES["load_members"], list(labels))]


async def load_nodes_of(conn: Any, labels: Collection[str]) -> dict[str, str]:
    """Return the nodes, other than items, of some threads, with their labels."""
    return {str(row[0]): str(row[1]) for row in await conn.fetch(QUERIES["load_nodes_of"], list(labels))}


async def load_threads(conn: Any, labels: Collection[str]) -> dict[str, Thread]:
    """Return those threads that have a message, by label."""
    return {thread.state.label: thread for thread in map(thread_of, await conn.fetch(QUERIES["load_threads"], list(labels)))}


async def load_acts(conn: Any, subjects: Collection[str]) -> list[Act]:
    """Return what people did about some nodes, in the order of acts."""
    rows = await conn.fetch(QUERIES["load_actions"], list(subjects))
    return sorted((act_of(decode_action(row["body"]), version=row["version"]) for row in rows), key=lambda act: act.order)


async def load_items(conn: Any, keys: Collection[str]) -> dict[str, Stored]:
    """Return items and decisions by key."""
    if not keys:
        return {}
    return {str(row["key"]): Stored(row["item"], row["decision"]) for row in await conn.fetch(QUERIES["load_items"], list(keys))}


async def insert_actions(conn: Any, actions: Sequence[tuple[Action, Act]], version: int) -> set[str]:
    """Keep what was not known; return the ids of those."""
    rows = await conn.fetch(
        QUERIES["insert_actions"],
        [act.action_id for _, act in actions],
        [act.subject for _, act in actions],
        version,
        [_action_encoder.encode(action) for action, _ in actions],
    )
    return {str(row[0]) for row in rows}


async def apply(conn: Any, changes: Changes, version: int) -> None:
    """Write all rows, one statement a table and kind of change."""
    if changes.gone_threads:
        await conn.execute(QUERIES["drop_threads"], changes.gone_threads)
    if changes.gone_nodes:
        await conn.execute(QUERIES["drop_nodes"], changes.gone_nodes)
    if changes.nodes:
        await conn.execute(QUERIES["put_nodes"], list(changes.nodes), list(changes.nodes.values()))
    if changes.fresh:
        rows = [_feedback_row(each, version) for each in changes.fresh]
        await conn.copy_records_to_table("feedback", records=rows, columns=_FEEDBACK_COLUMNS)
    if changes.revised:
        await _revise(conn, changes.revised, version)
    if changes.moved:
        await _move(conn, changes.moved)
    if changes.new_threads:
        rows = [_thread_row(each, version) for each in changes.new_threads]
        await conn.copy_records_to_table("threads", records=rows, columns=_THREAD_COLUMNS)
    if changes.changed_threads:
        columns = list(zip(*(_thread_row(each, version) for each in changes.changed_threads), strict=True))
        await conn.execute(QUERIES["update_threads"], version, columns[0], *columns[2:])
    if changes.counts:
        names = sorted(changes.counts)
        await conn.execute(QUERIES["add_counts"], names, [changes.counts[name] for name in names])


def thread_of(row: Any) -> Thread:
    """Return a thread from a row with version, times, state and tail."""
    packed = _packed_decoder.decode(row["state"])
    return Thread(packed.state, packed.tail, row["tail"], row["version"], due_at=row["due_at"], told_due_at=row["told_due_at"])


async def _revise(conn: Any, revised: Iterable[FreshFeedback], version: int) -> None:
    rows = [(each.message.key, each.message.revision, _encoder.encode(each.message), each.item, each.decision) for each in revised]
    await conn.execute(QUERIES["update_feedback"], *zip(*rows, strict=True), version)


async def _move(conn: Any, moved: Iterable[tuple[str, str, int, bool]]) -> None:
    rows = [(key, None if key == label else label, joined, opened) for key, label, joined, opened in moved]
    await conn.execute(QUERIES["move_feedback"], *zip(*rows, strict=True))


def _held(row: Any) -> Held:
    key, thread, revision, opened, joined, brief = row
    text = str(key)
    return Held(text, text if thread is None else str(thread), revision, opened, joined, brief)


def _feedback_row(each: FreshFeedback, version: int) -> tuple[Any, ...]:
    message = each.message
    thread = None if message.key == each.label else each.label
    return (message.key, thread, message.revision, each.opened, version, version, _encoder.encode(message), each.item, each.decision)


def _thread_row(thread: Thread, version: int) -> tuple[Any, ...]:
    state = thread.state
    return (
        state.label,
        version,
        state.has_case,
        state.opened_by_customer,
        state.stance,
        state.status,
        state.priority,
        state.intent,
        state.owner,
        state.acted.assignee if state.acted is not None else None,
        state.brand,
        state.channel,
        state.opening[0],
        thread.due_at,
        state.first_response_at,
        state.resolved_at,
        thread.watch_at,
        thread.told_due_at,
        _encoder.encode(_Packed(state, thread.tail)),
        thread.tail_json,
        *(_NOT_COUNTED if thread.counted is None else (thread.counted.calendar, thread.counted.target_s, thread.counted.took_us)),
    )
