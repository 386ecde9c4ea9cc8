"""``exobridge simulate``: play Exotel, its applets, its callers and its agents against a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape

from exobridge.cli import simulate_plan as plan
from exobridge.cli.call_show import INTERRUPTED
from exobridge.cli.given import given_options
from exobridge.cli.plain import plain
from exobridge.cli.problems import USAGE, config_problems
from exobridge.cli.simulate_listen import listen as listen_for_calls
from exobridge.cli.simulate_session import Session
from exobridge.simulator import PlanError
from exobridge.simulator.flows.conformance import (
    CALLBACK_PATH,
    DIAL_UP_PATH,
    PASSTHRU_PATH,
    Urls,
)
from exobridge.simulator.flows.crowd import Load
from exobridge.simulator.flows.serve import ServeError
from exobridge.simulator.page import page
from exobridge.simulator.plan import ANSWER_PATH
from exobridge.simulator.speech import SpeechError
from exobridge.visible import visible
from exobridge_codecs.wav import WavError

WITHOUT_FILES = ("answer_url", "passthru_url", "dial_up_url", "callback_url")
AGAIN = ("url", *WITHOUT_FILES, "to", "caller", "voice", "ears", "serve", "api")
"""Options that belong to the command that repeats one call."""
EXCLUDED = (
    ("serve", "url"),
    *(("serve", name) for name in WITHOUT_FILES),
    *(("listen", name) for name in ("faults", "repeat", "rate", "html", "to", "caller")),
    ("repeat", "calls"),
)
NEEDED = (("listen", "api"), ("rate", "calls"), ("data", "serve"))
USUAL = Urls(ANSWER_PATH, PASSTHRU_PATH, DIAL_UP_PATH, CALLBACK_PATH)
"""What the built-in flow asks of the server that is started."""
LINES = "\n"
TOLD = (ServeError, SpeechError, PlanError, WavError, OSError)
"""What stops a run and is told in a line."""


def simulate(
    context: typer.Context,
    flow: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Flows, or folders of them. Without one, --url says what is tried.",
            metavar="FLOW.toml",
        ),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            help="The server, in place of the file's: http(s)://host. Without a file also the URL "
            "that a Voicebot applet has, ws(s) or http(s)."
        ),
    ] = "",
    answer_url: Annotated[
        str, typer.Option(help="Without a file: what is asked for the stream's URL.")
    ] = "",
    passthru_url: Annotated[
        str, typer.Option(help="Without a file: what a Passthru applet asks.")
    ] = "",
    dial_up_url: Annotated[
        str, typer.Option(help="Without a file: what a Connect applet asks, in either contract.")
    ] = "",
    callback_url: Annotated[
        str, typer.Option(help="Without a file: what is told the call's end.")
    ] = "",
    to: Annotated[str, typer.Option("--to", help="The number called, in place of the file's.")] = (
        ""
    ),
    caller: Annotated[
        str, typer.Option("--from", help="The caller's number, in place of the file's.")
    ] = "",
    auth_token: Annotated[
        str,
        typer.Option(help="Sent to each webhook as auth_token; with --serve it is known."),
    ] = "",
    voice: Annotated[
        str, typer.Option(help="Provider of the caller's voice, in place of the file's.")
    ] = "",
    ears: Annotated[
        str, typer.Option(help="Provider that writes the bot's words down, likewise.")
    ] = "",
    faults: Annotated[
        str,
        typer.Option(
            help="Draw from this number what goes wrong; a range runs each number of it.",
            metavar="SEED|FIRST..LAST",
        ),
    ] = "",
    repeat: Annotated[
        int, typer.Option(help="How often each flow is walked.", min=1, max=1000)
    ] = 1,
    calls: Annotated[
        int | None,
        typer.Option(
            help="So many callers at once, each with a number of their own.", min=1, max=100_000
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="So many of them begin each second.", min=0.01, max=1000)
    ] = 1.0,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Start exobridge serve for each flow, as its file says."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder for what that server keeps: its database and recordings.",
            metavar="FOLDER",
        ),
    ] = None,
    api: Annotated[
        str,
        typer.Option(help="Serve the account's API there while it runs.", metavar="HOST:PORT"),
    ] = "",
    listen: Annotated[
        bool,
        typer.Option(
            "--listen",
            help="Place the calls that the API is asked for, no others; needs --api.",
        ),
    ] = False,
    chart: Annotated[bool, typer.Option(help="Draw what each side did.")] = True,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a call as a page to look at.", metavar="FILE.html"),
    ] = None,
    wire: Annotated[
        Path | None,
        typer.Option(help="Folder for each stream's wire, to be replayed.", metavar="FOLDER"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The report as JSON, alone, on the standard output.")
    ] = False,
    transcribe: Annotated[
        bool | None,
        typer.Option(
            help="Write down what the bot says, if local speech is installed. With --calls only "
            "where the flow expects words."
        ),
    ] = None,
) -> None:
    """Walk flows of Exotel's applets against a server, and judge what it does.

    A flow is a TOML file: which applets a call goes through, who calls, who picks up, what is
    expected. Its Passthru, Voicebot, Greeting, Gather, Connect and Voicemail applets ask the server
    as Exotel would, over real sockets and in real time.

    The exit status is 0 if every call went well, 1 if one did not, 2 if they could not be made as
    asked, and 130 after Ctrl-C or SIGTERM: the calls are ended and still reported.
    """
    given = given_options(context)
    _refuse(given, has_files=bool(flow))
    server_url, urls = plan.given_urls(
        url, Urls(answer_url, passthru_url, dial_up_url, callback_url)
    )
    if flow and url and not server_url:
        raise typer.BadParameter("of a flow's server is http(s)://…", param_hint="--url")
    with config_problems():
        jobs = plan.read_jobs(
            flow or (),
            {key: number for key, number in (("to", to), ("from", caller)) if number},
            server_url,
            USUAL if serve and not urls else urls,
            {key: name for key, name in (("voice", voice), ("ears", ears)) if name},
        )
    load = Load(calls, rate) if calls is not None and not listen else None
    if transcribe is None:
        transcribe = load is None or plan.wants_words(jobs)
    options = plan.Options(
        auth_token=auth_token,
        repeat=repeat,
        seeds=plan.seeds(faults) if faults else range(0),
        load=load,
        transcribe=transcribe,
        serve=serve,
        data=data,
        api=plan.address(api) if api else None,
        wire=wire,
        typed=_typed(given, context.params),
    )
    _check_files(
        html,
        (("--wire", wire), ("--data", data)),
        len(jobs) * repeat * max(1, len(options.seeds)),
        load is None,
    )
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    for job in jobs:
        for warning in job.warnings:
            console.print(f"[yellow]{plain(job.name)}: {plain(warning)}[/]")
    session = Session(jobs, options, chart, console)
    _run(session, listens=listen, wanted=calls)
    if as_json:
        typer.echo(json.dumps(session.to_json(), indent=2, ensure_ascii=False))
    if html is not None and session.runs:
        html.write_text(page(session.runs[0].report, session.runs[0].flow), "utf-8")
    _conclude(session)
    raise typer.Exit(INTERRUPTED if session.interrupted else 0 if session.passed else 1)


def _refuse(given: Sequence[str], *, has_files: bool) -> None:
    """What does not go together.

    Raises:
        typer.BadParameter: Two options, or one that needs another.
    """
    for name, other in EXCLUDED:
        if name in given and other in given:
            raise typer.BadParameter(f"does not go with {_option(other)}", param_hint=_option(name))
    for name, other in NEEDED:
        if name in given and other not in given:
            raise typer.BadParameter(f"needs {_option(other)}", param_hint=_option(name))
    for name in WITHOUT_FILES:
        if name in given and has_files:
            raise typer.BadParameter("does not go with a flow's file", param_hint=_option(name))
    if not has_files and not {*WITHOUT_FILES, "url", "serve", "listen"}.intersection(given):
        raise typer.BadParameter("name a flow's file, or --url", param_hint="FLOW.toml")


def _option(name: str) -> str:
    return {"caller": "--from", "as_json": "--json"}.get(name, f"--{name.replace('_', '-')}")


def _check_files(
    html: Path | None, folders: Sequence[tuple[str, Path | None]], calls: int, alone: bool
) -> None:
    """Whether what is to be written can be.

    Raises:
        typer.BadParameter: It cannot.
    """
    if html is not None and (calls != 1 or not alone):
        raise typer.BadParameter("is for one call alone", param_hint="--html")
    if html is not None and not html.parent.is_dir():
        raise typer.BadParameter(f"there is no directory {html.parent}", param_hint="--html")
    for option, folder in folders:
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise typer.BadParameter(f"cannot be made: {error}", param_hint=option) from None


def _typed(given: Sequence[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    """The options that a command needs besides its flow, to place the same call again."""
    words: list[str] = []
    for name in AGAIN:
        if name in given:
            value = values[name]
            words += [_option(name)] if value is True else [_option(name), str(value)]
    return tuple(words)


def _run(session: Session, *, listens: bool, wanted: int | None) -> None:
    """Run it; what stops it is told in a line.

    Raises:
        typer.Exit: It could not be run as asked.
    """
    work = listen_for_calls(session, wanted) if listens else session.run()
    try:
        with suppress(asyncio.CancelledError):  # the second Ctrl-C
            asyncio.run(work)
    except (*TOLD, ExceptionGroup) as error:
        first = _first(error)
        if not isinstance(first, TOLD):
            raise
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[red]{escape(visible(str(first), keep=LINES))}[/]")
        raise typer.Exit(USAGE) from None


def _first(error: Exception) -> Exception:
    """What was raised, out of the groups that tasks put around it."""
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def _conclude(session: Session) -> None:
    """The last line, where there were several calls."""
    if len(session.runs) > 1:
        passed = sum(run.report.went_well for run in session.runs)
        session.console.print(f"\n[bold]{passed} of {len(session.runs)} calls passed[/]")
        for run in session.runs:
            if run.again:
                session.console.print(f"  {plain(run.again)}")
    if session.interrupted:
        session.console.print("[yellow]interrupted[/]")
