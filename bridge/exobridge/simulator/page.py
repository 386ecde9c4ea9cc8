"""A call's report as one HTML file: no network, no script; it can be passed on as it is.

The verdict stands on top, then the problems and the rules that were broken with what to do about
them, the call to scale, the sequence chart, and the figures. Everything from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from itertools import groupby
from xml.etree.ElementTree import Element

from exobridge.simulator.chart import NAMES, parties, seconds, words
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.markup import document, element, listed, table
from exobridge.simulator.page_picture import picture
from exobridge.simulator.report import CallReport
from exobridge.simulator.rules import Rule, Severity, Violation
from exobridge.simulator.timeline import Entry, Kind, Party

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing but the style that stands in it."""

_KINDS = {
    Kind.SPEECH: "speech",
    Kind.REQUEST: "requests",
    Kind.ANSWER: "answers",
    Kind.STREAM: "stream",
    Kind.EVENT: "marks, clears, keys",
    Kind.PHONE: "telephones",
    Kind.APPLET: "applets",
    Kind.FAULT: "faults",
    Kind.VIOLATION: "broken rules",
}


def page(report: FlowReport, title: str = "") -> str:
    """The page of one call.

    Args:
        report: What was seen of it.
        title: What was played; such as the name of the flow's file.
    """
    sections = (
        _verdict(report, title),
        *_problems(report),
        *_rules(report.violations),
        *_timeline(report.timeline),
        *_streams(report.streams),
        *_expectations(report),
        *_requests(report),
        *_dialled(report),
        *_notes(report),
    )
    return document(
        title=f"{title or 'Call'}: {_word(report)}",
        style=resources.files("exobridge.simulator").joinpath("page.css").read_text("utf-8"),
        policy=POLICY,
        body=element("body", element("main", *sections)),
    )


def _word(report: FlowReport) -> str:
    if report.went_well:
        return "went well"
    count = len(report.problems)
    return f"{count} problem{'s' * (count != 1)}"


def _verdict(report: FlowReport, title: str) -> Element:
    facts = [f"ended: {report.ending}", f"{report.seconds:.1f} s"]
    if report.seed is not None:
        facts.append(f"faults drawn from seed {report.seed}")
    if report.path:
        facts.append(" → ".join(report.path))
    return element(
        "header",
        element("h1", f"{title or 'Call'}: ", element("em", _word(report))),
        element("p", " · ".join(facts)),
        element("p", "CallSid ", element("code", report.call_sid)),
        class_="well" if report.went_well else "ill",
    )


def _section(heading: str, *inner: Element) -> Element:
    return element("section", element("h2", heading), *inner)


def _problems(report: FlowReport) -> Iterator[Element]:
    if report.problems:
        yield _section("Problems", listed(report.problems))


def _notes(report: FlowReport) -> Iterator[Element]:
    if report.notes:
        yield _section("Notes", listed(report.notes))


# ------------------------------------------------------------------ rules


def _rules(violations: Sequence[Violation]) -> Iterator[Element]:
    ordered = sorted(violations, key=lambda each: (each.severity is Severity.WARNING, each.rule))
    if ordered:
        groups = groupby(ordered, key=lambda each: each.rule)
        articles = (_rule(rule, list(broken)) for rule, broken in groups)
        yield _section("Rules that were not kept", *articles)


def _rule(rule: Rule, broken: Sequence[Violation]) -> Element:
    times = (
        f"{seconds(each.at_ms)} s" + (f": {each.detail}" if each.detail else "") for each in broken
    )
    return element(
        "article",
        element("h3", element("code", str(rule)), f" {rule.severity}"),
        element("p", rule.sentence),
        element("p", element("b", "What to do: "), rule.cure),
        element("p", f"Source: {rule.source}", class_="more"),
        listed(times, class_="times"),
        class_=str(rule.severity),
    )


# ------------------------------------------------------------------ timeline


def _timeline(entries: Sequence[Entry]) -> Iterator[Element]:
    if entries:
        yield _section("To scale", element("div", picture(entries), class_="wide"))
        yield _section("What happened", *_filters(entries), _rows(entries))


def _filters(entries: Sequence[Entry]) -> Iterator[Element]:
    """A box to tick for each kind; the style sheet hides the rows of one that is not ticked."""
    present = {entry.kind for entry in entries}
    for kind, name in _KINDS.items():
        if kind in present:
            box = f"show-{kind}"
            yield element("input", type="checkbox", id=box, checked="checked")
            yield element("label", name, for_=box)


