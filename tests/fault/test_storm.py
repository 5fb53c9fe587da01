"""A short storm over the whole system, from a random seed that is printed; `make storm` runs the long form."""

import random
from pathlib import Path

import pytest

from fault.storm.run import weather

pytestmark = pytest.mark.fault


@pytest.mark.capability("L22")
@pytest.mark.capability("C5")
def test_every_view_holds_after_kills_and_freezes(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"storm seed {seed}: make storm ARGS='--minutes 1 --seed {seed}' strikes the same blows")
    tmp_path.chmod(0o755)
    told = weather(tmp_path / "system", seed=seed, blows=8)
    assert told.items > 0
    assert told.blows
