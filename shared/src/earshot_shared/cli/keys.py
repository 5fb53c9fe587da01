"""``earshot keys``: makes, lists and ends API keys. A key is shown once, on the last line; only its hash is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import msgspec

from earshot_shared.access import ALL_SCOPES, PostgresKeys, StoredKey, new_key, open_access_pool, read_secret
from earshot_shared.administration.shapes import told_key
from earshot_shared.cli.locate import data_dir_option, find_endpoint, find_servers, url_option
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.ids import clean_external

T = TypeVar("T")


class _Scopes(click.ParamType[tuple[str, ...]]):
    """One scope, or several parted by commas."""

    name = "scope"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the scopes that are named."""
        named = tuple(scope.strip() for scope in str(value).split(","))
        for scope in named:
            if scope not in ALL_SCOPES:
                self.fail(f"{scope!r} is not one of {', '.join(ALL_SCOPES)}.", param, ctx)
        return named


def _bound(_context: click.Context, _parameter: click.Parameter, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a key is bound to, written as they are compared."""
    try:
        return tuple(clean_external(name) for name in named)
    except ValueError as error:
        raise click.BadParameter(f"the name {error}") from None


@click.group()
def keys() -> None:
    """Make, list and end API keys."""


@keys.command()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=_Scopes(),
    help=f"What the key may do: {', '.join(ALL_SCOPES)}. Several are given one by one, or parted by commas.",
)
@click.option("--name", default="unnamed", show_default=True, help="Who uses it.")
@click.option("--source", "sources", multiple=True, callback=_bound, help="Bind the key to a source; several are given one by one.")
@click.option("--brand", "brands", multiple=True, callback=_bound, help="Bind the key to a brand; several are given one by one.")
@data_dir_option
@url_option
def create(
    scopes: tuple[tuple[str, ...], ...], name: str, sources: tuple[str, ...], brands: tuple[str, ...], data_dir: Path, url: str | None
) -> None:
    """Make a key and print it, alone on the last line: it is never shown again."""
    token, key = new_key(
        name=name, scopes={scope for several in scopes for scope in several}, sources=sources or None, brands=brands or None
    )
    if url is None:
        _with_keys(data_dir, lambda store: store.add(key))
    else:
        _ask(url, "PUT", f"/{key.key_id}", _wanted(key))
    click.echo(f"Key {key.key_id} ({name}) may {', '.join(sorted(key.scopes))}. It is shown this once:", err=True)
    click.echo(token)


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@data_dir_option
@url_option
def list_keys(as_json: bool, data_dir: Path, url: str | None) -> None:
    """List all keys, without their secrets."""
    found = [told_key(key) for key in _with_keys(data_dir, lambda store: store.list())] if url is None else _list(url)
    if not found:
        click.echo("There is no key yet; `earshot keys create` makes one.", err=True)
    for key in found:
        click.echo(msgspec.json.encode(key).decode() if as_json else _line(key))


@keys.command()
@click.argument("key_id")
@data_dir_option
@url_option
def revoke(key_id: str, data_dir: Path, url: str | None) -> None:
    """End a key, by its id or by itself; services notice within seconds."""
    wanted = key_id.split("_")[1] if key_id.startswith("esk_") and key_id.count("_") > 1 else key_id
    if url is not None:
        _ask(url, "DELETE", f"/{quote(wanted, safe='')}")
    elif not _with_keys(data_dir, lambda store: store.revoke(wanted)):
        raise CommandFailedError("There is no such key: `earshot keys list` shows the ids.")
    click.echo(f"Key {wanted} is revoked.")


def _with_keys(data_dir: Path, work: Callable[[PostgresKeys], Awaitable[T]]) -> T:
    servers = find_servers(data_dir)

    async def run() -> T:
        async with open_access_pool(servers.postgres(), servers.topic_prefix, application="earshot keys") as pool:
            await read_secret(pool)  # says in words when the migrations were not run
            return await work(PostgresKeys(pool))

    return asyncio.run(run())


def _ask(url: str, method: str, path: str, body: object = None) -> None:
    from earshot_shared.administration.client import Installation  # the HTTP client is slow to import

    with Installation(find_endpoint(url)) as installation:
        installation.call(method, f"/admin/keys{path}", body)


def _list(url: str) -> list[dict[str, Any]]:
    from earshot_shared.administration.client import Installation  # the HTTP client is slow to import

    with Installation(find_endpoint(url)) as installation:
        return list(installation.list_all("/admin/keys"))


def _wanted(key: StoredKey) -> dict[str, object]:
    """Return what a service is asked to keep: the secret itself stays here."""
    told = told_key(key)
    return {"secret_sha256": key.secret_sha256.hex(), **{name: told[name] for name in ("name", "scopes", "sources", "brands")}}


def _line(key: dict[str, Any]) -> str:
    state = "revoked" if key["revoked_at"] else f"used {key['last_used_on']}" if key["last_used_on"] else "never used"
    bound = "".join(f" {kind}={','.join(key[kind])}" for kind in ("sources", "brands") if key[kind] is not None)
    return f"{key['id']}  {state:16}  {key['name']}  [{', '.join(key['scopes'])}]{bound}"
