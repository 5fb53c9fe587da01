"""Fixtures for every test, their order over several processes, and `--capabilities`: which test proves which capability."""

import os
import re
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["support.ground"]

# In CI a change is judged by the same examples each time; everywhere else every run looks for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
hypothesis.settings.register_profile("thorough")  # --hypothesis-profile=thorough: twenty times the examples, where a test asks how many
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

_LINE = re.compile(r"^- \*\*([A-Z]\d+)\*\* (.+)$", re.MULTILINE)
_CAPABILITIES = Path(__file__).resolve().parents[1] / "docs" / "capabilities.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--capabilities", action="store_true", help="Print each capability with the tests that prove it, and run nothing.")


# What takes long comes first, so that no process is left with it at the end; the tests of these folders share one system.
_FOLDERS = ("fault", "e2e", "integration", "property", "contract", "unit")
_SHARING = ("e2e/system", "e2e/local")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse marks of capabilities that do not exist; with --capabilities print the table instead of the tests' names."""
    known = dict(_LINE.findall(_CAPABILITIES.read_text(encoding="utf-8")))
    proved: dict[str, set[str]] = {}
    for item in items:
        for mark in item.iter_markers("capability"):
            if mark.args[0] not in known:
                raise pytest.UsageError(f"{item.nodeid}: there is no capability {mark.args[0]} in docs/capabilities.md")
            proved.setdefault(mark.args[0], set()).add(item.nodeid.split("[")[0])
    if config.getoption("--capabilities"):
        for name, title in known.items():
            print(f"{name:<4}{title}")
            for test in sorted(proved.get(name, ())):
                print(f"      {test}")
        print(f"{len(proved)} of {len(known)} capabilities have a test")
        items.clear()
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group_of(item)))
    items.sort(key=lambda item: _FOLDERS.index(_place_of(item).parts[0]))


def _place_of(item: pytest.Item) -> Path:
    return item.path.relative_to(Path(__file__).parent)


def _group_of(item: pytest.Item) -> str:
    """Return what is run by one process: a file, or a folder that shares a system."""
    place = _place_of(item).as_posix()
    return next((folder for folder in _SHARING if place.startswith(folder)), place)
