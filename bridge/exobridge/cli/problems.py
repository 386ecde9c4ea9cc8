"""How the command line tells what is wrong: a line a problem, with its cure, and exit status 2."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from exobridge.errors import ConfigError
from exobridge.store import StoreError

USAGE = 2
"""Exit status of a command that cannot begin: settings, templates, options."""


@contextmanager
def config_problems() -> Generator[None]:
    """Turn a ``ConfigError``, or a store that cannot be used, into lines for a human and exit
    status 2."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        yield
    except StoreError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(USAGE) from None
    except ConfigError as error:
        for problem in (error, *error.also):
            where = escape(problem.where)
            console.print(f"[bold red]{where}[/]: {escape(f'{problem.problem}. {problem.cure}')}")
        raise typer.Exit(USAGE) from None
