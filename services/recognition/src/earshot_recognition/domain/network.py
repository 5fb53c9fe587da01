"""Who helps whom: clusters of people who help one another, and those who connect them.

Owns both rules, over ties as the ledger has them; the same ties give the same answer. Knows no database.
Source: label propagation after Raghavan, Albert and Kumara 2007, made deterministic (fixed order, ties to the smaller label).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_ROUNDS: Final = 20  # labels settle in five or so; a few nodes may swing for ever


class Tie(NamedTuple):
    """``member`` helped ``beneficiary`` so many times."""

    member: str
    beneficiary: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """People who help one another more than others; ``members`` with the most ties first, ``times`` is the help inside it."""

    members: tuple[str, ...]
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Somebody with ties into other clusters than the own: how many of those, and how often help went across."""

    author_key: str
    clusters: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Clusters, the largest first, and connectors, the widest first."""

    clusters: tuple[Cluster, ...]
    connectors: tuple[Connector, ...]


def find_network(ties: Sequence[Tie]) -> Network:
    """Return the clusters and connectors of these ties, whatever order they come in."""
    weights: dict[str, Counter[str]] = defaultdict(Counter)
    for member, beneficiary, times in ties:
        weights[member][beneficiary] += times
        weights[beneficiary][member] += times
    labels = _propagate(weights)
    groups: dict[str, list[str]] = defaultdict(list)
    for key, label in labels.items():
        groups[label].append(key)
    inside = Counter[str]()
    for member, beneficiary, times in ties:
        if labels[member] == labels[beneficiary]:
            inside[labels[member]] += times
    clusters = [
        Cluster(members=tuple(sorted(keys, key=lambda key: (-weights[key].total(), key))), times=inside[label])
        for label, keys in groups.items()
    ]
    return Network(
        clusters=tuple(sorted(clusters, key=lambda one: (-len(one.members), -one.times, one.members))),
        connectors=_connectors(weights, labels),
    )


def _propagate(weights: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Return a label for each: everybody takes the one that weighs most among the neighbours, until nothing changes."""
    labels = {key: key for key in weights}
    order = sorted(weights, key=lambda key: (-weights[key].total(), key))
    for _ in range(_ROUNDS):
        changed = False
        for key in order:
            votes: Counter[str] = Counter()
            for other, times in weights[key].items():
                votes[labels[other]] += times
            best = min(votes, key=lambda label: (-votes[label], label))
            if votes[best] > votes[labels[key]]:
                labels[key], changed = best, True
        if not changed:
            break
    return labels


def _connectors(weights: Mapping[str, Counter[str]], labels: Mapping[str, str]) -> tuple[Connector, ...]:
    found = []
    for key, others in weights.items():
        across = [(labels[other], times) for other, times in others.items() if labels[other] != labels[key]]
        if across:
            connector = Connector(author_key=key, clusters=len({label for label, _ in across}), times=sum(times for _, times in across))
            found.append(connector)
    return tuple(sorted(found, key=lambda one: (-one.clusters, -one.times, one.author_key)))
