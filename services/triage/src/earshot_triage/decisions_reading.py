"""What the HTTP side reads of decisions: that on one item, explained, and what the judge says of any text.

Owns the shapes of these answers (contract §10). Changes nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from earshot_shared.item import decode_item
from earshot_triage.decisions import Judging, explained
from earshot_triage.domain.message import Message
from earshot_triage.events import Decision
from earshot_triage.repository import QUERIES

_THREAD_FROM = 20

_message_decoder = msgspec.msgpack.Decoder(Message)
_decision_decoder = msgspec.json.Decoder(Decision)
_encoder = msgspec.json.Encoder()


class DecisionView(Decision, frozen=True, kw_only=True, gc=False):
    """A decision as HTTP tells it (contract §10)."""

    feedback_id: str
    author_key: str
    source: str
    external_id: str
    channel: str
    occurred_at: datetime
    case_id: str | None
    revision: int
    withdrawn: bool
    erased: bool


class JudgedText(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge says of one text."""

    intent: str
    intents: dict[str, float]
    conduct: str
    sentiment: float
    sentiment_label: str
    sentiment_probabilities: dict[str, float]
    severity: int
    language: str
    reasons: tuple[str, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class FoundDecision:
    """A decision as JSON, and the brand of its item."""

    body: bytes
    brand: str | None


async def decision(conn: Any, key: str, judge: Judging) -> FoundDecision | None:
    """Return the decision on an item by its key, explained, None when no such item came."""
    row = await conn.fetchrow(QUERIES["read_feedback"], key)
    if row is None:
        return None
    message, item, decided = _message_decoder.decode(row["brief"]), decode_item(row["item"]), _decision_decoder.decode(row["decision"])
    fields = {name: getattr(decided, name) for name in Decision.__struct_fields__} | {"reasons": explained(item, decided, judge)}
    view = DecisionView(
        **fields,
        feedback_id=item.feedback_id,
        author_key=message.author_key,
        source=item.source,
        external_id=item.external_id,
        channel=item.channel,
        occurred_at=item.occurred_at,
        case_id=str(row["held"]) if row["has_case"] and not item.withdrawn else None,
        revision=message.revision,
        withdrawn=item.withdrawn,
        erased=item.erased,
    )
    return FoundDecision(_encoder.encode(view), message.brand)


async def judged(judge: Judging, texts: Sequence[str]) -> list[JudgedText]:
    """Return what the judge says of each text; in a thread when they are many, so that others are answered meanwhile."""
    found = judge.judge(texts) if len(texts) < _THREAD_FROM else await asyncio.to_thread(judge.judge, texts)
    return [JudgedText(**{name: getattr(each, name) for name in JudgedText.__struct_fields__}) for each in found]
