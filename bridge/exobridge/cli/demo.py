"""``exobridge demo``: a whole call on this machine, with real speech, to look at and listen to."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exobridge.cli.demo_shares import show_shares
from exobridge.cli.given import given_options
from exobridge.cli.problems import USAGE
from exobridge.demo import DemoReport, hold
from exobridge.demo_server import DemoError
from exobridge.demo_vendors import TURNS, VendorReport
from exobridge.demo_vendors import hold as with_vendors
from exobridge.simulator import events
from exobridge.simulator.speech import SpeechError
from exobridge.store import StoreError

MAX_WORD_ERROR = 0.15
"""Above this the bot's channel is not what the bot meant to say."""


def demo(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(help="Folder for the recording, the report, and all that the server keeps."),
    ] = Path("demo-out"),
    as_json: Annotated[
        bool, typer.Option("--json", help="The report as JSON, alone, on the standard output.")
    ] = False,
    vendors: Annotated[
        bool,
        typer.Option(
            "--vendors",
            help="Speech and dialogue of fake vendors with the delays of real ones: how much of "
            "each answer's time is exobridge's own?",
        ),
    ] = False,
    turns: Annotated[
        int, typer.Option(help="With --vendors: how often the caller speaks.", min=1, max=200)
    ] = TURNS,
) -> None:
    """Hold a whole call with real speech: no account, no key, no network.

    A server of its own answers on a free port; a simulated caller asks two questions, interrupts
    the first answer, and says goodbye. What was said, how fast, and a stereo recording (caller
    left, bot right) are left in the folder of --out.

    With --vendors the call is held over the vendors' own protocols instead, with tones in place of
    speech, and the time of each answer is split into what the vendors took and what is left.

    The exit status is 0 if the call went well, 1 if not, and 2 if it could not be held.
    """
    if not vendors and "turns" in given_options(context):
        raise typer.BadParameter("needs --vendors", param_hint="--turns")
    console = Console(stderr=as_json, highlight=False)
    begun = time.monotonic()

    def progress(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:5.1f} s  {what}[/]")

    show = _Show(console)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if vendors:
            report: DemoReport | VendorReport = asyncio.run(
                with_vendors(out, turns, show, progress)
            )
        else:
            report = asyncio.run(hold(out, show, progress))
        text = json.dumps(report.to_json(), indent=2, ensure_ascii=False)
        (out / "report.json").write_text(text + "\n", "utf-8")
    except (DemoError, SpeechError, StoreError, OSError) as error:
        Console(stderr=True, highlight=False).print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(USAGE) from None
    if as_json:
        typer.echo(text)
    if isinstance(report, VendorReport):
        show_shares(report, console)
        raise typer.Exit(0 if report.went_well else 1)
    _summarise(report, console, out)
    clear = report.word_error <= MAX_WORD_ERROR
    went_well = report.call.went_well and report.understood and clear
    raise typer.Exit(0 if went_well else 1)


class _Show:
    """Shows the call while it goes on."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Answered(ms=ms):
                self._console.print(f"[dim]         answered after {ms:.0f} ms[/]")
            case events.CallerSpeaks(line):
                self._say(line.voiced_from_ms, "[cyan]caller[/]", escape(line.text))
            case events.BotSpeaks(at_ms):
                self._say(at_ms, "[green]bot[/]   ", "speaks")
            case events.RuleBroken(violation):
                self._console.print(f"[yellow]{violation.severity}: {violation.sentence}[/]")
            case _:
                pass

    def _say(self, at_ms: float, who: str, what: str) -> None:
        self._console.print(f"[dim]{at_ms / 1000:6.1f} s[/] {who} {what}")


def _summarise(report: DemoReport, console: Console, out: Path) -> None:
    console.print("\n[bold]The conversation[/]")
    for turn in report.call.turns:
        colour = "cyan" if turn.role == "caller" else "green"
        cut = " [yellow](interrupted)[/]" if turn.interrupted else ""
        console.print(
            f"[dim]{turn.start_ms / 1000:6.1f} s[/] [{colour}]{turn.role:6}[/] "
            f"{escape(turn.text)}{cut}"
        )
    if report.stages:
        console.print(_stages(report))
    for ms in report.call.barge_in_ms:
        console.print(f"Interrupted, the bot was silent after {ms:.0f} ms.")
    if report.call.greeting_ms is not None:
        console.print(f"The greeting began {report.call.greeting_ms:.0f} ms after the stream.")
    console.print(
        f"Its recording, read back by speech-to-text: {report.word_error:.0%} word error."
    )
    if not report.understood:
        console.print("[red]The bot did not understand the caller: see its answers.[/]")
    for sentence in (*report.call.timeouts, *report.call.problems):
        console.print(f"[red]{escape(sentence)}[/]")
    if report.call.recording:
        recording = escape(report.call.recording)
        console.print(f"\nListen: [bold]{recording}[/] (caller left, bot right)")
    console.print(f"Report: {escape(str(out / 'report.json'))}")


def _stages(report: DemoReport) -> Table:
    title = "\nFrom the caller's last word to the bot's first, in ms"
    table = Table(title=title, title_justify="left")
    for name in ("answer", "total", "end of turn", "STT", "dialogue", "TTS", "send", "rest"):
        table.add_column(name, justify="right")
    for number, stage in enumerate(report.stages, start=1):
        times = (
            stage.total,
            stage.end_of_turn,
            stage.stt,
            stage.dialogue,
            stage.tts,
            stage.send,
            stage.rest,
        )
        table.add_row(str(number), *(f"{value:.0f}" for value in times))
    return table
