"""What flows through a stage: records, slices of them, and what a stage is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from earshot_shared.messages import Message
from earshot_shared.topics import Topic

if TYPE_CHECKING:
    from earshot_shared.pipeline.writer import Transaction


class Record(Protocol):
    """One record as the broker stores it (aiokafka's ``ConsumerRecord`` is one)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that we kept ourselves: a dead letter that is tried again."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    letter_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition, in order. ``replaying``: they were there before a replay began, so nobody is paged for them."""

    topic: Topic
    partition: int
    records: Sequence[Record]
    replaying: bool = False

    @property
    def end(self) -> int:
        """The position after the batch."""
        return self.records[-1].offset + 1


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that can never be applied, with the stable word and the sentence for the operator (no content of the record)."""

    record: Record
    code: str
    detail: str


class Stage(Protocol):
    """What a service brings to the loop. ``prepare`` runs outside the transaction and may be slow; ``fold`` holds the pen."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[Topic, ...]: ...

    async def prepare(self, slice_: Sequence[Batch]) -> Any:
        """Decode and judge: all that needs no database. Whatever is returned is handed to `fold`."""

    async def fold(self, tx: "Transaction", prepared: Any) -> None:
        """Load, decide and apply, with ``tx.send`` and ``tx.bury``. Called again after a failure: it must not depend on a lost try."""

    async def restate(self, tx: "Transaction", topic: Topic, keys: Collection[str]) -> list[Message]:
        """Return the present state of ``keys`` as messages for ``topic``; a key that is no more gets its withdrawal or tombstone."""

    async def restate_page(self, tx: "Transaction", topic: Topic, after: str) -> tuple[list[Message], str | None]:
        """Return the present state of the next keys of ``topic`` that were ever told, and what to pass as ``after`` for those behind them.

        ``after`` is empty at first; None as its successor says that these were the last. Only for topics of state.
        """

    def forget(self) -> None:
        """Drop every in-process cache: a transaction failed, or somebody else wrote."""
