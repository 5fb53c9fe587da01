"""Triage's stage: decode and judge outside the pen, fold under it.

Owns the translation of records to arrivals and acts, and the restating of what was told. Everything a slice changes is in `folding`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from earshot_shared import envelope, ids
from earshot_shared.actions import Action, decode_action
from earshot_shared.envelope import rfc3339
from earshot_shared.item import Item, decode_item, encode_item, holds_nul
from earshot_shared.messages import Message as Told
from earshot_shared.pipeline.records import Batch, Poison, Record
from earshot_shared.pipeline.writer import Transaction
from earshot_shared.replies import reply_item
from earshot_shared.topics import Topic
from earshot_triage import erasing, listening, repository, wide_acts
from earshot_triage.decisions import Arrival, Decider, Heard
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.events import FEEDS, SERVICE, TRIAGED, act_of, is_ours, key_of, triaged_body
from earshot_triage.folding import Doing, Fold
from earshot_triage.telling import Teller
from earshot_triage.wide_acts import WideAct

INPUTS = (Topic.FEEDBACK_RECEIVED, Topic.FEEDBACK_BACKFILLED, Topic.ACTION_TAKEN, Topic.ERASURE_DONE)
YIELDS = (Topic.FEEDBACK_BACKFILLED,)
OUTPUTS = (
    Topic.FEEDBACK_TRIAGED, Topic.FEEDBACK_PRODUCT, Topic.FEEDBACK_SUPPORT, Topic.CASE_CHANGED, Topic.ALERT_RAISED, Topic.ACTION_TAKEN,
    Topic.OUTREACH_REQUESTED, Topic.ERASURE_DONE,
)  # fmt: skip
PAGE_KEYS = 500
SLICE_RECORDS = 500
"""So many make a full slice here: each holds 13 KB until all is said, most of it in three or four messages."""
_FIRST_YEAR, _LAST_YEAR = 1900, 9900
# Fewer than this are decoded where they are: a hand-over to a thread costs more than they do.
_HAND_OVER_FROM = 50


@dataclass(slots=True)
class Prepared:
    """A slice, decoded and decided. ``struck`` are skeletons, (erasure_id, key, feedback_id); ``receipts`` say how many there are of them;
    ``replies`` are those of ours that may say less than they did; ``retold`` are acts that a replay brings; ``sources`` are those of live
    items that are expected to be heard.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    doings: list[Doing] = field(default_factory=list)
    wide: list[WideAct] = field(default_factory=list)
    struck: list[tuple[str, str, str]] = field(default_factory=list)
    receipts: list[tuple[str, int]] = field(default_factory=list)
    replies: list[Item] = field(default_factory=list)
    retold: list[Doing] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    poison: list[Poison] = field(default_factory=list)


