"""What `earshot up` runs on the local ground: the services, how they are told where everything is, and what comes before and after them.

Owns: names, ports, command lines and environments. Must not: import a service, or start anything.
"""

import asyncio
import http.client
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from earshot_shared.local.errors import PortTakenError
from earshot_shared.local.mock_broker import make_topics
from earshot_shared.local.ports import LOOPBACK, is_free
from earshot_shared.local.processes import ProcessSpec
from earshot_shared.topics import DEFAULT_PREFIX

# A service's port is the base and its place here.
SERVICES = ("console", "ingest", "triage", "recognition", "crm-sync")
PROGRAM = (sys.executable, "-m", "earshot_shared")
NICENESS = {"triage": 7, "recognition": 14, "crm-sync": 7}
"""Who steps back on a full machine, how far: the door, its servers and the page go first, and nobody waits for a standing.

The log keeps what waits. docker-compose.yml gives the same shares, which a test compares.
"""
SHUTDOWN_S = 5  # what a service may take to finish its work: less than the supervisor's patience
MALLOC = {
    "MALLOC_ARENA_MAX": "1",  # threads of ours seldom allocate at once, and each arena keeps its peak
    # What a slice needs once is given back: the C library would raise its bounds to the largest block it ever met.
    "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 1024 * 1024),
}
"""How the C library hands out memory to services; the Dockerfile says the same, which a test compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the services stand on."""

    kafka: str
    postgres: str
    api_key: str
    login_token: str
    mock_broker: bool
    needs: tuple[str, ...]  # the supervised servers among Kafka and Postgres
    logs: Path


@dataclass(frozen=True, slots=True)
class Product:
    """The services of one system on the ports from `port_base`. Tests put another program in the place of ours."""

    port_base: int
    program: tuple[str, ...] = PROGRAM

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://{LOOPBACK}:{self.port_of(name)}" for name in SERVICES}

    def port_of(self, service: str) -> int:
        return self.port_base + SERVICES.index(service)

    def check_ports(self) -> None:
        """Raises: PortTakenError, naming the first port that another program holds."""
        for name in SERVICES:
            port = self.port_of(name)
            if not is_free(port):
                raise PortTakenError(
                    f"Port {port}, which {name} needs, is in use: end what holds it, or choose --port-base {self.port_base + 100}."
                )

    def prepare(self, ground: Ground) -> None:
        """Bring Postgres and Kafka to the wanted state, before the first service starts.

        Raises: EarshotError with the sentence that helps.
        """
        from earshot_shared.migrations import migrate_all
        from earshot_shared.topics import Topic
        from earshot_shared.topics_admin import apply_topics

        prefix = topic_prefix()
        asyncio.run(migrate_all(ground.postgres, prefix))
        if ground.mock_broker:
            make_topics(ground.kafka, [topic.full_name(prefix) for topic in Topic])
        else:
            asyncio.run(apply_topics(ground.kafka, prefix))

    def find_losses(self, ground: Ground) -> dict[str, str]:
        """Return the services that cannot start because Kafka's data is not what they know, each with the reason.

        Raises: EarshotError with the sentence that helps.
        """
        from earshot_shared.pipeline.regrounding import find_losses

        return {} if ground.mock_broker else asyncio.run(find_losses(ground.postgres, ground.kafka, topic_prefix()))

    def services(self, ground: Ground) -> list[ProcessSpec]:
        """Describe one process per service."""
        return [self._service(name, ground) for name in SERVICES]

    def demo(self, ground: Ground) -> ProcessSpec:
        """Describe the live demonstration feed."""
        return ProcessSpec(
            name="demo",
            argv=(*self.program, "simulate", "--continuous", "--url", self.urls["ingest"]),
            env=self.environment(ground),
            log=ground.logs / "demo.log",
            needs=("ingest",),
            essential=False,
            stop_grace_s=1.5,
        )

    def environment(self, ground: Ground) -> dict[str, str]:
        """Return this process's environment and what every service is told; what the user has set stands, addresses excepted."""
        told = {"EARSHOT_KAFKA_BOOTSTRAP": ground.kafka, "EARSHOT_POSTGRES_DSN": ground.postgres, "EARSHOT_API_KEY": ground.api_key}
        wished = dict(MALLOC)
        for name in SERVICES:
            told |= {_variable(name, "HOST"): LOOPBACK, _variable(name, "PORT"): str(self.port_of(name))}
            wished[_variable(name, "SHUTDOWN_S")] = str(SHUTDOWN_S)
        return {**wished, **os.environ, **told}

    def _service(self, name: str, ground: Ground) -> ProcessSpec:
        own = self._of_the_console(ground) if name == "console" else {}
        port = self.port_of(name)
        return ProcessSpec(
            name=name,
            argv=(*self.program, name, "serve"),
            env={**self.environment(ground), **own},
            log=ground.logs / f"{name}.log",
            ready=lambda: is_service_ready(port),
            needs=ground.needs,
            niceness=NICENESS.get(name, 0),
        )

    def _of_the_console(self, ground: Ground) -> dict[str, str]:
        """Return what the console alone is told: how its user gets in, and where the other services answer."""
        told = {"EARSHOT_CONSOLE_LOGIN_TOKEN": ground.login_token}
        return told | {_variable("console", f"{_stem(name)}_URL"): url for name, url in self.urls.items() if name != "console"}


def topic_prefix() -> str:
    """Return what begins the topics and schemas of the system started from this environment."""
    return os.environ.get("EARSHOT_TOPIC_PREFIX") or DEFAULT_PREFIX


def is_service_ready(port: int, *, timeout_s: float = 1.0) -> bool:
    """Ask a service's `/readyz`."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _variable(service: str, name: str) -> str:
    return f"EARSHOT_{_stem(service)}_{name}"


def _stem(service: str) -> str:
    return service.upper().replace("-", "_")
