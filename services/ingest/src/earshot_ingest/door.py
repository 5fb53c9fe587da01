"""The hot routes: single items and batches. Bytes in, items into the group, answer when durable.

Owns reading what a request brings and telling what became of it. What an item must be is the domain's business, storing is `group`'s.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from earshot_ingest.acceptance import Prepared, Submission, prepare
from earshot_ingest.answers import BatchTold, RefusedInBatch, Told, ToldInBatch
from earshot_ingest.domain.normalise import Normaliser
from earshot_ingest.domain.refusals import Refusal
from earshot_ingest.domain.sources import Grant, SourceBook
from earshot_ingest.events import decode_item_in, refusal_of
from earshot_ingest.group import GroupCommit
from earshot_shared.http.bodies import is_json, media_type
from earshot_shared.http.call import Call
from earshot_shared.http.idempotency import Ticket, make_ticket
from earshot_shared.http.problems import (
    Answer,
    FieldProblem,
    ForbiddenError,
    HttpError,
    InvalidError,
    TooLargeError,
    UnsupportedMediaError,
)
from earshot_shared.http.strict import query_error
from earshot_shared.item import MAX_ITEM_BYTES

MAX_BATCH_ITEMS: Final = 1_000
MAX_BATCH_BYTES: Final = 5 * 1024 * 1024
# A single item is refused by its own size and counted; only what is far beyond is refused before it is read.
MAX_SINGLE_BYTES: Final = 2 * 1024 * 1024
ITEM_TOO_LARGE: Final = "item-too-large"
UNNAMED: Final = ""
"""The source under which refusals are counted whose source could not be read."""

_BAD_REQUESTS: Final = frozenset({"json-invalid", "json-too-deep", "encoding-invalid"})
_LINES: Final = frozenset(b"application/" + name for name in (b"x-ndjson", b"ndjson", b"x-jsonlines", b"jsonlines", b"jsonl"))
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class BatchIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch as JSON: the items stay raw, so that each is judged alone."""

    items: list[msgspec.Raw]


@dataclass(slots=True)
class _Judged:
    """A batch after each item was judged: what is to be stored, where it stood, and what is refused."""

    prepared: list[Prepared]
    indexes: list[int]
    refused: list[RefusedInBatch]


_encoder = msgspec.json.Encoder()
_batch_decoder = msgspec.json.Decoder(BatchIn)
_STATUS = ("duplicate", "accepted")


