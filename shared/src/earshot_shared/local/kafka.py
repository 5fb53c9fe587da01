"""A real Apache Kafka on loopback: one KRaft node, broker and controller in one process, in a folder of ours.

Owns: finding Kafka, its settings, its storage, the process description. Must not: know topics, or keep clients.
Its data outlives kill -9: what was acknowledged is in the operating system's hands, and the log is recovered at the next start.
"""

import base64
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from earshot_shared.local.errors import LocalError
from earshot_shared.local.files import write_atomically
from earshot_shared.local.java import find_java
from earshot_shared.local.kafka_jars import KAFKA_VERSION, Progress, fetch_kafka
from earshot_shared.local.ports import LOOPBACK, keep_or_choose
from earshot_shared.local.processes import ProcessSpec

OLDEST_MAJOR = 4  # KRaft alone, and the storage format we write

# A small machine: the simplest collector, and the first compiler only (4 times less processor in the first minute, docs/performance.md).
JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms128m",
    "-Xmx512m",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "--enable-native-access=ALL-UNNAMED",  # zstd and snappy load native code, and newer Javas warn of it
)

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # After kill -9 the node waits until the registration of its former self runs out: 4 s instead of 9 before it answers again.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "2",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.retention.minutes": "5256000",  # ten years: a service that was off for a month keeps its place
    # Nothing is dropped unless its topic says so.
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    "log.segment.bytes": "268435456",
    "log.cleaner.dedupe.buffer.size": "33554432",  # of the small heap; enough for a million keys a pass
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
    "delete.topic.enable": "true",
}

_LOG4J = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True, slots=True)
class LocalKafka:
    """A broker that is ready to be started."""

    spec: ProcessSpec
    bootstrap: str
    port: int
    controller_port: int


@dataclass(frozen=True, slots=True)
class InstalledKafka:
    """The folder whose jars make a Kafka, and its version."""

    jars: Path
    version: str
    origin: str


def find_installed() -> InstalledKafka | None:
    """Return the Kafka of KAFKA_HOME, or one installed on this machine, when it is recent enough; else None."""
    given = os.environ.get("KAFKA_HOME")
    scripts = [found for name in ("kafka-server-start.sh", "kafka-server-start") if (found := shutil.which(name))]
    homes = [Path(given)] if given else []
    homes += [Path(script).resolve().parent.parent for script in scripts]
    homes += [Path("/opt/kafka"), Path("/usr/local/kafka")]
    for home in homes:
        for libs in (home / "libs", home / "libexec" / "libs"):
            version = _version_in(libs)
            if version and int(version.split(".")[0]) >= OLDEST_MAJOR:
                return InstalledKafka(libs, version, str(home))
    return None


def _version_in(libs: Path) -> str:
    names = [match[1] for path in libs.glob("kafka_2.1?-*.jar") if (match := re.fullmatch(r"kafka_2\.1\d-(\d+\.\d+\.\d+)\.jar", path.name))]
    return max(names, default="")


def find_or_fetch(progress: Progress | None = None) -> InstalledKafka:
    """Return a Kafka of this machine, else the one of the cache, fetched on first use."""
    return find_installed() or InstalledKafka(fetch_kafka(progress), KAFKA_VERSION, "the cache")


def prepare_kafka(
    folder: Path,
    log: Path,
    *,
    wanted_ports: tuple[int, int] = (0, 0),
    progress: Progress | None = None,
    settings: Mapping[str, str] | None = None,
) -> LocalKafka:
    """Format the storage in `folder` if need be, and describe the process that serves it on loopback.

    Shapes: `wanted_ports` are those of broker and controller, 0 lets us choose; `settings` come on top of SETTINGS (tests).
    Raises: LocalError with the sentence that helps.
    """
    folder = folder.absolute()
    java, kafka = find_java(), find_or_fetch(progress)
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    port, controller_port = keep_or_choose(list(wanted_ports))
    storage, properties, log4j = folder / "storage", folder / "server.properties", folder / "log4j2.properties"
    server_log = log.with_name("kafka-server.log").absolute()
    write_atomically(log4j, _LOG4J.format(log=server_log))
    command = (
        str(java.program),
        *JVM_FLAGS,
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={log4j.as_uri()}",
        "-cp",
        f"{kafka.jars}/*",
    )
    chosen = {**SETTINGS, **(settings or {}), **_addresses(port, controller_port)}

    def before_start() -> None:
        _empty(scratch)
        if not storage.exists():  # the first start, or its data was taken away
            _format(storage, properties, command, chosen)
            write_atomically(properties, _properties({**chosen, "log.dirs": str(storage)}))

    before_start()
    write_atomically(properties, _properties({**chosen, "log.dirs": str(storage)}))
    bootstrap = f"{LOOPBACK}:{port}"
    spec = ProcessSpec(
        name="kafka",
        argv=(*command, "kafka.Kafka", str(properties)),
        env=_environment(),
        log=log,
        ready=lambda: kafka_answers(bootstrap),
        before_start=before_start,
    )
    return LocalKafka(spec, bootstrap, port, controller_port)


def _addresses(port: int, controller_port: int) -> dict[str, str]:
    return {
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        # Named here and not in the storage, so that the next start may take other ports.
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
    }


def kafka_answers(bootstrap: str, *, timeout_s: float = 1.0) -> bool:
    """Say whether a broker there tells of itself."""
    try:
        client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        return bool(client.list_topics(timeout=timeout_s).brokers)
    except KafkaException:
        return False


def _format(storage: Path, properties: Path, command: tuple[str, ...], settings: Mapping[str, str]) -> None:
    """Format a folder beside under a cluster id drawn now, and move it into place: a crash half-way leaves nothing that looks finished."""
    fresh = storage.with_name("storage.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    write_atomically(properties, _properties({**settings, "log.dirs": str(fresh)}))
    argv = [*command, "kafka.tools.StorageTool", "format", "--cluster-id", new_cluster_id(), "--config", str(properties)]
    told = subprocess.run(argv, capture_output=True, text=True, env=_environment(), timeout=120, check=False)  # noqa: S603 - built here, no shell
    if told.returncode != 0:
        lines = [line for line in (told.stdout + told.stderr).splitlines() if line.strip()]
        raise LocalError(f"Kafka could not format its storage {storage}: {lines[-1] if lines else f'exit code {told.returncode}'}")
    fresh.rename(storage)


def new_cluster_id(draw: Callable[[], bytes] = lambda: uuid.uuid4().bytes) -> str:
    """Return 16 random bytes as Kafka writes them; never one that begins with a dash, which its own tool would take for an option."""
    while (drawn := base64.urlsafe_b64encode(draw()).decode("ascii").rstrip("=")).startswith("-"):
        pass
    return drawn


def _properties(settings: Mapping[str, str]) -> str:
    """Write a Java properties file; a backslash in a path would be read as an escape."""
    return "".join(f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in sorted(settings.items()))


def _empty(folder: Path) -> None:
    """Remove the native libraries that a killed broker unpacked and left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _environment() -> dict[str, str]:
    """The little that the broker needs: nothing like KAFKA_OPTS or CLASSPATH of this shell may reach it."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
