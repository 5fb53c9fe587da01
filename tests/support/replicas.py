"""Real service processes on a ground of a test's own: started, frozen, killed and asked like any operator's.

Owns the processes. Topics and schemas carry the test's prefix, so that tests share one broker.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiokafka
import asyncpg
import psutil

from earshot_shared.local.ports import free_ports
from earshot_shared.topics import Topic, partition_of, schema_name
from support.processes import freeze
from support.topics import read_topic

API_KEY = "a-key-for-real-processes"
START_S = 60.0


@dataclass(slots=True)
class Replica:
    """One process of a service."""

    service: str
    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    def ask(self, path: str) -> tuple[int, Any]:
        """Return status and JSON of one request.

        Raises: OSError, http.client.HTTPException when it does not answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {API_KEY}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def freeze(self) -> None:
        freeze(self.process.pid)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def until_ready(self) -> None:
        """Wait until it says that it is ready.

        Raises: AssertionError with its last words when it does not.
        """
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("/readyz")[0] == 200:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.service} is not ready: {self.log.read_text()[-1500:]}")
            time.sleep(0.1)

    def ports(self) -> set[int]:
        """Return the local ports of its connections: how Postgres tells whose session one is."""
        return {each.laddr.port for each in psutil.Process(self.process.pid).net_connections(kind="tcp")}


@dataclass(slots=True)
class Plain:
    """A broker and a database with a prefix of the test's own, and the processes that run on them."""

    kafka: str
    dsn: str
    prefix: str
    folder: Path
    replicas: list[Replica] = field(default_factory=list)
    _connections: list[Any] = field(default_factory=list)

    def start(self, service: str, **settings: str) -> Replica:
        """Start one more process of a service, with settings of its own."""
        [port] = free_ports(1)
        log = self.folder / f"{service}-{len(self.replicas)}.log"
        stem = service.upper().replace("-", "_")
        told = {
            "EARSHOT_KAFKA_BOOTSTRAP": self.kafka, "EARSHOT_POSTGRES_DSN": self.dsn, "EARSHOT_TOPIC_PREFIX": self.prefix,
            "EARSHOT_API_KEY": API_KEY, f"EARSHOT_{stem}_PORT": str(port), f"EARSHOT_{stem}_HOST": "127.0.0.1",
        }  # fmt: skip
        told |= {f"EARSHOT_{stem}_{name.upper()}": value for name, value in settings.items()}
        ours = {name: value for name, value in os.environ.items() if not name.startswith("EARSHOT_")}
        with log.open("ab") as out:
            argv = [sys.executable, "-m", "earshot_shared", service, "serve"]
            process = subprocess.Popen(argv, stdout=out, stderr=out, env={**ours, **told})
        self.replicas.append(Replica(service, port, log, process))
        return self.replicas[-1]

    async def end_all(self) -> None:
        """Close every connection and end every process, frozen ones too."""
        for connection in self._connections:
            await connection.close()
        for each in self.replicas:
            with contextlib.suppress(ProcessLookupError):
                each.wake()
                each.process.kill()
            each.process.wait(10)

    async def connect(self, service: str) -> Any:
        """Return a connection that sees a service's schema; it is closed with the ground."""
        self._connections.append(await asyncpg.connect(self.dsn, server_settings={"search_path": schema_name(service, self.prefix)}))
        return self._connections[-1]

    async def produce(self, topic: Topic, records: Sequence[tuple[bytes, bytes | None]], **more: Any) -> None:
        """Put records on a topic."""
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        try:
            for key, value in records:
                partition = partition_of(key, topic.value.partitions)
                await producer.send(topic.full_name(self.prefix), key=key, value=value, partition=partition, **more)
            await producer.flush()
        finally:
            await producer.stop()

    async def read_all(self, topic: Topic) -> list[Any]:
        """Return every record of a topic, partition by partition in order."""
        return await read_topic(self.kafka, self.prefix, topic)

    async def last_words(self, topic: Topic) -> dict[str, int]:
        """Return the version in the last record of every key of a topic of state.

        Raises: AssertionError when an older version stands behind a newer one.
        """
        last: dict[str, int] = {}
        highest: dict[str, int] = {}
        for record in await self.read_all(topic):
            if record.value is None:
                continue
            key, version = record.key.decode(), json.loads(record.value)["data"]["version"]
            last[key] = version
            highest[key] = max(version, highest.get(key, 0))
        assert last == highest
        return last


async def until(check: Callable[[], Awaitable[Any]], what: str, *, timeout_s: float = 45.0) -> Any:
    """Wait until a check holds, and return what it said; what is not there yet is asked again."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answer := await check():
                return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        await asyncio.sleep(0.1)
