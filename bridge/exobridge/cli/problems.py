"""How the command line tells what is wrong: a line a problem, with its cure, and exit status 2."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer

from exobridge.errors import ConfigError, ExobridgeError

USAGE = 2
"""Exit status of a command that cannot begin: settings, templates, options."""


@contextmanager
def config_problems() -> Generator[None]:
    """Turn what has to be mended first (a ``ConfigError``, a store that cannot be used) into lines
    for a human and exit status 2."""
    try:
        yield
    except ConfigError as error:
        for problem in (error, *error.also):
            where = typer.style(problem.where, fg="red", bold=True)
            typer.echo(f"{where}: {problem.problem}. {problem.cure}", err=True)
        raise typer.Exit(USAGE) from None
    except ExobridgeError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(USAGE) from None
