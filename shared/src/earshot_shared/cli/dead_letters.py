"""``earshot dead-letters``: what could not be processed, why, and another try.

With ``--data-dir`` (or the servers in the environment) the tables themselves are asked, whether the services run or not; with ``--url`` a
running service is, or all of them through the console.
"""

from pathlib import Path
from uuid import UUID

import click
import msgspec

from earshot_shared.cli.letter_box import LetterBox
from earshot_shared.cli.locate import data_dir_option, find_endpoint, find_servers, url_option
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.migrations.files import services_with_schema


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
    _check(service)
    letters = _box(data_dir, url).listed(service)
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
    told = _box(data_dir, url).show(letter_id)
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
    _check(service)
    applied, left = _box(data_dir, url).replay(letter_id, service)
    click.echo(f"{applied} applied, {left} set aside again.")
    if left:
        raise CommandFailedError("Some failed again: `earshot dead-letters list` says why.")


@dead_letters.command("drop")
@click.argument("letter_id", type=click.UUID, metavar="ID")
@data_dir_option
@url_option
def drop(letter_id: UUID, data_dir: Path, url: str | None) -> None:
    """Forget one for good. Asks nothing."""
    _box(data_dir, url).drop(letter_id)
    click.echo("Dropped.")


def _box(data_dir: Path, url: str | None) -> LetterBox:
    if url is None:
        from earshot_shared.cli.letters_in_tables import LettersInTables  # here, and below: half of either is needed, and each is slow

        return LettersInTables(find_servers(data_dir))
    from earshot_shared.cli.letters_over_http import LettersOverHttp

    return LettersOverHttp(find_endpoint(url))


def _check(service: str | None) -> None:
    known = sorted(services_with_schema())
    if service is not None and service not in known:
        raise click.UsageError(f"There is no service {service}: it is one of {', '.join(known)}.")
