"""The topics recognition reads and writes, and their translation to what the ledger needs."""

from datetime import datetime
from uuid import UUID

import msgspec

from earshot_recognition.domain.ledger import Contribution
from earshot_shared.envelope import EventWriter
from earshot_shared.topics import Topic


class _Author(msgspec.Struct, gc=False):
    name: str | None = None
    followers: int | None = None
    is_staff: bool = False
    on_behalf_of_brand: bool = False


class _Item(msgspec.Struct, gc=False):
    """The part of an item that is ground for points; what else it carries is passed over."""

    feedback_id: UUID
    author_key: str
    occurred_at: datetime
    received_at: datetime
    kind: str = "post"
    author: _Author | None = None
    handle_key: str | None = None
    parents: tuple[UUID, ...] = ()
    withdrawn: bool = False
    erased: bool = False


class _Triaged(msgspec.Struct, gc=False):
    item: _Item
    version: int
    intent: str = "unknown"


class _TriagedEvent(msgspec.Struct, gc=False):
    data: _Triaged


class RecognitionChanged(msgspec.Struct, omit_defaults=True, kw_only=True):
    """``recognition.changed``: the standing of one author; with ``merged_into``, a handle that turned out to be an account's."""

    author_key: str
    version: int
    name: str = ""
    points: dict[str, int] = {}
    tier: str | None = None
    badges: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    next_step: str | None = None
    excluded: bool = False
    advocate_stage: str | None = None
    thank_you_due: bool = False
    merged_into: str | None = None


WRITER = EventWriter(Topic.RECOGNITION_CHANGED, "recognition")
_decoder = msgspec.json.Decoder(_TriagedEvent)


def decode_triaged(value: bytes) -> Contribution:
    """Return what the ledger needs of a ``feedback.triaged`` record.

    Raises: msgspec.DecodeError when it is none.
    """
    triaged = _decoder.decode(value).data
    item = triaged.item
    author = item.author or _Author()
    present = not (item.withdrawn or item.erased)
    return Contribution(
        feedback_id=item.feedback_id,
        version=triaged.version,
        author_key=item.author_key,
        handle_key=item.handle_key,
        present=present,
        staff=present and author.is_staff,
        brand=present and author.on_behalf_of_brand,
        question=item.kind == "question" or triaged.intent == "question",
        kind=item.kind,
        occurred_at=item.occurred_at,
        parents=item.parents,
        name=(author.name or "").strip() or None,
        named_at=min(item.occurred_at, item.received_at),
        followers=author.followers,
    )
