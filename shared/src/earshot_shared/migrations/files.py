"""The migrations that are shipped: read from packages, judged, put in order. Touches no database.

A file is ``NNNN_pre_name.sql`` (additive, applied before the new code starts) or ``NNNN_post_name.sql`` (applied once
the old code is gone), numbered from 1 without gaps per folder, and never edited once released: the database remembers
a hash of each.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal

from earshot_shared.errors import FatalError

Phase = Literal["pre", "post"]

GROUP: Final = "earshot.migrations"
"""Entry points: name = service, value = the package that holds its ``migrations/`` folder."""

ACCESS: Final = "access"
"""The name under which the shared schema stands beside the services: ``earshot_access``."""

_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<phase>pre|post)_(?P<name>[a-z0-9_]+)\.sql")


class MigrationError(FatalError):
    """The shipped migrations contradict themselves or the database; restore the released files or the right database."""

    code = "migration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file. ``origin`` tells the folders of one schema apart: "loop", "access" or the service."""

    origin: str
    number: int
    phase: Phase
    name: str
    sql: str

    @property
    def title(self) -> str:
        """Return how we speak of it: ``triage/0002_pre_themes``."""
        return f"{self.origin}/{self.number:04}_{self.phase}_{self.name}"

    @property
    def sha256(self) -> bytes:
        """Return the hash by which an edit after release is noticed."""
        return hashlib.sha256(self.sql.encode()).digest()


def services_with_schema() -> dict[str, str]:
    """Return the installed services that keep a schema, by name, with their packages."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


@functools.cache
def plan_of(service: str) -> tuple[Migration, ...]:
    """Return every migration of one schema in the order in which a new database gets them.

    Raises: MigrationError for files whose names or numbers are wrong.
    """
    shipped = files("earshot_shared") / "migrations"
    if service == ACCESS:
        return tuple(read_folder(shipped / "access", origin=ACCESS))
    loop = read_folder(shipped / "loop", origin="loop")
    package = services_with_schema().get(service)
    if package is None:
        raise MigrationError(f"No installed package brings migrations for {service}.")
    own = files(package) / "migrations"
    return (*loop, *(read_folder(own, origin=service) if own.is_dir() else ()))


def read_folder(folder: Traversable, *, origin: str) -> list[Migration]:
    """Return the migrations of one folder by number.

    Raises: MigrationError when a name does not follow the form or a number is missing or doubled.
    """
    found = [_read_file(entry, origin=origin) for entry in folder.iterdir() if entry.name.endswith(".sql")]
    found.sort(key=lambda migration: migration.number)
    _check_numbers(found, origin=origin)
    return found


def _read_file(entry: Traversable, *, origin: str) -> Migration:
    match = _FILE_NAME.fullmatch(entry.name)
    if match is None:
        raise MigrationError(f"Rename the migration {origin}/{entry.name}: the form is 0001_pre_name.sql or 0001_post_name.sql.")
    phase: Phase = "pre" if match["phase"] == "pre" else "post"
    text = entry.read_text(encoding="utf-8")
    return Migration(origin=origin, number=int(match["number"]), phase=phase, name=match["name"], sql=text)


def _check_numbers(migrations: Sequence[Migration], *, origin: str) -> None:
    for wanted, migration in enumerate(migrations, start=1):
        if migration.number != wanted:
            raise MigrationError(f"Number the migrations of {origin} from 0001 without gaps: {wanted:04} is missing or doubled.")
