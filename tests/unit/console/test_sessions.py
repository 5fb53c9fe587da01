"""Sessions: signed, one-time token, expiry."""

import pytest

from earshot_console.sessions import COOKIE, Sessions
from earshot_shared.access import Secret
from earshot_shared.access.keys import new_key
from earshot_shared.http.auth import Keyring
from earshot_shared.http.problems import UnauthorizedError
from earshot_shared.testing import MemoryKeys


def make(now: list[float], keys: MemoryKeys | None = None, spent: set[bytes] | None = None) -> Sessions:
    keyring = Keyring(keys or MemoryKeys(), first_key="f" * 40, clock=lambda: now[0])
    return Sessions(Secret(b"s" * 32), keyring, login_token="one-time-token", spend=Spent(spent), hours=1, clock=lambda: now[0])


class Spent:
    """Remembers which tokens were used, for as long as its set lives."""

    def __init__(self, spent: set[bytes] | None) -> None:
        self._spent = set() if spent is None else spent

    async def __call__(self, digest: bytes) -> bool:
        first = digest not in self._spent
        self._spent.add(digest)
        return first


async def with_key() -> tuple[MemoryKeys, str]:
    """A store with one key, and the key's id."""
    keys, (_, stored) = MemoryKeys(), new_key(name="Robin's", scopes=["console:read"])
    await keys.add(stored)
    return keys, stored.key_id


def headers(cookie: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", f"{COOKIE}={cookie}".encode())]


async def test_the_token_works_once_and_gives_a_session() -> None:
    spent: set[bytes] = set()
    sessions = make([1000.0], spent=spent)
    assert await sessions.redeem("wrong") is None
    cookie = await sessions.redeem("one-time-token")
    assert cookie is not None
    assert await sessions.redeem("one-time-token") is None
    assert await make([1000.0], spent=spent).redeem("one-time-token") is None, "nor does it after a new start"
    assert "admin" in (await sessions(headers(cookie))).scopes


async def test_a_session_ends() -> None:
    now = [1000.0]
    keys, key_id = await with_key()
    sessions = make(now, keys)
    cookie = sessions.issue(key_id, ["console:read"], "Robin")
    assert (await sessions(headers(cookie))).key_id == key_id
    now[0] += 3601
    with pytest.raises(UnauthorizedError):
        await sessions(headers(cookie))


async def test_a_session_ends_with_its_key() -> None:
    now = [1000.0]
    keys, key_id = await with_key()
    sessions = make(now, keys)
    cookie = sessions.issue(key_id, ["console:read"], "Robin")
    assert await sessions.holds(headers(cookie))
    await keys.revoke(key_id)
    now[0] += 6  # what a process has just seen it remembers for seconds
    assert not await sessions.holds(headers(cookie))
    with pytest.raises(UnauthorizedError, match="revoked"):
        await sessions(headers(cookie))
    with pytest.raises(UnauthorizedError):
        await sessions(headers(sessions.issue("nobody", ["console:read"])))


async def test_a_forged_session_is_refused() -> None:
    sessions = make([1000.0])
    cookie = sessions.issue("k", ["console:read"])
    forged = ("B" if cookie[0] == "A" else "A") + cookie[1:]
    for bad in (forged, "", "%%%", cookie[:-8]):
        with pytest.raises(UnauthorizedError):
            await sessions(headers(bad))
    with pytest.raises(UnauthorizedError):
        await sessions([])
