"""Dead letters as a running service tells them, or all services through the console."""

import time
from typing import Any
from uuid import UUID

import msgspec

from earshot_shared.administration.client import Installation
from earshot_shared.administration.shapes import UNKNOWN_LETTER, Letter
from earshot_shared.cli.letter_box import RETRY_LOOK_S, RETRY_WAIT_S, no_letter, not_tried
from earshot_shared.cli.locate import Endpoint
from earshot_shared.cli.main import CommandFailedError

_PATH = "/admin/dead-letters"


class LettersOverHttp:
    """A `LetterBox` over HTTP."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def listed(self, service: str | None) -> list[Letter]:
        """Return what was set aside, oldest first, of one service or of all that answer there."""
        with Installation(self._endpoint) as installation:
            names = installation.services if service is None else [service]
            letters = [msgspec.convert(told, Letter) for name in names for told in installation.list_all(_PATH, service=name)]
        return sorted(letters, key=lambda letter: (letter.at, letter.id))

    def show(self, letter_id: UUID) -> dict[str, Any]:
        """Return one with its bytes."""
        with Installation(self._endpoint) as installation:
            return _find(installation, letter_id)

    def drop(self, letter_id: UUID) -> None:
        """Forget one."""
        with Installation(self._endpoint) as installation:
            installation.call_service(_find(installation, letter_id)["service"], "DELETE", f"{_PATH}/{letter_id}")

    def replay(self, letter_id: UUID | None, service: str | None) -> tuple[int, int]:
        """Ask for another try; return how many were applied, and how many set aside again."""
        with Installation(self._endpoint) as installation:
            if letter_id is not None:
                names, path = [_find(installation, letter_id)["service"]], f"{_PATH}/{letter_id}/replay"
            else:
                names, path = installation.services if service is None else [service], f"{_PATH}/replay"
            applied = left = 0
            for name in names:
                asked = set(installation.call_service(name, "POST", path)["asked"])
                still = _outcome(installation, name, asked) if asked else 0
                applied, left = applied + len(asked) - still, left + still
            return applied, left


def _find(installation: Installation, letter_id: UUID) -> dict[str, Any]:
    for name in installation.services:
        try:
            told: dict[str, Any] = installation.call_service(name, "GET", f"{_PATH}/{letter_id}")
        except CommandFailedError as error:
            if error.code != UNKNOWN_LETTER:
                raise
        else:
            return told
    raise no_letter(letter_id)


def _outcome(installation: Installation, service: str, asked: set[str]) -> int:
    """Wait until the service has tried all of them; return how many were set aside again."""
    deadline = time.monotonic() + RETRY_WAIT_S
    while True:
        there = [told for told in installation.list_all(_PATH, service=service) if told["id"] in asked]
        if all(told["retry_requested_at"] is None for told in there):
            return len(there)
        if time.monotonic() > deadline:
            raise not_tried(service)
        time.sleep(RETRY_LOOK_S)
