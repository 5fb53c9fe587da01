"""Signed deliveries: who may sign, and that a signature is genuine and fresh.

Owns the checking, as Standard Webhooks has it: HMAC-SHA-256 over ``id.timestamp.body``, base64, in ``webhook-signature: v1,…``, several
parted by blanks. Pure but for the clock it is given. Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from earshot_shared.http.problems import UnauthorizedError

WINDOW_S: Final = 300
_MOST_SIGNATURES: Final = 10
_LONGEST_ID: Final = 255


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a delivery."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def check_signature(
    secrets: Sequence[bytes], *, message_id: str | None, timestamp: str | None, signatures: str | None, body: bytes, now_s: float
) -> None:
    """Let a delivery pass that one of the live secrets signed within the last (or next) five minutes.

    Raises: UnauthorizedError; it does not tell an unknown source from a wrong secret.
    """
    if not message_id or not timestamp or not signatures or len(message_id) > _LONGEST_ID:
        raise _refused("signature-missing", "Send webhook-id, webhook-timestamp and webhook-signature.")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now_s - int(timestamp[:15])) > WINDOW_S:
        raise _refused("signature-stale", f"webhook-timestamp lies more than {WINDOW_S} seconds from our clock.")
    given = signatures.split(" ")[:_MOST_SIGNATURES]
    wanted = [sign(secret, message_id, int(timestamp), body).encode() for secret in secrets] or [b""]
    # Every pair is compared, each in constant time, so that the time taken tells nothing.
    matches = [hmac.compare_digest(one.encode(), other) for one in given for other in wanted]
    if not secrets or not any(matches):
        raise _refused("signature-wrong", "No live secret of this source made this signature.")


def _refused(code: str, detail: str) -> UnauthorizedError:
    return UnauthorizedError(detail, code=code)
