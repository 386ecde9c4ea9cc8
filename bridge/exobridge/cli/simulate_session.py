"""Walks the flows of ``exobridge simulate``: one after the other, many at once, or as the account
is asked for calls; and keeps what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from exobridge.cli.call_show import leave_on_interrupt
from exobridge.cli.plain import plain
from exobridge.cli.simulate_ground import Ground, ground, surroundings
from exobridge.cli.simulate_plan import Job, Options
from exobridge.cli.simulate_show import Live, show_crowd, show_report
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.crowd import Crowd, Load, caller, run
from exobridge.simulator.flows.faults import draw
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.flows.walk import walk


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one call.

    Attributes:
        flow: Its file, or what stands for it.
        number: Which call of this flow, from 1.
        report: The call.
        again: The command that repeats it; empty where there is nothing to repeat.
    """

    flow: str
    number: int
    report: FlowReport
    again: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON values. Keys are only ever added."""
        return {
            "flow": self.flow,
            "run": self.number,
            "passed": self.report.went_well,
            "again": self.again,
            "call": self.report.to_json(),
        }


@dataclass(slots=True)
class Session:
    """The flows, and what came of them so far.

    Attributes:
        jobs: The flows.
        options: How they are walked.
        chart: Whether charts are shown.
        console: Where everything is shown.
        runs: One for each call that was placed alone.
        crowds: What came of many calls, each with its flow.
        interrupted: Ctrl-C ended it.
    """

    jobs: Sequence[Job]
    options: Options
    chart: bool
    console: Console
    runs: list[Run] = field(default_factory=list[Run])
    crowds: list[tuple[Job, Crowd]] = field(default_factory=list[tuple[Job, Crowd]])
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every call was placed and went well."""
        well = all(run.report.went_well for run in self.runs)
        return well and not self.interrupted and all(crowd.went_well for _, crowd in self.crowds)

    def to_json(self) -> dict[str, Any]:
        """As JSON values. Keys are only ever added."""
        return {
            "passed": self.passed,
            "interrupted": self.interrupted,
            "runs": [each.to_json() for each in self.runs],
            "crowds": [{"flow": job.name, **crowd.to_json()} for job, crowd in self.crowds],
        }

    async def run(self) -> None:
        """Walk all of them.

        Raises:
            SpeechError: Speech that a flow needs is not installed, or failed.
            ServeError: The server did not start.
            WavError: A recording is none.
            OSError: A file cannot be read, or an address not be listened on.
        """
        with leave_on_interrupt() as leave:
            try:
                async with surroundings(self.jobs, self.options, self.console) as around:
                    for job in self.jobs:
                        if not leave.is_set():
                            await self._job(job, around, leave)
            finally:
                self.interrupted = leave.is_set()

    async def _job(self, job: Job, around: Around, leave: asyncio.Event) -> None:
        self.console.print(f"\n[bold]{plain(job.name)}[/]")
        async with ground(job, self.options, around, self.console) as here:
            if self.options.load is not None:
                await self._crowd(job, here, self.options.load, leave)
                return
            seeds: Sequence[int | None] = self.options.seeds or [None]
            plan = [seed for seed in seeds for _ in range(self.options.repeat)]
            for number, seed in enumerate(plan, start=1):
                if leave.is_set():
                    break
                if len(plan) > 1:
                    self.console.print(f"\n[bold]call {number} of {len(plan)}[/]")
                if seed is not None:
                    self.console.print(f"[yellow]--faults {seed}[/]")
                live = Live(self.console)
                shown = replace(here.fresh(), tell=live.tell, said=live.said)
                report = await walked(job, here.flow, shown, seed, leave)
                again = ""
                if seed is not None and not report.went_well:
                    again = self.options.again(job, seed)
                self.add(Run(job.name, number, report, again))

    def add(self, run: Run) -> None:
        """A call is over: keep it, but for its audio, and show it."""
        self.runs.append(replace(run, report=run.report.without_audio()))
        show_report(run.report, self.console, chart=self.chart)
        if run.again:
            self.console.print(f"Once more: {plain(run.again)}")

    async def _crowd(self, job: Job, here: Ground, load: Load, leave: asyncio.Event) -> None:
        seeds: Sequence[int | None] = self.options.seeds or [None]
        around = here.fresh()

        async def place(number: int) -> FlowReport:
            seed = seeds[number % len(seeds)]
            return await walked(job, caller(here.flow, number), around, seed, leave)

        crowd = Crowd(load.calls)
        self.crowds.append((job, crowd))
        try:
            with _progress(self.console, crowd) as tell:
                await run(crowd, load.rate, place, tell, leave)
        finally:
            show_crowd(crowd, self.console)


async def walked(
    job: Job, flow: Flow, around: Around, seed: int | None, leave: asyncio.Event
) -> FlowReport:
    """One call through the flow, with the faults of the seed."""
    faults = None if seed is None else draw(flow, seed)
    return await walk(flow, job.folder, around, faults=faults, leave=leave)


@contextmanager
def _progress(console: Console, crowd: Crowd) -> Generator[Callable[[Crowd], None]]:
    """A bar where somebody looks at a terminal."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("calls over, {task.fields[under_way]} under way, {task.fields[failed]} failed"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=crowd.wanted, under_way=0, failed=0)

        def tell(crowd: Crowd) -> None:
            progress.update(
                task,
                completed=crowd.done,
                under_way=crowd.begun - crowd.done,
                failed=crowd.done - crowd.well,
            )

        yield tell
