"""``earshot dead-letters``: what could not be processed, why, and another try."""

import asyncio
import base64
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import click
import msgspec

from earshot_shared.cli.locate import Servers, data_dir_option, find_servers
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.envelope import rfc3339
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.dead_letters import decode_headers
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")
_LIST_LIMIT = 10_000
_RETRY_WAIT_S = 60.0
_RETRY_LOOK_S = 0.25
T = TypeVar("T")


class Letter(msgspec.Struct, kw_only=True):
    """One dead letter as the list tells it (contract §2)."""

    id: UUID
    service: str
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
    at: str


@click.group("dead-letters")
def dead_letters() -> None:
    """What could not be processed: list it, look at it, try it again, or drop it."""


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--service", default=None, help="Only of this service.")
@data_dir_option
def list_letters(as_json: bool, service: str | None, data_dir: Path) -> None:
    """List what was set aside, oldest first, without the content."""
    letters = _run(_list(find_servers(data_dir), service))
    for letter in letters:
        if as_json:
            click.echo(msgspec.json.encode(letter).decode())
        else:
            click.echo(f"{letter.id}  {letter.at}  {letter.service}  {letter.topic}-{letter.partition}@{letter.offset}  {letter.code}")
            click.echo(f"    {letter.detail}")
    if not letters and not as_json:
        click.echo("Nothing is set aside.")


@dead_letters.command("show")
@click.argument("letter_id", type=click.UUID, metavar="ID")
@data_dir_option
def show(letter_id: UUID, data_dir: Path) -> None:
    """Show one with its bytes: as text where they are text, else in base64. It may hold personal data."""
    service, row = _run(_find(find_servers(data_dir), letter_id))
    headers = [[name, _legible(value)] for name, value in decode_headers(row["headers"])]
    legible = {"key": _legible(row["key"]), "value": _legible(row["value"]), "headers": headers}
    told = {**dict(row), "service": service, "at": rfc3339(row["at"]), **legible}
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


@dead_letters.command("replay")
@click.argument("letter_id", type=click.UUID, metavar="ID", required=False)
@click.option("--all", "every", is_flag=True, help="Try all of them again.")
@click.option("--service", default=None, help="With --all: only of this service.")
@data_dir_option
def replay_letters(letter_id: UUID | None, every: bool, service: str | None, data_dir: Path) -> None:
    """Ask the running service to try one (or --all) again, and wait for the outcome."""
    if every == (letter_id is not None):
        raise click.UsageError("Name one ID, or say --all.")
    applied, left = _run(_replay(find_servers(data_dir), letter_id, service))
    click.echo(f"{applied} applied, {left} set aside again.")
    if left:
        raise CommandFailedError("Some failed again: `earshot dead-letters list` says why.")


@dead_letters.command("drop")
@click.argument("letter_id", type=click.UUID, metavar="ID")
@data_dir_option
def drop(letter_id: UUID, data_dir: Path) -> None:
    """Forget one for good. Asks nothing."""
    _run(_drop(find_servers(data_dir), letter_id))
    click.echo("Dropped.")


def _run(work: Coroutine[Any, Any, T]) -> T:
    async def translating() -> T:
        with translated():
            return await work

    return asyncio.run(translating())


async def _connect(servers: Servers, service: str) -> Any:
    return await asyncpg.connect(servers.postgres(), server_settings={"search_path": schema_name(service, servers.topic_prefix)})


def _services(service: str | None) -> list[str]:
    known = sorted(services_with_schema())
    if service is not None and service not in known:
        raise click.UsageError(f"There is no service {service}: it is one of {', '.join(known)}.")
    return known if service is None else [service]


async def _list(servers: Servers, service: str | None) -> list[Letter]:
    letters = []
    for name in _services(service):
        conn = await _connect(servers, name)
        try:
            rows = await conn.fetch(_QUERIES["list_dead_letters"], _LIST_LIMIT)
        finally:
            await conn.close()
        letters += [
            Letter(
                id=row["id"],
                service=name,
                topic=row["topic"],
                partition=row["partition"],
                offset=row["offset"],
                code=row["code"],
                detail=row["detail"],
                at=rfc3339(row["at"]),
            )
            for row in rows
        ]
    return sorted(letters, key=lambda letter: (letter.at, letter.id))


async def _find(servers: Servers, letter_id: UUID) -> tuple[str, Any]:
    for name in _services(None):
        conn = await _connect(servers, name)
        try:
            row = await conn.fetchrow(_QUERIES["read_dead_letter"], letter_id)
        finally:
            await conn.close()
        if row is not None:
            return name, row
    raise CommandFailedError(f"There is no dead letter {letter_id}: `earshot dead-letters list` shows what there is.")


async def _drop(servers: Servers, letter_id: UUID) -> None:
    service, _ = await _find(servers, letter_id)
    conn = await _connect(servers, service)
    try:
        await conn.fetchval(_QUERIES["drop_dead_letter"], letter_id)
    finally:
        await conn.close()


async def _replay(servers: Servers, letter_id: UUID | None, service: str | None) -> tuple[int, int]:
    names = _services(service) if letter_id is None else [(await _find(servers, letter_id))[0]]
    applied = left = 0
    for name in names:
        conn = await _connect(servers, name)
        try:
            asked = [row["id"] for row in await conn.fetch(_QUERIES["request_retry"], letter_id)]
            still = await _outcome(conn, asked, name)
        finally:
            await conn.close()
        applied, left = applied + len(asked) - still, left + still
    return applied, left


async def _outcome(conn: Any, asked: list[UUID], service: str) -> int:
    """Wait until the service has tried all of them; return how many were set aside again."""
    deadline = time.monotonic() + _RETRY_WAIT_S
    while True:
        rows = list(await conn.fetch(_QUERIES["letters_among"], asked))
        if all(row["retry_requested_at"] is None for row in rows):
            return len(rows)
        if time.monotonic() > deadline:
            raise CommandFailedError(f"{service} has not tried them within {_RETRY_WAIT_S:.0f} s: is it running? They stay asked for.")
        await asyncio.sleep(_RETRY_LOOK_S)


def _legible(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()
