"""The files that operators tune without code: ``config/*.yaml``, each validated, versioned, and read anew while the service runs.

Owns reading, checking with line numbers, versions and reloading. What a file means belongs to the service whose pydantic model it
fills; a service registers its files in the entry-point group ``earshot.config`` (name = the file without ``.yaml``, value =
``module:Model``). A file that is absent means the model's defaults. A file that turns bad while the service runs changes nothing: the
last good version stays, and the log and the metrics say so.
"""

import asyncio
import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from earshot_shared.errors import FatalError
from earshot_shared.metrics import Metrics

GROUP: Final = "earshot.config"
_LARGEST_BYTES: Final = 4 * 1024 * 1024
_LOOK_EVERY_S: Final = 2.0
M = TypeVar("M", bound=BaseModel)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong in a file, and where; ``line`` counts from 1, 0 when the file as a whole is meant."""

    file: str
    line: int
    place: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place + ': ' if self.place else ''}{self.reason}"


class ConfigError(FatalError):
    """A config file cannot be used; ``faults`` says file, line and reason. Mend it, then `earshot config check`."""

    code = "config"

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = f" ({len(faults) - 1} more: `earshot config check` lists them)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[M]):
    """One good version of a file: the model, the version that decisions name (of the content, not of its spelling), and its source."""

    model: M
    version: str
    absent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The verdict on one file of a folder."""

    name: str
    version: str
    absent: bool
    faults: tuple[Fault, ...]


def load_config(folder: Path, name: str, model: type[M]) -> Loaded[M]:
    """Return ``folder/name.yaml`` as its model; an absent file gives the defaults.

    Raises: ConfigError with every fault found.
    """
    file = folder / f"{name}.yaml"
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return Loaded(model=_validate(file, b"", model, None, {}), version=version_of({}), absent=True)
    except OSError as error:
        raise ConfigError([Fault(file=str(file), line=0, place="", reason=f"cannot be read ({error.strerror})")]) from error
    content, root = _parse(file, raw)
    return Loaded(model=_validate(file, raw, model, root, content), version=version_of(content), absent=False)


def check_all(folder: Path, models: dict[str, type[BaseModel]] | None = None) -> list[Checked]:
    """Return the verdict on every file that installed services read, and on files that nobody reads."""
    known = registered() if models is None else models
    verdicts = [_check(folder, name, model) for name, model in sorted(known.items())]
    for file in sorted(folder.glob("*.y*ml")):
        if file.stem not in known or file.suffix != ".yaml":
            reason = f"nobody reads this file: the known ones are {', '.join(f'{name}.yaml' for name in sorted(known)) or 'none'}"
            fault = Fault(file=str(file), line=0, place="", reason=reason)
            verdicts.append(Checked(name=file.stem, version="", absent=False, faults=(fault,)))
    return verdicts


