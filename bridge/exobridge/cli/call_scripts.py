"""``exobridge call --script``: calls by scripts, one after the other, and whether they passed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exobridge.cli.call_show import INTERRUPTED, Show, leave_on_interrupt
from exobridge.errors import ConfigError
from exobridge.simulator import Exotel, PlanError
from exobridge.simulator.scripts import (
    Audience,
    CallTable,
    Result,
    Script,
    Speech,
    load_script,
    run_script,
    script_files,
)
from exobridge.simulator.scripts.compile import plan_of
from exobridge.simulator.scripts.junit import junit, where
from exobridge.simulator.scripts.vary import Variation
from exobridge.validation import problems


@dataclass(slots=True)
class Session:
    """What is to be called, how, and what came of it so far.

    Attributes:
        scripts: The files and what stands in them.
        repeat: How often each is called.
        seed: What the callers' ways are drawn from, one more from call to call.
        record: Folder of the recordings.
        auth_token: As in :class:`~exobridge.simulator.CallPlan`.
        transcribe: Whether the bot's words are to be written down.
        results: One for each call that was placed.
        interrupted: Ctrl-C ended it.
    """

    scripts: Sequence[tuple[Path, Script]]
    repeat: int = 1
    seed: int | None = None
    record: Path | None = None
    auth_token: str = field(default="", repr=False)
    transcribe: bool = True
    results: list[Result] = field(default_factory=list[Result])
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every call was placed and passed."""
        return not self.interrupted and all(result.passed for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values. Keys are only ever added."""
        return {
            "passed": self.passed,
            "interrupted": self.interrupted,
            "results": [result.to_json() for result in self.results],
        }


def read_scripts(paths: Sequence[Path], overrides: Mapping[str, Any]) -> list[tuple[Path, Script]]:
    """The scripts, with what the command line puts in the place of ``[call]``.

    Raises:
        ConfigError: Everything that is wrong with any of them.
    """
    scripts: list[tuple[Path, Script]] = []
    errors: list[ConfigError] = []
    for path in script_files(paths):
        try:
            script = load_script(path)
            script = script.model_copy(update={"call": _overridden(script.call, overrides)})
            _check(path, script)
        except ConfigError as error:
            errors.append(error)
        else:
            scripts.append((path, script))
    if errors:
        raise ConfigError.of(errors)
    return scripts


def _overridden(table: CallTable, overrides: Mapping[str, Any]) -> CallTable:
    values = table.model_dump(by_alias=True) | dict(overrides)
    try:
        return CallTable.model_validate(values)
    except ValidationError as error:
        found = problems(error)[0]
    option = f"the command line: {found.dotted}"
    raise ConfigError(option, found.problem, "See `exobridge call --help`.")


def _check(path: Path, script: Script) -> None:
    """What can be known of the call and its recordings before it is placed."""
    try:
        plan_of(script.call, (), Variation())
    except PlanError as error:
        raise ConfigError(f"{path}: call", str(error), "Mend the table [call].") from None
    for number, step in enumerate(script.step, start=1):
        if step.play is not None and not (path.parent / step.play).is_file():
            where = f"{path}, step {number}: play"
            cure = "Name a WAV file; its path counts from the script's folder."
            raise ConfigError(where, "there is no such file", cure)


def run_scripts(session: Session, *, as_json: bool, junit_file: Path | None) -> None:
    """Place all the calls, show them, and write what was asked for.

    Raises:
        typer.Exit: With the exit status.
        SpeechError: Speech that a script needs is not installed, or failed.
        WavError: A recording is none.
        OSError: A file cannot be read or written.
    """
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    with suppress(asyncio.CancelledError):  # the second Ctrl-C
        asyncio.run(_call_all(session, console))
    if as_json:
        typer.echo(json.dumps(session.to_json(), indent=2, ensure_ascii=False))
    if junit_file is not None:
        junit_file.write_text(junit(session.results), "utf-8")
    passed = sum(result.passed for result in session.results)
    console.print(
        f"\n[bold]{passed} of {len(session.results)} calls passed[/]"
        + (", and the rest was not placed" if session.interrupted else "")
    )
    raise typer.Exit(INTERRUPTED if session.interrupted else 0 if session.passed else 1)


async def _call_all(session: Session, console: Console) -> None:
    with leave_on_interrupt() as leave:
        try:
            async with Speech(transcribe=session.transcribe) as speech, Exotel() as exotel:
                for path, script in session.scripts:  # what is missing is told before any call
                    await speech.ears(script)
                    await speech.clips(script, path.parent)
                for run in _runs(session):
                    if leave.is_set():
                        break
                    await _call_one(session, run, console, exotel, speech, leave)
        finally:
            session.interrupted = leave.is_set()


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    script: Script
    number: int
    seed: int | None


def _runs(session: Session) -> list[_Run]:
    runs: list[_Run] = []
    for path, script in session.scripts:
        for number in range(session.repeat):
            seed = None if session.seed is None else session.seed + number
            runs.append(_Run(path, script, number + 1, seed))
    return runs


async def _call_one(
    session: Session,
    run: _Run,
    console: Console,
    exotel: Exotel,
    speech: Speech,
    leave: asyncio.Event,
) -> None:
    times = f", call {run.number} of {session.repeat}" if session.repeat > 1 else ""
    seed = "" if run.seed is None else f", seed {run.seed}"
    console.print(f"\n[bold]{escape(str(run.path))}[/]{times}{seed}")
    show = Show(console)
    result = await run_script(
        run.script,
        run.path,
        exotel=exotel,
        speech=speech,
        audience=Audience(show.tell, show.said),
        run=run.number,
        seed=run.seed,
        auth_token=session.auth_token,
        leave=leave,
    )
    if session.record is not None and result.report.tracks is not None:
        suffix = f"-{run.number}" if session.repeat > 1 else ""
        file = session.record / f"{run.path.stem}{suffix}.wav"
        result = replace(result, report=result.report.with_recording(file))
    session.results.append(result)
    show.summary(result.report)
    _verdict(result, console)


def _verdict(result: Result, console: Console) -> None:
    held = sum(finding.held for finding in result.findings)
    colour, word = ("green", "passed") if result.passed else ("red", "failed")
    console.print(f"[{colour}]{word}[/]: {held} of {len(result.findings)} expectations held")
    failed = [finding for finding in result.findings if not finding.held]
    if not failed:
        return
    table = Table("of", "expected", "found")
    for finding in failed:
        expected = f"{finding.key} = {finding.wanted}"
        table.add_row(where(finding.step), escape(expected), escape(finding.found))
    console.print(table, soft_wrap=False)
