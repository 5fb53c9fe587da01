"""How the engine fares on people made to be confused, on seeds of one's choice: the tables of docs/identity.md.

Run as `PYTHONPATH=tests python -m support.identity_measure FIRST_SEED`; it takes some minutes. Must not judge: the suites do.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from earshot_crm_sync.identity.offline.columns import columns_of
from earshot_crm_sync.identity.offline.engine import resolve_columns
from earshot_crm_sync.identity.offline.evaluate import contract_record, labelled_set, ours
from support.identity_adversary import SCENES as ADVERSARY
from support.identity_adversary import Row, adversarial_suite
from support.identity_adversary_more import MORE_SCENES
from support.identity_febrl_like import febrl_like
from support.identity_stranger import SCENES, fill
from support.identity_stranger.together import HUBS, hub
from support.identity_stranger.world import World, score

ALONE = ((16, 60), (2, 200), (16, 12))  # so many seeds, so many groups a file
MIXED = ((8, 40, 120), (2, 150, 400), (6, 5, 10))  # seeds, groups of a scene, records of a hub
ADVERSARIES = 6
FEBRLS = ((5_000, (1,), 8), (2_000, (0, 0, 1, 1, 2, 3, 5), 8))  # originals, copies, seeds


def answers(rows: Iterable[Row]) -> list[int]:
    """Return whose each record is, after the way through JSON that a file takes."""
    return [*resolve_columns(columns_of(msgspec.json.decode(msgspec.json.encode(row)) for row in rows)).label.tolist()]


def of_worlds(worlds: Iterable[World]) -> Counter[str]:
    """Return files, records, true pairs, false merges and misses of the stranger's suite."""
    total: Counter[str] = Counter()
    for world in (each.shuffled() for each in worlds):
        label = answers(world.records)
        found = score(world, {row["id"]: str(one) for row, one in zip(world.records, label, strict=True)}).values()
        total.update(files=1, records=len(label), true=sum(one.true_pairs for one in found))
        total.update(wrong=sum(one.false_merges for one in found), missed=sum(one.misses for one in found))
    return total


def alone(first: int) -> Iterator[World]:
    """Each pathology in a file of its own."""
    for seeds, count in ALONE:
        for seed in range(first, first + seeds):
            for name in SCENES:
                world = World(seed * 1_000 + count)
                fill(world, name, count)
                yield world


def mixed(first: int) -> Iterator[World]:
    """All pathologies and hubs in one file."""
    for seeds, count, records in MIXED:
        for seed in range(first, first + seeds):
            world = World(seed * 1_000 + count)
            for name in SCENES:
                fill(world, name, count)
            for kind in HUBS:
                hub(world, records, kind)
            yield world


def of_adversaries(first: int) -> Counter[str]:
    """Return the same of the two suites written beside the engine."""
    total: Counter[str] = Counter()
    for scenes in (ADVERSARY, MORE_SCENES):
        for seed in range(first, first + ADVERSARIES):
            rows, truth = adversarial_suite(seed, scenes)
            label, who = answers(rows), [truth[row["id"]] for row in rows]
            people, groups, right = (_pairs(each) for each in (who, label, zip(who, label, strict=True)))
            total.update(files=1, records=len(rows), true=people, wrong=groups - right, missed=people - right)
    return total


def _pairs(groups: Iterable[object]) -> int:
    return sum(len([*combinations(range(size), 2)]) for size in Counter(groups).values())


def main(first: int) -> None:
    """Print the tables."""
    print("| files | records | true pairs | false merges | found |\n|---|---|---|---|---|")
    told = {"each pathology alone": of_worlds(alone(first)), "all mixed with hubs": of_worlds(mixed(first)), "older": of_adversaries(first)}
    for name, found in told.items():
        share = 100 * (1 - found["missed"] / found["true"])
        print(f"| {found['files']}, {name} | {found['records']:,} | {found['true']:,} | {found['wrong']} | {share:.2f} % |")
    for originals, copies, seeds in FEBRLS:
        for seed in range(first, first + seeds):
            rows, people = febrl_like(random.Random(seed), originals, copies)
            quality = ours(labelled_set("like Febrl's", [contract_record(row) for row in rows], people))
            figures = (f"{100 * one:.2f}" for one in (quality.precision, quality.recall, quality.f1))
            print(f"like Febrl's: {originals:,} originals, up to {max(copies)} copies: precision, recall, F1", *figures)


if __name__ == "__main__":
    main(int(sys.argv[1]))