class Intake:
    """The hot routes of one process."""

    def __init__(
        self,
        group: GroupCommit,
        *,
        book: Callable[[], SourceBook],
        mail_secret: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._group = group
        self._book = book
        self._mail_secret = mail_secret
        self._clock = clock

    def now(self) -> datetime:
        """Return the time by the clock of this door."""
        return self._clock()

    def normaliser(self, grant: Grant, *, backfill: bool = False) -> Normaliser:
        """Return what normalises the items of one request."""
        return Normaliser(grant=grant, book=self._book(), mail_secret=self._mail_secret, received_at=self._clock(), backfill=backfill)

    async def single(self, call: Call) -> Answer:
        """Serve ``POST /v1/feedback``."""
        flags = read_flags(call.query, ("backfill",))
        if not _may_be_json(_media_of(call)):
            raise UnsupportedMediaError("Send JSON and say so: `Content-Type: application/json`.")
        ticket = make_ticket(call, route=call.path)
        try:
            return await self.take_one(call.body, grant_of(call), traceparent=call.traceparent, backfill=flags["backfill"], ticket=ticket)
        except Refusal as refusal:
            raise error_of(refusal) from None

    async def batch(self, call: Call) -> Answer:
        """Serve ``POST /v1/feedback/batch``: good items are kept, bad ones named."""
        flags = read_flags(call.query, ("backfill", "quiet"))
        items = await _split(call)
        ticket = make_ticket(call, route=call.path)
        return await self.take(
            items, grant_of(call), traceparent=call.traceparent, backfill=flags["backfill"], quiet=flags["quiet"], ticket=ticket
        )

    async def take_one(
        self, raw: bytes, grant: Grant, *, traceparent: str | None, backfill: bool = False, ticket: Ticket | None = None
    ) -> Answer:
        """Take one item and say, once it is durable, what became of it.

        Raises: Refusal when it cannot be taken.
        """
        normaliser = self.normaliser(grant, backfill=backfill)
        try:
            prepared = self._judge(raw, normaliser, traceparent=traceparent)
        except Refusal:
            self._group.note_refused(normaliser.last_source or UNNAMED, 1)
            raise

        def tell(fresh: list[bool]) -> Answer:
            return Answer(status=202, body=_encoder.encode(Told(prepared.item.feedback_id, _STATUS[fresh[0]])))

        return await self._store(Submission([prepared]), ticket, tell)

    async def take(
        self,
        raws: Sequence[bytes | msgspec.Raw],
        grant: Grant,
        *,
        traceparent: str | None,
        backfill: bool = False,
        quiet: bool = False,
        ticket: Ticket | None = None,
        sender: str = UNNAMED,
    ) -> Answer:
        """Take several items and say, once they are durable, what became of each. ``sender`` is the source under which refusals are
        counted that name none.

        Raises: TooLargeError for more than a batch may hold.
        """
        if len(raws) > MAX_BATCH_ITEMS:
            raise TooLargeError(
                f"A batch takes up to {MAX_BATCH_ITEMS:,} items, this one has {len(raws):,}: split it.", code="batch-too-large"
            )
        judged, rejected = self._judge_all(raws, self.normaliser(grant, backfill=backfill), sender, traceparent=traceparent)
        return await self._store(Submission(judged.prepared, rejected), ticket, lambda fresh: _tell_batch(judged, fresh, quiet=quiet))

    async def _store(self, submission: Submission, ticket: Ticket | None, tell: Callable[[list[bool]], Answer]) -> Answer:
        """Store with the group; a request that may come again (``Idempotency-Key``) in a transaction of its own, with its answer."""
        if ticket is None:
            return tell(await self._group.submit(submission))
        return await self._group.alone(submission, ticket, tell)

    def _judge(self, raw: bytes | msgspec.Raw, normaliser: Normaliser, *, traceparent: str | None) -> Prepared:
        normaliser.last_source = None
        if len(memoryview(raw)) > MAX_ITEM_BYTES:
            raise Refusal(ITEM_TOO_LARGE, f"An item takes up to {MAX_ITEM_BYTES // 1024} KiB.")
        item = normaliser.item(decode_item_in(raw))
        return prepare(item, time=normaliser.time, traceparent=traceparent)

    def _judge_all(
        self, raws: Sequence[bytes | msgspec.Raw], normaliser: Normaliser, sender: str, *, traceparent: str | None
    ) -> tuple[_Judged, dict[str, int]]:
        judged = _Judged([], [], [])
        rejected: dict[str, int] = {}
        for index, raw in enumerate(raws):
            try:
                judged.prepared.append(self._judge(raw, normaliser, traceparent=traceparent))
                judged.indexes.append(index)
            except Refusal as refusal:
                judged.refused.append(RefusedInBatch(index, refusal.code, refusal.detail, refusal.field))
                source = normaliser.last_source or sender
                rejected[source] = rejected.get(source, 0) + 1
        return judged, rejected


def _tell_batch(judged: _Judged, fresh: list[bool], *, quiet: bool) -> Answer:
    told = None
    if not quiet:
        told = [
            ToldInBatch(index, prepared.item.feedback_id, _STATUS[is_fresh])
            for index, prepared, is_fresh in zip(judged.indexes, judged.prepared, fresh, strict=True)
        ]
    accepted = sum(fresh)
    return Answer(
        status=202,
        body=_encoder.encode(BatchTold(accepted=accepted, duplicates=len(fresh) - accepted, items=told, rejected=judged.refused)),
    )


def grant_of(call: Call) -> Grant:
    """Return what the key of a request may assert."""
    principal = call.principal
    if principal is None:
        return Grant(sources=frozenset())
    return Grant(everything="admin" in principal.scopes, sources=principal.sources)


def error_of(refusal: Refusal) -> HttpError:
    """Return the refusal of a single item as HTTP tells it."""
    errors = [FieldProblem(refusal.field, refusal.code, refusal.detail)] if refusal.field else []
    if refusal.code == ITEM_TOO_LARGE:
        return TooLargeError(refusal.detail, code=refusal.code)
    if refusal.code in ("source-forbidden", "source-reserved"):
        return ForbiddenError(refusal.detail, code=refusal.code, errors=errors)
    if refusal.code in _BAD_REQUESTS:
        return HttpError(refusal.detail, code=refusal.code)
    return InvalidError(refusal.detail, code=refusal.code, errors=errors)


def read_flags(query: bytes, names: Sequence[str]) -> dict[str, bool]:
    """Return the flags of a query string, false unless given.

    Raises: InvalidError for a parameter of another name, given twice, or neither true nor false.
    """
    flags = dict.fromkeys(names, False)
    if not query:
        return flags
    seen: set[str] = set()
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in flags:
            raise query_error(name, "query-unknown", f"There is no such query parameter: this path takes {', '.join(names)}.")
        if name in seen:
            raise query_error(name, "query-repeated", f"Give the query parameter {name} once.")
        if value.lower() not in _FLAGS:
            raise query_error(name, "invalid", f"{name} takes true or false.")
        seen.add(name)
        flags[name] = _FLAGS[value.lower()]
    return flags


def _media_of(call: Call) -> bytes:
    return media_type(call.header(b"content-type") or b"")


def _may_be_json(media: bytes) -> bool:
    """Tell whether a body may be JSON: clients forget to say so, while what browsers send without asking always names something."""
    return not media or is_json(media)


async def _split(call: Call) -> Sequence[bytes | msgspec.Raw]:
    """Return the items of a batch, raw: of ``{"items": […]}``, or of lines. Who names no media type may send either.

    Raises: UnsupportedMediaError for what says that it is something else; HttpError when it is neither.
    """
    media = _media_of(call)
    if media in _LINES:
        return _lines(call.body)
    if not _may_be_json(media):
        raise UnsupportedMediaError("Send `Content-Type: application/json`, or application/x-ndjson with one item a line.")
    try:
        return _batch_decoder.decode(call.body).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not media and b"\n" in call.body.strip() and not call.body.lstrip().startswith(b'{"items"'):
            return _lines(call.body)
        if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
            return await asyncio.to_thread(_split_with_broken_texts, call.body)
        raise error_of(refusal_of(error, "a batch holds `items` and no more")) from None


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _split_with_broken_texts(body: bytes) -> list[bytes]:
    """Return the items of a batch in which some text is broken (a lone surrogate), so that only its item is refused.

    Raises: HttpError when the body is no JSON, or no batch.
    """
    try:
        parsed = json.loads(body.decode("utf-8"))
    except RecursionError as error:
        raise error_of(refusal_of(error)) from None
    except UnicodeDecodeError as error:
        raise HttpError(f"The body is not UTF-8 (byte {error.start}).", code="encoding-invalid") from None
    except ValueError as error:
        where = f" (byte {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise HttpError(f"The body is not JSON{where}.", code="json-invalid") from None
    if not isinstance(parsed, dict) or set(parsed) != {"items"} or not isinstance(parsed["items"], list):
        raise InvalidError('A batch is {"items": […]}, or one item a line (application/x-ndjson).')
    try:
        return [json.dumps(item).encode() for item in parsed["items"]]
    except (ValueError, RecursionError):
        raise HttpError("The body is not JSON.", code="json-invalid") from None
