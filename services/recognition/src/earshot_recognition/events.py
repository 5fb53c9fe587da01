"""The topics recognition reads and writes, and their translation to what the ledger needs."""

from datetime import datetime
from typing import Final

import msgspec
from asyncpg.pgproto.pgproto import UUID

from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.ledger import Contribution
from earshot_recognition.domain.standing import Totals
from earshot_recognition.rules import RecognitionRules
from earshot_shared.envelope import EventWriter
from earshot_shared.messages import Message
from earshot_shared.topics import Topic


class _Author(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None
    followers: int | None = None
    is_staff: bool = False
    on_behalf_of_brand: bool = False


_NOBODY: Final = _Author()


class _Item(msgspec.Struct, gc=False):
    """The part of an item that is ground for points; what else it carries is passed over."""

    feedback_id: str
    author_key: str
    occurred_at: datetime
    received_at: datetime
    kind: str = "post"
    author: _Author = _NOBODY
    handle_key: str | None = None
    parents: tuple[str, ...] = ()
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


class _Head(msgspec.Struct, kw_only=True):
    """The part of `RecognitionChanged` that is the account's own; the rest depends on its sums alone, and many have the same."""

    author_key: str
    version: int
    name: str


WRITER: Final = EventWriter(Topic.RECOGNITION_CHANGED, "recognition")
_decoder = msgspec.json.Decoder(_TriagedEvent)
_encoder = msgspec.json.Encoder()


def decode_triaged(value: bytes) -> Contribution:
    """Return what the ledger needs of a ``feedback.triaged`` record.

    Ids become asyncpg's UUIDs: equal to Python's, at a fifth of the price.
    Raises: msgspec.DecodeError when it is none; ValueError when an id in it is none.
    """
    triaged = _decoder.decode(value).data
    item = triaged.item
    author = item.author
    present = not (item.withdrawn or item.erased)
    return Contribution(
        triaged.version,
        UUID(item.feedback_id),
        item.author_key,
        item.occurred_at,
        item.handle_key,
        present,
        present and author.is_staff,
        present and author.on_behalf_of_brand,
        item.kind == "question" or triaged.intent == "question",
        item.kind,
        tuple(map(UUID, item.parents)),
        (author.name or "").strip() or None,
        min(item.occurred_at, item.received_at),
        author.followers,
    )


def totals_of(account: Account) -> Totals:
    """Return the sums that standing is decided from."""
    return Totals(account.helpful, account.active, account.helped, account.entries, account.followers)


def _event_id(account: Account) -> str:
    return f"{account.author_key}/{account.version}"


def tell_standing(account: Account, rules: RecognitionRules, *, excluded: bool, now: str) -> Message:
    """Return the ``recognition.changed`` message of an account."""
    head = _encoder.encode(_Head(author_key=account.author_key, version=account.version, name=account.name))
    standing = rules.told_standing(totals_of(account), excluded=excluded)
    return WRITER.write(account.author_key, _event_id(account), msgspec.Raw(b"%b,%b" % (head[:-1], standing[1:])), time=now)


def tell_merged(account: Account, into: str, *, now: str) -> Message:
    """Return the message of a handle's account that turned out to be another's."""
    body = RecognitionChanged(author_key=account.author_key, version=account.version, merged_into=into)
    return WRITER.write(account.author_key, _event_id(account), body, time=now)
