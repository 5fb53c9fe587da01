"""What the relay expects of the logs it writes to: whose they are, and where they end.

Owns the form in which the lease row keeps it, and its comparison with the ground. Sends nothing and reads no topic.
"""

from collections.abc import Mapping

import msgspec

from earshot_shared.errors import FatalError
from earshot_shared.pipeline.positions import HELP, Ground, Partition


class Expectation(msgspec.Struct):
    """What is known of the logs we write to.

    ``offsets``: the end of every partition of our topics of state, which nobody else writes to. ``floors``: of other topics, below which
    their logs cannot end. ``cluster_id`` and ``topic_ids``: on which ground that was said; empty: on none yet.
    """

    offsets: dict[str, list[int]] = {}
    floors: dict[str, list[int]] = {}
    cluster_id: str = ""
    topic_ids: dict[str, str] = {}

    def pack(self) -> bytes:
        """Return it as the lease row keeps it."""
        return msgspec.msgpack.encode(self)

    def ends(self) -> dict[Partition, int]:
        """Return where the logs of our topics of state should end."""
        return {(name, number): offset for name, each in self.offsets.items() for number, offset in enumerate(each)}


def unpack(stored: bytes | None) -> Expectation:
    """Return the expectation of a lease row; one without any expects nothing."""
    return Expectation() if stored is None else msgspec.msgpack.decode(stored, type=Expectation)


def expectation_on(ground: Ground, counts: Mapping[str, int], *, stateful: Mapping[str, bool], known: Expectation) -> Expectation:
    """Return what to expect of the topics in ``counts`` (partitions of each): what is known, else that they end where they end now."""
    fresh = Expectation(cluster_id=ground.cluster_id, topic_ids={name: ground.topic_ids[name] for name in counts})
    for name, count in counts.items():
        of_state = stateful[name]
        before = (known.offsets if of_state else known.floors).get(name, [])
        unknown = [ground.bounds[name, number][1] if of_state else 0 for number in range(count)]
        (fresh.offsets if of_state else fresh.floors)[name] = [*before[:count], *unknown[len(before) :]]
    return fresh


def check_expectation(known: Expectation, ground: Ground) -> None:
    """See whether these logs can be those that we wrote to.

    Raises: FatalError when the cluster or a topic is another one, or a log ends before what we wrote to it.
    """
    if known.cluster_id and known.cluster_id != ground.cluster_id:
        raise FatalError(f"This is another Kafka cluster than the one we wrote to. {HELP}", code="other-cluster")
    for name, topic_id in known.topic_ids.items():
        if ground.topic_ids.get(name, topic_id) != topic_id:
            raise FatalError(f"The topic {name} was deleted and made anew since we wrote to it. {HELP}", code="other-topic")
    for name, each in (*known.offsets.items(), *known.floors.items()):
        for number, offset in enumerate(each):
            if (bounds := ground.bounds.get((name, number))) is not None and bounds[1] < offset:
                raise too_short(name, number)


def too_short(topic: str, partition: int) -> FatalError:
    """Return the error for a log that ends before what we wrote to it."""
    return FatalError(f"The log of {topic}-{partition} is shorter than what was written to it. {HELP}", code="log-too-short")
