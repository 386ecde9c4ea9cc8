"""One stream's protocol: what it makes of Exotel's frames, and the frames it makes."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.messages import (
    Connected,
    Dtmf,
    Event,
    MarkPlayed,
    Media,
    Started,
    Stopped,
)
from exobridge.exotel.stream import (
    HELD_BYTES,
    HELD_FRAMES,
    Counters,
    ExotelStream,
    Phase,
)
from tests.exotel import frames
from tests.exotel.frames import STARTED, frame, media, start

HOSTILE = ['"}', "\\", "\n", "\u0000", "</script>", "{}", "ज़😀", "\u2028", "a" * 256, "'--"]
"""Ids and names that break a frame which is joined carelessly."""


def streaming() -> ExotelStream:
    """A stream that has started and received nothing else."""
    stream = ExotelStream()
    assert stream.receive(frames.START) == (STARTED,)
    return stream


# ------------------------------------------------------------------ a call


def test_a_whole_call() -> None:
    """Each documented frame becomes its event, and each is counted."""
    stream = ExotelStream()
    assert (stream.phase, stream.started) == (Phase.OPENING, None)
    events = [event for text in frames.ALL for event in stream.receive(text)]
    assert events == [
        Connected(),
        STARTED,
        Media(b"\x00\x01\x02", 20, "S"),
        Dtmf("5", 100),
        MarkPlayed("turn-3-end"),
        Stopped("callended"),
    ]
    assert (stream.phase, stream.started) == (Phase.STOPPED, STARTED)
    assert stream.counters == Counters(received=6, media_received=1, bytes_received=3)


def test_a_call_in_camel_case() -> None:
    """The other spelling makes the same call."""
    one, other = ExotelStream(), ExotelStream()
    for text in frames.ALL:
        assert other.receive(frames.camel(text)) == one.receive(text)
    assert other.counters == one.counters


def test_a_stream_without_connected() -> None:
    """``start`` may be the first frame."""
    stream = streaming()
    assert stream.phase is Phase.STREAMING


def test_parameters_of_connected_are_handed_on() -> None:
    """Custom parameters that came with ``connected`` are those of ``start`` without any."""
    stream = ExotelStream()
    stream.receive(frame("connected", custom_parameters={"a": "b"}))
    (event,) = stream.receive(start({"stream_sid": "S", "call_sid": "C"}))
    assert event == stream.started == Started("S", "C", custom_parameters={"a": "b"})


def test_start_has_the_last_word_on_its_parameters() -> None:
    """Parameters of its own are not mixed with those of ``connected``."""
    stream = ExotelStream()
    stream.receive(frame("connected", custom_parameters={"a": "b"}))
    assert stream.receive(frames.START) == (STARTED,)


# ------------------------------------------------------------------ out of order


def test_media_before_start_is_held() -> None:
    """The caller's first word comes after ``start``, in order."""
    stream = ExotelStream()
    early = [Media(bytes([index]), index * 20, "S") for index in range(HELD_FRAMES)]
    for event in early:
        assert stream.receive(media(event.payload, timestamp=event.timestamp_ms)) == ()
    assert stream.counters == Counters(received=HELD_FRAMES)
    assert stream.receive(frames.START) == (STARTED, *early)
    assert stream.counters.media_received == HELD_FRAMES
    assert stream.receive(media(b"next")) == (Media(b"next", None, "S"),)


def test_no_more_than_a_second_is_held() -> None:
    """Frames beyond the bound are dropped and counted; the first ones stay."""
    stream = ExotelStream()
    for index in range(HELD_FRAMES + 3):
        stream.receive(media(bytes([index])))
    events = stream.receive(frames.START)
    assert [event.payload for event in events if isinstance(event, Media)] == [
        bytes([index]) for index in range(HELD_FRAMES)
    ]
    assert stream.counters.misplaced == 3


