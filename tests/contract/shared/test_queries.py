"""Every query of every package is right on the migrated schema, and somebody uses it."""

import re
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from earshot_shared.migrations import ACCESS, migrate_all, services_with_schema
from earshot_shared.postgres import Queries
from earshot_shared.topics import schema_name
from support.ground import FreshDatabase

# Package and service whose schema its queries run in; those of the loop and the HTTP commons run in every service's.
SHARED = [("earshot_shared.access", ACCESS), ("earshot_shared.http", "triage"), ("earshot_shared.pipeline", "triage")]


def folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


OWN = [(package, service) for service, package in services_with_schema().items() if (folder_of(package) / "sql").is_dir()]
ALL = [*SHARED, *OWN]
PACKAGES = [pytest.param(*each, id=each[0]) for each in ALL]


@pytest.mark.parametrize(("package", "service"), PACKAGES)
async def test_every_query_can_be_prepared(package: str, service: str, fresh_database: FreshDatabase) -> None:
    connection = await asyncpg.connect(fresh_database(migrate_all), server_settings={"search_path": schema_name(service)})
    wrong = {}
    for name, text in Queries.load(package).texts.items():
        try:
            await connection.prepare(text)
        except asyncpg.PostgresError as error:
            wrong[name] = str(error)
    await connection.close()
    assert wrong == {}


@pytest.mark.parametrize(("package", "service"), PACKAGES)
def test_every_query_is_used(package: str, service: str) -> None:
    """A name counts as used when code of the package, or of what is shared (which resets every service's views), says it in quotes."""
    roots = {folder_of(package), folder_of("earshot_shared")}
    said = {word for root in roots for file in root.rglob("*.py") for word in re.findall(r'"(\w+)"', file.read_text(encoding="utf-8"))}
    assert sorted(Queries.load(package).texts.keys() - said) == []
