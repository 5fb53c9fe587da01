"""Versions in headers: ``ETag`` out, ``If-Match`` in, and a 412 that says who changed what.

Owns the spelling and the comparison. What changed is told by whoever holds the history, through a callback that is asked only then.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import HTTPConnection

from earshot_shared.envelope import rfc3339
from earshot_shared.http.problems import InvalidError, PreconditionFailedError

# A balancer that compresses answers marks the tag as weak (W/); the version in it is ours all the same.
_MOST: Final = 2**63 - 1  # what a bigint holds; no version is larger
_TAG: Final = re.compile(r'(?:W/)?"(\d{1,19})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change since the version the client saw; ``words`` say in a sentence what the verb means, where it does not say so itself."""

    version: int
    actor: str
    verb: str
    at: datetime
    words: str = ""


Since = Callable[[int], Awaitable[Sequence[Change]]]
"""Given a version, the changes after it, oldest first."""


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions a request is willing to change; None means any (the header was absent or ``*``)."""

    versions: frozenset[int] | None

    async def check(self, current: int, what: str, since: Since | None = None) -> None:
        """Let the request pass when ``current`` is a version it names.

        Raises: PreconditionFailedError that tells the changes since the newest version the client named.
        """
        if self.versions is None or current in self.versions:
            return
        changes = list(await since(max(self.versions))) if since is not None else []
        said = "; ".join(f"{change.words or change.verb} by {change.actor} at {rfc3339(change.at)}" for change in changes[-5:])
        raise PreconditionFailedError(
            f"This {what} is at version {current} now, not {max(self.versions)}"
            + (f". Since then: {said}." if said else ": read it again."),
            changes=[
                {"version": str(change.version), "actor": change.actor, "verb": change.verb, "at": rfc3339(change.at)} for change in changes
            ],
            headers=[("etag", etag(current))],
        )


def etag(version: int) -> str:
    """Return a version as an entity tag."""
    return f'"{version}"'


def if_match(request: HTTPConnection) -> IfMatch:
    """Return what the request's ``If-Match`` says.

    Raises: InvalidError (422 ``if-match-invalid``) for tags that are not ours.
    """
    header = ", ".join(request.headers.getlist("if-match")).strip()
    if not header or header == "*":
        return IfMatch(None)
    tags = [_TAG.fullmatch(tag.strip()) for tag in header.split(",")]
    versions = frozenset(min(int(tag[1]), _MOST) for tag in tags if tag is not None)
    if len(versions) == 0 or None in tags:
        raise InvalidError('If-Match takes an ETag as we gave it, such as "17".', code="if-match-invalid")
    return IfMatch(versions)
