"""Fixtures for every test, and `--capabilities`: which test proves which capability."""

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
