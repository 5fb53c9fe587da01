"""`python -m fault.toy --postgres DSN --kafka HOST:PORT`: many seeds of the toy, one line each; exit 1 when one of them broke.

Run it in `tests/`. With --sabotage it must fail: that is how one sees that it can.
"""

import argparse
import os
from collections.abc import Sequence

from fault.toy.replica import Trial
from fault.toy.store import Locks, Sabotage
from fault.toy.trial import Course, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fault.toy")
    parser.add_argument("--postgres", required=True)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--locks", choices=[*Locks, "both"], default="both")
    parser.add_argument("--sabotage", type=Sabotage, choices=list(Sabotage), default=Sabotage.NONE)
    parser.add_argument("--load-s", type=float, default=4.0)
    options = parser.parse_args(arguments)
    broken = 0
    for seed in range(options.first, options.first + options.seeds):
        locks = list(Locks)[seed % 2] if options.locks == "both" else Locks(options.locks)
        verdict = Course(_trial(options, seed, locks)).run(options.load_s)
        broken += bool(verdict.faults)
        report(seed, locks, verdict)
    print(f"{options.seeds - broken} of {options.seeds} seeds held")
    return 1 if broken else 0


def _trial(options: argparse.Namespace, seed: int, locks: Locks) -> Trial:
    tag = f"toy_{os.getpid()}_{seed}"
    return Trial(
        seed=seed,
        dsn=options.postgres,
        bootstrap=options.kafka,
        schema=tag,
        facts_topic=f"{tag}.facts",
        state_topic=f"{tag}.state",
        partitions=3,
        keys=tuple(f"key-{number}" for number in range(8)),
        locks=locks,
        sabotage=options.sabotage,
        kill=0.006,
        freeze=0.008,
    )


def report(seed: int, locks: Locks, verdict: Verdict) -> None:
    print(f"seed {seed:4} {locks:4} {'BROKE' if verdict.faults else 'held '} {verdict.line()}", flush=True)
    for fault in verdict.faults:
        print(f"    {fault}", flush=True)
