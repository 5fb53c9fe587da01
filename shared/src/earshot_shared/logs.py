"""JSON lines on standard error, one per event, constant messages with ids and coordinates beside them.

Owns the format and the filter that keeps personal data out: fields whose names promise a text, a name or an address are dropped, and
exceptions are told by type and place alone, because their messages quote values (Postgres's DETAIL, a parser's input). And libraries are
kept from repeating themselves.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

import msgspec

from earshot_shared.errors import EarshotError

# What logging puts on every record itself; everything else came as `extra`.
_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName", "color_message"}

PERSONAL: Final = frozenset(
    {
        "text", "title", "body", "content", "value", "payload", "item", "author", "handle", "email", "mail", "phone", "address", "street",
        "name_of_person", "person", "given_name", "family_name", "birth_date", "query", "query_string", "url", "headers", "authorization",
        "token", "secret", "password", "api_key", "cookie", "dsn", "postgres_dsn", "author_key", "identifier", "external_id", "ip",
        "client",
    }
)  # fmt: skip
"""Names of fields that would carry personal data or secrets."""

_encoder = msgspec.json.Encoder(enc_hook=str)


class PersonalDataFilter(logging.Filter):
    """Takes personal fields off a record and says which, so that the slip is seen without the data."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without its personal fields."""
        refused = sorted(PERSONAL & vars(record).keys())
        for name in refused:
            delattr(record, name)
        if refused:
            record.refused = refused
        return True


class SeldomFilter(logging.Filter):
    """Lets a library say the same thing once in a while: without a broker aiokafka repeats itself eighty times a second.

    What it says next bears ``unsaid``, how often it was not let.
    """

    def __init__(self, *libraries: str, every_s: float = 10.0) -> None:
        super().__init__()
        self._libraries = libraries
        self._every_s = every_s
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        if not record.name.startswith(self._libraries):
            return True
        what = (record.name, str(record.msg))  # before its arguments are put in
        at, unsaid = self._said.get(what, (float("-inf"), 0))
        if record.created - at < self._every_s:
            self._said[what] = (at, unsaid + 1)
            return False
        self._said[what] = (record.created, 0)
        if unsaid:
            record.unsaid = unsaid
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the extra fields, and where an exception came from."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line:
                line[name] = _plain(value)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return _encoder.encode(line).decode()


def configure_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs of this process through our format; called once, by the composition root."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    handler.addFilter(SeldomFilter("aiokafka", "asyncpg"))
    handler.addFilter(PersonalDataFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    access = logging.getLogger("uvicorn.access")  # its lines carry the client's address and the query
    access.handlers[:] = []
    access.propagate = False
    for chatty in ("aiokafka", "asyncio", "httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))


def describe(error: BaseException, *, depth: int = 5) -> dict[str, object]:
    """Return type, code and place of an exception; its message only when it is ours, for ours are written without data.

    Causes are followed ``depth`` deep: two exceptions may name each other.
    """
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told: dict[str, object] = {"type": type(error).__qualname__, "frames": frames[-12:]}
    if isinstance(error, EarshotError):
        told |= {"code": error.code, "detail": error.detail}
    if error.__cause__ is not None and depth > 0:
        told["cause"] = describe(error.__cause__, depth=depth - 1)
    if isinstance(error, BaseExceptionGroup) and depth > 0:
        told["parts"] = [describe(part, depth=depth - 1) for part in error.exceptions[:5]]
    return told


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): "refused" if str(name) in PERSONAL else _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return str(value)