def test_no_more_bytes_are_held() -> None:
    """Large frames reach the bound of bytes first; it may be filled to the last."""
    stream = ExotelStream()
    half = HELD_BYTES // 2
    for size in (half, half + 1, half, 1):
        stream.receive(media(bytes(size)))
    events = stream.receive(frames.START)
    assert [len(event.payload) for event in events if isinstance(event, Media)] == [half, half]
    assert stream.counters == Counters(
        received=5, media_received=2, misplaced=2, bytes_received=HELD_BYTES
    )


def test_held_media_of_another_stream() -> None:
    """It is not the caller's; media without an id is."""
    stream = ExotelStream()
    for sid in ("T", "", "S"):
        stream.receive(media(sid.encode(), sid=sid))
    _, *held = stream.receive(frames.START)
    assert held == [Media(b"", None, ""), Media(b"S", None, "S")]
    assert (stream.counters.media_received, stream.counters.misplaced) == (2, 1)


def test_held_media_tells_the_stream_s_id() -> None:
    """A ``start`` without an id has that of the media before it."""
    stream = ExotelStream()
    stream.receive(media(b"a", sid=""))
    stream.receive(media(b"b", sid="S"))
    (event, *held) = stream.receive(start({"call_sid": "C"}))
    assert event == Started("S", "C")
    assert held == [Media(b"a", None, ""), Media(b"b", None, "S")]
    assert '"stream_sid":"S"' in stream.send_clear()


def test_media_after_stop() -> None:
    """Nothing is heard after the end."""
    stream = streaming()
    stream.receive(frames.STOP)
    for text in (frames.MEDIA, media(b"a", sid="")):
        assert stream.receive(text) == ()
    assert (stream.counters.media_received, stream.counters.misplaced) == (0, 2)


def test_media_of_another_stream() -> None:
    """A foreign ``stream_sid`` is dropped and counted; no id at all is taken as ours."""
    stream = streaming()
    assert stream.receive(media(b"a", sid="T")) == ()
    assert stream.receive(media(b"b", sid="")) == (Media(b"b", None, ""),)
    assert (stream.counters.media_received, stream.counters.misplaced) == (1, 1)


def test_a_very_long_stream_sid() -> None:
    """It is cut alike wherever it comes, so that the stream still knows its own media."""
    stream = ExotelStream()
    sid = "S" * 1000
    stream.receive(start({"stream_sid": sid}))
    for text in (media(b"a", sid=sid), frame("media", streamSid=sid, payload="YQ")):
        assert [type(event) for event in stream.receive(text)] == [Media]


def test_a_second_start() -> None:
    """It changes nothing: neither the stream's id nor who calls."""
    stream = streaming()
    assert stream.receive(start({"stream_sid": "T", "call_sid": "D"})) == ()
    assert stream.started == STARTED
    assert stream.receive(frames.MEDIA) == (Media(b"\x00\x01\x02", 20, "S"),)
    assert '"stream_sid":"S"' in stream.send_clear()
    assert stream.counters.misplaced == 1


def test_a_start_after_stop() -> None:
    """A stream that ended does not begin again."""
    stream = ExotelStream()
    assert stream.receive(frames.STOP) == (Stopped("callended"),)
    assert stream.receive(frames.START) == ()
    assert (stream.phase, stream.started) == (Phase.STOPPED, None)
    assert stream.counters.misplaced == 1


def test_a_stop_without_a_start() -> None:
    """The stream is over, and media that was held for it is counted as misplaced."""
    stream = ExotelStream()
    stream.receive(frames.MEDIA)
    stream.receive(frames.MEDIA)
    assert stream.receive(frames.STOP) == (Stopped("callended"),)
    assert stream.counters == Counters(received=3, misplaced=2)


def test_a_second_stop() -> None:
    """The end is told once."""
    stream = streaming()
    assert stream.receive(frames.STOP) == (Stopped("callended"),)
    assert stream.receive(frames.STOP) == ()
    assert stream.counters.misplaced == 1


def test_connected_again() -> None:
    """It is passed on until the stream starts, and misplaced after."""
    stream = ExotelStream()
    assert stream.receive(frames.CONNECTED) == (Connected(),)
    assert stream.receive(frames.CONNECTED) == (Connected(),)
    stream.receive(frames.START)
    assert stream.receive(frames.CONNECTED) == ()
    assert stream.counters.misplaced == 1


