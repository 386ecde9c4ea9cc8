"""``exobridge provider check``: does a plugin keep what it promises?"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.cli.given import given_options
from exobridge.cli.plain import plain
from exobridge.cli.problems import USAGE
from exobridge.cli.provider_asked import (
    fake_of,
    kinds_of,
    options_of,
    refuse_idle_flags,
    refuse_unusable,
)
from exobridge.cli.provider_live import Sample, try_live
from exobridge.cli.provider_samples import SENTENCES, made
from exobridge.errors import ConfigError
from exobridge.settings import load_variables
from exobridge.simulator.speech import EARS, SpeechError
from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.resample import resample
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.conformance import Result, run_all
from exobridge_providers.testing.conformance.stage import Speech

MARKS = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]-[/]"}


def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    kind: Annotated[
        Kind | None,
        typer.Option(help="Its kind; without it, stt and tts where the name is of both."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the provider's, as key=value; can be repeated."),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Try the real vendor with one sentence; it may bill it."),
    ] = False,
    language: Annotated[
        str, typer.Option(help="With --live: BCP-47 tag of the sentence.")
    ] = "en-IN",
    text: Annotated[
        str, typer.Option(help="With --live: what is said. Without it: a sentence of ours.")
    ] = "",
    audio: Annotated[
        Path | None,
        typer.Option(help="With --live: a WAV file of --text. Without it: a voice of ours."),
    ] = None,
    voice: Annotated[str, typer.Option(help="With --live: the voice of a text-to-speech.")] = "",
    ear: Annotated[
        str,
        typer.Option(help="With --live: who writes down what a text-to-speech says; none: nobody."),
    ] = EARS,
    as_json: Annotated[
        bool, typer.Option("--json", help="The results as JSON on the standard output.")
    ] = False,
) -> None:
    """Run every check of the kit over a provider, or try its real vendor.

    The checks need neither a key nor a network: a fake of the vendor, which is part of the plugin,
    listens on this machine and sees to it that its rules are kept. With --live the vendor itself
    is asked, with the key of the environment or of .env, and the latencies are measured.

    The exit status is 0 if every check passed, 1 if one failed or was skipped, or the vendor did
    not answer well, and 2 if the command cannot be run as asked.
    """
    options = options_of(option or ())
    kinds = kinds_of(name, kind, live=live)
    refuse_idle_flags(given_options(context), kinds, ear, live=live)
    log.configure("console", "CRITICAL")  # what goes wrong on purpose is no news
    with suppress(ConfigError):  # of a .env that cannot be read: `doctor` tells
        pass_on(load_variables())
    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    try:
        refuse_unusable(kinds, name, options, live=live)
        if live:
            sample = Sample(language, text, audio, voice, ear)
            reports = asyncio.run(_live(console, kinds, name, options, sample))
        else:
            reports = asyncio.run(_checked(console, kinds, name, options))
    except (ProviderError, SpeechError) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(USAGE) from None
    if as_json:
        typer.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    raise typer.Exit(int(not all(report["passed"] for report in reports)))


# ------------------------------------------------------------------ the suite


async def _checked(
    console: Console, kinds: Sequence[Kind], name: str, options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    reports: list[dict[str, Any]] = []
    for kind in kinds:
        faked = fake_of(kind, name)
        offline = create(kind, name, {**(faked.options if faked else {}), **options}).offline
        heard = kind in (Kind.STT, Kind.VAD) and offline and not faked
        speech = await _speech() if heard else None
        console.print(f"[bold]{kind} {plain(name)}[/]")
        results = await run_all(
            kind, name, lambda result: _tell(console, result), options=options, speech=speech
        )
        _sum_up(console, results)
        if faked is None and not offline:
            console.print(
                f"Its package names one in the entry-point group [bold]exobridge.fakes.{kind}[/]: "
                "see docs/how-to/write-a-provider.md\n"
            )
        passed = bool(results) and all(each.outcome == "passed" for each in results)
        listed = [asdict(each) for each in results]
        reports.append({"kind": str(kind), "name": name, "passed": passed, "results": listed})
    return reports


async def _speech() -> Speech:
    """A sentence for what hears on this machine; a fake of a vendor understands tones.

    Raises:
        SpeechError: No sentence can be spoken here.
    """
    clip, _ = await made(SENTENCES["en"], "en-IN")

    def speech(audio_format: AudioFormat) -> bytes:
        pcm = resample(clip.pcm, clip.sample_rate, audio_format.sample_rate)
        return encoder(audio_format.encoding)(pcm)

    return speech


def _tell(console: Console, result: Result) -> None:
    if result.outcome == "skipped":
        return  # all of them are told in one line for each reason
    mark = MARKS[result.outcome]
    console.print(f"  {mark} {plain(result.name)} [dim]{result.seconds:.2f} s[/]")


def _sum_up(console: Console, results: Sequence[Result]) -> None:
    counts = Counter[str](each.outcome for each in results)
    for each in results:
        if each.outcome == "failed":
            console.print(f"\n{MARKS[each.outcome]} {plain(each.name)}: {each.outcome}")
            console.print(f"    promised: it {plain(each.promise)}")
            console.print(f"    {plain(each.words)}")
    for why, number in Counter(each.words for each in results if each.outcome == "skipped").items():
        console.print(f"\n{MARKS['skipped']} {number} skipped: {plain(why)}")
    told = ", ".join(f"{counts[each]} {each}" for each in MARKS if counts[each])
    console.print(f"\n{told or 'there was nothing to check'}\n")


# ------------------------------------------------------------------ the vendor itself


async def _live(
    console: Console, kinds: Sequence[Kind], name: str, options: Mapping[str, Any], sample: Sample
) -> list[dict[str, Any]]:
    reports: list[dict[str, Any]] = []
    for kind in kinds:
        with Console(stderr=True).status("asking the vendor"):
            report = await try_live(kind, name, options, sample)
        console.print(f"[bold]{kind} {plain(name)}[/], live")
        for what, value in report.lines():
            console.print(f"  {what}: {plain(value)}")
        reports.append(report.to_json())
    return reports
