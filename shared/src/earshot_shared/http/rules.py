"""What the door asks of each path: a key or none, how large a body, of which kind.

Owns the rules and their look-up. A path without a rule gets the strict one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["json", "raw"]

OPEN_PATHS: Final = ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json")
"""What every service shows without a key; none of it holds personal data."""

DEFAULT_BODY_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """One path's rule. ``open``: no key is asked for. ``body``: "json" is checked at the door, "raw" is the route's own business."""

    open: bool = False
    body_limit_bytes: int = DEFAULT_BODY_LIMIT
    body: Kind = "json"


_STRICT: Final = PathRule()
_OPEN: Final = PathRule(open=True, body_limit_bytes=0)


class PathRules:
    """Finds the rule of a path: the one of that very path, else the one of the longest prefix (a key that ends in ``/``)."""

    def __init__(self, rules: Mapping[str, PathRule]) -> None:
        self._exact = dict.fromkeys(OPEN_PATHS, _OPEN) | {path: rule for path, rule in rules.items() if not path.endswith("/")}
        self._prefixes = sorted(((path, rule) for path, rule in rules.items() if path.endswith("/")), key=lambda pair: -len(pair[0]))
        if "/" in rules:
            self._exact["/"] = rules["/"]
            self._prefixes = [pair for pair in self._prefixes if pair[0] != "/"]

    def of(self, path: str) -> PathRule:
        """Return the rule of ``path``."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((rule for prefix, rule in self._prefixes if path.startswith(prefix)), _STRICT)
