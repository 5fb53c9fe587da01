"""Make `kafka_jars.lock` anew, after KAFKA_VERSION was raised: `python -m earshot_shared.local.kafka_lock`.

Owns: which artifacts a one-node broker is made of. Must not: be needed by anything that runs.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from earshot_shared.local.kafka_jars import KAFKA_VERSION, LOCK

LOG4J_VERSION = "2.24.3"
# kafka-clients is named too: without it an older one is mixed in, and the broker dies at its start.
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-server:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
    f"org.apache.logging.log4j:log4j-core:{LOG4J_VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}",
)
HEADER = f"""\
# The jars of Apache Kafka {KAFKA_VERSION} (one node, KRaft): coordinates, file, bytes, sha256.
# Made anew by:  python -m earshot_shared.local.kafka_lock
"""


def main() -> None:
    """Resolve the roots, fetch every jar, and write the lock beside this file."""
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch))
        named, drawn_in = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
        lines = []
        for dependency in [*named, *drawn_in]:
            path = dependency.artifact.resolve()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{dependency.groupId}:{dependency.artifactId}:{dependency.version} {path.name} {path.stat().st_size} {digest}\n")
    Path(__file__).with_name(LOCK).write_text(HEADER + "".join(sorted(lines)), encoding="ascii")
    sys.stdout.write(f"{len(lines)} jars locked\n")


if __name__ == "__main__":
    main()
