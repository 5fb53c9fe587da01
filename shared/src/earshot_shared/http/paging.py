"""Lists by pages: a limit, and a cursor that nobody can forge or carry to another list.

Owns the spelling of cursors: base64url of a keyed hash and of the position after which the next page begins. A cursor is bound to its
route and to the filters it was made under, so it can never be read as a position in another list.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import Query

from earshot_shared.access.secret import Secret
from earshot_shared.http.problems import FieldProblem, InvalidError
from earshot_shared.http.strict import DIGITS

MAX_LIMIT: Final = 500
DEFAULT_LIMIT: Final = 50
_MAC_BYTES: Final = 16
_LONGEST_CURSOR: Final = 4096

Position = Sequence[str | int | float | None]
"""The sort key of the last row of a page: times as text or microseconds."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many entries a page holds."), DIGITS]
CursorText = Annotated[str | None, Query(max_length=_LONGEST_CURSOR, description="`next_cursor` of the page before.")]

T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[str | int | float | None])


class CursorError(InvalidError):
    """The cursor is not one that we gave out for this list; begin again without one."""

    code = "cursor-invalid"


class Cursors:
    """Makes and reads cursors with the installation's secret, so that a cursor of one replica is good at another."""

    def __init__(self, secret: Secret) -> None:
        self._key = secret.key("cursors")

    def issue(self, route: str, filters: Mapping[str, object], position: Position) -> str:
        """Return the cursor of the page that begins after ``position``."""
        payload = _encoder.encode(list(position))
        return base64.urlsafe_b64encode(self._mac(route, filters, payload) + payload).rstrip(b"=").decode()

    def read(
        self, route: str, filters: Mapping[str, object], cursor: str | None, *, length: int | None = None
    ) -> list[str | int | float | None] | None:
        """Return the position in a cursor, None when there is no cursor (the first page).

        ``length`` is how many values the position must have. Raises: CursorError for anything we did not issue for this route and
        filters.
        """
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError):
            raise _forged() from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(route, filters, payload)):
            raise _forged()
        position = _decoder.decode(payload)
        if length is not None and len(position) != length:
            raise _forged()  # issued by another version of this list
        return position

    def page_of(self, route: str, whole: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
        """Return a page of a short list that is held whole, and the cursor of the next.

        Raises: CursorError as `read`.
        """
        (start,) = self.read(route, {}, cursor, length=1) or [0]
        end = int(start or 0) + limit
        return whole[end - limit : end], self.issue(route, {}, [end]) if end < len(whole) else None

    def _mac(self, route: str, filters: Mapping[str, object], payload: bytes) -> bytes:
        bound = _encoder.encode([route, sorted((name, str(value)) for name, value in filters.items() if value is not None)])
        return hashlib.blake2b(len(bound).to_bytes(4, "big") + bound + payload, key=self._key, digest_size=_MAC_BYTES).digest()


def _forged() -> CursorError:
    detail = "The cursor is not one of this list and these filters: begin again without it."
    return CursorError(detail, errors=[FieldProblem("cursor", "cursor-invalid", detail)])
