"""Service levels computed straight from a file in the format `conversations`, with nothing of the product or of the other folds.

Owns: reading that format, one message a line (conversation_id, message_id, author, author_is_brand, brand, in_reply_to, created_at, text).
Used to check imports: `GET /v1/metrics/service-levels?by=brand` must give the same to the millisecond.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from uuid import UUID, uuid5

NAMESPACE = UUID("e61cf7c8-1a8e-4efe-8f6d-313804dc2cf8")


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the file. tie: what orders two messages of the same instant (their feedback_id)."""

    message_id: str
    conversation: str
    parent: str | None
    brand: str | None
    author: str
    by_brand: bool
    at: datetime
    tie: UUID

    @property
    def place(self) -> tuple[datetime, UUID]:
        return (self.at, self.tie)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one brand; seconds as floats, None where nothing was answered."""

    cases: int
    answered: int
    median_first_response_s: float | None
    p90_first_response_s: float | None
    within_target: float


def read_messages(path: Path, source: str) -> list[Message]:
    """All lines; `source` is the name given to the import, which only decides between messages of the same instant."""
    with path.open(encoding="utf-8") as lines:
        return [_message(json.loads(line), source) for line in lines if line.strip()]


def figures_by_brand(messages: Iterable[Message], target_s: float) -> dict[str, Figures]:
    opened: dict[str, int] = {}
    waits: dict[str, list[Fraction]] = {}
    for thread in threads_of(messages):
        if thread[0].by_brand:
            continue
        brand = next((message.brand for message in thread if message.brand), None) or ""
        opened[brand] = opened.get(brand, 0) + 1
        answer = next((m for m in thread[1:] if m.by_brand and _speaks_for(m) == brand), None)
        if answer is not None:
            wait = answer.at - thread[0].at
            micros = (wait.days * 86_400 + wait.seconds) * 1_000_000 + wait.microseconds
            waits.setdefault(brand, []).append(Fraction(micros, 1_000_000))
    return {brand: _figures(count, sorted(waits.get(brand, [])), Fraction(target_s)) for brand, count in sorted(opened.items())}


def threads_of(messages: Iterable[Message]) -> list[list[Message]]:
    """Messages joined by conversation and reply, in order; a message named on two lines joins both conversations."""
    by_id: dict[str, Message] = {}
    neighbours: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for message in messages:
        by_id.setdefault(message.message_id, message)
        node = ("message", message.message_id)
        others = [("conversation", message.conversation)]
        if message.parent is not None:
            others.append(("message", message.parent))
        for other in others:
            neighbours.setdefault(node, set()).add(other)
            neighbours.setdefault(other, set()).add(node)
    seen: set[tuple[str, str]] = set()
    threads = []
    for start in neighbours:
        reached, edge = [], [start]
        while edge:
            node = edge.pop()
            if node not in seen:
                seen.add(node)
                reached.append(node)
                edge.extend(neighbours[node])
        thread = [by_id[name] for kind, name in reached if kind == "message" and name in by_id]
        if thread:
            threads.append(sorted(thread, key=lambda message: message.place))
    return threads


def _speaks_for(message: Message) -> str:
    """A brand's account speaks for itself; where another brand's account joins in, the line's brand is the conversation's, not its own."""
    return message.brand if message.brand is not None and message.author.lower() == message.brand.lower() else message.author


def _message(line: dict[str, object], source: str) -> Message:
    message_id = str(line["message_id"])
    parent, brand = line.get("in_reply_to"), line.get("brand")
    return Message(
        message_id=message_id,
        conversation=str(line["conversation_id"]),
        parent=None if parent is None else str(parent),
        brand=None if brand is None else str(brand),
        author=str(line["author"]),
        by_brand=line["author_is_brand"] is True,
        at=datetime.fromisoformat(str(line["created_at"])),
        tie=uuid5(NAMESPACE, f"{source}\x1f{message_id}"),
    )


def _figures(cases: int, waits: list[Fraction], target_s: Fraction) -> Figures:
    return Figures(
        cases=cases,
        answered=len(waits),
        median_first_response_s=_interpolated(waits, Fraction(1, 2)),
        p90_first_response_s=_interpolated(waits, Fraction(9, 10)),
        within_target=sum(wait <= target_s for wait in waits) / cases,
    )


def _interpolated(ordered: list[Fraction], share: Fraction) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    left = int(place)
    right = min(left + 1, len(ordered) - 1)
    return float(ordered[left] * (1 - (place - left)) + ordered[right] * (place - left))
