"""The way in for our own commands: batches over HTTP, tried again while the service starts or restarts.

Owns the retrying. What a batch means is the door's business.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import httpx
import msgspec

from earshot_shared.cli.locate import Endpoint
from earshot_shared.cli.main import CommandFailedError

PATIENCE_S: Final = 180.0  # a service that dies is back within 30 s; a broker or a database takes longer to recover
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 3.0
_TIMEOUT_S: Final = 60.0
_PASSING: Final = frozenset({408, 425, 429, 499, 500, 502, 503, 504})


class RefusedItem(msgspec.Struct, frozen=True):
    """An item of a batch that was not taken."""

    index: int
    code: str
    detail: str


class BatchResult(msgspec.Struct, frozen=True):
    """What became of a batch."""

    accepted: int
    duplicates: int
    rejected: list[RefusedItem]


_decoder = msgspec.json.Decoder(BatchResult)


class BatchClient:
    """Sends batches to ingest, one after the other."""

    def __init__(self, locate: Callable[[], Endpoint], *, backfill: bool = False, patience_s: float = PATIENCE_S) -> None:
        """``locate`` is asked again after a failure: a system that was started anew may be elsewhere."""
        self._locate = locate
        self._query = "?quiet=true&backfill=true" if backfill else "?quiet=true"
        self._patience_s = patience_s
        self._endpoint = locate()
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, bodies: Sequence[bytes]) -> BatchResult:
        """Return what became of the items, once they are durable.

        Raises: CommandFailedError when the service refuses the batch as a whole, or does not come back within the patience.
        """
        content = b"\n".join(bodies)
        deadline = time.monotonic() + self._patience_s
        wait_s = _FIRST_WAIT_S
        while True:
            reason, answer = self._try(content)
            if answer is not None:
                return answer
            if time.monotonic() + wait_s > deadline:
                raise CommandFailedError(f"Ingest does not take items ({reason}): see that the system runs, then start this again.")
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            self._relocate()

    def _try(self, content: bytes) -> tuple[str, BatchResult | None]:
        """Send once; return the reason why there is no answer yet, or the answer."""
        headers = {"authorization": f"Bearer {self._endpoint.api_key}", "content-type": "application/x-ndjson"}
        try:
            answer = self._http.post(f"{self._endpoint.url}/v1/feedback/batch{self._query}", content=content, headers=headers)
        except httpx.TransportError as error:
            return type(error).__name__, None
        if answer.status_code == 202:
            return "", _decoder.decode(answer.content)
        if answer.status_code in _PASSING:
            return f"answer {answer.status_code}", None
        raise CommandFailedError(f"Ingest refused the batch ({answer.status_code}): {_detail(answer)}")

    def _relocate(self) -> None:
        try:
            self._endpoint = self._locate()
        except CommandFailedError:
            return  # it is starting again: the old address is as good as any until the deadline


def _detail(answer: httpx.Response) -> str:
    try:
        told: Any = answer.json()
        return str(told["detail"])
    except (ValueError, KeyError, TypeError):
        return "it does not say why."