class TriageStage:
    """Implements `earshot_shared.pipeline.records.Stage` for triage."""

    name = SERVICE
    inputs = INPUTS

    def __init__(self, decider: Decider, clock: Callable[[], datetime]) -> None:
        self.decider = decider
        self._clock = clock

    async def prepare(self, slice_: Sequence[Batch]) -> Prepared:
        """Decode, judge and route; in a thread when there is much of it, so that the loop's heartbeats go on."""
        if sum(len(batch.records) for batch in slice_) < _HAND_OVER_FROM:
            return self._prepare(slice_)
        return await asyncio.to_thread(self._prepare, slice_)

    def _prepare(self, slice_: Sequence[Batch]) -> Prepared:
        prepared = Prepared()
        heard: list[Heard] = []
        for batch in slice_:
            for record in batch.records:
                if record.value is None:
                    continue  # a tombstone says nothing about what we hold
                if batch.topic is Topic.ACTION_TAKEN:
                    self._read_action(record, batch.replaying, prepared)
                elif batch.topic is Topic.ERASURE_DONE:
                    _read_receipt(record, prepared)
                else:
                    _read_item(record, batch.replaying, heard, prepared.poison)
        prepared.arrivals = self.decider.decide(heard)
        if expected := self.decider.rules.silence:
            live = {each.item.source for each in heard if not (each.replaying or each.item.backfill)}
            prepared.sources = live & expected.keys()
        prepared.struck = [(each.item.erasure_id, each.key, each.item.feedback_id) for each in heard if each.item.erasure_id is not None]
        prepared.replies = [each.item for each in heard if erasing.is_struck_reply(each.item)]
        return prepared

    def _read_action(self, record: Record, replaying: bool, prepared: Prepared) -> None:
        assert record.value is not None, "tombstones were passed over"
        try:
            action = decode_action(envelope.decode(record.value).data)
            if is_ours(action):
                prepared.doings.append(self.doing(action))
                if replaying:
                    prepared.retold.append(prepared.doings[-1])
            elif wide_acts.is_wide(action):
                prepared.wide.append(wide_acts.read(action))
        except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
            prepared.poison.append(Poison(record, "undecodable", "This is no action as `action.taken` holds them."))

    def doing(self, action: Action) -> Doing:
        """Return an action of ours with what it means.

        Raises: msgspec.DecodeError, ValueError when its arguments or its subject are none.
        """
        act = act_of(action)
        reply = None
        if act.verb is Verb.RESPOND:
            item = reply_item(action)
            reply = self.decider.decide([hear(item, encode_item(item))])[0]
        return Doing(action, act, reply)

    async def fold(self, tx: Transaction, prepared: Prepared) -> None:
        """Apply a slice."""
        tx.bury(prepared.poison)
        await self.apply(tx, prepared.arrivals, prepared.doings)
        if prepared.sources:
            await listening.hear(tx.conn, prepared.sources, self._clock())
        if prepared.wide:
            await wide_acts.keep(tx.conn, prepared.wide)
        await erasing.follow(tx, prepared.replies)
        if prepared.retold:
            await erasing.silence_again(tx, prepared.retold)
        if prepared.struck or prepared.receipts:
            await erasing.settle(tx, prepared.struck, prepared.receipts, now=rfc3339(self._clock()))

    async def apply(self, tx: Transaction, arrivals: Sequence[Arrival], doings: Sequence[Doing]) -> None:
        """Apply arrivals and actions: what slices and people's writes both come to."""
        await Fold(tx, self.decider.rules, self._clock(), self._decide_again).run(arrivals, doings)

    def _decide_again(self, body: bytes, said: Sequence[Act], replaying: bool) -> Arrival:
        heard = hear(decode_item(body), body, replaying=replaying)
        return self.decider.decide([heard], corrections={heard.key: said})[0]

    async def restate(self, tx: Transaction, topic: Topic, keys: Collection[str]) -> list[Told]:
        """Return the present state of ``keys`` as messages for ``topic``; what we never held gets none."""
        time = rfc3339(self._clock())
        keys = [key for key in sorted(keys) if ids.is_uuid(key)]  # a stranger may have written under any key
        if topic is Topic.CASE_CHANGED:
            return await self._restate_cases(tx, keys, time)
        feed = next((each for each in (TRIAGED, *FEEDS.values()) if each.topic is topic), None)
        if feed is None:
            return []
        by_key = {key_of(feedback_id): feedback_id for feedback_id in keys}
        known = await repository.load_known(tx.conn, by_key)
        items = await repository.load_items(tx.conn, known)
        threads = await repository.load_threads(tx.conn, {held.label for held in known.values()})
        messages = []
        for key, held in known.items():
            team = next((team for team, each in FEEDS.items() if each.topic is topic), None)
            if team is not None and team not in held.message.routes:
                messages.append(feed.tombstone(by_key[key]))
                continue
            thread = threads.get(held.label)
            case_id = None if thread is None or held.message.withdrawn else thread.state.case_id
            body = triaged_body(items[key].item, items[key].decision, case_id, tx.version)
            messages.append(feed.write(by_key[key], f"{by_key[key]}.{tx.version}", body, time=time))
        return messages

    async def _restate_cases(self, tx: Transaction, keys: Sequence[str], time: str) -> list[Told]:
        known = await repository.load_known(tx.conn, keys)
        threads = await repository.load_threads(tx.conn, {held.label for held in known.values()})
        teller = Teller(tx.version, time)
        for key, held in known.items():
            thread = threads.get(held.label)
            case_id = thread.state.case_id if thread is not None else None
            if thread is not None and case_id == key:
                teller.case(thread)
            else:
                teller.gone(key, case_id)
        return teller.said

    async def restate_page(self, tx: Transaction, topic: Topic, after: str) -> tuple[list[Told], str | None]:
        """Return the present state of the next items, or of the next ids of cases."""
        if topic is Topic.CASE_CHANGED:
            keys = await repository.page_of_opened(tx.conn, after, PAGE_KEYS)
            messages = await self._restate_cases(tx, keys, rfc3339(self._clock()))
        else:
            page = await repository.page_of_feedback(tx.conn, after, PAGE_KEYS)
            keys = [held.key for held in page]
            messages = await self.restate(tx, topic, [held.message.feedback_id for held in page])
        return messages, keys[-1] if len(keys) == PAGE_KEYS else None

    def forget(self) -> None:
        """Nothing is cached."""


def _read_item(record: Record, replaying: bool, heard: list[Heard], poison: list[Poison]) -> None:
    """Add the item of one record, or say why it is none."""
    assert record.value is not None, "tombstones were passed over"
    try:
        data = envelope.decode(record.value).data
        heard.append(hear(decode_item(data), bytes(data), replaying=replaying))
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        poison.append(Poison(record, "undecodable", "This is no item as the feedback topics hold them."))


def _read_receipt(record: Record, prepared: Prepared) -> None:
    assert record.value is not None, "tombstones were passed over"
    try:
        receipt = erasing.read_receipt(record.value)
    except msgspec.DecodeError:
        prepared.poison.append(Poison(record, "undecodable", "This is no receipt as `erasure.done` holds them."))
        return
    if receipt is not None:
        prepared.receipts.append(receipt)


def hear(item: Item, body: bytes, *, replaying: bool = False) -> Heard:
    """Return an item with its keys.

    Raises: ValueError when an id in it is none, a text holds a NUL, or its time is out of the world.
    """
    if holds_nul(body):
        raise ValueError("a text holds a NUL")
    if not _FIRST_YEAR <= item.occurred_at.year <= _LAST_YEAR:
        raise ValueError("occurred_at is no time that clocks can be reckoned from")
    for node in item.conversations:
        if len(node) != 36 or len(bytes.fromhex(node.replace("-", ""))) != 16:
            raise ValueError("a conversation is no UUID")
    return Heard(item, body, key_of(item.feedback_id), tuple(map(key_of, item.parents)), replaying)
