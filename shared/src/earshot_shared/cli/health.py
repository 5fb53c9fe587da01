"""``earshot health``: asks one service whether it is ready; what a container's health check runs."""

from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import click

from earshot_shared.cli.main import CommandFailedError

_TIMEOUT_S = 3.0


@click.command("health")
@click.argument("url")
def health(url: str) -> None:
    """Ask the service at URL whether it is ready; exit 1 when it is not."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise click.BadParameter("write it as http://HOST:PORT")
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise CommandFailedError(answer.read(2000).decode(errors="replace"))
    except (OSError, HTTPException) as error:
        raise CommandFailedError(f"{url} does not answer.") from error
    finally:
        connection.close()
