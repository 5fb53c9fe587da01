"""Every topic Earshot has, with its key, partitions and how long it remembers.

The one list: ``earshot topics apply`` creates from it, ``docs/topics.md`` and the AsyncAPI document are compared with it.
"""

import zlib
from dataclasses import dataclass
from enum import Enum

DEFAULT_PREFIX = "earshot."
_DAY_MS = 24 * 3600 * 1000
MAX_MESSAGE_BYTES = 8 * 1024 * 1024  # a case with 20 messages of 20,000 characters is the largest record (performance notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """What a topic promises. ``stateful``: one writing service, newest record of a key is its newest state (the relay watches it)."""

    noun: str
    key: str
    partitions: int
    producer: str
    compacted: bool
    stateful: bool
    meaning: str
    retention_ms: int | None = None


class Topic(Enum):
    """The topics by name; ``Topic.X.value`` is the spec."""

    FEEDBACK_RECEIVED = TopicSpec(
        noun="feedback.received",
        key="feedback_id",
        partitions=6,
        producer="ingest",
        compacted=True,
        stateful=True,
        meaning="an item as it was heard, or its next revision",
    )
    FEEDBACK_BACKFILLED = TopicSpec(
        noun="feedback.backfilled",
        key="feedback_id",
        partitions=6,
        producer="ingest",
        compacted=True,
        stateful=True,
        meaning="the same, from imports of the past",
    )
    FEEDBACK_TRIAGED = TopicSpec(
        noun="feedback.triaged",
        key="feedback_id",
        partitions=6,
        producer="triage",
        compacted=True,
        stateful=True,
        meaning="the item, whole, beside the decision on it",
    )
    FEEDBACK_PRODUCT = TopicSpec(
        noun="feedback.product",
        key="feedback_id",
        partitions=3,
        producer="triage",
        compacted=True,
        stateful=True,
        meaning="items routed to product; a tombstone when one leaves",
    )
    FEEDBACK_SUPPORT = TopicSpec(
        noun="feedback.support",
        key="feedback_id",
        partitions=3,
        producer="triage",
        compacted=True,
        stateful=True,
        meaning="items routed to support; a tombstone when one leaves",
    )
    ACTION_TAKEN = TopicSpec(
        noun="action.taken",
        key="action_id",
        partitions=3,
        producer="every service",
        compacted=True,
        stateful=False,
        meaning="what a person or another system did through HTTP",
    )
    CONTACT_RECEIVED = TopicSpec(
        noun="contact.received",
        key="contact_id",
        partitions=3,
        producer="crm-sync",
        compacted=True,
        stateful=True,
        meaning="a record of a CRM or another system, or its next revision",
    )
    CASE_CHANGED = TopicSpec(
        noun="case.changed",
        key="case_id",
        partitions=6,
        producer="triage",
        compacted=True,
        stateful=True,
        meaning="a case after a change, with its latest 20 messages",
    )
    RECOGNITION_CHANGED = TopicSpec(
        noun="recognition.changed",
        key="author_key",
        partitions=3,
        producer="recognition",
        compacted=True,
        stateful=True,
        meaning="the standing of one author after a change",
    )
    CUSTOMER_CHANGED = TopicSpec(
        noun="customer.changed",
        key="customer_id",
        partitions=6,
        producer="crm-sync",
        compacted=True,
        stateful=True,
        meaning="the whole merged view of one customer; a pointer when it joined another; a tombstone when erased",
    )
    ALERT_RAISED = TopicSpec(
        noun="alert.raised",
        key="alert_id",
        partitions=1,
        producer="triage",
        compacted=False,
        stateful=False,
        meaning="a spike, a breach, a rung of escalation, a silent source",
        retention_ms=90 * _DAY_MS,
    )
    OUTREACH_REQUESTED = TopicSpec(
        noun="outreach.requested",
        key="outreach_id",
        partitions=1,
        producer="triage, recognition",
        compacted=False,
        stateful=False,
        meaning="somebody wants to write to an author",
        retention_ms=90 * _DAY_MS,
    )
    OUTREACH_DECIDED = TopicSpec(
        noun="outreach.decided",
        key="outreach_id",
        partitions=1,
        producer="crm-sync",
        compacted=False,
        stateful=False,
        meaning="allowed or refused by consent, with the reason",
        retention_ms=90 * _DAY_MS,
    )
    ERASURE_REQUESTED = TopicSpec(
        noun="erasure.requested",
        key="erasure_id",
        partitions=1,
        producer="crm-sync",
        compacted=True,
        stateful=False,
        meaning="a person is to be forgotten: keyed hashes only",
    )
    ERASURE_DONE = TopicSpec(
        noun="erasure.done",
        key="erasure_id",
        partitions=1,
        producer="every service",
        compacted=True,
        stateful=False,
        meaning="what one service erased, in counts",
    )

    def full_name(self, prefix: str = DEFAULT_PREFIX) -> str:
        """Return the topic's name on the broker, such as ``earshot.feedback.received.v1``."""
        return f"{normal_prefix(prefix)}{self.value.noun}.v1"

    def event_type(self) -> str:
        """Return the CloudEvents ``type``; it does not depend on the installation's prefix."""
        return f"earshot.{self.value.noun}.v1"


def normal_prefix(prefix: str) -> str:
    """Return ``prefix`` with exactly one closing dot, or empty."""
    stem = prefix.strip().rstrip(".")
    return f"{stem}." if stem else ""


def schema_name(service: str, prefix: str = DEFAULT_PREFIX) -> str:
    """Return the Postgres schema of a service: ``earshot_crm_sync`` for ``crm-sync``."""
    stem = "".join(character if character.isalnum() else "_" for character in normal_prefix(prefix).rstrip(".").lower())
    name = service.replace("-", "_")
    return f"{stem}_{name}" if stem else name


def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key: crc32 modulo the count, as librdkafka's default partitioner (``consistent``) has it."""
    return zlib.crc32(key) % count
