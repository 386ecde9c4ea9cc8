"""A stream's report as a story."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exobridge.simulator import CallReport, EndedBy, Outcome, Rule, Turn, Violation
from exobridge.simulator.report import MarkSeen
from exobridge.simulator.timeline import Entry, Kind, Party
from exobridge.simulator.told import entries_of

CALLER, EXOTEL, SERVER = Party.CALLER, Party.EXOTEL, Party.SERVER

REPORT = CallReport(
    call_sid="c",
    stream_sid="s",
    encoding="mulaw",
    sample_rate=8000,
    frame_ms=20,
    outcome=Outcome.COMPLETED,
    ended_by=EndedBy.CALLER,
    close_code=1006,
    handshake_ms=12.4,
    handshake_attempts=2,
    duration_ms=9000,
    turns=(
        Turn("bot", "Hello.", 100, 900, 800, interrupted=True),
        Turn("caller", "Sales, please.", 1000, 2000, 1000),
        Turn("caller", "12#", 3000, 3400, 400, keys=True),
        Turn("bot", "", 4000, 5000, 1000),
    ),
    marks=(MarkSeen(950, "greeted", returned=False), MarkSeen(990, "greeted", returned=True)),
    clears_at_ms=(1100,),
    violations=(Violation(Rule.CHUNK_STEP, 500, "319 bytes"), Violation(Rule.NOT_JSON, 600)),
    violation_counts=((Rule.CHUNK_STEP, 14), (Rule.NOT_JSON, 1)),
    faults=(Entry(2500, EXOTEL, SERVER, Kind.FAULT, "stalls", "", 2700),),
)


def story(report: CallReport, began_ms: float = 0.0) -> list[tuple[float, str, str]]:
    """When, who on whom, and what."""
    return [
        (entry.at_ms, f"{entry.source}>{entry.target}", entry.label)
        for entry in entries_of(report, began_ms)
    ]


def test_a_stream_is_told_from_its_start_to_its_end() -> None:
    """Both sides' words, keys, marks both ways, clears, faults and broken rules, in order, on the
    time line of the run."""
    assert story(REPORT, 10_000) == [
        (10_000, "exotel>server", "start"),
        (10_100, "server>caller", "Hello."),
        (10_500, "server>server", "chunk-step"),
        (10_600, "server>server", "not-json"),
        (10_950, "server>exotel", "mark greeted"),
        (10_990, "exotel>server", "mark greeted"),
        (11_000, "caller>server", "Sales, please."),
        (11_100, "server>exotel", "clear"),
        (12_500, "exotel>server", "stalls"),
        (13_000, "caller>server", "keys 12#"),
        (14_000, "server>caller", ""),
        (19_000, "server>server", "chunk-step: 13 more"),
        (19_000, "exotel>server", "stop"),
    ]


def test_what_takes_time_has_an_end() -> None:
    """Speech and faults that last are spans; keys are not."""
    spans = {entry.label: entry.until_ms for entry in entries_of(REPORT, 1000) if entry.until_ms}
    assert spans == {"Hello.": 1900, "Sales, please.": 3000, "": 6000, "stalls": 3700}


def test_details_say_what_was_measured() -> None:
    """The handshake and its tries, the encoding, what was interrupted, what broke a rule."""
    details = {entry.label: entry.detail for entry in entries_of(REPORT, 0)}
    assert details["start"] == "handshake 12 ms, try 2; mulaw, 8000 Hz"
    assert details["Hello."] == "interrupted"
    assert details["chunk-step"] == "319 bytes"
    assert details["not-json"] == ""


@pytest.mark.parametrize(
    ("ended_by", "code", "label", "who"),
    [
        (EndedBy.CALLER, 1006, "stop", "exotel>server"),
        (EndedBy.LIMIT, 1006, "stop: longest stream", "exotel>server"),
        (EndedBy.BOT, 1000, "closed 1000", "server>exotel"),
        (EndedBy.NETWORK, 1006, "line broke", "server>exotel"),
    ],
)
def test_the_end_names_who_ended_it(ended_by: EndedBy, code: int, label: str, who: str) -> None:
    """Each as it looks on the line."""
    told = story(replace(REPORT, ended_by=ended_by, close_code=code))
    assert told[-1] == (9000, who, label)


def test_without_a_stream_nothing_is_made_up() -> None:
    """A call that came to no stream has its faults and its broken rules."""
    report = CallReport(
        call_sid="c",
        stream_sid="s",
        encoding="pcm16",
        sample_rate=8000,
        frame_ms=20,
        outcome=Outcome.NO_STREAM,
        violations=(Violation(Rule.HANDSHAKE, 0.0, "status 403"),),
        violation_counts=((Rule.HANDSHAKE, 1),),
    )
    assert story(report, 70) == [(70, "server>server", "handshake")]
