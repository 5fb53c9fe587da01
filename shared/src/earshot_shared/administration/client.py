"""Asks a running installation by one address: a service's, or the console's, which hands on to all of them.

Owns the calls that commands make with ``--url``, and the words for what goes wrong on the way.
"""

from collections.abc import Iterator
from typing import Any, Final, Self

import httpx
import msgspec

from earshot_shared.cli.locate import Endpoint
from earshot_shared.cli.main import CommandFailedError
from earshot_shared.migrations.files import services_with_schema

_CONSOLE: Final = "console"
_TIMEOUT_S: Final = 90.0
_PAGE: Final = 500


class Installation:
    """The services that answer behind one address."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Ask whose address it is.

        Raises: CommandFailedError when nobody answers, or nobody of ours.
        """
        headers = {"authorization": f"Bearer {endpoint.api_key}"}
        self._url = endpoint.url
        self._http = httpx.Client(base_url=endpoint.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)
        told = self._send("GET", "/healthz", None)
        name = told.get("service") if isinstance(told, dict) else None
        if name is None:
            raise CommandFailedError(f"{endpoint.url} is no service of Earshot.")
        self._name = str(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def services(self) -> list[str]:
        """The services with a view that can be asked here."""
        return sorted(services_with_schema()) if self._name == _CONSOLE else [self._name]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return what whoever stands behind the address answers; None for an answer without a body.

        Raises: CommandFailedError with the refusal's own sentence.
        """
        return self._send(method, path, body)

    def call_service(self, service: str, method: str, path: str, body: object = None) -> Any:
        """Return what one service answers.

        Raises: CommandFailedError as `call`, and when another service stands behind the address.
        """
        if service not in self.services:
            raise CommandFailedError(f"{self._url} is the address of {self._name}: give the one of {service}, or the console's.")
        return self._send(method, f"/services/{service}{path}" if self._name == _CONSOLE else path, body)

    def list_all(self, path: str, *, service: str | None = None) -> Iterator[dict[str, Any]]:
        """Give every entry of a list, page by page."""
        cursor = ""
        while True:
            page = f"{path}?limit={_PAGE}{cursor}"
            told = self.call("GET", page) if service is None else self.call_service(service, "GET", page)
            yield from told["items"]
            if told["next_cursor"] is None:
                return
            cursor = f"&cursor={told['next_cursor']}"

    def _send(self, method: str, path: str, body: object) -> Any:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            answer = self._http.request(method, path, content=content, headers=headers)
        except (httpx.TransportError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise CommandFailedError(f"{self._url} does not answer: see that the system runs and the address is right.") from error
        told = _json(answer)
        if answer.is_success:
            return told
        problem = told if isinstance(told, dict) else {}
        detail = problem.get("detail") or f"{self._url} answers {answer.status_code} and does not say why."
        raise CommandFailedError(str(detail), code=problem.get("code"))


def _json(answer: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(answer.content) if answer.content else None
    except msgspec.DecodeError:
        return None