@pytest.mark.parametrize("text", [frames.DTMF, frames.MARK])
def test_keys_and_marks_outside_the_stream(text: str) -> None:
    """Before ``start`` and after ``stop`` there is nobody to press or to hear."""
    stream = ExotelStream()
    assert stream.receive(text) == ()
    stream.receive(frames.START)
    assert len(stream.receive(text)) == 1
    stream.receive(frames.STOP)
    assert stream.receive(text) == ()
    assert stream.counters.misplaced == 2


def test_marks_that_were_never_sent() -> None:
    """Which marks are awaited is the playout's matter: every one is passed on."""
    stream = streaming()
    for _ in range(2):
        assert stream.receive(frame("mark", mark={"name": "never"})) == (MarkPlayed("never"),)


@pytest.mark.parametrize("before", [(), (frames.START,), (frames.START, frames.STOP)])
def test_what_means_nothing_is_counted(before: Sequence[str]) -> None:
    """An inbound ``clear``, unknown events and the bot's own audio, at any time."""
    stream = ExotelStream()
    for text in before:
        stream.receive(text)
    for text in (
        '{"event":"clear","stream_sid":"S"}',
        '{"event":"pong"}',
        media(b"a", track="outbound"),
    ):
        assert stream.receive(text) == ()
    assert (stream.counters.ignored, stream.counters.misplaced) == (3, 0)


# ------------------------------------------------------------------ garbage

_BAD = (
    *("", "null", "{", '{"event":"media"}', '{"event":NaN}', '{"event":"dtmf","digit":"x"}'),
    *("[" * 100_000, '{"event":"media","x":' + "[" * 100_000, "\ud800"),
    *(b"\xff\x00", b"\x80" * 1000),
)


@pytest.mark.parametrize("bad", _BAD)
def test_a_bad_frame_is_counted_and_nothing_else(bad: str | bytes) -> None:
    """Between any two frames of a call it changes no event."""
    clean, disturbed = ExotelStream(), ExotelStream()
    for text in frames.ALL:
        assert disturbed.receive(bad) == ()
        assert disturbed.receive(text) == clean.receive(text)
    count = len(frames.ALL)
    expected = replace(clean.counters, received=2 * count, bad=count)
    assert disturbed.counters == expected


_UNREADABLE = st.one_of(
    st.sampled_from(_BAD), st.binary(max_size=60).map(lambda junk: b"\x00" + junk)
)
_READABLE = st.sampled_from(
    [
        *frames.ALL,
        *map(frames.camel, frames.ALL),
        media(b"a", sid=""),
        media(b"a", sid="T"),
        media(bytes(40_000)),
        media(b"a", track="outbound"),
        start({"stream_sid": "T", "call_sid": "D"}),
        start({}),
        frame("clear"),
        frame("new"),
    ]
)
_ANY = st.one_of(_UNREADABLE, _READABLE, st.text(max_size=40))


@given(st.lists(_UNREADABLE, max_size=20))
def test_a_call_goes_on_after_any_garbage(junk: Sequence[str | bytes]) -> None:
    """Frames that cannot be read are each counted, and the call after them is whole."""
    stream = ExotelStream()
    for text in junk:
        assert stream.receive(text) == ()
    assert stream.counters == Counters(received=len(junk), bad=len(junk))
    assert [len(stream.receive(text)) for text in frames.ALL] == [1] * len(frames.ALL)
    assert stream.phase is Phase.STOPPED


@given(st.lists(_ANY, max_size=30))
def test_every_frame_is_accounted_for(texts: Sequence[str | bytes]) -> None:
    """After any frames in any order, what came in is what was told, dropped, or is held."""
    stream = ExotelStream()
    events: list[Event] = []
    for text in texts:
        events += stream.receive(text)
    counters = stream.counters
    assert counters.received == len(texts)
    told = counters.bad + counters.ignored + counters.misplaced + len(events)
    held = counters.received - told
    if stream.phase is Phase.OPENING:
        assert 0 <= held <= HELD_FRAMES
    else:
        assert held == 0
    assert counters.media_received == sum(isinstance(event, Media) for event in events)
    assert sum(isinstance(event, Started) for event in events) == (stream.started is not None)
    assert (counters.sent, counters.media_sent) == (0, 0)


