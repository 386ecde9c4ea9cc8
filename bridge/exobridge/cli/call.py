"""``exobridge call``: play Exotel and a caller against a server, and show what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from exobridge.simulator import (
    CallPlan,
    CallReport,
    Clip,
    Dialect,
    Dtmf,
    Exotel,
    Keys,
    Limits,
    PlanError,
    PlayWav,
    Say,
    Step,
    events,
)
from exobridge.simulator.speech import Ears, SpeechError, Voice
from exobridge_codecs.formats import Encoding
from exobridge_codecs.wav import WavError, read_wav

USAGE = 2
"""Exit status when the call cannot be made as asked."""


class CallEncoding(StrEnum):
    """What a stream can carry."""

    PCM16 = "pcm16"
    MULAW = "mulaw"


def call(
    url: Annotated[
        str,
        typer.Option(
            help="The server: http(s) is asked at /exotel/answer, or at its own path if it has "
            "one; ws(s) is the stream's URL itself."
        ),
    ] = "http://127.0.0.1:8080",
    to: Annotated[str, typer.Option("--to", help="The number called.")] = "08047112233",
    caller: Annotated[str, typer.Option("--from", help="The caller's number.")] = "09811122233",
    say: Annotated[
        list[str] | None, typer.Option(help="A line of the caller; can be repeated.")
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="A WAV file the caller plays; can be repeated.", metavar="FILE.wav"),
    ] = None,
    dtmf: Annotated[str, typer.Option(help="Keys the caller presses.", metavar="DIGITS")] = "",
    encoding: Annotated[
        CallEncoding, typer.Option(help="The stream's encoding.")
    ] = CallEncoding.PCM16,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            help="The stream's rate; without it, what the stream's URL asks for, else 8000.",
            metavar="8000|16000|24000",
        ),
    ] = None,
    frame_ms: Annotated[int, typer.Option(help="Length of the caller's frames.")] = 20,
    keys: Annotated[Keys, typer.Option(help="Spelling of the frames' keys.")] = Keys.SNAKE,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the recording: caller left, bot right.", metavar="FILE.wav"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The report as JSON, alone, on the standard output.")
    ] = False,
    param: Annotated[
        list[str] | None,
        typer.Option(help="A custom parameter of the stream; can be repeated.", metavar="K=V"),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds after which the caller hangs up.", min=1)
    ] = 120,
    auth_token: Annotated[str, typer.Option(help="Sent to the webhook as auth_token.")] = "",
    transcribe: Annotated[
        bool, typer.Option(help="Write down what the bot says, if local speech is installed.")
    ] = True,
) -> None:
    """Call a server as Exotel would, and talk to its bot.

    The caller speaks the --say lines first, then plays the --audio files, then presses the --dtmf
    keys, each once the bot has finished; then waits for the bot's last words and hangs up.

    The exit status is 0 if the call went well: answered, every line answered, no rule of Exotel's
    broken, ended as calls end. It is 1 if not, and 2 if it could not be made as asked.
    """
    console = Console(stderr=as_json, highlight=False)
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"there is no directory {out.parent}", param_hint="--out")
    try:
        plan = CallPlan(
            url=url,
            script=(*map(PlayWav, map(_clip, audio or ())), *([Dtmf(dtmf)] if dtmf else ())),
            caller=caller,
            called=to,
            encoding=Encoding(encoding),
            sample_rate=sample_rate,
            frame_ms=frame_ms,
            dialect=Dialect(keys=keys),
            custom_parameters=_parameters(param or ()),
            auth_token=auth_token,
            limits=Limits(call_s=timeout),
        )
        report = asyncio.run(_place(plan, say or (), console, transcribe=transcribe))
        if out is not None and report.tracks is not None:
            report = report.with_recording(out)
    except (PlanError, SpeechError, WavError, OSError) as error:
        Console(stderr=True, highlight=False).print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(USAGE) from None
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    _summarise(report, console)
    raise typer.Exit(0 if report.went_well else 1)


async def _place(
    plan: CallPlan, lines: Sequence[str], console: Console, *, transcribe: bool
) -> CallReport:
    """Make the lines, place the call, write down what was heard."""
    async with AsyncExitStack() as stack:
        said: list[Step] = []
        if lines:
            voice = await stack.enter_async_context(Voice())
            said = [Say(await voice.clip(line)) for line in lines]
        plan = replace(plan, script=(*said, *plan.script))
        ears: Ears | None = None
        note = "what the bot said was not written down"
        if transcribe:
            try:
                ears = await stack.enter_async_context(Ears())
            except SpeechError as error:
                note = f"{note}: {error}"
        exotel = await stack.enter_async_context(Exotel())
        scribe = _Scribe(console, ears)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(scribe.write())
            report = await exotel.call(plan, scribe.tell)
            await scribe.done()
            writing.cancel()
    notes = scribe.notes if ears is not None else [note]
    return replace(report.with_bot_texts(scribe.texts), notes=tuple(notes))


class _Scribe:
    """Shows a call while it goes on. The bot's words follow when they have been understood."""

    def __init__(self, console: Console, ears: Ears | None) -> None:
        self.texts: list[str] = []
        self.notes: list[str] = []
        self._console = console
        self._ears = ears
        self._rate = 8000
        self._spoke: asyncio.Queue[events.BotSpoke | events.CallerSpeaks] = asyncio.Queue()
        self._line_end_ms: float | None = None

    def tell(self, event: events.Event) -> None:
        """The call's listener."""
        match event:
            case events.Answered():
                what = "refused" if event.refused else "answered"
                self._console.print(f"[dim]{what} after {event.ms:.0f} ms[/]")
            case events.StreamOpened():
                self._rate = event.sample_rate
                self._console.print(
                    f"[dim]stream open after {event.ms:.0f} ms: "
                    f"{event.encoding}, {event.sample_rate} Hz[/]"
                )
            case events.CallerSpeaks(line):
                self._line_end_ms = line.voiced_to_ms
                self._spoke.put_nowait(event)
            case events.BotSpeaks(at_ms):
                self._bot_speaks(at_ms)
            case events.BotSpoke():
                self._spoke.put_nowait(event)
            case events.RuleBroken(violation):
                self._console.print(
                    f"[yellow]{violation.severity}: {violation.sentence} "
                    f"({escape(violation.detail)})[/]"
                )

    async def write(self) -> None:
        """Show both sides' turns in order, the bot's written down."""
        while True:
            match await self._spoke.get():
                case events.CallerSpeaks(line):
                    self._show(line.voiced_from_ms, "caller", line.text or str(line.kind))
                case events.BotSpoke() as event:
                    text = await self._text(event)
                    self.texts.append(text)
                    seconds = (event.end_ms - event.start_ms) / 1000
                    self._show(event.start_ms, "bot", f"{text} ({seconds:.1f} s)".lstrip())
            self._spoke.task_done()

    async def done(self) -> None:
        """Everything said has been written down."""
        await self._spoke.join()

    async def _text(self, event: events.BotSpoke) -> str:
        if self._ears is None or not event.pcm:
            return ""
        try:
            return await self._ears.text(event.pcm, self._rate)
        except SpeechError as error:
            self.notes.append(f"turn {event.number + 1} of the bot was not written down: {error}")
            return ""

    def _bot_speaks(self, at_ms: float) -> None:
        if self._line_end_ms is not None and at_ms >= self._line_end_ms:
            waited = at_ms - self._line_end_ms
            self._console.print(f"[dim]          answered after {waited:.0f} ms[/]")
        self._line_end_ms = None

    def _show(self, at_ms: float, who: str, what: str) -> None:
        colour = "cyan" if who == "caller" else "green"
        self._console.print(f"[dim]{at_ms / 1000:7.2f} s[/] [{colour}]{who:6}[/] {escape(what)}")


def _clip(path: Path) -> Clip:
    wav = read_wav(path)
    return Clip(wav.mono(), wav.sample_rate)


def _parameters(pairs: Sequence[str]) -> dict[str, str]:
    parameters = dict[str, str]()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise PlanError("--param is NAME=VALUE")
        parameters[name] = value
    return parameters


def _summarise(report: CallReport, console: Console) -> None:
    def times(values: Sequence[float | None]) -> str:
        return ", ".join("–" if value is None else f"{value:.0f} ms" for value in values) or "–"

    console.print(
        f"{report.outcome} · {report.duration_ms / 1000:.1f} s · "
        f"greeting after {times([report.greeting_ms])} · "
        f"voice to voice {times(report.voice_to_voice_ms)} · "
        f"gaps {times([gap.ms for gap in report.bot_gaps])}"
    )
    for note in report.notes:
        console.print(f"[dim]{escape(note)}[/]")
    for sentence in (*report.timeouts, *report.problems):
        console.print(f"[red]{escape(sentence)}[/]")
    if report.recording is not None:
        console.print(f"recording: {escape(report.recording)}")
