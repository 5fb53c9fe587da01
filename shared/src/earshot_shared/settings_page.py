"""Writes ``docs/settings.md`` from the settings classes: ``python -m earshot_shared.settings_page > docs/settings.md``.

Owns the page's form; a test compares the page with what stands in the checkout.
"""

import sys
from collections.abc import Iterable

from earshot_shared.settings import SERVICES, ServiceSettings, Variable, known_variables, service_prefix

_HEAD = """\
# Settings

Made by `python -m earshot_shared.settings_page > docs/settings.md`; a test compares it with the code.

Every service reads its settings from the environment, once, at its start. A variable that begins with `EARSHOT_` and that nobody knows is
an error that names the nearest one. What operators tune while the system runs stands in `config/*.yaml` instead.
"""


def settings_page() -> str:
    """Return the page."""
    known = known_variables().values()
    each = {field.upper() for field, described in ServiceSettings.model_fields.items() if described.validation_alias is None}
    parts = [_HEAD, "## Of the installation\n", _table(variable for variable in known if variable.owner == "all")]
    parts += ["## Of each service\n", "`EARSHOT_<SERVICE>_…`, such as `EARSHOT_CRM_SYNC_PORT`.\n", _common(each)]
    for service in SERVICES:
        prefix = service_prefix(service)
        own = [variable for variable in known if variable.owner == service and variable.name.removeprefix(prefix) not in each - {"PORT"}]
        if own:
            parts += [f"## Of {service}\n", _table(own)]
    parts += ["## Of tests and tools\n", _table(variable for variable in known if variable.owner == "tools")]
    return "\n".join(parts)


def _common(names: set[str]) -> str:
    rows = [
        Variable(
            name=f"EARSHOT_<SERVICE>_{field.upper()}",
            owner="",
            meaning=" ".join((described.description or "").split()),
            default="" if field == "port" else str(described.default),
            required=False,
        )
        for field, described in ServiceSettings.model_fields.items()
        if field.upper() in names
    ]
    return _table(rows)


def _table(variables: Iterable[Variable]) -> str:
    lines = ["| variable | meaning | unless given |", "|---|---|---|"]
    for variable in variables:
        default = "**required**" if variable.required else f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {variable.meaning.replace('|', chr(92) + '|')} | {default} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
