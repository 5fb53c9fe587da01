"""Addresses that hold an author key.

Owns where in an address the key ends: account ids hold slashes, and may end as a route does.
"""

from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.routing import Match

_KEY: Final = "{author_key:path}"


class KeyedRoute(APIRoute):
    """A route on an author key. What follows the key stands in the address as it is written here: ``/members/x%2Fledger`` is the member
    ``x/ledger``, ``/members/x/ledger`` the ledger of ``x``.
    """

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Return whether this route serves a request."""
        match, child = super().matches(scope)
        _, key, rest = self.path.partition(_KEY)
        if match is not Match.NONE and key and not scope["raw_path"].endswith(rest.encode()):
            return Match.NONE, {}
        return match, child
