"""What an installation sets by environment, and the one registry of every variable we know.

Owns the base class that each service's ``settings.py`` subclasses, the reading of it, and the refusal of variables
that nobody knows. Must not read anything at import, and must never put a value into an error: values may be secrets.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import DirectoryPath, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from earshot_shared.errors import FatalError
from earshot_shared.topics import schema_name

PREFIX: Final = "EARSHOT_"

SERVICES: Final = ("ingest", "triage", "recognition", "crm-sync", "console")
"""The services of one installation, in the order of their ports after the console's. A container holds one of them,
its environment may name all.
"""

_ADDRESSES: Final = {f"{PREFIX}KAFKA_BOOTSTRAP": "host:9092", f"{PREFIX}POSTGRES_DSN": "postgresql://host/database"}

SETTINGS_GROUP: Final = "earshot.settings"
"""Entry points: name = service, value = ``package.settings:Class``."""

# Variables that no settings class holds, each with its meaning: read by tests and by tools, never by a service.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    "EARSHOT_TEST_KAFKA": "Tests use this Kafka (`host:port`) instead of starting one.",
    "EARSHOT_TEST_POSTGRES": "Tests use this Postgres (a DSN with the right to create databases) instead of starting one.",
    "EARSHOT_TEST_PUBLIC_DATA": "Where the public evaluation sets lie; tests that need them are left out otherwise.",
    "EARSHOT_CACHE_DIR": "Where downloaded parts of the local Kafka are kept (default: the user's cache folder).",
    "EARSHOT_URL": "The address of a running system for commands that talk to one (as `--url`).",
    "EARSHOT_DATA_DIR": "The data folder of a local system for commands that talk to one (as `--data-dir`).",
}

# A prefix begins every topic, group, client id and schema. Neither underscore nor dash: in schema names the
# underscore stands for the dot, so that two prefixes can never share a schema, and Kafka's metrics cannot tell an
# underscore from a dot either.
_TOPIC_PREFIX = re.compile(r"[a-z][a-z0-9]*(?:\.[a-z0-9]+)*")
_LONGEST_PREFIX = 40  # with the longest service name a schema stays under Postgres's 63 bytes


Port = Annotated[int, Field(ge=0, le=65535, description="The port the service listens on; 0 takes a free one.")]
"""The type of ``port``, which each service declares anew with its own default."""


class SettingsError(FatalError):
    """The environment does not say what we need, or says something nobody knows. Mend the variable the sentence
    names.
    """

    code = "settings"


class ServiceSettings(BaseSettings):
    """What every service is told. Subclasses set ``service``, their port and their own fields, units in the names.

    Fields of this class with an alias are the installation's (``EARSHOT_KAFKA_BOOTSTRAP``); the others, and those of
    subclasses, are the service's own (``EARSHOT_TRIAGE_PORT``).
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",  # misspelt variables are found by `refuse_unknown_variables`, which sees those of all services
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
    service: ClassVar[str] = ""

    kafka_bootstrap: Annotated[str, Field(validation_alias="EARSHOT_KAFKA_BOOTSTRAP", min_length=1)]
    """Kafka's address: `host:port`, several separated by commas."""
    postgres_dsn: Annotated[SecretStr, Field(validation_alias="EARSHOT_POSTGRES_DSN")]
    """Postgres's address: `postgresql://user:password@host:port/database`."""
    topic_prefix: Annotated[str, Field(validation_alias="EARSHOT_TOPIC_PREFIX")] = "earshot"
    """Begins every topic, consumer group, client id and Postgres schema, so that installations can share brokers and
    databases.
    """
    config_dir: Annotated[DirectoryPath, Field(validation_alias="EARSHOT_CONFIG_DIR", default_factory=lambda: default_config_dir())]
    """The folder of the `*.yaml` files that operators tune (default: `./config`, else the one of the checkout)."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(validation_alias="EARSHOT_LOG_LEVEL")] = "INFO"
    """The least severe log lines that are written."""
    api_key: Annotated[SecretStr | None, Field(validation_alias="EARSHOT_API_KEY")] = None
    """A first API key with all scopes, for containers and clients; at least 16 characters."""

    host: str = "127.0.0.1"
    """The address the service listens on."""
    port: Port = 8000
    max_connections: Annotated[int, Field(ge=1)] = 2000
    """Requests served at once; more are answered 503 at the door."""
    slow_client_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long a client may take to send its headers, or the next piece of a body."""
    keep_alive_s: Annotated[int, Field(ge=1, le=3600)] = 120
    """How long an idle connection is kept: longer than common balancers keep theirs, so that they never meet a closed
    one.
    """
    shutdown_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long open requests and the loop may take to finish after SIGTERM."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.model_config["env_prefix"] = service_prefix(cls.service)

    @field_validator("topic_prefix")
    @classmethod
    def _check_topic_prefix(cls, value: str) -> str:
        value = value.removesuffix(".")
        if len(value) > _LONGEST_PREFIX or not _TOPIC_PREFIX.fullmatch(value):
            raise ValueError(f"use up to {_LONGEST_PREFIX} lower-case letters and digits, parted by single dots")
        return value

    @field_validator("postgres_dsn")
    @classmethod
    def _check_dsn(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("write it as postgresql://user:password@host:port/database")
        return value

    @field_validator("api_key")
    @classmethod
    def _check_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (len(value.get_secret_value()) < 16 or not value.get_secret_value().isascii()):
            raise ValueError("use at least 16 ASCII characters that cannot be guessed")
        return value

    @property
    def dsn(self) -> str:
        """Return the Postgres address in clear, for the one call that connects."""
        return self.postgres_dsn.get_secret_value()

    @property
    def postgres_schema(self) -> str:
        """Return the Postgres schema of this service."""
        return schema_name(self.service, self.topic_prefix)


def is_example(value: str) -> bool:
    """Say whether a secret is one that `.env.example` shows to everybody."""
    return value.startswith("change-me")


S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of the registry: what docs/settings.md says about it. ``owner`` is "all", a service, or "tools"."""

    name: str
    owner: str
    meaning: str
    default: str
    required: bool


def service_prefix(service: str) -> str:
    """Return what begins a service's own variables: ``EARSHOT_CRM_SYNC_``."""
    return f"{PREFIX}{service.upper().replace('-', '_')}_"


def default_config_dir() -> Path:
    """Return ``./config`` when it is there, else the config folder of the checkout this package runs from."""
    here = Path.cwd() / "config"
    if here.is_dir():
        return here
    checkout = Path(__file__).resolve().parents[3] / "config"
    return checkout if checkout.is_dir() else here


def read_settings(settings: type[S]) -> S:
    """Return the settings of one service as the environment says them.

    Raises: SettingsError with one sentence that names the variable, never its value.
    """
    refuse_unknown_variables(os.environ)
    return _read(settings)


def check_settings() -> None:
    """Refuse at once what any service would refuse at its start, but for addresses that are not given: those it will be told.

    Raises: SettingsError with one sentence that names the variable, never its value.
    """
    refuse_unknown_variables(os.environ)
    absent = {name: value for name, value in _ADDRESSES.items() if not os.environ.get(name)}
    for settings in _settings_classes().values():
        _read(settings, **absent)


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raise SettingsError for a variable with our prefix that no installed part knows, naming the nearest that one
    does.
    """
    known = known_variables()
    absent = tuple(service_prefix(name) for name in SERVICES if name not in _settings_classes())
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or name.startswith(absent):
            continue
        stems = [each.removeprefix(PREFIX) for each in known]  # the prefix alone would make everything alike
        near = difflib.get_close_matches(name.removeprefix(PREFIX), stems, n=1)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "docs/settings.md lists those we know."
        raise SettingsError(f"Nobody knows the variable {name}: {hint}")


def _read(settings: type[S], **given: Any) -> S:
    try:
        return settings(**given)
    except ValidationError as error:
        raise SettingsError(_sentence(settings, error)) from None  # the cause would carry the values


def known_variables() -> dict[str, Variable]:
    """Return every variable that installed parts know, by name: the registry behind docs/settings.md."""
    known: dict[str, Variable] = {}
    for variable in _variables_of(ServiceSettings):
        if variable.owner == "all":
            known[variable.name] = variable
    for settings in _settings_classes().values():
        known |= {variable.name: variable for variable in _variables_of(settings) if variable.owner != "all"}
    for name, meaning in OTHER_VARIABLES.items():
        known[name] = Variable(name=name, owner="tools", meaning=meaning, default="", required=False)
    return known


def _settings_classes() -> dict[str, type[ServiceSettings]]:
    found = {point.name: point.load() for point in entry_points(group=SETTINGS_GROUP)}
    return {name: found[name] for name in SERVICES if name in found}


def _variables_of(settings: type[ServiceSettings]) -> list[Variable]:
    own_prefix = service_prefix(settings.service) if settings.service else ""
    variables = []
    for field_name, field in settings.model_fields.items():
        alias = field.validation_alias
        name = alias if isinstance(alias, str) else f"{own_prefix}{field_name.upper()}"
        default = field.default
        required = field.is_required()
        shown = "" if required or default is None or default is PydanticUndefined else str(default)
        owner = "all" if isinstance(alias, str) else settings.service
        meaning = " ".join((field.description or "").split())
        variables.append(Variable(name=name, owner=owner, meaning=meaning, default=shown, required=required))
    return variables


def _sentence(settings: type[ServiceSettings], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = str(first["loc"][0]) if first["loc"] else ""
    name = place if place.startswith(PREFIX) else _variable_name(settings, place)
    if first["type"] == "missing":
        meaning = known_variables().get(name)
        return f"Set {name}: {meaning.meaning if meaning else 'it is required.'}"
    reason = first["msg"].removeprefix("Value error, ")
    return f"{name} is not usable: {reason[0].lower()}{reason[1:]}."


def _variable_name(settings: type[ServiceSettings], field_name: str) -> str:
    field = settings.model_fields.get(field_name.lower())
    if field is not None and isinstance(field.validation_alias, str):
        return field.validation_alias
    return f"{settings.model_config.get('env_prefix', '')}{field_name}".upper()
