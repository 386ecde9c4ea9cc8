"""``exobridge doctor``: will a call be answered well by this installation?"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.markup import escape

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.doctor import GROUPS, Finding, Level, Scope, examine, report, worst
from exobridge.errors import ConfigError
from exobridge.setting_checks import exotel_api_url
from exobridge.settings import load_variables

MARKS = {
    Level.OK: "[green]✓[/]",
    Level.INFO: "[blue]i[/]",
    Level.WARNING: "[yellow]![/]",
    Level.ERROR: "[red]✗[/]",
}


def doctor(
    fast: Annotated[
        bool, typer.Option("--fast", help="Start no provider and render no speech.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nothing beyond this machine.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Try Exotel's API and the recordings' bucket too.")
    ] = False,
    exotel_url: Annotated[str, typer.Option(help="Exotel's API, in place of EXOTEL_API_URL.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as an error.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The findings as JSON, alone, on the standard output.")
    ] = False,
) -> None:
    """Look whether a call would be answered well by this installation.

    Reads the settings as `exobridge serve` does, and looks at the templates, the providers, the
    port, the public URL, the clock, the disk and the machine. Nothing is changed, and no call is
    begun. Each finding says how to mend it.

    The exit status is 0 if nothing is wrong that stops calls, 1 if something is, and 2 if the
    command cannot be run as asked.
    """
    if online and offline:
        raise typer.BadParameter("--online and --offline exclude each other")
    exotel_url = exotel_url and _checked_url(exotel_url)
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="replace")  # not every terminal knows every sign
    # What providers log while they start would stand between the findings.
    log.configure("console", "ERROR")
    with suppress(ConfigError):  # of a file that cannot be read: the findings tell
        pass_on(load_variables())
    scope = Scope(fast, offline, online, exotel_url)
    findings = _examined(scope)
    if as_json:
        typer.echo(json.dumps(report(findings), indent=2, ensure_ascii=False))
    else:
        _show(findings, Console(highlight=False, soft_wrap=True))
    stops = Level.WARNING if strict else Level.ERROR
    raise typer.Exit(int(worst(findings).weight >= stops.weight))


def _checked_url(url: str) -> str:
    """The account's credentials are sent there."""
    try:
        return exotel_api_url(url)
    except PydanticCustomError:
        raise typer.BadParameter("write mumbai, singapore, or https://api.in.exotel.com") from None


def _examined(scope: Scope) -> list[Finding]:
    """The findings, with the progress on the standard error where somebody looks."""
    with Console(stderr=True).status("looking") as status:
        return asyncio.run(examine(scope, lambda what: status.update(escape(what))))


def _show(findings: Sequence[Finding], console: Console) -> None:
    for group, listed in groupby(findings, lambda finding: finding.group):
        console.print(f"[bold]{GROUPS[group]}[/]")
        for each in listed:
            console.print(f"  {MARKS[each.level]} {escape(each.title)}: {escape(each.found)}")
            if each.cure and each.level is not Level.OK:
                console.print(f"      [dim]→ {escape(each.cure)}[/]")
    console.print(_summary(findings))


def _summary(findings: Sequence[Finding]) -> str:
    """One line, with what is to be mended first."""
    errors = [each for each in findings if each.level is Level.ERROR]
    warnings = [each for each in findings if each.level is Level.WARNING]
    if not errors and not warnings:
        return "\n[green]All is well.[/]"
    counts = [
        f"{len(some)} {word}{'' if len(some) == 1 else 's'}"
        for some, word in ((errors, "error"), (warnings, "warning"))
        if some
    ]
    first = (errors or warnings)[0]
    what = f"{GROUPS[first.group]}, {first.title}: {first.found}"
    colour = "red" if errors else "yellow"
    return f"\n[{colour}]{', '.join(counts)}.[/] First: {escape(what)}"
