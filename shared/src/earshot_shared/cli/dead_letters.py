"""``earshot dead-letters``: what could not be processed, why, and another try.

With ``--data-dir`` (or the servers in the environment) the tables themselves are asked, whether the services run or not; with ``--url`` a
running service is, or all of them through the console.
"""

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import click
import msgspec

from earshot_shared.administration.shapes import Letter, told_letter, whole_letter
from earshot_shared.cli.locate import Servers, data_dir_option, find_servers, url_option
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")
_LIST_LIMIT = 10_000
RETRY_WAIT_S = 60.0
RETRY_LOOK_S = 0.25
T = TypeVar("T")


@click.group("dead-letters")
def dead_letters() -> None:
    """What could not be processed: list it, look at it, try it again, or drop it."""


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--service", default=None, help="Only of this service.")
@data_dir_option
@url_option
def list_letters(as_json: bool, service: str | None, data_dir: Path, url: str | None) -> None:
    """List what was set aside, oldest first, without the content."""
    names = _services(service)
    if url is None:
        letters = _run(_list(find_servers(data_dir), names))
    else:
        from earshot_shared.cli import dead_letters_remote as remote  # the HTTP client is slow to import

        letters = remote.list_letters(url, service)
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
@url_option
def show(letter_id: UUID, data_dir: Path, url: str | None) -> None:
    """Show one with its bytes: as text where they are text, else in base64. It may hold personal data."""
    if url is None:
        service, row = _run(_find(find_servers(data_dir), letter_id))
        told = whole_letter(row, service)
    else:
        from earshot_shared.cli import dead_letters_remote as remote  # the HTTP client is slow to import

        told = remote.show(url, letter_id)
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


@dead_letters.command("replay")
@click.argument("letter_id", type=click.UUID, metavar="ID", required=False)
@click.option("--all", "every", is_flag=True, help="Try all of them again.")
@click.option("--service", default=None, help="With --all: only of this service.")
@data_dir_option
@url_option
def replay_letters(letter_id: UUID | None, every: bool, service: str | None, data_dir: Path, url: str | None) -> None:
    """Ask the running service to try one (or --all) again, and wait for the outcome."""
    if every == (letter_id is not None):
        raise click.UsageError("Name one ID, or say --all.")
    _services(service)
    if url is None:
        applied, left = _run(_replay(find_servers(data_dir), letter_id, service))
    else:
        from earshot_shared.cli import dead_letters_remote as remote  # the HTTP client is slow to import

        applied, left = remote.replay(url, letter_id, service)
    click.echo(f"{applied} applied, {left} set aside again.")
    if left:
        raise CommandFailedError("Some failed again: `earshot dead-letters list` says why.")


@dead_letters.command("drop")
@click.argument("letter_id", type=click.UUID, metavar="ID")
@data_dir_option
@url_option
def drop(letter_id: UUID, data_dir: Path, url: str | None) -> None:
    """Forget one for good. Asks nothing."""
    if url is None:
        _run(_drop(find_servers(data_dir), letter_id))
    else:
        from earshot_shared.cli import dead_letters_remote as remote  # the HTTP client is slow to import

        remote.drop(url, letter_id)
    click.echo("Dropped.")


def no_letter(letter_id: UUID) -> CommandFailedError:
    """Return the error of a letter that is nowhere."""
    return CommandFailedError(f"There is no dead letter {letter_id}: `earshot dead-letters list` shows what there is.")


def not_tried(service: str) -> CommandFailedError:
    """Return the error of a service that does not try what it was asked to."""
    return CommandFailedError(f"{service} has not tried them within {RETRY_WAIT_S:.0f} s: is it running? They stay asked for.")


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


async def _list(servers: Servers, names: list[str]) -> list[Letter]:
    letters = []
    for name in names:
        conn = await _connect(servers, name)
        try:
            rows = await conn.fetch(_QUERIES["list_dead_letters"], _LIST_LIMIT, None, None)
        finally:
            await conn.close()
        letters += [told_letter(row, name) for row in rows]
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
    raise no_letter(letter_id)


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
    deadline = time.monotonic() + RETRY_WAIT_S
    while True:
        rows = list(await conn.fetch(_QUERIES["letters_among"], asked))
        if all(row["retry_requested_at"] is None for row in rows):
            return len(rows)
        if time.monotonic() > deadline:
            raise not_tried(service)
        await asyncio.sleep(RETRY_LOOK_S)
