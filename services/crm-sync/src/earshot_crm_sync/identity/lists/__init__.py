"""Word lists that ship with the engine, one entry a line, `#` for remarks. Owns their reading alone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def words(name: str) -> frozenset[str]:
    """Return a list as a set. Raises: FileNotFoundError for a list that does not exist."""
    return frozenset(lines(name))


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return a list's entries in their order."""
    text = files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
