"""Commands that ask a running triage: the dry run of rules, and the corrections that people made.

Owns their arguments and what they print. Everything is done by the service, over HTTP.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import pydantic_core

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option, find_service, url_option
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.config import ConfigError, load_config
from earshot_shared.http.times import parse_time
from earshot_triage.config import TriageConfig

TIMEOUT_S: Final = 600.0
"""A dry run over 50,000 items takes a quarter of a minute on a quiet machine."""


class Service:
    """One running triage."""

    def __init__(self, data_dir: Path, url: str | None) -> None:
        endpoint = find_service("triage", data_dir=data_dir, url=url)
        import httpx  # the service itself has no use for it, and imports this module with the commands

        self._failure = httpx.HTTPError
        headers = {"authorization": f"Bearer {endpoint.api_key}"}
        self._http = httpx.Client(base_url=endpoint.url, headers=headers, timeout=TIMEOUT_S)

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """Return the answer's body.

        Raises: CommandFailedError when the service does not answer, or refuses.
        """
        try:
            answer = self._http.request(method, path, **sent)
        except self._failure as error:
            raise CommandFailedError(f"Triage does not answer ({type(error).__name__}): is the system running?") from error
        body = msgspec.json.decode(answer.content)
        if answer.is_error:
            raise CommandFailedError(str(body.get("detail", f"Triage refused with {answer.status_code}.")))
        return body


def lessons(data_dir: Path, url: str | None) -> list[str]:
    """Return what people corrected in a running system as lines to learn from: of each item the last word about each field."""
    found: dict[str, dict[str, str]] = {}
    for made in sorted(_corrections(Service(data_dir, url)), key=lambda made: (parse_time(made["at"]), made["action_id"])):
        lesson = found.setdefault(made["feedback_id"], {"text": made["text"]})
        lesson |= {name: made[name] for name in ("intent", "conduct") if made[name] is not None}
    return [msgspec.json.encode(lesson).decode() for lesson in found.values() if len(lesson) > 1]


def _corrections(service: Service) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = service.ask("GET", "/v1/corrections", params={"limit": 500} | ({"cursor": cursor} if cursor else {}))
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


@click.command("rehearse")
@click.option(
    "--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="Rules as in config/triage.yaml."
)
@click.option("--since", help="Try them on items heard since this time (RFC 3339); on all unless given.")
@click.option(
    "--most", type=click.IntRange(1, 50_000), default=10_000, show_default=True, help="How many items are tried: of more, a sample."
)
@click.option("--show", type=click.IntRange(1, 500), default=50, show_default=True, help="How many changed items are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as one JSON object.")
@data_dir_option
@url_option
def rehearse(rules: Path, since: str | None, most: int, show: int, data_dir: Path, url: str | None, *, as_json: bool) -> None:
    """Try changed rules on past items of a running system and show what they would decide otherwise; nothing changes."""
    asked = {"rules": rules_in(rules), "since": _time(since), "most": most, "limit": show}
    found = Service(data_dir, url).ask("POST", "/v1/rules/rehearse", json=asked)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for change in found["items"]:
        click.echo(f"{change['feedback_id']}  {_excerpt(change['excerpt'])}")
        for name, after in change["after"].items():
            click.echo(f"  - {name}: {_said(change['before'][name])}\n  + {name}: {_said(after)}")
    by_field = ", ".join(f"{name} {count}" for name, count in found["by_field"].items())
    tried = counted(found["tried"], "item") + ("" if found["complete"] else " (a sample)")
    click.echo(f"{found['changed']:,} of {tried} would be decided otherwise{f': {by_field}' if by_field else ''}.")


def rules_in(file: Path) -> Any:
    """Return the rules in a file as JSON has them.

    Raises: CommandFailedError with file, line and reason.
    """
    if file.suffix != ".yaml":
        raise CommandFailedError(f"{file} is no .yaml file: rules are written as in config/triage.yaml.")
    try:
        loaded = load_config(file.parent, file.stem, TriageConfig)
    except ConfigError as error:
        raise CommandFailedError(str(error)) from error
    return pydantic_core.to_jsonable_python(loaded.model.model_dump(exclude_none=True))


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return parse_time(text).isoformat()
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error


def _said(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
