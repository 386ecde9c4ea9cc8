"""A kept call through the call's own rules, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from exobridge.replay.offline import replay_offline
from exobridge.replay.report import ReplayReport
from exobridge.replay.script import ReplayError
from exobridge.templates import Template
from exobridge.wire import Closed, Side, read_wire
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from tests.replay.kept import Call


def replayed(call: Call, tmp_path: Path, closed: Closed | None = None) -> ReplayReport:
    """What comes of it."""
    return replay_offline(read_wire(call.write(tmp_path / "file", closed=closed)), template)


def template(name: str) -> Template:
    """Whatever the name."""
    assert name == "default"
    return Template()


def differing(report: ReplayReport) -> set[str]:
    """What differs."""
    return {difference.what for difference in report.differences}


def test_a_call_that_goes_as_it_went(tmp_path: Path) -> None:
    """The same greeting, the same answer as long as it was, and nothing differs."""
    call = Call(9000).bot_speaks(60, 1000).speaks(2000, 800).bot_speaks(3400, 2000)
    report = replayed(call, tmp_path)
    assert differing(report) == set()
    (stream,) = report.streams
    facts = dict(stream.facts)
    assert (facts["format"], facts["frames_with_audio"]) == ("pcm16", 450)
    assert (facts["caller_turns"], facts["bot_turns"], facts["interruptions"]) == (1, 2, 0)
    assert facts["end_reason"] == "callended"
    assert stream.now is not None
    lengths = [round(span.end_ms - span.start_ms, -2) for span in stream.now.spans]
    assert lengths == [1000, 2000]


def test_an_interruption_is_one_again(tmp_path: Path) -> None:
    """The greeting that was cut is long enough to be cut again."""
    call = Call(9000).bot_speaks(60, 5000).speaks(2000, 3000).bot_clears(3000)
    report = replayed(call, tmp_path)
    assert "clears" not in differing(report)
    (stream,) = report.streams
    assert dict(stream.facts)["interruptions"] == 1
    assert stream.now is not None
    assert len(stream.now.clears_ms) == 1


def test_an_interruption_that_was_missed_is_shown(tmp_path: Path) -> None:
    """Then the bot spoke on; now it does not."""
    call = Call(9000).bot_speaks(60, 6000).speaks(2000, 3000)
    report = replayed(call, tmp_path)
    assert "clears" in differing(report)
    (found,) = [each for each in report.differences if each.what == "clears"]
    assert (found.where, found.then, found.now) == ("stream 1", "0", "1")


@pytest.mark.parametrize(
    "audio", [AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)], ids=str
)
def test_the_format_is_found_again(tmp_path: Path, audio: AudioFormat) -> None:
    """From the frames, as the server found it."""
    call = Call(4000, audio).bot_speaks(60, 800)
    report = replayed(call, tmp_path)
    (stream,) = report.streams
    facts = dict(stream.facts)
    assert (facts["format"], facts["sample_rate"]) == (str(audio.encoding), str(audio.sample_rate))


def test_keys_and_frames_that_cannot_be_read(tmp_path: Path) -> None:
    """Are counted; the latter differ from what is right."""
    call = Call(3000).bot_speaks(60, 500).presses(1000, "5").presses(1200, "#").presses(1400, "x")
    report = replayed(call, tmp_path)
    (stream,) = report.streams
    assert (dict(stream.facts)["keys"], dict(stream.facts)["frames_unreadable"]) == (2, 1)
    assert "unreadable frames" in differing(report)


def test_a_call_that_the_server_ended_is_ended_again(tmp_path: Path) -> None:
    """By the dialogue, after its last line."""
    call = Call(6000).bot_speaks(60, 1000).speaks(2000, 800).bot_speaks(3400, 1500)
    report = replayed(call, tmp_path, Closed("s", 6000.0, Side.SERVER, 1000))
    assert differing(report) == set()
    assert dict(report.streams[0].facts)["end_reason"] == "hang-up"


def test_a_call_that_breaks_off(tmp_path: Path) -> None:
    """Is played as far as it goes, and ends as a line does that is cut."""
    call = Call(3000).bot_speaks(60, 1000)
    data = call.records()
    (tmp_path / "file").write_bytes(data[: data.index(b"callended")])
    report = replay_offline(read_wire(tmp_path / "file"), template)
    assert report.notes == ("the file breaks off; it is played as far as it goes",)
    assert str(report.streams[0].then.ended_by) == "network"
    assert "ended by" not in differing(report)


def test_a_long_call_is_not_waited_for(tmp_path: Path) -> None:
    """It is played as fast as it can be computed."""
    call = Call(90_000).bot_speaks(60, 1000)
    patient = Template.model_validate({"limits": {"max_call_seconds": 3600, "idle_seconds": 600}})
    report = replay_offline(read_wire(call.write(tmp_path / "file")), lambda _: patient)
    assert dict(report.streams[0].facts)["frames_with_audio"] == 4_500


def test_what_holds_no_call_is_refused(tmp_path: Path) -> None:
    """In a sentence."""
    data = Call(100).records()
    (tmp_path / "file").write_bytes(data.splitlines(keepends=True)[0])
    with pytest.raises(ReplayError, match="no stream with a `start` event"):
        replay_offline(read_wire(tmp_path / "file"), template)