def registered() -> dict[str, type[BaseModel]]:
    """Return the models of all config files that installed services read."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


class ConfigFile(Generic[M]):
    """One file, watched. ``current`` is always good; `look` reads it anew when it has changed."""

    def __init__(self, folder: Path, name: str, model: type[M]) -> None:
        self._folder = folder
        self._name = name
        self._model = model
        self._metrics: Metrics | None = None
        self._seen = self._stamp()
        self.current: Loaded[M] = load_config(folder, name, model)
        self.refused: ConfigError | None = None
        """Why the newest state of the file is not in use; None when it is."""
        self._followers: list[Callable[[Loaded[M]], None]] = []

    def counted_in(self, metrics: Metrics) -> "ConfigFile[M]":
        """Count in ``metrics`` what is read from now on, and show whether it is in use; return the file itself.

        It is read before a service has metrics.
        """
        self._metrics = metrics
        metrics.follow("config_refused", lambda: self.refused is not None)
        return self

    def follow(self, follower: Callable[[Loaded[M]], None]) -> None:
        """Tell ``follower`` every new version."""
        self._followers.append(follower)

    def look(self) -> bool:
        """Read the file again when it has changed; return whether a new version is in use now."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            fresh = load_config(self._folder, self._name, self._model)
        except ConfigError as error:
            self.refused = error
            self._note("refused")
            _log.error(
                "config refused, the last good version stays",
                extra={"action": "config_refused", "file": self._name, "version": self.current.version, "detail": error.detail},
            )
            return False
        self.refused = None
        if fresh.version == self.current.version:
            return False
        self.current = fresh
        self._note("accepted")
        _log.info("config reloaded", extra={"action": "config_reloaded", "file": self._name, "version": fresh.version})
        for follower in self._followers:
            follower(fresh)
        return True

    async def watch(self) -> None:
        """Look every two seconds until cancelled: a background task of a service."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.look()

    def _note(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.count("config_reloads_total", self._name, outcome)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            stat = (self._folder / f"{self._name}.yaml").stat()
        except OSError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)  # editors replace the file: then the inode tells


def _check(folder: Path, name: str, model: type[BaseModel]) -> Checked:
    try:
        loaded = load_config(folder, name, model)
    except ConfigError as error:
        return Checked(name=name, version="", absent=False, faults=error.faults)
    return Checked(name=name, version=loaded.version, absent=loaded.absent, faults=())


def _parse(file: Path, raw: bytes) -> tuple[Any, Node | None]:
    """Return the content as plain values, and its nodes, which know their lines."""
    if len(raw) > _LARGEST_BYTES:
        raise ConfigError([Fault(file=str(file), line=0, place="", reason="is larger than 4 MiB, which no config is")])
    try:
        text = raw.decode("utf-8")
        content = YAML(typ="safe", pure=True).load(io.StringIO(text))
        root = YAML(typ="safe", pure=True).compose(io.StringIO(text))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError([Fault(file=str(file), line=line, place="", reason="is not UTF-8")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = "the same name stands twice" if isinstance(error, DuplicateKeyError) else f"is not YAML: {error.problem or error.context}"
        raise ConfigError([Fault(file=str(file), line=mark.line + 1 if mark else 0, place="", reason=reason)]) from None
    except ReaderError as error:
        reason = "is not YAML: it holds a character that text files have not"
        raise ConfigError([Fault(file=str(file), line=text.count("\n", 0, error.position) + 1, place="", reason=reason)]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise ConfigError([Fault(file=str(file), line=0, place="", reason=f"is not YAML ({type(error).__name__})")]) from None
    return ({} if content is None else content), root


def _validate(file: Path, raw: bytes, model: type[M], root: Node | None, content: Any) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = faults_of(error)
        faults = [_fault(file, root, one["loc"], one["type"], one["msg"], absent=not raw) for one in found]
        raise ConfigError(sorted(faults, key=lambda fault: fault.line)) from None


def fault_at(reason: str, *place: int | str) -> PydanticCustomError:
    """Return what a validator that looks at several things raises: ``place`` leads from its own place to the one that is wrong, so that
    its line can be told.
    """
    return PydanticCustomError("value_error", "{reason}", {"reason": reason, "place": place})


def faults_of(error: ValidationError) -> list[dict[str, Any]]:
    """Return pydantic's findings, each with the whole way to what is wrong as its ``loc``."""
    return [
        {**one, "loc": (*one["loc"], *one.get("ctx", {}).get("place", ()))} for one in error.errors(include_url=False, include_input=False)
    ]


def _fault(file: Path, root: Node | None, place: tuple[int | str, ...], kind: str, message: str, *, absent: bool) -> Fault:
    if kind == "extra_forbidden":
        reason = "there is no such setting"
    elif kind == "missing":
        reason = "is required"
    elif kind in ("model_type", "dict_type", "model_attributes_type"):
        reason = "should be lines of `name: value`"
    else:
        reason = message.removeprefix("Value error, ")
        reason = reason[:1].lower() + reason[1:]
    line = 0 if absent else _line_of(root, place)
    return Fault(file=str(file), line=line, place=".".join(str(part) for part in place), reason=reason)


def _line_of(root: Node | None, place: tuple[int | str, ...]) -> int:
    """Return the line of a place, or of the nearest thing around it that stands in the file (tags of unions do not)."""
    line, node = 1, root
    for part in place:
        found = _step(node, part)
        if found is not None:
            line, node = found
    return line


def _step(node: Node | None, part: int | str) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None


def version_of(content: Any) -> str:
    """Return twelve hex digits of the content: comments and order of names do not make a new version."""
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic", enc_hook=str) if content else b"").hexdigest()[:12]
