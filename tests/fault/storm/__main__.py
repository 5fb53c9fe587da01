"""The long form: `make storm ARGS="--minutes 60 --seed 7"`. Prints its seed first; the same seed strikes the same blows."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from fault.storm.run import weather


def main() -> int:
    """Run one storm and say what it did."""
    parser = argparse.ArgumentParser(
        prog="storm", description="Kill and freeze a real system's processes under load, then compare every view."
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="earshot-storm-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        told = weather(Path(folder), seed=chosen.seed, seconds=chosen.minutes * 60)
    print(f"{told.items} items acknowledged, {len(told.blows)} blows survived: every view holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
