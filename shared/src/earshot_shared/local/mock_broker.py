"""The try-out broker: librdkafka's own, in the memory of one process, for machines where no Kafka is to be had.

Owns: that process (`python -m earshot_shared.local.mock_broker --address-file FILE`) and its description.
Must not: be used for anything that matters: it keeps at most 5 MB a partition, drops the oldest silently, and forgets all when it ends.
"""

import argparse
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Producer

from earshot_shared.local.files import write_atomically
from earshot_shared.local.processes import ProcessSpec

WARNING = (
    "This is a try-out: without Kafka, Earshot runs on a broker in memory that keeps at most 5 MB a partition and drops the oldest records "
    "silently. Nothing outlives this start, and bulk import and benchmarks are refused."
)


def mock_broker_spec(folder: Path, log: Path) -> ProcessSpec:
    """Describe the process; `address_of(folder)` is its address once it is ready."""
    address_file = _address_file(folder)
    address_file.parent.mkdir(parents=True, exist_ok=True)
    argv = (sys.executable, "-m", __name__, "--address-file", str(address_file))
    return ProcessSpec(
        name="kafka",
        argv=argv,
        env=dict(os.environ),
        log=log,
        ready=address_file.exists,
        mortal=True,
        before_start=lambda: address_file.unlink(missing_ok=True),
    )


def address_of(folder: Path) -> str:
    """Return `host:port` of the broker that is running; it takes whatever port it is given."""
    return _address_file(folder).read_text(encoding="ascii").strip()


def make_topics(bootstrap: str, names: Iterable[str]) -> None:
    """Make topics in the only way this broker knows: by asking for them (it gives each 4 partitions and takes no settings)."""
    asker = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for name in names:
        asker.list_topics(topic=name, timeout=10)


def _address_file(folder: Path) -> Path:
    return folder.absolute() / "mock-broker.address"


def main() -> None:
    """Keep the broker until we are ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address-file", type=Path, required=True)
    options = parser.parse_args()
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    [broker] = producer.list_topics(timeout=30).brokers.values()
    write_atomically(options.address_file, f"{broker.host}:{broker.port}\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
