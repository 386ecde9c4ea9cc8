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
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.markup import escape

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.cli.given import given_options
from exobridge.cli.plain import plain
from exobridge.cli.problems import USAGE
from exobridge.cli.simulate_plan import given_urls
from exobridge.doctor import GROUPS, Finding, Level, Scope, examine, report, worst
from exobridge.doctor.against import Target, examine_server
from exobridge.errors import ConfigError
from exobridge.setting_checks import exotel_api_url
from exobridge.settings import load_variables
from exobridge.simulator.flows.conformance import Urls
from exobridge.simulator.speech import SpeechError

HERE = ("fast", "offline", "online", "exotel_url")
"""Options that are about this installation."""
THERE = ("passthru_url", "dial_up_url", "callback_url", "to", "auth_token")
"""Options that are about a server that is called."""
MARKS = {
    Level.OK: "[green]✓[/]",
    Level.INFO: "[blue]i[/]",
    Level.WARNING: "[yellow]![/]",
    Level.ERROR: "[red]✗[/]",
}


def doctor(
    context: typer.Context,
    fast: Annotated[
        bool, typer.Option("--fast", help="Start no provider and render no speech.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nothing beyond this machine.")
    ] = False,
    online: Annotated[
        bool,
        typer.Option("--online", help="Want Exotel's credentials, and try the recordings' bucket."),
    ] = False,
    exotel_url: Annotated[str, typer.Option(help="Exotel's API, in place of EXOTEL_API_URL.")] = "",
    against: Annotated[
        str,
        typer.Option(
            help="Call a running server once, as Exotel would, and look at that alone: http(s) is "
            "asked at /exotel/answer, or at its own path; ws(s) is the stream's URL.",
            metavar="URL",
        ),
    ] = "",
    passthru_url: Annotated[str, typer.Option(help="Its webhook of Passthru applets.")] = "",
    dial_up_url: Annotated[str, typer.Option(help="Its webhook that names whom to dial.")] = "",
    callback_url: Annotated[str, typer.Option(help="Its webhook of status callbacks.")] = "",
    to: Annotated[str, typer.Option("--to", help="The number that is called.")] = "",
    auth_token: Annotated[str, typer.Option(help="Sent to its webhooks as auth_token.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as an error.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The findings as JSON, alone, on the standard output.")
    ] = False,
) -> None:
    """Look whether a call would be answered well by this installation.

    Reads the settings as `exobridge serve` does, and looks at the templates, the providers, the
    port, the public URL, the clock, the disk and the machine; with Exotel's credentials also at the
    account, its numbers and their flows. Nothing is changed, and no call is begun. Each finding
    says how to mend it.

    With --against it looks at a running server instead, of any make: it places one short call.

    The exit status is 0 if nothing is wrong that stops calls, 1 if something is, and 2 if the
    command cannot be run as asked.
    """
    if online and offline:
        raise typer.BadParameter("--online and --offline exclude each other")
    _refuse_mix(given_options(context))
    exotel_url = exotel_url and _checked_url(exotel_url)
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="replace")  # not every terminal knows every sign
    # What providers log while they start would stand between the findings.
    log.configure("console", "ERROR")
    if against:
        _, urls = given_urls(
            against, Urls("", passthru_url, dial_up_url, callback_url), "--against"
        )
        findings = _called(Target(urls, auth_token, to))
    else:
        with suppress(ConfigError):  # of a file that cannot be read: the findings tell
            pass_on(load_variables())
        findings = _examined(Scope(fast, offline, online, exotel_url))
    if as_json:
        typer.echo(json.dumps(report(findings), indent=2, ensure_ascii=False))
    else:
        _show(findings, Console(highlight=False, soft_wrap=True))
    stops = Level.WARNING if strict else Level.ERROR
    raise typer.Exit(int(worst(findings).weight >= stops.weight))


def _refuse_mix(given: Sequence[str]) -> None:
    """Options of the one way that were given with the other.

    Raises:
        typer.BadParameter: One was.
    """
    called = "against" in given
    for name in HERE if called else THERE:
        if name in given:
            why = "does not go with --against" if called else "needs --against"
            raise typer.BadParameter(why, param_hint=f"--{name.replace('_', '-')}")


def _called(target: Target) -> list[Finding]:
    """The findings of a server that is called.

    Raises:
        typer.Exit: It could not be called as asked.
    """
    try:
        with Console(stderr=True).status("calling") as status:
            return asyncio.run(examine_server(target, lambda what: status.update(plain(what))))
    except (SpeechError, ValidationError) as error:
        why = str(error) if isinstance(error, SpeechError) else "--to is no number"
        typer.secho(why, fg="red", err=True)
        raise typer.Exit(USAGE) from None


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
            console.print(f"  {MARKS[each.level]} {escape(each.title)}: {plain(each.found)}")
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
    return f"\n[{colour}]{', '.join(counts)}.[/] First: {plain(what)}"