@given(st.lists(_ANY, max_size=30))
def test_events_come_in_the_order_of_a_call(texts: Sequence[str | bytes]) -> None:
    """Audio, keys and marks come after ``start``, and nothing after ``stop``."""
    stream = ExotelStream()
    kinds = [type(event) for text in texts for event in stream.receive(text)]
    if Stopped in kinds:
        assert kinds.index(Stopped) == len(kinds) - 1
    begun = kinds.index(Started) if Started in kinds else len(kinds)
    assert set(kinds[:begun]) <= {Connected, Stopped}
    assert Connected not in kinds[begun:]


# ------------------------------------------------------------------ bot → Exotel


def test_the_frames_we_send() -> None:
    """Each in the one canonical spelling, numbered from 1, with the media counted apart."""
    stream = streaming()
    assert [
        stream.send_media(b"\x00\x01\x02", 0),
        stream.send_mark("turn-3-end"),
        stream.send_media(b"\xff", 60),
        stream.send_clear(),
        stream.send_media(b"", 3_600_000),
    ] == [
        '{"event":"media","stream_sid":"S","sequence_number":"1",'
        '"media":{"chunk":"1","timestamp":"0","payload":"AAEC"}}',
        '{"event":"mark","stream_sid":"S","mark":{"name":"turn-3-end"}}',
        '{"event":"media","stream_sid":"S","sequence_number":"3",'
        '"media":{"chunk":"2","timestamp":"60","payload":"/w=="}}',
        '{"event":"clear","stream_sid":"S"}',
        '{"event":"media","stream_sid":"S","sequence_number":"5",'
        '"media":{"chunk":"3","timestamp":"3600000","payload":""}}',
    ]
    assert stream.counters == Counters(received=1, sent=5, media_sent=3, bytes_sent=4)


def test_what_comes_in_does_not_number_what_goes_out() -> None:
    """Received and sent frames are counted apart."""
    stream = streaming()
    for _ in range(5):
        stream.receive(frames.MEDIA)
    assert json.loads(stream.send_media(b"a", 0))["sequence_number"] == "1"
    assert (stream.counters.received, stream.counters.sent) == (6, 1)


def check_outbound(sid: str, name: str, payload: bytes) -> None:
    """Frames of a stream with this id are valid JSON and say what was meant."""
    stream = ExotelStream()
    (started,) = stream.receive(start({"stream_sid": sid, "call_sid": "C"}))
    assert isinstance(started, Started)
    assert json.loads(stream.send_mark(name)) == {
        "event": "mark",
        "stream_sid": started.stream_sid,
        "mark": {"name": name},
    }
    assert json.loads(stream.send_clear()) == {"event": "clear", "stream_sid": started.stream_sid}
    assert json.loads(stream.send_media(payload, 20)) == {
        "event": "media",
        "stream_sid": started.stream_sid,
        "sequence_number": "3",
        "media": {
            "chunk": "1",
            "timestamp": "20",
            "payload": base64.b64encode(payload).decode(),
        },
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_and_names(text: str) -> None:
    """No id or name breaks out of its quotes."""
    check_outbound(text, text, b"")


@given(st.text(max_size=300), st.text(max_size=300), st.binary(max_size=700))
def test_any_id_name_and_audio(sid: str, name: str, payload: bytes) -> None:
    """What is joined is always the JSON that was meant, in one line."""
    check_outbound(sid, name, payload)
    stream = ExotelStream()
    stream.receive(start({"stream_sid": sid}))
    assert "\n" not in stream.send_mark(name) + stream.send_clear()


@given(st.binary(max_size=1000))
def test_what_we_send_can_be_read_back(payload: bytes) -> None:
    """A media frame of ours, were it Exotel's, is the same audio."""
    stream = streaming()
    assert stream.receive(stream.send_media(payload, 40)) == (Media(payload, 40, "S"),)
