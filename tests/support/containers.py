"""Kafka and Postgres in containers, when a Docker engine answers and the images are to be had; else nothing, and quickly.

Owns: asking Docker. Must not: fail a test for want of it: every function answers None then.
"""

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING

from earshot_shared.local.ports import free_ports

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[import-untyped]  # the library ships no types

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:17-alpine"
ENGINE_TIMEOUT_S = 5
PULL_TIMEOUT_S = 120.0
PASSWORD = "earshot"  # of a throw-away server on loopback


def kafka(stack: contextlib.ExitStack) -> str | None:
    """Start a broker that ends with the stack; returns `host:port`."""
    if not _to_be_had(KAFKA_IMAGE):
        return None
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    [port] = free_ports(1)  # a broker tells its clients its own address, so the port must be known before it starts
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in _kafka_settings(port).items():
        container = container.with_env(name, value)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(120))
    stack.enter_context(container)
    return f"{container.get_container_host_ip()}:{port}"


def _kafka_settings(port: int) -> dict[str, str]:
    host = os.environ.get("TESTCONTAINERS_HOST_OVERRIDE", "localhost")
    return {
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
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xmx512m -XX:TieredStopAtLevel=1",
    }


def postgres(stack: contextlib.ExitStack) -> str | None:
    """Start a server that ends with the stack; returns its DSN."""
    if not _to_be_had(POSTGRES_IMAGE):
        return None
    from testcontainers.postgres import PostgresContainer

    container = PostgresContainer(POSTGRES_IMAGE, username="earshot", password=PASSWORD, dbname="earshot", driver=None)
    container = container.with_env("POSTGRES_INITDB_ARGS", "--locale=C.UTF-8 --encoding=UTF8")
    stack.enter_context(container.with_command("postgres -c fsync=off -c max_connections=200"))
    return str(container.get_connection_url())


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
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ENGINE_TIMEOUT_S)
        return probe.connect_ex(address.removeprefix("unix://")) == 0
