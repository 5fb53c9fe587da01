"""Where each partition stands: the truth about what was applied, in the transaction that applied it.

Owns the rows of ``positions``. A position knows the cluster and the topic it was said of: on other ground it means nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from earshot_shared.errors import FatalError, FencedError
from earshot_shared.pipeline.records import Batch
from earshot_shared.postgres import Queries

_QUERIES = Queries.load("earshot_shared.pipeline")
HELP = (
    "Was the broker replaced, or its data lost? `earshot topics apply`, then `earshot ingest republish --since TIME` bring every service "
    "onto what is there."
)

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Ground:
    """What identifies the log: the cluster's id, and for each topic its id and the offsets (first, end) of its partitions."""

    cluster_id: str
    topic_ids: Mapping[str, str]
    bounds: Mapping[Partition, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset to apply; below ``replay_until`` nothing is new to anybody."""

    next_offset: int
    replay_until: int


async def load(conn: Any, wanted: Iterable[Partition], ground: Ground) -> dict[Partition, Position]:
    """Return the positions of the wanted partitions, beginning those never seen at the first offset.

    Raises: FatalError when a position was said of another cluster or topic, or lies beyond the end of the log, or that was found before.
    """
    await raise_if_lost(conn)
    partitions = sorted(wanted)
    topics = sorted({topic for topic, _ in partitions})
    found = await _select(conn, topics)
    missing = [partition for partition in partitions if partition not in found]
    if missing:
        await conn.execute(
            _QUERIES["create_positions"],
            [topic for topic, _ in missing],
            [partition for _, partition in missing],
            [ground.bounds[each][0] for each in missing],
            ground.cluster_id,
            [ground.topic_ids[topic] for topic, _ in missing],
        )
        found = await _select(conn, topics)
    positions = {}
    for each in partitions:
        row = found[each]
        check_position(each, row, ground)
        positions[each] = Position(row["next_offset"], row["replay_until"])
    return positions


async def load_loss(conn: Any) -> FatalError | None:
    """Return the loss that was found before (see ``lost_ground``)."""
    row = await conn.fetchrow(_QUERIES["load_loss"])
    return None if row is None else FatalError(row["sentence"], code=row["code"])


async def raise_if_lost(conn: Any) -> None:
    """Raise the FatalError of a loss that was found before."""
    if (loss := await load_loss(conn)) is not None:
        raise loss


async def stored(conn: Any, topics: Iterable[str]) -> dict[Partition, int]:
    """Return the next offsets as they are stored, without a look at the ground."""
    return {at: row["next_offset"] for at, row in (await _select(conn, sorted(topics))).items()}


async def _select(conn: Any, topics: Sequence[str]) -> dict[Partition, Any]:
    return {(row["topic"], row["partition"]): row for row in await conn.fetch(_QUERIES["load_positions"], topics)}


def check_position(partition: Partition, row: Any, ground: Ground) -> None:
    """See whether a stored position can have been said of this log.

    Raises: FatalError when it cannot.
    """
    topic, number = partition
    if row["cluster_id"] != ground.cluster_id:
        raise FatalError(f"The position of {topic}-{number} belongs to another Kafka cluster. {HELP}", code="other-cluster")
    if row["topic_id"] != ground.topic_ids.get(topic):
        raise FatalError(f"The topic {topic} was deleted and made anew since our position. {HELP}", code="other-topic")
    _, end = ground.bounds.get(partition, (0, 0))
    if row["next_offset"] > end:
        raise FatalError(
            f"The log of {topic}-{number} ends at {end}, before our position {row['next_offset']}. {HELP}", code="log-too-short"
        )


async def advance(conn: Any, batches: Sequence[Batch], known: Mapping[Partition, Position]) -> None:
    """Move the positions of all batches to their ends.

    Raises: FencedError when one does not stand where we thought: another owner moved it, or a replay began.
    """
    ordered = sorted(batches, key=lambda batch: (batch.records[0].topic, batch.partition))
    moved = await conn.fetchval(
        _QUERIES["advance_positions"],
        [batch.records[0].topic for batch in ordered],
        [batch.partition for batch in ordered],
        [known[batch.records[0].topic, batch.partition].next_offset for batch in ordered],
        [batch.end for batch in ordered],
    )
    if moved != len(ordered):
        raise FencedError("A position was moved by another owner or by a replay.")
