"""What ``earshot dead-letters`` asks of the dead letters, wherever it finds them."""

from typing import Any, Final, Protocol
from uuid import UUID

from earshot_shared.administration.shapes import Letter
from earshot_shared.cli.main import CommandFailedError

RETRY_WAIT_S: Final = 60.0
RETRY_LOOK_S: Final = 0.25


class LetterBox(Protocol):
    """Dead letters of all services. Each method raises CommandFailedError for a letter that is nowhere."""

    def listed(self, service: str | None) -> list[Letter]:
        """Return what was set aside, oldest first, of one service or of all."""

    def show(self, letter_id: UUID) -> dict[str, Any]:
        """Return one with its bytes."""

    def replay(self, letter_id: UUID | None, service: str | None) -> tuple[int, int]:
        """Ask for another try of one, or of all (of a service); return how many were applied, and how many set aside again.

        Raises: CommandFailedError when a service does not try within `RETRY_WAIT_S`.
        """

    def drop(self, letter_id: UUID) -> None:
        """Forget one."""


def no_letter(letter_id: UUID) -> CommandFailedError:
    """Return the error of a letter that is nowhere."""
    return CommandFailedError(f"There is no dead letter {letter_id}: `earshot dead-letters list` shows what there is.")


def not_tried(service: str) -> CommandFailedError:
    """Return the error of a service that does not try what it was asked to."""
    return CommandFailedError(f"{service} has not tried them within {RETRY_WAIT_S:.0f} s: is it running? They stay asked for.")
