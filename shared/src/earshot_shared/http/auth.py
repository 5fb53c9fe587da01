"""Who asks, and whether they may: API keys in ``Authorization: Bearer``, scopes, and the person they act for.

Owns the checking of requests; the keys themselves are `earshot_shared.access`. Every path needs a key unless the door is told otherwise,
so that a route nobody thought of is closed.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Final, Protocol

from starlette.requests import HTTPConnection

from earshot_shared.access.keys import ALL_SCOPES, Principal, parse_token
from earshot_shared.access.store import KeyStore
from earshot_shared.actions import Actor
from earshot_shared.http.call import call_of
from earshot_shared.http.problems import ForbiddenError, InvalidError, UnauthorizedError

Headers = Iterable[tuple[bytes, bytes]]

FIRST_KEY_ID: Final = "first"
"""The id under which ``EARSHOT_API_KEY`` stands in actions and histories."""

# A revoked key works for this long in a process that has just seen it; a key that was made a moment ago is found at once, for a token
# that was refused is remembered for a second only.
_KNOWN_S: Final = 5.0
_UNKNOWN_S: Final = 1.0
_MOST_REMEMBERED: Final = 10_000
_LONGEST_ACTOR: Final = 200


class Authenticator(Protocol):
    """Says who sends a request by its headers: keys here, sessions in the console."""

    async def __call__(self, headers: Headers) -> Principal:
        """Return who it is.

        Raises: UnauthorizedError when nobody; RetryableError when the keys cannot be read now.
        """


class Keyring:
    """Knows API keys by asking the store, and remembers the answers for seconds."""

    def __init__(self, store: KeyStore, *, first_key: str | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._first = None if first_key is None else hashlib.sha256(first_key.encode()).digest()
        self._remembered: dict[bytes, tuple[Principal | None, float]] = {}
        self._alive: dict[str, tuple[bool, float]] = {}

    @property
    def store(self) -> KeyStore:
        """Where the keys are kept."""
        return self._store

    async def __call__(self, headers: Headers) -> Principal:
        """Return whose key the request carries.

        Raises: UnauthorizedError for no key, two, or one that is not known or was revoked.
        """
        found = [value for name, value in headers if name == b"authorization"]
        if len(found) != 1 or found[0][:7].lower() != b"bearer ":
            raise _unauthorized("Send an API key: `Authorization: Bearer KEY`.", "key-missing")
        token = found[0][7:].strip()
        # Remembered under a hash, so that the time a look-up takes says nothing about a key.
        mark = hashlib.sha256(token).digest()
        known = self._remembered.get(mark)
        if known is not None and known[1] > self._clock():
            principal = known[0]
        else:
            principal = await self._look_up(token, mark)
            self._remember(mark, principal)
        if principal is None:
            raise _unauthorized("This API key is not known here, or was revoked.", "key-unknown")
        return principal

    async def is_alive(self, key_id: str) -> bool:
        """Return whether a key is still good: what it was once shown for (a session, a stream) ends with it."""
        if key_id == FIRST_KEY_ID:
            return self._first is not None
        known = self._alive.get(key_id)
        if known is None or known[1] <= self._clock():
            if len(self._alive) >= _MOST_REMEMBERED:
                self._alive.clear()
            key = await self._store.find(key_id)
            known = self._alive[key_id] = (key is not None and key.revoked_at is None, self._clock() + _KNOWN_S)
        return known[0]

    async def _look_up(self, token: bytes, mark: bytes) -> Principal | None:
        if self._first is not None and hmac.compare_digest(mark, self._first):
            return Principal(key_id=FIRST_KEY_ID, scopes=frozenset(ALL_SCOPES))
        parts = parse_token(token.decode("ascii", "replace"))
        if parts is None:
            return None
        key = await self._store.find(parts[0])
        if key is None or not key.opens_with(parts[1]):
            return None
        await self._store.touch(key.key_id)
        return key.principal()

    def _remember(self, mark: bytes, principal: Principal | None) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()  # somebody is guessing; the good keys come back with one query each
        self._remembered[mark] = (principal, self._clock() + (_UNKNOWN_S if principal is None else _KNOWN_S))


def check_scope(principal: Principal, scope: str) -> None:
    """Let the request pass when its key has ``scope``: what raw routes call.

    Raises: ForbiddenError that names the missing scope.
    """
    if not principal.may(scope):
        raise ForbiddenError(f"This key lacks the scope {scope}.")


def check_unbound(principal: Principal, why: str) -> None:
    """Let a principal pass who is bound to no brand and no source.

    Raises: ForbiddenError for one who is bound to some; ``why`` says what reaches beyond.
    """
    if principal.brands is not None or principal.sources is not None:
        raise ForbiddenError(f"This key is bound to brands or sources, and {why}: use another.", code="key-bound")


def require(scope: str, *, every_brand: bool = False) -> Callable[..., Awaitable[Principal]]:
    """Return the FastAPI dependency that gives the principal of a request that must have ``scope``.

    ``every_brand``: what the route shows or changes belongs to no single brand, so that a key bound to some is refused.
    Raises, when made: ValueError for a scope that does not exist.
    """
    if scope not in ALL_SCOPES:
        raise ValueError(f"there is no scope {scope!r}")

    async def dependency(request: HTTPConnection) -> Principal:
        principal = call_of(request).principal
        if principal is None:
            raise _unauthorized("Send an API key: `Authorization: Bearer KEY`.", "key-missing")
        check_scope(principal, scope)
        if every_brand and principal.brands is not None:
            raise ForbiddenError("This key is bound to brands, and this is about people of all brands: use another.", code="key-bound")
        return principal

    return dependency


async def administrator(request: HTTPConnection) -> Principal:
    """Return who keeps this installation, as a FastAPI dependency: the scope ``admin``, bound to nothing.

    Raises: ForbiddenError without the scope, or for a key that is bound: it would reach beyond its own bounds.
    """
    principal = await require("admin")(request)
    check_unbound(principal, "this is about all of them")
    return principal


def actor_of(principal: Principal, headers: Headers) -> Actor:
    """Return who acts: the key, and the person that ``Earshot-Actor`` names (UTF-8, up to 200 characters).

    Raises: InvalidError for a name that is empty, too long, twice, or not text.
    """
    named = [value for name, value in headers if name == b"earshot-actor"]
    if not named:
        return Actor(principal.key_id)
    try:
        person = unicodedata.normalize("NFC", named[0].decode("utf-8")).strip()
    except UnicodeDecodeError:
        person = ""
    if len(named) > 1 or not person or len(person) > _LONGEST_ACTOR or not person.isprintable():
        raise InvalidError(f"Earshot-Actor names one person in up to {_LONGEST_ACTOR} printable characters.", code="actor-invalid")
    return Actor(principal.key_id, person)


async def actor(request: HTTPConnection) -> Actor:
    """Return who acts, as a FastAPI dependency beside `require`."""
    call = call_of(request)
    if call.principal is None:
        raise _unauthorized("Send an API key: `Authorization: Bearer KEY`.", "key-missing")
    return actor_of(call.principal, request.scope["headers"])


def _unauthorized(detail: str, code: str) -> UnauthorizedError:
    return UnauthorizedError(detail, code=code, headers=[("www-authenticate", 'Bearer realm="earshot"')])
