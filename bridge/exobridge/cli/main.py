"""The commands and where they live."""

from __future__ import annotations

import errno
import io
import platform
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from exobridge.cli.problems import USAGE

COMMANDS = (
    *("serve", "call", "simulate", "replay", "demo", "calls", "jobs", "erase", "doctor"),
    *("provider", "numbers", "dial", "dials", "batch", "webhooks", "live"),
)
"""Each is the function, or the group of commands, of its name in the module of its name."""


class _Commands(TyperGroup):
    """Imports a command when it is used: a server has no use for what the others need."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:  # of a choice: pydantic's own words go before ours
            error.message = error.message.removeprefix("Value error, ")
            raise
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            problem = "There is no space left for what is written: free some, or write elsewhere."
            typer.secho(problem, fg="red", err=True)
            raise typer.Exit(USAGE) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # For an unknown name all, as one of them may have been meant.
        for name in (cmd_name,) if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _command(name)
        return self.commands.get(cmd_name)


def _command(name: str) -> Any:
    found = getattr(import_module(f"exobridge.cli.{name}"), name)
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=_Commands,
    name="exobridge",
    help="Joins Exotel phone calls to voice AI.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exobridge {version('exobridge')}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line. What the terminal has no character for is written as an escape."""
    stdout: io.TextIOWrapper | TextIO = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")
    app()
