"""``exobridge replay``: play a kept call again, and show what differs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exobridge import log
from exobridge.cli.call_show import INTERRUPTED
from exobridge.cli.given import given_options
from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.errors import ConfigError
from exobridge.replay.fakes import VARIABLES
from exobridge.replay.live import Target, replay_live
from exobridge.replay.offline import replay_offline
from exobridge.replay.report import Played, ReplayReport
from exobridge.replay.seen import Seen
from exobridge.settings import Settings, load_variables
from exobridge.templates import Template, load_templates
from exobridge.wire.reading import Recording, WireError, read_wire

_LIVE = ("auth_token", "to", "caller", "same_ids", "tolerance")


def replay(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A wire file.", metavar="FILE")],
    url: Annotated[
        str,
        typer.Option(
            help="The server: http(s) is asked what Exotel asked then; ws(s) is the stream's URL "
            "itself."
        ),
    ] = "http://127.0.0.1:8080",
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Play it through the call's rules alone, in virtual time, with fakes for "
            "providers.",
        ),
    ] = False,
    auth_token: Annotated[
        str, typer.Option(help="The server's secret, which the file does not hold.")
    ] = "",
    to: Annotated[
        str, typer.Option("--to", help="The number called, in place of the masked one.")
    ] = "",
    caller: Annotated[
        str, typer.Option("--from", help="The caller's number, in place of the masked one.")
    ] = "",
    same_ids: Annotated[
        bool, typer.Option("--same-ids", help="Under the ids of the file, not under new ones.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(help="Times that are no further apart are the same.", metavar="MS", min=0),
    ] = 500,
    template: Annotated[
        str,
        typer.Option(
            help="With --offline: the template whose rules hold. Without it the one that was "
            "kept, or default.",
            metavar="NAME",
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="The report as JSON, alone, on the standard output.")
    ] = False,
) -> None:
    """Play a kept call again, and show what differs.

    The caller's side is sent as it was, at its times, to a server: its webhooks are asked, its
    streams opened, and the marks given back when what it says now has been played.

    The exit status is 0 if nothing differs, 1 if something does, 2 if the file, or the server's
    URL, cannot be used, and 130 after Ctrl-C.
    """
    given = given_options(context)
    for name in _LIVE if offline else ("template",):
        if name in given:
            hint = f"--{'from' if name == 'caller' else name.replace('_', '-')}"
            why = "does not go with --offline" if offline else "needs --offline"
            raise typer.BadParameter(why, param_hint=hint)
    if offline and "url" in given:
        raise typer.BadParameter("does not go with --offline", param_hint="--url")
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    with config_problems():
        try:
            recording = read_wire(file)
        except OSError as error:
            raise WireError(f"{file}: {error.strerror or error}") from error
        if offline:
            report = _offline(recording, template)
        else:
            target = Target(url, auth_token, caller, to, same_ids, tolerance)
            report = _live(recording, target, console)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    _show(report, console)
    raise typer.Exit(0 if report.same else 1)


def _live(recording: Recording, target: Target, console: Console) -> ReplayReport:
    def tell(text: str) -> None:
        console.print(f"[dim]{plain(text)}[/]")

    try:
        return asyncio.run(replay_live(recording, target, tell))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _offline(recording: Recording, name: str) -> ReplayReport:
    settings = Settings.read(load_variables() | VARIABLES)
    templates = load_templates(settings.templates_dir, settings)
    if name and name not in templates:
        raise ConfigError("--template", "there is no such template", "See EXOBRIDGE_TEMPLATES_DIR.")
    log.configure("console", "ERROR", settings.secrets())

    def template_of(kept: str) -> Template:
        return templates[name or (kept if kept in templates else "default")]

    return replay_offline(recording, template_of)


def _show(report: ReplayReport, console: Console) -> None:
    for number, stream in enumerate(report.streams, start=1):
        _show_stream(number, stream, console)
    for note in report.notes:
        console.print(f"[dim]{plain(note)}[/]")
    if report.same:
        console.print("[green]nothing differs[/]")
        return
    table = Table("where", "what", "then", "now")
    for each in report.differences:
        table.add_row(*map(plain, (each.where, each.what, each.then, each.now)))
    console.print(table, soft_wrap=False)
    console.print(f"[red]differences: {len(report.differences)}[/]")


def _show_stream(number: int, stream: Played, console: Console) -> None:
    for name, seen in (("then", stream.then), ("now", stream.now)):
        if seen is not None:
            console.print(f"stream {number}, {name}: {_figures(seen)}")
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in stream.facts)
    if facts:
        console.print(f"[dim]{plain(facts)}[/]")


def _figures(seen: Seen) -> str:
    greeting = "no greeting" if seen.greeting_ms is None else f"greeting {seen.greeting_ms:.0f} ms"
    ended = str(seen.ended_by) + (f" ({seen.close_code})" if seen.close_code else "")
    figures = [
        greeting,
        f"{len(seen.spans)} spans",
        f"{seen.marks} marks",
        f"{len(seen.clears_ms)} clears",
        f"ended by {ended} after {seen.duration_ms / 1000:.1f} s",
    ]
    return " · ".join(figures)
