"""Sessions of people in a browser: a signed cookie, got by the one-time token or by an API key.

Owns the cookie's form and its checking. The server keeps no list: a session is what the signature says, until it expires or its key is
revoked.
"""

import base64
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from time import time

import msgspec

from earshot_shared.access import ALL_SCOPES, Principal, Secret
from earshot_shared.errors import RetryableError
from earshot_shared.http.auth import Keyring
from earshot_shared.http.problems import UnauthorizedError

COOKIE = "earshot_session"
_MAC_BYTES = 32


class Session(msgspec.Struct, frozen=True, array_like=True):
    """Who a browser acts for: a key, its scopes, and until when (seconds since 1970)."""

    key_id: str
    scopes: tuple[str, ...]
    expires_at: int
    person: str | None = None


class Sessions:
    """Issues and reads sessions; an authenticator for the console's door: a cookie, else an API key."""

    def __init__(
        self,
        secret: Secret,
        keyring: Keyring,
        *,
        login_token: str | None,
        spend: Callable[[bytes], Awaitable[bool]],
        hours: float,
        clock: Callable[[], float] = time,
    ) -> None:
        self._key = secret.key("console sessions")
        self._keyring = keyring
        self._login_token = login_token
        self._spend = spend
        self._hours = hours
        self._clock = clock

    async def __call__(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """Return who sends the request.

        Raises: UnauthorizedError when neither a session nor a key is there, or the session's key was revoked.
        """
        pairs = list(headers)
        if any(name == b"authorization" for name, _ in pairs):
            return await self._keyring(pairs)
        session = self.read(pairs)
        if session is None:
            raise UnauthorizedError("Sign in, or send an API key.", code="session-missing")
        if not await self._keyring.is_alive(session.key_id):
            raise UnauthorizedError("The key of this session was revoked: sign in with another.", code="session-ended")
        return Principal(key_id=session.key_id, scopes=frozenset(session.scopes))

    async def holds(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Return whether who was let in is still welcome: streams outlive sessions and keys. True while the keys cannot be read."""
        with contextlib.suppress(RetryableError):
            try:
                await self(headers)
            except UnauthorizedError:
                return False
        return True

    def read(self, headers: Iterable[tuple[bytes, bytes]]) -> Session | None:
        """Return the session in the request's cookie, None when there is none that holds."""
        for name, value in headers:
            if name != b"cookie":
                continue
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if found is not None:
                return self._open(found.value)
        return None

    async def redeem(self, token: str) -> str | None:
        """Return a cookie value for the one-time token, None when it is not the one, or was used: of this process or one before it."""
        if self._login_token is None or not hmac.compare_digest(token.encode(), self._login_token.encode()):
            return None
        if not await self._spend(hashlib.sha256(token.encode()).digest()):
            return None
        return self.issue("first", sorted(ALL_SCOPES))

    def issue(self, key_id: str, scopes: Iterable[str], person: str | None = None) -> str:
        """Return the cookie value of a new session."""
        session = Session(key_id, tuple(scopes), int(self._clock() + self._hours * 3600), person)
        payload = secrets.token_bytes(8) + msgspec.msgpack.encode(session)
        return base64.urlsafe_b64encode(self._mac(payload) + payload).decode()

    def _open(self, value: str) -> Session | None:
        try:
            raw = base64.urlsafe_b64decode(value.encode("ascii"))
        except (ValueError, UnicodeEncodeError):
            return None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        session = msgspec.msgpack.decode(payload[8:], type=Session)
        return session if session.expires_at > self._clock() else None

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()
