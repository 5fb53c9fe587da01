"""Puts a Kafka and a Postgres under a system: local ones, given ones, or the try-out broker.

Owns: the choice, and the ports that a data folder keeps from start to start. Must not: start the servers (the supervisor does).
"""

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from earshot_shared.local import mock_broker
from earshot_shared.local.errors import LocalError, NotToBeHadError
from earshot_shared.local.files import DataFolder, write_atomically
from earshot_shared.local.kafka import kafka_answers, prepare_kafka
from earshot_shared.local.kafka_jars import Progress
from earshot_shared.local.postgres import postgres_answers, prepare_postgres
from earshot_shared.local.processes import ProcessSpec

GIVEN_TIMEOUT_S = 5.0


class _Ports(msgspec.Struct):
    """The ports of the last start; they are taken again while they are free, so that addresses noted elsewhere stay true."""

    postgres: int = 0
    kafka: int = 0
    controller: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asked for; None means a local server."""

    kafka: str | None = None
    postgres: str | None = None
    mock_broker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What the supervisor shall start, and where it will be found. The try-out broker's address is known only once it runs."""

    specs: tuple[ProcessSpec, ...]
    kafka: Callable[[], str]
    postgres: str
    mock_broker: bool


def prepare_servers(folder: DataFolder, wanted: Wanted, *, progress: Progress, warn: Callable[[str], None]) -> Servers:
    """Return Kafka and Postgres: given addresses are checked, local servers get their storage.

    Raises: LocalError with the sentence that helps.
    """
    ports = _last_ports(folder)
    kafka_spec, kafka, is_mock = _kafka(folder, wanted, ports, progress, warn)
    postgres_spec, postgres = _postgres(folder, wanted, ports, is_mock=is_mock)
    write_atomically(folder.ports, msgspec.json.encode(ports).decode() + "\n")
    specs = tuple(spec for spec in (postgres_spec, kafka_spec) if spec is not None)
    return Servers(specs=specs, kafka=kafka, postgres=postgres, mock_broker=is_mock)


def _kafka(
    folder: DataFolder, wanted: Wanted, ports: _Ports, progress: Progress, warn: Callable[[str], None]
) -> tuple[ProcessSpec | None, Callable[[], str], bool]:
    """Return the process if there is one to start, the way to its address, and whether it is the try-out broker."""
    log = folder.logs / "kafka.log"
    if (given := wanted.kafka) is not None:
        if not kafka_answers(given, timeout_s=GIVEN_TIMEOUT_S):
            raise LocalError(f"No Kafka answers at {given}: start it, or leave --kafka out to get a local one.")
        return None, lambda: given, False
    if not wanted.mock_broker:
        try:
            local = prepare_kafka(folder.kafka, log, wanted_ports=(ports.kafka, ports.controller), progress=progress)
        except NotToBeHadError as problem:
            warn(problem.detail)
        else:
            ports.kafka, ports.controller = local.port, local.controller_port
            return local.spec, lambda: local.bootstrap, False
    warn(mock_broker.WARNING)
    return mock_broker.mock_broker_spec(folder.root, log), lambda: mock_broker.address_of(folder.root), True


def _postgres(folder: DataFolder, wanted: Wanted, ports: _Ports, *, is_mock: bool) -> tuple[ProcessSpec | None, str]:
    """Return the process if there is one to start, and the DSN."""
    if (given := wanted.postgres) is not None:
        if is_mock:
            raise LocalError("The try-out broker forgets everything, so it needs a database that does too: leave --postgres out.")
        if not postgres_answers(given, timeout_s=GIVEN_TIMEOUT_S):
            raise LocalError("No Postgres answers at the address of --postgres: check it, or leave it out to get a local one.")
        return None, given
    home = folder.postgres
    if is_mock:
        # Positions in the broker's log outlive no start, so neither may the tables that know them.
        home = folder.root / "try-out"
        shutil.rmtree(home, ignore_errors=True)
    local = prepare_postgres(home, folder.logs / "postgres.log", wanted_port=ports.postgres)
    ports.postgres = local.port
    return local.spec, local.dsn


def _last_ports(folder: DataFolder) -> _Ports:
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode(folder.ports.read_bytes(), type=_Ports)
    return _Ports()
