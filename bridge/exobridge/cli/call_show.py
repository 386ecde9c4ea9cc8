"""How ``exobridge call`` shows a call while it goes on, and ends it when it is told to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from exobridge.simulator import CallReport, events
from exobridge.simulator.scribe import Said
from exobridge.simulator.steps import CallerLine, LineKind

INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM."""
STOP_SECONDS = 3.0
"""How long a call may take to end after that."""

_LEAVE = (signal.SIGINT, signal.SIGTERM)


class Show:
    """Shows what happens and what is said, line by line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line: CallerLine | None = None

    def tell(self, event: events.Event) -> None:
        """The call's listener."""
        match event:
            case events.Answered():
                what = "refused" if event.refused else "answered"
                self._dim(f"{what} after {event.ms:.0f} ms")
            case events.StreamOpened():
                self._dim(
                    f"stream open after {event.ms:.0f} ms: {event.encoding}, {event.sample_rate} Hz"
                )
            case events.CallerSpeaks(line):
                self._line = line
            case events.BotSpeaks(at_ms):
                self._bot_speaks(at_ms)
            case events.BotSpoke():
                pass
            case events.RuleBroken(violation):
                self._console.print(
                    f"[yellow]{violation.severity}: {violation.sentence} "
                    f"({escape(violation.detail)})[/]"
                )

    def said(self, turn: Said) -> None:
        """A turn, with its words."""
        colour = "cyan" if turn.role == "caller" else "green"
        length = f" ({turn.ms / 1000:.1f} s)" if turn.role == "bot" else ""
        what = escape(f"{turn.text}{length}".lstrip())
        at = f"[dim]{turn.at_ms / 1000:7.2f} s[/]"
        self._console.print(f"{at} [{colour}]{turn.role:6}[/] {what}")

    def summary(self, report: CallReport) -> None:
        """The figures of a call that is over, and what was wrong with it."""
        figures = [
            str(report.outcome),
            f"{report.duration_ms / 1000:.1f} s",
            f"greeting after {_times([report.greeting_ms])}",
            f"voice to voice {_times(report.voice_to_voice_ms)}",
            f"gaps {_times([gap.ms for gap in report.bot_gaps])}",
        ]
        if report.barge_in_ms:
            figures.append(f"silent after an interruption in {_times(report.barge_in_ms)}")
        self._console.print(" · ".join(figures))
        for note in report.notes:
            self._dim(escape(note))
        for sentence in (*report.timeouts, *report.problems):
            self._console.print(f"[red]{escape(sentence)}[/]")
        if report.recording is not None:
            self._console.print(f"recording: {escape(report.recording)}")

    def _bot_speaks(self, at_ms: float) -> None:
        line, self._line = self._line, None
        if line is None or at_ms < line.voiced_to_ms:
            return
        ms = at_ms - line.voiced_to_ms
        if line.answered:
            self._dim(f"          answered after {ms:.0f} ms")
        elif line.kind is LineKind.BACKCHANNEL:
            self._dim(f"          went on after {ms:.0f} ms")

    def _dim(self, text: str) -> None:
        self._console.print(f"[dim]{text}[/]")


@contextmanager
def leave_on_interrupt() -> Generator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set. What has not ended by itself after three seconds, or at
    the second of these, is cancelled. Within a running event loop."""
    loop, leave = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if leave.is_set():
            task.cancel()
        leave.set()
        timers.append(loop.call_later(STOP_SECONDS, task.cancel))

    timers: list[asyncio.TimerHandle] = []
    for number in _LEAVE:
        loop.add_signal_handler(number, interrupted)
    try:
        yield leave
    finally:
        for number in _LEAVE:
            loop.remove_signal_handler(number)
        for timer in timers:
            timer.cancel()


def _times(values: Sequence[float | None]) -> str:
    return ", ".join("–" if value is None else f"{value:.0f} ms" for value in values) or "–"
