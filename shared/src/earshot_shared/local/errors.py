"""What can go wrong on the local ground: one sentence for a person, never a traceback."""


class LocalError(Exception):
    """Raised by everything in this package when the machine is not as needed; its text says what to do about it."""


class PortTakenError(LocalError):
    """A port that was asked for is in use; choose another `--port-base` or end what holds it."""


class StartError(LocalError):
    """A process did not become ready; its text names the log file and shows its last line."""
