"""What is seen of a stream, and what of two differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.messages import MarkPlayed, Media, decode
from exobridge.exotel.stream import ExotelStream
from exobridge.replay.compare import MAX_SHOWN, compare_streams, compare_webhooks
from exobridge.replay.listening import MAX_CHARS, TOO_MUCH, Listening
from exobridge.replay.script import End, Names, ReplayError, script_of
from exobridge.replay.seen import Seen, Span, see, sent_format
from exobridge.simulator.rules import STOP_GRACE_MS, Rule
from exobridge.simulator.wire import Dialect, FrameWriter
from exobridge.wire import Closed, Frame, Side, Stream, read_wire
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from tests.replay.kept import IDENTITY, Call, webhook


def kept(call: Call, tmp_path: Path, closed: Closed | None = None) -> Stream:
    """The stream of a file."""
    return read_wire(call.write(tmp_path / "file", closed=closed)).streams[0]


def with_frames(stream: Stream, *frames: tuple[float, Side, str]) -> Stream:
    """The same, with more frames."""
    more = [Frame("s", *frame) for frame in frames]
    return replace(stream, frames=tuple(sorted([*stream.frames, *more], key=lambda f: f.ms)))


def test_what_is_heard_is_seen(tmp_path: Path) -> None:
    """When the bot spoke, and for how long; what a clear took back was not heard."""
    call = Call(4000).bot_speaks(100, 500).bot_speaks(2000, 1500).bot_clears(2400)
    seen = see(kept(call, tmp_path))
    assert seen.greeting_ms == 100
    assert [(span.start_ms, span.end_ms) for span in seen.spans] == [(100, 600), (2000, 2400)]
    assert (seen.marks, seen.clears_ms) == (2, (2400,))
    assert (seen.ended_by, seen.close_code, seen.broken) == (End.CALLER, None, ())


def test_rules_that_were_broken_are_seen(tmp_path: Path) -> None:
    """Each by its name, as often as it was."""
    stream = kept(Call(1000).bot_speaks(100, 5000).bot_speaks(300, 5000), tmp_path)
    late = kept(Call(0).bot_speaks(1200, 100), tmp_path).by(Side.SERVER)[0].text
    stream = with_frames(
        stream,
        (50.0, Side.EXOTEL, "garbage"),
        (50.0, Side.SERVER, "garbage"),
        (60.0, Side.SERVER, '{"event":"media","stream_sid":"another","media":{"payload":""}}'),
        (1000.0 + STOP_GRACE_MS, Side.SERVER, late),
        (1200.0, Side.SERVER, late),
    )
    assert {str(rule): count for rule, count in see(stream).broken} == {
        "audio-after-stop": 1,
        "lead-too-long": 1,
        "not-json": 1,
        "wrong-stream-sid": 1,
    }


def test_each_lead_that_is_too_long_is_seen_once(tmp_path: Path) -> None:
    """Another one, after what was sent has been played, is another."""
    call = Call(16_000).bot_speaks(0, 4100).bot_speaks(10, 100)
    call.bot_speaks(9000, 100).bot_speaks(9050, 4100)
    assert [(str(rule), often) for rule, often in see(kept(call, tmp_path)).broken] == [
        ("lead-too-long", 2)
    ]


def test_a_server_that_closes_in_the_middle_of_a_word(tmp_path: Path) -> None:
    """Did not let it be played."""
    closed = Closed("s", 500.0, Side.SERVER, 1011)
    seen = see(kept(Call(500).bot_speaks(100, 2000), tmp_path, closed))
    assert (seen.ended_by, seen.close_code) == (End.SERVER, 1011)
    assert [str(rule) for rule, _ in seen.broken] == ["closed-before-played"]
    silent = see(kept(Call(500).bot_speaks(100, 200), tmp_path, closed))
    assert (silent.ended_by, silent.broken) == (End.SERVER, ())


@pytest.mark.parametrize(
    ("audio", "chunks"),
    [
        (pcm16(8000), [(320, 20), (320, 40), (320, 60)]),
        (pcm16(16_000), [(640, 20), (640, 40), (640, 60)]),
        (AudioFormat(Encoding.MULAW, 8000), [(160, 20), (160, 40), (160, 60)]),
        (pcm16(8000), [(322, 20), (322, 40), (318, 60)]),
        (pcm16(8000), [(320, 20), (320, 40), (3200, 60), (320, 80), (320, 100)]),
        (pcm16(8000), [(320, 20), (320, 5000), (320, 9000), (320, 9020)]),
        (pcm16(8000), [(320, 20), (320, 20), (320, 40)]),
        (None, [(320, 20)]),
        (None, [(320, 20), (320, 1000)]),
        (None, []),
    ],
)
def test_a_format_is_told_by_sizes_and_times(
    audio: AudioFormat | None, chunks: list[tuple[int, int]], tmp_path: Path
) -> None:
    """Of the bot's chunks alone; one that is odd, a pause, and two at one time change nothing."""
    bot = ExotelStream()
    bot.receive(FrameWriter(pcm16(8000), IDENTITY, Dialect()).start({}))
    frames = [(float(ms), Side.SERVER, bot.send_media(bytes(size), ms)) for size, ms in chunks]
    assert sent_format(with_frames(kept(Call(200), tmp_path), *frames)) == audio