def _rows(entries: Sequence[Entry]) -> Element:
    lanes = parties(entries)
    names = element("span", *(element("span", NAMES[party]) for party in lanes), class_="lanes")
    heading = element("li", element("span", "s"), names, element("span"), class_="names")
    rows = (_row(entry, lanes) for entry in entries)
    return element("ol", heading, *rows, class_="rows", style=f"--lanes: {len(lanes)}")


def _row(entry: Entry, lanes: tuple[Party, ...]) -> Element:
    label, more = words(entry)
    until = "" if entry.until_ms is None else f" to {seconds(entry.until_ms)} s"
    return element(
        "li",
        element("time", seconds(entry.at_ms)),
        _arrow(entry, lanes),
        element("span", element("b", label), element("small", f" {more}" if more else "")),
        class_=f"{entry.kind} by-{entry.source}",
        title=f"{entry.kind}, {seconds(entry.at_ms)} s{until}",
    )


def _arrow(entry: Entry, lanes: tuple[Party, ...]) -> Element:
    start, end = lanes.index(entry.source), lanes.index(entry.target)
    way = "point" if start == end else "right" if start < end else "left"
    name = NAMES[entry.source] + (f" to {NAMES[entry.target]}" if start != end else "")
    drawn = element("i", class_=way, style=f"--at: {min(start, end)}; --over: {abs(end - start)}")
    return element("span", drawn, class_="lanes", role="img", aria_label=name)


# ------------------------------------------------------------------ figures


def _streams(streams: Sequence[CallReport]) -> Iterator[Element]:
    if streams:
        headings = ["", *(f"stream {number}" for number, _ in enumerate(streams, start=1))]
        rows = zip(*(_figures(each) for each in streams), strict=True)
        named = ([name, *values] for name, values in zip(_FIGURES, rows, strict=True))
        yield _section("Streams", element("div", table(headings, named), class_="wide"))


_FIGURES = (
    "outcome",
    "ended by",
    "close code",
    "audio",
    "length",
    "handshake",
    "first word after",
    "voice to voice",
    "silent after an interruption in",
    "gaps in the bot's audio",
    "chunks and bytes from the bot",
    "marks, of them returned",
    "clears",
)


def _figures(stream: CallReport) -> tuple[str, ...]:
    return (
        str(stream.outcome),
        str(stream.ended_by or "–"),
        str(stream.close_code or "–"),
        f"{stream.encoding}, {stream.sample_rate} Hz, frames of {stream.frame_ms} ms",
        f"{stream.duration_ms / 1000:.1f} s",
        f"{_ms(stream.handshake_ms)}, tries: {stream.handshake_attempts}",
        _ms(stream.greeting_ms),
        _times(stream.voice_to_voice_ms),
        _times(stream.barge_in_ms),
        _times([gap.ms for gap in stream.bot_gaps]),
        f"{stream.chunks_received}, {stream.bytes_received}",
        f"{stream.marks_received}, {stream.marks_returned}",
        str(stream.clears),
    )


def _expectations(report: FlowReport) -> Iterator[Element]:
    rows = [
        (
            str(number),
            "whole talk" if each.step is None else f"step {each.step}",
            each.key,
            each.wanted,
            each.found,
            element("span", "yes" if each.held else "no", class_="held" if each.held else "broken"),
        )
        for number, talk in enumerate(report.findings, start=1)
        for each in talk
    ]
    if rows:
        headings = ("talk", "of", "key", "wanted", "found", "held")
        yield _section("Expectations", element("div", table(headings, rows), class_="wide"))


def _requests(report: FlowReport) -> Iterator[Element]:
    rows = [
        (
            f"{seconds(each.at_ms)} s",
            str(each.what),
            each.where,
            str(each.status or "none"),
            _ms(each.ms),
        )
        for each in report.asked
    ]
    if rows:
        headings = ("at", "what for", "applet", "answer", "took")
        yield _section("Requests", element("div", table(headings, rows), class_="wide"))


def _dialled(report: FlowReport) -> Iterator[Element]:
    rows = [
        (each.number, each.status, f"{each.seconds:.1f} s", each.whisper) for each in report.dialled
    ]
    if rows:
        headings = ("number", "status", "talked", "heard before")
        yield _section("Dialled", element("div", table(headings, rows), class_="wide"))


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _times(values: Sequence[float | None]) -> str:
    return ", ".join(map(_ms, values)) or "–"
