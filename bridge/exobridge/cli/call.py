"""``exobridge call``: play Exotel and a caller against a server, and show what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from exobridge.cli.call_scripts import Session, read_scripts, run_scripts
from exobridge.cli.call_show import INTERRUPTED, Show, leave_on_interrupt
from exobridge.cli.given import given_options
from exobridge.cli.problems import USAGE, config_problems
from exobridge.simulator import (
    BargeIn,
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
)
from exobridge.simulator.scribe import Scribe
from exobridge.simulator.speech import Ears, SpeechError, Voice
from exobridge_codecs.formats import Encoding
from exobridge_codecs.wav import WavError, read_wav

IN_SCRIPTS = {
    "url": "url",
    "to": "to",
    "caller": "from",
    "outgoing": "outgoing",
    "encoding": "encoding",
    "sample_rate": "sample_rate",
    "frame_ms": "frame_ms",
    "keys": "keys",
    "param": "parameters",
    "timeout": "timeout_seconds",
}
"""Options that take the place of a key in a script's table ``[call]``."""
WITHOUT_SCRIPTS = ("say", "audio", "dtmf", "barge_in", "out", "call_sid")
WITH_SCRIPTS = ("repeat", "seed", "record", "junit")


class CallEncoding(StrEnum):
    """What a stream can carry."""

    PCM16 = "pcm16"
    MULAW = "mulaw"