def test_more_audio_than_a_line_can_hold(tmp_path: Path) -> None:
    """Is a rule, too."""
    call = Call(100)
    for _ in range(102):
        call.bot_speaks(50, 3000)
    assert "buffer-full" in [str(rule) for rule, _ in see(kept(call, tmp_path)).broken]


def test_a_stream_without_a_start_has_nothing_to_be_seen() -> None:
    """And a stream without frames neither."""
    assert see(Stream(0.0, ())) == Seen()


SEEN = Seen(
    encoding="pcm16",
    sample_rate=8000,
    greeting_ms=100.0,
    spans=(Span(100.0, 900.0),),
    marks=1,
    clears_ms=(2000.0,),
    ended_by=End.SERVER,
    close_code=1000,
    duration_ms=3000.0,
)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"greeting_ms": 599.0, "duration_ms": 2501.0, "clears_ms": (2500.0,)}, []),
        ({"greeting_ms": 601.0}, [("greeting", "100 ms", "601 ms")]),
        ({"greeting_ms": None}, [("greeting", "100 ms", "none")]),
        ({"spans": ()}, [("spans of the bot's audio", "1", "0")]),
        (
            {"spans": (Span(700.0, 900.0),)},
            [
                ("span 1 of the bot's audio: begins", "100 ms", "700 ms"),
                ("span 1 of the bot's audio: length", "800 ms", "200 ms"),
            ],
        ),
        ({"marks": 2}, [("marks", "1", "2")]),
        ({"clears_ms": (2600.0,)}, [("clear 1", "2000 ms", "2600 ms")]),
        ({"clears_ms": ()}, [("clears", "1", "0")]),
        ({"duration_ms": 9000.0}, [("duration", "3000 ms", "9000 ms")]),
        ({"ended_by": End.NETWORK}, [("ended by", "server", "network")]),
        ({"close_code": 1011}, [("close code", "1000", "1011")]),
        ({"close_code": None}, [("close code", "1000", "none")]),
        (
            {"encoding": "mulaw"},
            [("format of the bot's audio", "pcm16, 8000 Hz", "mulaw, 8000 Hz")],
        ),
        ({"encoding": None}, []),
        ({"broken": ((Rule.NOT_JSON, 1),)}, [("rules broken", "none", "not-json")]),
    ],
)
def test_what_differs_is_told(
    changed: Mapping[str, Any], found: list[tuple[str, str, str]]
) -> None:
    """With both values; what lies within the tolerance does not differ."""
    differences = compare_streams("here", SEEN, replace(SEEN, **changed), 500)
    assert [(each.what, each.then, each.now) for each in differences] == found


def test_two_bots_that_were_never_heard_are_the_same() -> None:
    """There is no time to compare."""
    assert compare_streams("here", Seen(), Seen()) == []


