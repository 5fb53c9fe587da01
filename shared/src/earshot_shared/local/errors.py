"""What can go wrong on the local ground: one sentence for a person, never a traceback."""

from earshot_shared.errors import FatalError


class LocalError(FatalError):
    """Raised by everything in this package when the machine is not as needed; its text says what to do about it."""

    code = "local"


class PortTakenError(LocalError):
    """A port that was asked for is in use; choose another `--port-base` or end what holds it."""

    code = "port-taken"


class StartError(LocalError):
    """A process did not become ready; its text names the log file and shows its last line."""

    code = "start-failed"


class NotToBeHadError(LocalError):
    """Neither an installed Kafka nor the means to fetch and run one are to be had here; `earshot up` then offers its try-out broker."""

    code = "not-to-be-had"
