"""Kafka and Postgres in containers, when a Docker engine answers and the images are to be had; else nothing, and quickly.

Owns: asking Docker. Must not: fail a test for want of it. Whatever goes wrong with engine, image or container, every function answers
None, and the local servers are taken.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from earshot_shared.local.kafka import kafka_answers
from earshot_shared.local.ports import free_ports
from earshot_shared.local.postgres import postgres_answers

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[import-untyped]  # the library ships no types

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:17-alpine"
ENGINE_TIMEOUT_S = 5
PULL_TIMEOUT_S = 120.0
START_TIMEOUT_S = 180.0


def kafka(stack: contextlib.ExitStack) -> str | None:
    """Start a broker that ends with the stack; returns `host:port`."""
    # A broker tells its clients its own address, so the port must be known before it starts.
    [port] = free_ports(1)
    host = _host()
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xmx512m",
        "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    }
    address = f"{host}:{port}"
    return address if _started(stack, KAFKA_IMAGE, settings, (9092, port), lambda: kafka_answers(address)) else None


def postgres(stack: contextlib.ExitStack) -> str | None:
    """Start a server that ends with the stack; returns its DSN."""
    [port] = free_ports(1)
    settings = {
        "POSTGRES_USER": "earshot",
        "POSTGRES_PASSWORD": "earshot",
        "POSTGRES_DB": "earshot",
        "POSTGRES_INITDB_ARGS": "--locale=C.UTF-8 --encoding=UTF8",
    }
    dsn = f"postgresql://earshot:earshot@{_host()}:{port}/earshot"
    command = "postgres -c fsync=off -c max_connections=200"
    return dsn if _started(stack, POSTGRES_IMAGE, settings, (5432, port), lambda: postgres_answers(dsn), command) else None


def _started(
    stack: contextlib.ExitStack,
    image: str,
    settings: Mapping[str, str],
    ports: tuple[int, int],
    answers: Callable[[], bool],
    command: str = "",
) -> bool:
    """Start a container that ends with the stack, and wait until it answers; returns whether all that went well."""
    if not _to_be_had(image):
        return False
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # Its cleaner is one more image; where that is not to be had the stack alone ends our containers.
    testcontainers_config.ryuk_disabled = testcontainers_config.ryuk_disabled or not _to_be_had(testcontainers_config.ryuk_image)
    container = DockerContainer(image).with_bind_ports(*ports)
    for name, value in settings.items():
        container = container.with_env(name, value)
    if command:
        container = container.with_command(command)
    with contextlib.ExitStack() as attempt, contextlib.suppress(Exception):  # see the module's first lines
        attempt.enter_context(container)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if answers():
                stack.push(attempt.pop_all())
                return True
            time.sleep(0.2)
    return False


def _to_be_had(image: str) -> bool:
    """Say whether a Docker engine answers and has this image, or can fetch it in reasonable time."""
    client = _engine()
    if client is None:
        return False
    fetched = threading.Event()

    def fetch() -> None:
        with contextlib.suppress(Exception):  # no engine any more, no registry, no such image: all mean "not to be had"
            if not client.images.list(name=image):
                client.images.pull(image)
            fetched.set()

    # A thread, since a pull knows no deadline of its own; a hopeless one must not hold up the end of the session.
    fetcher = threading.Thread(target=fetch, daemon=True, name=f"fetch {image}")
    fetcher.start()
    fetcher.join(PULL_TIMEOUT_S)
    if not fetcher.is_alive():
        client.close()
    return fetched.is_set()


def _engine() -> "DockerClient | None":
    if not _engine_listens():
        return None
    import docker
    from docker.errors import DockerException  # type: ignore[import-untyped]  # the library ships no types

    try:
        client = docker.from_env(timeout=ENGINE_TIMEOUT_S)
        client.ping()
    except DockerException:
        return None
    return client


def _engine_listens() -> bool:
    """Ask the socket first: docker's own client leaves it open when nobody is there, which counts as a failure of the tests."""
    address = _engine_address()
    if not address.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ENGINE_TIMEOUT_S)
        return probe.connect_ex(address.removeprefix("unix://")) == 0


def _host() -> str:
    """Return where the engine's published ports are."""
    address = _engine_address()
    elsewhere = "" if address.startswith("unix://") else address.partition("://")[2].partition(":")[0]
    return os.environ.get("TESTCONTAINERS_HOST_OVERRIDE") or elsewhere or "127.0.0.1"


def _engine_address() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
