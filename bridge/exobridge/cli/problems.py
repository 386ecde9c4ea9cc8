"""How the command line tells what is wrong: a line a problem, with its cure, and exit status 2."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from exobridge.errors import ConfigError

USAGE = 2
"""Exit status of a command that cannot begin: settings, templates, options."""


@contextmanager
def config_problems() -> Generator[None]:
    """Turn a ``ConfigError`` into lines for a human and exit status 2."""
    try:
        yield
    except ConfigError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        for problem in (error, *error.also):
            where = escape(problem.where)
            console.print(f"[bold red]{where}[/]: {escape(f'{problem.problem}. {problem.cure}')}")
        raise typer.Exit(USAGE) from None