def call(
    context: typer.Context,
    url: Annotated[
        str,
        typer.Option(
            help="The server: http(s) is asked at /exotel/answer, or at its own path if it has "
            "one; ws(s) is the stream's URL itself."
        ),
    ] = "http://127.0.0.1:8080",
    to: Annotated[str, typer.Option("--to", help="The number called: the bot's.")] = "08047112233",
    caller: Annotated[str, typer.Option("--from", help="The caller's number.")] = "09811122233",
    outgoing: Annotated[
        bool,
        typer.Option(
            "--outgoing", help="The bot's side placed the call: --from was called, from --to."
        ),
    ] = False,
    say: Annotated[
        list[str] | None, typer.Option(help="A line of the caller; can be repeated.")
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="A WAV file the caller plays; can be repeated.", metavar="FILE.wav"),
    ] = None,
    dtmf: Annotated[str, typer.Option(help="Keys the caller presses.", metavar="DIGITS")] = "",
    barge_in: Annotated[
        int | None,
        typer.Option(
            help="The last line interrupts the bot, so many ms after it began.",
            metavar="MS",
            min=0,
        ),
    ] = None,
    script: Annotated[
        list[Path] | None,
        typer.Option(
            help="A script that the caller follows and the bot is judged by, or a folder of them; "
            "can be repeated.",
            metavar="FILE.toml",
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option(help="How often each script is called.", min=1, max=1000)
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Draw from this number how soon, how loud and how promptly the caller speaks; "
            "each repetition takes the next number.",
            metavar="N",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder for a recording of each script's call.", metavar="FOLDER"),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(help="Write the scripts' results for a build server.", metavar="FILE.xml"),
    ] = None,
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
    call_sid: Annotated[
        str,
        typer.Option(
            help="Exotel's id of the call; one that the server knows goes on with that call. "
            "Without it, a new one.",
            metavar="SID",
        ),
    ] = "",
    transcribe: Annotated[
        bool, typer.Option(help="Write down what the bot says, if local speech is installed.")
    ] = True,
) -> None:
    """Call a server as Exotel would, and talk to its bot.

    The caller speaks the --say lines first, then plays the --audio files, then presses the --dtmf
    keys, each once the bot has finished; then waits for the bot's last words and hangs up. With
    --script the caller does what a file says, and the bot is held to what the file expects.

    The exit status is 0 if the call went well: answered, every line answered, no rule of Exotel's
    broken, ended as calls end; and, with scripts, every expectation held. It is 1 if not, 2 if it
    could not be made as asked, and 130 after Ctrl-C or SIGTERM: the call is ended and still
    reported.
    """
    given = {name: context.params[name] for name in given_options(context)}
    _refuse(given, WITHOUT_SCRIPTS if script else WITH_SCRIPTS, bool(script))
    for option, path in (("--out", out), ("--junit", junit)):
        if path is not None and not path.parent.is_dir():
            raise typer.BadParameter(f"there is no directory {path.parent}", param_hint=option)
    try:
        if script:
            _by_scripts(script, given, context.params)
        plan = CallPlan(
            url=url,
            script=(*map(PlayWav, map(_clip, audio or ())), *([Dtmf(dtmf)] if dtmf else ())),
            caller=caller,
            called=to,
            outgoing=outgoing,
            encoding=Encoding(encoding),
            sample_rate=sample_rate,
            frame_ms=frame_ms,
            dialect=Dialect(keys=keys),
            custom_parameters=_parameters(param or ()),
            auth_token=auth_token,
            call_sid=call_sid,
            limits=Limits(call_s=timeout),
        )
        show = Show(Console(stderr=as_json, highlight=False, soft_wrap=True))
        report, interrupted = asyncio.run(
            _place(plan, say or (), barge_in, show, transcribe=transcribe)
        )
        if out is not None and report.tracks is not None:
            report = report.with_recording(out)
    except (PlanError, SpeechError, WavError, OSError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(USAGE) from None
    except asyncio.CancelledError:  # interrupted before there was anything to report
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    show.summary(report)
    raise typer.Exit(INTERRUPTED if interrupted else 0 if report.went_well else 1)


def _refuse(given: Mapping[str, Any], names: Sequence[str], scripted: bool) -> None:
    for name in names:
        if name in given:
            option = f"--{name.replace('_', '-')}"
            why = "does not go with --script" if scripted else "needs --script"
            raise typer.BadParameter(why, param_hint=option)


def _by_scripts(
    paths: Sequence[Path], given: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Place the scripts' calls.

    Raises:
        typer.Exit: With the exit status.
    """
    overrides = {
        key: str(given[name]) if name in ("encoding", "keys") else given[name]
        for name, key in IN_SCRIPTS.items()
        if name in given
    }
    if "parameters" in overrides:
        overrides["parameters"] = _parameters(overrides["parameters"])
    with config_problems():
        scripts = read_scripts(paths, overrides)
    record: Path | None = options["record"]
    stems = [path.stem for path, _ in scripts]
    if record is not None:
        if len(stems) != len(set(stems)):
            raise typer.BadParameter("two scripts have the same name", param_hint="--record")
        record.mkdir(parents=True, exist_ok=True)
    session = Session(
        scripts,
        repeat=options["repeat"],
        seed=options["seed"],
        record=record,
        auth_token=options["auth_token"],
        transcribe=options["transcribe"],
    )
    run_scripts(session, as_json=options["as_json"], junit_file=options["junit"])


async def _place(
    plan: CallPlan, lines: Sequence[str], barge_in: int | None, show: Show, *, transcribe: bool
) -> tuple[CallReport, bool]:
    """Make the lines, place the call, write down what was heard. Whether Ctrl-C ended it, too."""
    async with AsyncExitStack() as stack:
        leave = stack.enter_context(leave_on_interrupt())
        said: list[Step] = []
        if lines:
            voice = await stack.enter_async_context(Voice())
            said = [Say(await voice.clip(line)) for line in lines]
        steps = (*said, *plan.script)
        if barge_in is not None:
            steps = _with_barge_in(steps, barge_in)
        ears: Ears | None = None
        note = "what the bot said was not written down"
        if transcribe:
            try:
                ears = await stack.enter_async_context(Ears())
            except SpeechError as error:
                note = f"{note}: {error}"
        exotel = await stack.enter_async_context(Exotel())
        scribe = Scribe(ears, note, show.tell, show.said)
        report = await scribe.attend(exotel, replace(plan, script=steps), leave)
        return report, leave.is_set()


def _with_barge_in(steps: Sequence[Step], after_ms: int) -> tuple[Step, ...]:
    """The steps, the last line of which interrupts the bot.

    Raises:
        PlanError: There is no line.
    """
    for index in reversed(range(len(steps))):
        step = steps[index]
        if isinstance(step, Say | PlayWav):
            interruption = BargeIn(step.clip, after_ms)
            return (*steps[:index], interruption, *steps[index + 1 :])
    raise PlanError("--barge-in needs a line to interrupt with: --say or --audio")


def _clip(path: Path) -> Clip:
    wav = read_wav(path)
    return Clip(wav.mono(), wav.sample_rate, path.name)


def _parameters(pairs: Sequence[str]) -> dict[str, str]:
    parameters = dict[str, str]()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise PlanError("--param is NAME=VALUE")
        parameters[name] = value
    return parameters
