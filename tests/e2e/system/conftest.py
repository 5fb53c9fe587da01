"""One whole system for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.system import System, running


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, without the demonstration feed."""
    folder: Path = tmp_path_factory.mktemp("system")
    folder.chmod(0o755)
    with running(folder / "data") as up:
        yield up
