"""``earshot keys``: makes, lists and ends API keys. A key is shown once, on the last line; only its hash is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from earshot_shared.access import ALL_SCOPES, PostgresKeys, StoredKey, new_key, open_access_pool, read_secret
from earshot_shared.cli.locate import data_dir_option, find_servers
from earshot_shared.cli.main import CommandFailedError

T = TypeVar("T")


@click.group()
def keys() -> None:
    """Make, list and end API keys."""


@keys.command()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(ALL_SCOPES),
    help="What the key may do; several are given one by one.",
)
@click.option("--name", default="unnamed", show_default=True, help="Who uses it.")
@click.option("--source", "sources", multiple=True, help="Bind the key to a source; several are given one by one.")
@click.option("--brand", "brands", multiple=True, help="Bind the key to a brand; several are given one by one.")
@data_dir_option
def create(scopes: tuple[str, ...], name: str, sources: tuple[str, ...], brands: tuple[str, ...], data_dir: Path) -> None:
    """Make a key and print it, alone on the last line: it is never shown again."""
    token, key = new_key(name=name, scopes=scopes, sources=sources or None, brands=brands or None)
    _with_keys(data_dir, lambda store: store.add(key))
    click.echo(f"Key {key.key_id} ({name}) may {', '.join(sorted(key.scopes))}. It is shown this once:", err=True)
    click.echo(token)


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@data_dir_option
def list_keys(as_json: bool, data_dir: Path) -> None:
    """List all keys, without their secrets."""
    for key in _with_keys(data_dir, lambda store: store.list()):
        click.echo(msgspec.json.encode(_told(key)).decode() if as_json else _line(key))


@keys.command()
@click.argument("key_id")
@data_dir_option
def revoke(key_id: str, data_dir: Path) -> None:
    """End a key, by its id or by itself; services notice within seconds."""
    wanted = key_id.split("_")[1] if key_id.startswith("esk_") and key_id.count("_") > 1 else key_id
    if not _with_keys(data_dir, lambda store: store.revoke(wanted)):
        raise CommandFailedError("There is no such key: `earshot keys list` shows the ids.")
    click.echo(f"Key {wanted} is revoked.")


def _with_keys(data_dir: Path, work: Callable[[PostgresKeys], Awaitable[T]]) -> T:
    servers = find_servers(data_dir)

    async def run() -> T:
        async with open_access_pool(servers.postgres(), servers.topic_prefix, application="earshot keys") as pool:
            await read_secret(pool)  # says in words when the migrations were not run
            return await work(PostgresKeys(pool))

    return asyncio.run(run())


def _told(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "sources": None if key.sources is None else sorted(key.sources),
        "brands": None if key.brands is None else sorted(key.brands),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "last_used_on": key.last_used_on,
    }


def _line(key: StoredKey) -> str:
    state = "revoked" if key.revoked_at else f"used {key.last_used_on}" if key.last_used_on else "never used"
    bound = "".join(f" {kind}={','.join(sorted(to))}" for kind, to in (("sources", key.sources), ("brands", key.brands)) if to is not None)
    return f"{key.key_id}  {state:16}  {key.name}  [{', '.join(sorted(key.scopes))}]{bound}"
