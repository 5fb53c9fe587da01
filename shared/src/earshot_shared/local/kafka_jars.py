"""The jars of Apache Kafka, fetched once into a cache outside the repository, each checked against a locked sha256.

Owns: the lock, the cache, the check. Must not: start Java. No address stands here: jgo knows the public Maven repository, and a
machine with a mirror of its own says so in jgo's settings file, section [repositories].
"""

import contextlib
import hashlib
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from earshot_shared.local.errors import LocalError, NotToBeHadError

KAFKA_VERSION = "4.3.1"
LOCK = "kafka_jars.lock"
FETCHERS = 4  # more only annoy the repository
ATTEMPTS = 3
REQUEST_TIMEOUT_S = 15
_CERTIFICATES_VARIABLE = "REQUESTS_CA_BUNDLE"
_SYSTEM_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")

Progress = Callable[[int, int], None]  # bytes fetched, bytes to fetch


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file: Maven coordinates, the file's name, its size in bytes, its sha256 in hex."""

    group: str
    artifact: str
    version: str
    file: str
    size_bytes: int
    sha256: str


def locked_jars() -> list[Jar]:
    """Return what the lock says."""
    text = resources.files(__package__).joinpath(LOCK).read_text(encoding="ascii")
    return [parse_line(line) for line in text.splitlines() if line and not line.startswith("#")]


def parse_line(line: str) -> Jar:
    coordinates, file, size_bytes, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, file, int(size_bytes), sha256)


def cache_folder() -> Path:
    """Return the folder for the jars of this version: below EARSHOT_CACHE_DIR, else the user's cache folder.

    Raises: LocalError when this account has no home and names no cache.
    """
    if given := os.environ.get("EARSHOT_CACHE_DIR"):
        return Path(given).absolute() / "kafka" / KAFKA_VERSION
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        caches = Path(base) if base else Path.home() / ".cache"
    except RuntimeError as exc:
        raise LocalError("This account has no home folder for Kafka's jars: set EARSHOT_CACHE_DIR to a folder it may write to.") from exc
    return caches / "earshot" / "kafka" / KAFKA_VERSION


def missing(folder: Path, jars: Iterable[Jar]) -> list[Jar]:
    """Return the jars that are not there, or are not what the lock says (43 MB are read, which takes a tenth of a second)."""
    return [jar for jar in jars if not _is_sound(folder / jar.file, jar)]


def fetch_kafka(progress: Progress | None = None) -> Path:
    """Return the folder with every locked jar, having fetched those that are missing.

    Several may do so at once: each file is moved into place whole.
    Raises: NotToBeHadError when a jar is not to be had or is not the locked one.
    """
    jars, folder = locked_jars(), cache_folder()
    wanted = missing(folder, jars)
    if not wanted:
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch, _trusting_this_machine():
            _fetch_all(wanted, Path(scratch), folder, progress or _no_progress)
    except OSError as exc:
        raise NotToBeHadError(
            f"Kafka's jars could not be written to {folder} ({exc.strerror}): make room there, or set EARSHOT_CACHE_DIR."
        ) from exc
    return folder


@contextlib.contextmanager
def _trusting_this_machine() -> Iterator[None]:
    """Let jgo's HTTP library trust what this machine trusts, a company's own authority included, and not only its built-in list."""
    known = (ssl.get_default_verify_paths().cafile, *_SYSTEM_CERTIFICATES)
    bundle = next((path for path in known if path and Path(path).exists()), None)
    if bundle is None or _CERTIFICATES_VARIABLE in os.environ:
        yield
        return
    os.environ[_CERTIFICATES_VARIABLE] = bundle
    try:
        yield
    finally:
        del os.environ[_CERTIFICATES_VARIABLE]


def _no_progress(_there: int, _total: int) -> None:
    pass


def _fetch_all(wanted: list[Jar], scratch: Path, folder: Path, progress: Progress) -> None:
    """Fetch a few at a time; the first that is not to be had ends the rest, and so does whatever `progress` raises."""
    total, there = sum(jar.size_bytes for jar in wanted), 0
    progress(there, total)
    pool = ThreadPoolExecutor(FETCHERS)
    try:
        futures = {pool.submit(_fetch, jar, scratch, folder): jar for jar in wanted}
        for future in as_completed(futures):
            future.result()
            there += futures[future].size_bytes
            progress(there, total)
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, scratch: Path, folder: Path) -> None:
    problem = ""
    for attempt in range(ATTEMPTS):
        try:
            fetched = _download(jar, scratch / f"{jar.artifact}-{attempt}")
        except Exception as exc:  # noqa: BLE001 - jgo and requests raise what they like; whatever it is, the jar is not there
            problem = f"could not be fetched ({type(exc).__name__})"
            continue
        if _is_sound(fetched, jar):
            fetched.replace(folder / jar.file)
            return
        problem = "is not the file that was locked: its sha256 differs"
    raise NotToBeHadError(
        f"{jar.file} {problem}. Check the network, set KAFKA_HOME to an installed Kafka {KAFKA_VERSION}, or give --kafka HOST:PORT."
    )


def _download(jar: Jar, scratch: Path) -> Path:
    from jgo.config import GlobalSettings  # slow to import, and needed once in the life of an installation
    from jgo.maven import MavenContext

    shutil.rmtree(scratch, ignore_errors=True)
    context = MavenContext(repo_cache=scratch, remote_repos=GlobalSettings.load().repositories or None, timeout=REQUEST_TIMEOUT_S)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact(packaging="jar")
    return artifact.resolve()


def _is_sound(path: Path, jar: Jar) -> bool:
    try:
        if path.stat().st_size != jar.size_bytes:
            return False
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False
