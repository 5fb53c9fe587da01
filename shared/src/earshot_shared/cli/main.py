"""The command ``earshot``.

Owns the finding of sub-commands (entry-point group ``earshot.commands``: name = command, value = ``module:click_command``), the exit
codes (0 done, 1 the work failed, 2 wrong usage), that no command runs under a misspelt variable, and how errors are told: one sentence,
the traceback only with ``--debug``. Commands raise EarshotError; they neither print errors nor exit by themselves.
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

from earshot_shared.errors import EarshotError

GROUP: Final = "earshot.commands"
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
# For the numerical libraries, which read it when they load: sums in one order on every machine, and neighbours keep their cores.
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# The first tells misspelt variables among other findings; the other runs every few seconds in a container.
_WITHOUT_SETTINGS: Final = frozenset({"doctor", "health"})


class CommandFailedError(EarshotError):
    """The work of a command failed for a reason of its own; the sentence says what to do."""

    code = "command-failed"


class Commands(click.Group):
    """A group whose commands are entry points, imported only when asked for: ``earshot migrate`` never imports triage's model."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of all installed commands."""
        return sorted(_points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Return one command, None when nothing brings it."""
        point = _points().get(cmd_name)
        if point is None:
            return None
        try:
            command = point.load()
        except ImportError as error:
            return _unloadable(cmd_name, error)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=Commands,
    name="earshot",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Every command takes --debug, which shows the traceback of an error.",
)
@click.version_option(package_name="earshot-shared", prog_name="earshot")
@click.pass_context
def earshot(ctx: click.Context) -> None:
    """Hear what customers say, bring it to those who can act, keep one view of every customer."""
    if ctx.invoked_subcommand not in _WITHOUT_SETTINGS:
        from earshot_shared.settings import refuse_unknown_variables  # not for those that need none: it is slow to import

        refuse_unknown_variables(os.environ)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    for variable in _ONE_THREAD:
        os.environ.setdefault(variable, "1")
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    debug, arguments = _take_debug(arguments)
    try:
        told = earshot.main(arguments, prog_name="earshot", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_FAILED  # whoever read our output has gone; nobody is left to tell
    except Exception as error:
        if debug:
            raise
        click.echo(_sentence(error), err=True)
        return EXIT_FAILED
    return told if isinstance(told, int) else 0


def _take_debug(arguments: list[str]) -> tuple[bool, list[str]]:
    """Return whether ``--debug`` stands anywhere before ``--``, and the other arguments."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != "--debug"]
    return len(kept) < end, kept + arguments[end:]


def _sentence(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, EarshotError):
        return error.detail
    return f"Something unexpected happened ({type(error).__name__}): run the command again with --debug to see where."


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _unloadable(name: str, error: ImportError) -> click.Command:
    """Return a command that says why it cannot be had, so that one broken package does not take the others down."""

    @click.command(name, help="(cannot be loaded here)", context_settings={"ignore_unknown_options": True})
    @click.argument("_arguments", nargs=-1)
    def refuse(_arguments: tuple[str, ...]) -> None:
        missing = error.name or "a package"
        raise CommandFailedError(f"`earshot {name}` needs {missing}, which is not installed: run `make setup`.") from error

    return refuse