def test_answers_are_the_same_but_for_hosts_ids_and_masks() -> None:
    """A long one is shown in part."""
    then = webhook(0, "/x", '{"to":"+91*******233","url":"wss://a.example/s/***","sid":"call"}')
    body = '{"sid": "new", "url": "ws://127.0.0.1:80/s/***", "to": "+919811122233"}'
    now = msgspec.structs.replace(then, body=body, content_type="application/json; charset=utf-8")
    assert compare_webhooks("here", then, now, {"call": "new"}) == []
    third = msgspec.structs.replace(then, body=then.body.replace("233", "233/3"))
    assert compare_webhooks("here", third, now, {"call": "new"}) == []
    other = msgspec.structs.replace(now, status=302, content_type="text/plain", body="x" * 1000)
    found = compare_webhooks("here", then, other, {"call": "new"})
    assert [each.what for each in found] == ["status", "content type", "body"]
    assert len(found[-1].now) < MAX_SHOWN + 30


def test_what_is_sent_where_a_recording_has_ended(tmp_path: Path) -> None:
    """Silence, numbered and timed as what came before; a mark in the stream's name."""
    script = script_of(kept(Call(400), tmp_path), Names({"stream": "new"}))
    one, other = (decode(script.silence(number)) for number in (0, 1))
    assert isinstance(one, Media)
    assert isinstance(other, Media)
    assert (one.payload, one.stream_sid) == (bytes(320), "new")
    assert (one.timestamp_ms, other.timestamp_ms) == (401, 421)
    assert decode(script.mark("m")) == MarkPlayed("m")


def test_a_stream_without_a_start_cannot_be_played() -> None:
    """There was no call."""
    with pytest.raises(ReplayError, match="no `start` event"):
        script_of(Stream(0.0, ()), Names())


def test_masks_become_numbers() -> None:
    """That look like them; of two that are alike, two; those that are named, as they are named."""
    names = Names({"call": "new"}, {"+91*******233": "08047112233"})
    assert names.value("call") == "new"
    assert names.value("+91*******233") == "08047112233"
    assert names.value("+91*******233/2") == "+919000002233"
    assert names.value("to +91*******244 now") == "to +919000000244 now"
    assert names.frame('{"a":"call","b":"calls"}') == '{"a":"new","b":"calls"}'


def test_marks_come_back_when_their_audio_was_played(tmp_path: Path) -> None:
    """Not as they were kept; after a clear, at once."""
    stream = kept(Call(1000).bot_speaks(100, 500), tmp_path)
    script = script_of(stream, Names())
    assert not any('"mark"' in text for _, text in script.frames)
    listening = Listening("stream", pcm16(8000))
    for frame in stream.by(Side.SERVER):
        listening.take(frame.ms, frame.text)
    assert listening.next_mark_ms() == 600
    assert listening.due_marks(599.0) == []
    assert listening.due_marks(600.0) == ["mark-100"]
    for frame in stream.by(Side.SERVER):
        listening.take(1000.0, frame.text)
    listening.take(1100.0, '{"event":"clear","stream_sid":"stream"}')
    listening.take(1100.0, b"a binary frame, which Exotel does not know")
    assert listening.due_marks(1100.0) == ["mark-100"]


def test_a_bot_that_sends_without_end_is_hung_up_on() -> None:
    """What it had sent by then is kept."""
    listening = Listening("stream", pcm16(8000))
    message = "x" * (1 << 20)
    for second in range(100):
        listening.take(1000.0 * second, message)
    stream = listening.stream()
    assert len(stream.frames) == MAX_CHARS >> 20
    assert stream.closed == Closed("", 64_000.0, Side.EXOTEL, TOO_MUCH)


@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.sampled_from(list(Side)), st.text(max_size=80)), max_size=20
    )
)
def test_any_frames_can_be_looked_at(frames: list[tuple[float, Side, str]]) -> None:
    """Nothing in a file stops a replay but that it holds no call."""
    stream = with_frames(Stream(0.0, ()), *frames)
    assert see(stream).ended_by in set(End)
