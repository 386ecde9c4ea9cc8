"""A stream's report as entries of a timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from exobridge.simulator.report import CallReport, EndedBy, MarkSeen, Turn
from exobridge.simulator.rules import Violation
from exobridge.simulator.timeline import Entry, Kind, Party

_CALLER, _EXOTEL, _SERVER = Party.CALLER, Party.EXOTEL, Party.SERVER


def entries_of(report: CallReport, began_ms: float) -> list[Entry]:
    """What happened in a stream, in order: its opening and end, what both sides said, keys,
    marks, clears, faults of the line, and the rules that were broken.

    Of a call without a stream there are its faults and violations alone.

    Args:
        report: Of the stream, with the words as far as they are known.
        began_ms: When its start event was sent, in ms since the run began; without a stream, when
            it was given up.
    """
    told = [*_violations(report), *report.faults]
    if report.handshake_ms is not None:
        told += [*_opening(report), *_inside(report), *_end(report)]
    shifted = [_later(entry, began_ms) for entry in told]
    return sorted(shifted, key=lambda entry: entry.at_ms)


def violation(broken: Violation) -> Entry:
    """A rule that was broken, at its own time; the report explains it."""
    return Entry(broken.at_ms, _SERVER, _SERVER, Kind.VIOLATION, str(broken.rule), broken.detail)


def _violations(report: CallReport) -> Iterator[Entry]:
    counts = dict(report.violation_counts)
    for each in report.violations:
        counts[each.rule] -= 1
        yield violation(each)
    for rule, more in counts.items():
        if more > 0:
            label = f"{rule}: {more} more"
            yield Entry(report.duration_ms, _SERVER, _SERVER, Kind.VIOLATION, label)


def _opening(report: CallReport) -> Iterator[Entry]:
    took = report.handshake_ms or 0.0
    tries = f", try {report.handshake_attempts}" if report.handshake_attempts > 1 else ""
    detail = f"handshake {took:.0f} ms{tries}; {report.encoding}, {report.sample_rate} Hz"
    yield Entry(0.0, _EXOTEL, _SERVER, Kind.STREAM, "start", detail)


def _inside(report: CallReport) -> Iterator[Entry]:
    yield from map(_turn, report.turns)
    yield from map(_mark, report.marks)
    for at_ms in report.clears_at_ms:
        yield Entry(at_ms, _SERVER, _EXOTEL, Kind.EVENT, "clear")


def _turn(turn: Turn) -> Entry:
    if turn.keys:
        return Entry(turn.start_ms, _CALLER, _SERVER, Kind.EVENT, f"keys {turn.text}")
    cut = "interrupted" if turn.interrupted else ""
    source, target = (_CALLER, _SERVER) if turn.role == "caller" else (_SERVER, _CALLER)
    return Entry(turn.start_ms, source, target, Kind.SPEECH, turn.text, cut, turn.end_ms)


def _mark(mark: MarkSeen) -> Entry:
    source, target = (_EXOTEL, _SERVER) if mark.returned else (_SERVER, _EXOTEL)
    return Entry(mark.at_ms, source, target, Kind.EVENT, f"mark {mark.name}")


def _end(report: CallReport) -> Iterator[Entry]:
    label, source, target = {
        EndedBy.BOT: (f"closed {report.close_code}", _SERVER, _EXOTEL),
        EndedBy.NETWORK: ("line broke", _SERVER, _EXOTEL),
        EndedBy.LIMIT: ("stop: longest stream", _EXOTEL, _SERVER),
        EndedBy.CALLER: ("stop", _EXOTEL, _SERVER),
    }[report.ended_by or EndedBy.NETWORK]
    yield Entry(report.duration_ms, source, target, Kind.STREAM, label)


def _later(entry: Entry, ms: float) -> Entry:
    until_ms = None if entry.until_ms is None else entry.until_ms + ms
    return replace(entry, at_ms=entry.at_ms + ms, until_ms=until_ms)
