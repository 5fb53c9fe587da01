"""One whole system for all tests of this folder, and its page in a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from support.system import System, running


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, without the demonstration feed."""
    folder: Path = tmp_path_factory.mktemp("system")
    folder.chmod(0o755)
    with running(folder / "data") as up:
        yield up


_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page(system: System) -> Iterator[Page]:
    """A signed-in page; what fails in its scripts fails the test."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed on this machine (install the package chromium to run the browser tests)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        opened = browser.new_page(viewport={"width": 1360, "height": 950})
        problems: list[str] = []
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.goto(system.state["services"]["console"])
        opened.fill("#api-key", system.state["api_key"])
        opened.fill("#person", "Jürgen Möller")
        opened.click("text=Sign in >> nth=-1")
        expect(opened.locator("#board")).to_be_visible(timeout=30_000)
        yield opened
        browser.close()
        assert not problems
