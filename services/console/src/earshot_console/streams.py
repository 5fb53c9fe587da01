"""Streams of events for dashboards: Server-Sent Events and WebSocket over the hub, filtered, resumable.

Owns the query of a stream and its spelling on the wire. What is kept, and for how long, is the hub's business.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec

from earshot_console.hub import Event, Hub
from earshot_console.positions import Partition, decode_positions, encode_positions
from earshot_shared.http.problems import BusyError, FieldProblem, InvalidError
from earshot_shared.topics import Topic

HEARTBEAT_S = 15.0
ATTEND_S = 10.0
_MOST_CONDITIONS = 20
_BY_NOUN = {topic.value.noun: topic for topic in Topic}


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the event's ``data`` (a path with dots) that must be one of some values, as text."""

    path: tuple[str, ...]
    values: frozenset[str]

    def at(self, data: Any) -> Any:
        """Return what stands at the path; None where nothing does."""
        for step in self.path:
            data = data.get(step) if isinstance(data, dict) else None
        return data

    def holds(self, data: Any) -> bool:
        """Return whether ``data`` has one of the values at the path; of a list, one entry is enough."""
        found = self.at(data)
        return any(_as_text(each) in self.values for each in (found if isinstance(found, list) else [found]))


def parse_topics(text: str) -> tuple[Topic, ...]:
    """Return the topics named, such as ``case.changed,alert.raised``.

    Raises: InvalidError naming what is unknown.
    """
    nouns = list(dict.fromkeys(noun.strip() for noun in text.split(",") if noun.strip()))
    unknown = [noun for noun in nouns if noun not in _BY_NOUN]
    if unknown or not nouns:
        detail = f"Name topics out of: {', '.join(sorted(_BY_NOUN))}."
        raise InvalidError(detail, code="topic-unknown", errors=[FieldProblem("topics", "topic-unknown", detail)])
    return tuple(_BY_NOUN[noun] for noun in nouns)


def parse_filter(text: str | None) -> tuple[Condition, ...]:
    """Return the conditions in ``team:support|product,status:open``: all must hold, of the values parted by ``|`` one.

    Raises: InvalidError for anything else.
    """
    if not text:
        return ()
    conditions = []
    for part in text.split(","):
        path, colon, values = part.partition(":")
        if not colon or not path.strip() or not values.strip():
            detail = "Write a filter as field:value, several parted by commas, such as team:support,status:open|waiting."
            raise InvalidError(detail, code="filter-invalid", errors=[FieldProblem("filter", "filter-invalid", detail)])
        steps = tuple(step.strip() for step in path.split("."))
        conditions.append(Condition(steps, frozenset(value.strip() for value in values.split("|"))))
    if len(conditions) > _MOST_CONDITIONS:
        raise InvalidError(f"A filter has at most {_MOST_CONDITIONS} conditions.", code="filter-invalid")
    return tuple(conditions)


class Streams:
    """Opens streams and counts them."""

    def __init__(self, hub: Hub, *, most: int) -> None:
        self._hub = hub
        self._most = most
        self.open = 0

    async def start(self, topics: Sequence[Topic], last_event_id: str | None, *, from_beginning: bool) -> dict[Partition, int]:
        """Return where a new stream begins: after the last event the client had, at the beginning, or now; `follow` must come next.

        Raises: InvalidError for a forged id; BusyError when Kafka is not there yet or too many streams are open.
        """
        if not self._hub.ready:
            raise BusyError("The stream is starting: try again in a moment.", headers=[("retry-after", "1")])
        if self.open >= self._most:
            raise BusyError("Too many streams are open: try again later.", headers=[("retry-after", "30")])
        await self._attend(topics)
        now = {at: 0 if from_beginning else end for at, end in self._hub.ends.items() if at[0] in topics}
        if not last_event_id:
            return now
        try:
            return now | {at: offset for at, offset in decode_positions(last_event_id, self._hub.ends).items() if at in now}
        except ValueError as error:
            self._hub.leave(topics)
            raise InvalidError(f"Last-Event-ID {error}: begin again without it.", code="cursor-invalid") from error

    def opening(self, topics: Sequence[Topic], start: Mapping[Partition, int]) -> bytes:
        """Return what a stream begins with: its place, so that who loses the line before the first event misses none."""
        return b"retry: 1000\nid: %s\n\n" % encode_positions(start, self._hub.counts, topics).encode()

    async def _attend(self, topics: Sequence[Topic]) -> None:
        try:
            async with asyncio.timeout(ATTEND_S):
                await self._hub.attend(topics)
        except TimeoutError:
            self._hub.leave(topics)
            raise BusyError("Kafka does not answer: try again in a moment.", headers=[("retry-after", "1")]) from None

    async def follow(
        self,
        topics: Sequence[Topic],
        start: dict[Partition, int],
        conditions: Sequence[Condition],
        *,
        welcome: Callable[[], Awaitable[bool]],
    ) -> AsyncGenerator[list[tuple[str, Event]], None]:
        """Yield (event id, event) in lists; an empty list is a heartbeat. Ends when its reader is not welcome any more."""
        positions = dict(start)
        self.open += 1
        try:
            async with aclosing(self._hub.follow(topics, start, patience_s=HEARTBEAT_S)) as events:
                async for batch in events:
                    if not await welcome():
                        return
                    told = []
                    for event in batch:
                        positions[event.topic, event.partition] = event.offset + 1
                        if is_told(event, conditions):
                            told.append((encode_positions(positions, self._hub.counts, topics), event))
                    if told or not batch:
                        yield told
        finally:
            self.open -= 1
            self._hub.leave(topics)


def as_json(event: Event) -> bytes:
    """Return the event as JSON: the CloudEvent as it is on the topic, or a tombstone with its key and ``"data": null``."""
    if event.value is not None:
        return event.value
    key = (event.key or b"").decode(errors="replace")
    return msgspec.json.encode({"specversion": "1.0", "type": event.topic.event_type(), "subject": key, "data": None})


def as_sse(event_id: str, event: Event) -> bytes:
    """Return one Server-Sent Event."""
    data = b"\ndata: ".join(as_json(event).splitlines())
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), event.topic.value.noun.encode(), data)


class _HasData(msgspec.Struct):
    data: Any = None


_data_of = msgspec.json.Decoder(_HasData)
_is_event = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_told(event: Event, conditions: Sequence[Condition]) -> bool:
    """Return whether a stream tells the event: what a stranger wrote that is no event would break the stream's own form.

    That a thing is gone, or went into another, concerns everybody who may have seen it: such an event says no more, and passes.
    """
    if event.value is None:
        return True
    try:
        event.value.decode()
        data = _data_of.decode(event.value).data if conditions else _is_event.decode(event.value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    gone = isinstance(data, dict) and (data.get("merged_into") is not None or data.get("withdrawn") is True)
    return all(condition.holds(data) or (gone and condition.at(data) is None) for condition in conditions)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
