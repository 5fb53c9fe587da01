"""Finds the system that a command talks to: by the environment, by ``DIR/earshot.json``, or by ``--url`` and ``EARSHOT_API_KEY``.

Owns the two options and the choice among the three. Starts nothing and changes nothing.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from earshot_shared.cli.main import CommandFailedError
from earshot_shared.local.errors import LocalError
from earshot_shared.local.files import DataFolder
from earshot_shared.local.state import RunningSystem, read_state
from earshot_shared.topics import DEFAULT_PREFIX

DEFAULT_DATA_DIR: Final = Path(".earshot")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One service's address and the key to it."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where Kafka and Postgres are, for commands that reach them themselves; None is "nobody said", for the reason given."""

    kafka_bootstrap: str | None
    postgres_dsn: str | None
    topic_prefix: str
    nothing_runs: str = ""

    def postgres(self) -> str:
        """Return the DSN.

        Raises: CommandFailedError when nobody said where Postgres is.
        """
        if self.postgres_dsn is None:
            raise CommandFailedError(f"Where is Postgres? {self.nothing_runs} Or set EARSHOT_POSTGRES_DSN.")
        return self.postgres_dsn

    def kafka(self) -> str:
        """Return the bootstrap address.

        Raises: CommandFailedError when nobody said where Kafka is.
        """
        if self.kafka_bootstrap is None:
            raise CommandFailedError(f"Where is Kafka? {self.nothing_runs} Or set EARSHOT_KAFKA_BOOTSTRAP.")
        return self.kafka_bootstrap


def data_dir_option(command: F) -> F:
    """Add ``--data-dir`` to a command."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="EARSHOT_DATA_DIR",
        default=DEFAULT_DATA_DIR,
        show_default=True,
        help="The data folder of a local system.",
    )(command)


def url_option(command: F) -> F:
    """Add ``--url`` to a command that talks to a running system."""
    return click.option(
        "--url", envvar="EARSHOT_URL", default=None, help="The service's address, with the key in EARSHOT_API_KEY; instead of --data-dir."
    )(command)


def read_system(data_dir: Path) -> RunningSystem | None:
    """Return what a system says about itself while its supervisor lives, None when there is none.

    Raises: CommandFailedError when the file is there but cannot be read as such.
    """
    folder = DataFolder(data_dir.absolute())
    try:
        return read_state(folder)
    except LocalError as error:
        raise CommandFailedError(error.detail) from error
    except OSError as error:
        raise CommandFailedError(f"{folder.state} cannot be read: {error.strerror}.") from error


def refuse_mock_broker(data_dir: Path, work: str) -> None:
    """Raise CommandFailedError when the system there has only the broker in memory, which would lose most of a large load."""
    system = read_system(data_dir)
    if system is not None and system.mock_broker:
        raise CommandFailedError(
            f"{work} wants a real Kafka: this system has only the broker in memory, which keeps little and forgets it all. "
            "`earshot doctor` says what is missing."
        )


def find_service(service: str, *, data_dir: Path, url: str | None) -> Endpoint:
    """Return where a service answers and the key to it.

    Raises: CommandFailedError when no system runs there, it is not ready, or the key is missing.
    """
    if url is not None:
        return find_endpoint(url)
    key = os.environ.get("EARSHOT_API_KEY")
    system = read_system(data_dir)
    if system is None:
        raise CommandFailedError(_nothing_runs(data_dir))
    if not system.ready:
        raise CommandFailedError(f"The system on {data_dir} is not ready (a part is starting again): try once more in a moment.")
    address = system.services.get(service)
    if address is None:
        raise CommandFailedError(f"The system on {data_dir} does not run {service}.")
    return Endpoint(url=address.rstrip("/"), api_key=key or system.api_key)


def find_endpoint(url: str) -> Endpoint:
    """Return an address with the key that the environment brings.

    Raises: CommandFailedError when the key is missing, or the address is none.
    """
    key = os.environ.get("EARSHOT_API_KEY")
    if not key:
        raise CommandFailedError("With --url the key comes from the environment: set EARSHOT_API_KEY.")
    if not url.startswith(("http://", "https://")):
        raise CommandFailedError("Write the address as http://HOST:PORT.")
    return Endpoint(url=url.rstrip("/"), api_key=key)


def _nothing_runs(data_dir: Path) -> str:
    if DataFolder(data_dir).state.exists():  # a clean stop removes it
        return f"The system on {data_dir} was killed: start it again with `earshot up`; nothing is lost."
    return f"No system runs on {data_dir}: start one with `earshot up`, or name another --data-dir."


def find_servers(data_dir: Path) -> Servers:
    """Return where Kafka and Postgres are: what the environment says, else what the local system says."""
    system = read_system(data_dir)
    prefix = os.environ.get("EARSHOT_TOPIC_PREFIX") or (system.topic_prefix if system else DEFAULT_PREFIX)
    return Servers(
        kafka_bootstrap=os.environ.get("EARSHOT_KAFKA_BOOTSTRAP") or (system.kafka if system else None),
        postgres_dsn=os.environ.get("EARSHOT_POSTGRES_DSN") or (system.postgres if system else None),
        topic_prefix=prefix,
        nothing_runs=_nothing_runs(data_dir),
    )
