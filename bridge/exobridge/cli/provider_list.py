"""``exobridge provider list``: what each provider can do, as it declares it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exobridge.cli.environment import pass_on
from exobridge.cli.plain import plain
from exobridge.cli.problems import USAGE
from exobridge.cli.provider_cells import KINDS, SHORT, in_short
from exobridge.cli.provider_facts import OURS, Facts, registered
from exobridge.cli.provider_page import page
from exobridge.errors import ConfigError
from exobridge.settings import load_variables
from exobridge_providers.registry import Kind

PIPED_COLUMNS = 200
"""Width of the table where no terminal says its own."""


def list_providers(
    kind: Annotated[Kind | None, typer.Option(help="Those of this kind only.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on the standard output: a list of objects.")
    ] = False,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Markdown, of the built-in ones: the page of the docs."),
    ] = False,
) -> None:
    """List the providers, built-in and of installed packages, with what each can do.

    Nothing is started and nobody is asked. Keys are looked for in the environment and in .env; only
    whether one is set is told.
    """
    if as_json and markdown:
        raise typer.BadParameter("not together with --json", param_hint="--markdown")
    with suppress(ConfigError):  # of a .env that cannot be read: `doctor` tells
        pass_on(load_variables())
    found = registered(kind)
    try:
        _write(found, as_json=as_json, markdown=markdown)
    except BrokenPipeError:
        raise  # who read has enough: no news
    except OSError as error:
        typer.secho(f"the list cannot be written: {error}", fg="red", err=True)
        raise typer.Exit(USAGE) from None


def _write(found: Sequence[Facts], *, as_json: bool, markdown: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
    elif markdown:
        ours = [each for each in found if each.package == OURS]
        if problems := [each.problem for each in ours if each.problem]:
            typer.secho("\n".join(problems), fg="red", err=True)
            raise typer.Exit(1)  # a page without them would say less than is true
        typer.echo(page(ours), nl=False)
    else:
        _show(found)


# ------------------------------------------------------------------ the terminal


def _show(found: Sequence[Facts]) -> None:
    width = None if sys.stdout.isatty() else PIPED_COLUMNS
    console = Console(highlight=False, width=width)
    for kind, group in groupby(found, lambda each: each.kind):
        listed = list(group)
        console.print(f"[bold]{KINDS[kind]}[/] ({kind})")
        console.print(_table(listed))
        console.print()
    for each in found:
        if each.problem:
            console.print(f"[red]{each.kind} {plain(each.name)}[/]: {plain(each.problem)}")


def _table(listed: Sequence[Facts]) -> Table:
    shown = [in_short(each) for each in listed]
    known = [name for name in SHORT if any(each[name] for each in shown)]
    table = Table(box=None, padding=(0, 1))
    table.add_column("name", no_wrap=True)
    table.add_column("needs", no_wrap=True)
    for name in known:
        table.add_column(name)
    for each, short in zip(listed, shown, strict=True):
        table.add_row(plain(_named(each)), _needs(each), *(plain(short[name]) for name in known))
    return table


def _named(each: Facts) -> str:
    return each.name if each.package == OURS else f"{each.name} (of {each.package})"


def _needs(each: Facts) -> str:
    if each.problem:
        return "[red]cannot be used, see below[/]"
    if each.offline:
        return "no network"
    missing = each.missing_keys()
    keys = [
        f"[yellow]{plain(name)} (not set)[/]" if name in missing else f"[green]{plain(name)}[/]"
        for name in each.keys
    ]
    return ", ".join(keys) or "a network"
