"""How ``exobridge simulate`` shows a call while it goes on, and what came of one and of many."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from exobridge.cli.plain import plain
from exobridge.simulator.chart import NAMES, Chart, seconds, style, words
from exobridge.simulator.flows.crowd import PERCENTILES, Crowd
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.report import CallReport
from exobridge.simulator.rules import Rule, Severity
from exobridge.simulator.scribe import Said
from exobridge.simulator.timeline import Entry, Kind, Party

MOST_FAILURES = 20
"""Different problems of a crowd that are shown; the JSON has them all."""
_IN_A_STREAM = (Kind.SPEECH, Kind.EVENT, Kind.STREAM)


class Live:
    """Shows what happens, line by line.

    Args:
        before: Stands before each line: which call it is of, where there are several.
    """

    def __init__(self, console: Console, before: str = "") -> None:
        self._console = console
        self._before = before

    def tell(self, entry: Entry) -> None:
        """An entry of the timeline. What happens in a stream is only known once that is over, and
        what is said in it has been shown by then."""
        if entry.kind in _IN_A_STREAM and Party.SERVER in (entry.source, entry.target):
            return
        label, more = words(entry)
        who = NAMES[entry.source]
        if entry.target is not entry.source:
            who += f" → {NAMES[entry.target]}"
        line = f"{self._before}[dim]{seconds(entry.at_ms):>8} {who:15}[/] "
        line += f"[{style(entry)}]{plain(label)}[/]" if style(entry) else plain(label)
        self._console.print(line + (f" [dim]{plain(more)}[/]" if more else ""))

    def said(self, turn: Said) -> None:
        """What one side of a stream said."""
        colour = "cyan" if turn.role == "caller" else "green"
        length = f" [dim]({turn.ms / 1000:.1f} s)[/]" if turn.role == "bot" else ""
        words = plain(turn.text) or "…"
        self._console.print(f"{self._before}{'':24} [{colour}]{turn.role}[/]: {words}{length}")


def show_report(report: FlowReport, console: Console, *, chart: bool) -> None:
    """What came of a call: its chart, its figures, and what was wrong with it."""
    if chart and report.timeline:
        console.print()
        console.print(Chart(report.timeline))
    console.print()
    console.print(f"path: {plain(' → '.join(report.path) or 'none')}; ended: {report.ending}")
    for dialled in report.dialled:
        whisper = f', heard "{dialled.whisper}"' if dialled.whisper else ""
        said = f"dialled {dialled.number}: {dialled.status}, {dialled.seconds:.1f} s{whisper}"
        console.print(plain(said))
    for number, stream in enumerate(report.streams, start=1):
        console.print(f"[dim]stream {number}: {plain(_figures(stream))}[/]")
    for note in report.notes:
        console.print(f"[dim]{plain(note)}[/]")
    _show_violations(report, console)
    for problem in report.problems:
        console.print(f"[red]{plain(problem)}[/]")
    verdict = "[green]passed[/]" if report.went_well else "[red]failed[/]"
    console.print(f"{verdict} in {report.seconds:.1f} s")


def _figures(stream: CallReport) -> str:
    figures = [
        f"handshake {_ms(stream.handshake_ms)}",
        f"greeting after {_ms(stream.greeting_ms)}",
        f"voice to voice {', '.join(map(_ms, stream.voice_to_voice_ms)) or '–'}",
    ]
    if stream.barge_in_ms:
        figures.append(f"silent after an interruption in {', '.join(map(_ms, stream.barge_in_ms))}")
    return " · ".join([str(stream.outcome), f"{stream.duration_ms / 1000:.1f} s", *figures])


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _show_violations(report: FlowReport, console: Console) -> None:
    cured = set[Rule]()
    for each in report.violations:
        colour = "red" if each.severity is Severity.ERROR else "yellow"
        detail = f" ({each.detail})" if each.detail else ""
        said = f"{seconds(each.at_ms)} s {each.rule}: {each.sentence}{detail}"
        console.print(f"[{colour}]{each.severity}[/] {plain(said)}")
        if each.rule not in cured:
            console.print(f"[dim]{plain(each.rule.cure)}[/]")
            cured.add(each.rule)


def show_crowd(crowd: Crowd, console: Console) -> None:
    """What came of many calls."""
    table = Table("ms", "count", *(f"p{percent}" for percent in PERCENTILES), "max")
    for name, figure in crowd.figures.items():
        values = [f"{value:.0f}" for value in (*figure.at, figure.most)]
        table.add_row(name, str(figure.count), *values)
    if table.row_count:
        console.print(table, soft_wrap=False)
    for ending, count in crowd.endings.items():
        console.print(f"[dim]{count} ended: {plain(ending)}[/]")
    for rule, count in crowd.violations.items():
        console.print(f"[yellow]rule {plain(rule)} broken {count} times[/]")
    for failure in crowd.failures[:MOST_FAILURES]:
        seed = "" if failure.seed is None else f", --faults {failure.seed}"
        example = f"[dim](first: {plain(failure.example)}{seed})[/]"
        console.print(f"[red]{failure.calls} × {plain(failure.problem)}[/] {example}")
    more = len(crowd.failures) - MOST_FAILURES
    if more > 0:
        console.print(f"[red]and {more} other problems[/]")
    colour = "green" if crowd.went_well else "red"
    console.print(
        f"[{colour}]{crowd.well} of {crowd.wanted} calls went well[/] in {crowd.seconds:.1f} s, "
        f"{crowd.most_at_once} at once at most"
    )
