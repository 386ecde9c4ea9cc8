"""Exotel's text frames, in every spelling that has been seen."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.messages import (
    MAX_CUSTOM_PARAMETERS,
    MAX_TEXT,
    BadFrameError,
    Connected,
    Dtmf,
    Event,
    Ignored,
    MarkPlayed,
    Media,
    MediaFormat,
    Started,
    Stopped,
    decode,
)
from tests.exotel import frames
from tests.exotel.frames import STARTED, frame, outcome, start

DOCUMENTED: list[tuple[str, Event]] = [
    (frames.CONNECTED, Connected()),
    (frames.START, STARTED),
    (frames.MEDIA, Media(b"\x00\x01\x02", 20, "S")),
    (frames.DTMF, Dtmf("5", 100)),
    (frames.MARK, MarkPlayed("turn-3-end")),
    (frames.STOP, Stopped("callended")),
]


def started(text: str) -> Started:
    event = decode(text)
    assert isinstance(event, Started)
    return event


# ------------------------------------------------------------------ all events


@pytest.mark.parametrize(("text", "event"), DOCUMENTED)
def test_the_documented_frames(text: str, event: Event) -> None:
    """Each frame of Exotel's documents is read whole."""
    assert decode(text) == event


@pytest.mark.parametrize(("text", "event"), DOCUMENTED)
def test_camel_case(text: str, event: Event) -> None:
    """Keys in camel case (``streamSid``, ``mediaFormat``) say the same."""
    assert decode(frames.camel(text)) == event


@pytest.mark.parametrize(("text", "event"), DOCUMENTED[1:])
def test_numbers_without_quotes(text: str, event: Event) -> None:
    """Numbers may come as strings or as integers."""
    unquoted = re.sub(r'"(\d+)"', r"\1", text.replace('"0', '"+'))
    assert unquoted != text
    assert decode(unquoted.replace('"+', '"0')) == event


@pytest.mark.parametrize(("text", "event"), DOCUMENTED)
def test_bytes_are_read_like_text(text: str, event: Event) -> None:
    """A frame may be handed on as UTF-8."""
    assert decode(text.encode()) == event


@pytest.mark.parametrize(("text", "event"), DOCUMENTED)
def test_the_event_s_name_in_any_case(text: str, event: Event) -> None:
    """``"event":"Media"`` is ``media``."""
    value = json.loads(text)
    value["event"] = value["event"].upper()
    assert decode(json.dumps(value)) == event


@pytest.mark.parametrize(("text", "event"), DOCUMENTED)
def test_unknown_fields_are_passed_over(text: str, event: Event) -> None:
    """What is added to a frame does not hide what is known of it."""
    value = json.loads(text) | {"new": [1, {"deep": None}], "version": 2.5, "ok": True}
    assert decode(json.dumps(value)) == event


# ------------------------------------------------------------------ connected and start


def test_ids_at_the_top_only() -> None:
    """Ids and numbers may stand beside ``start``."""
    value = json.loads(frames.START)
    text = json.dumps({"event": "start", **value["start"]})
    assert decode(text) == STARTED
    assert decode(frames.camel(text)) == STARTED


def test_ids_inside_only() -> None:
    """Ids may stand inside ``start`` alone."""
    value = json.loads(frames.START)
    del value["stream_sid"]
    assert decode(json.dumps(value)) == STARTED


def test_ids_apart() -> None:
    """Ids at the top complete those inside; an empty one inside hides nothing."""
    text = start({"call_sid": "C", "stream_sid": "", "from": None}, stream_sid="S", **{"from": "1"})
    event = started(text)
    assert (event.stream_sid, event.call_sid, event.from_number) == ("S", "C", "1")


def test_one_id_in_two_spellings() -> None:
    """The spelling that is empty gives way, whichever comes first."""
    for inner in ({"streamSid": "S", "stream_sid": ""}, {"stream_sid": None, "streamSid": "S"}):
        assert started(start(inner)).stream_sid == "S"


def test_opaque_ids() -> None:
    """Ids are kept as they are, integers too, and cut where they are absurdly long."""
    assert started(start({"stream_sid": 7, "call_sid": "ज़-\u0000\n\"'"})).stream_sid == "7"
    assert started(start({"call_sid": "ज़-\u0000\n\"'"})).call_sid == "ज़-\u0000\n\"'"
    assert started(start({"call_sid": "c" * 10_000})).call_sid == "c" * MAX_TEXT


def test_audio_of_a_stream_with_a_long_id_is_its_own() -> None:
    """``start`` and ``media``, in either spelling, keep as much of the id."""
    sid = "s" * 10_000
    kept = started(start({"stream_sid": sid})).stream_sid
    for key in ("stream_sid", "streamSid", "StreamSID"):
        media = decode(json.dumps({"event": "media", key: sid, "media": {"payload": "AAEC"}}))
        assert media == Media(b"\x00\x01\x02", None, kept)


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, [["S"]], 10**30])
def test_no_id(value: Any) -> None:
    """What cannot be an id is none."""
    assert started(start({"stream_sid": value, "call_sid": "C"})).stream_sid == ""


@pytest.mark.parametrize("inner", [None, "", [], 5, "start"])
def test_a_start_that_holds_nothing(inner: Any) -> None:
    """It is a start all the same; whoever needs its ids sees that there are none."""
    assert decode(frame("start", start=inner)) == Started("", "")


@pytest.mark.parametrize(
    ("written", "hertz"),
    [
        (8000, 8000),
        ("8000", 8000),
        (16000.0, 16000),
        ("16kHz", 16000),
        ("16 KHZ", 16000),
        ("24khz", 24000),
        (" 8000 Hz", 8000),
        ("8000.0", 8000),
        ("22.05kHz", 22050),
        ("", None),
        (None, None),
        (True, None),
        (-8000, None),
        ("-8000", None),
        ("fast", None),
        ("12345678901", None),
        ("1.2.3", None),
        (10**40, None),
        ([8000], None),
        ({"hz": 8000}, None),
    ],
)
def test_sample_rates(written: Any, hertz: int | None) -> None:
    """A rate is read with or without its unit; what is no rate is none."""
    event = started(start({"media_format": {"sample_rate": written}}))
    assert event.media_format == MediaFormat("", hertz, None)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("128kbps", 128_000),
        ("64 Kbps", 64_000),
        (256_000, 256_000),
        ("384000", 384_000),
        ("", None),
    ],
)
def test_bit_rates(written: Any, rate: int | None) -> None:
    """A bit rate is in bits a second, however it was written."""
    event = started(start({"media_format": {"bit_rate": written}}))
    assert event.media_format.bit_rate == rate


@pytest.mark.parametrize(
    "encoding", ["base64", "raw", "raw/slin", "audio/x-l16", "linear16", "audio/x-mulaw"]
)
def test_encodings(encoding: str) -> None:
    """The encoding is kept in lower case, at whichever level ``media_format`` stands."""
    named = {"encoding": encoding.upper()}
    assert started(start({"media_format": named})).media_format.encoding == encoding
    assert started(start({}, mediaFormat=named)).media_format.encoding == encoding


@pytest.mark.parametrize("media_format", [None, [], "audio/x-mulaw", 8000, {"encoding": 5.5}])
def test_no_media_format(media_format: Any) -> None:
    """A ``media_format`` that is no object, or says nothing, is an empty one."""
    assert started(start({"media_format": media_format})).media_format == MediaFormat()


def test_custom_parameters_keep_their_names() -> None:
    """They are the user's: neither case nor underscores are touched, and one may have no value."""
    given = {"Some_Key": "V", "someKey": "w", "x": "", "stream_sid": "not ours", "n": None, "i": 5}
    expected = given | {"n": "", "i": "5"}
    for key in ("custom_parameters", "customParameters"):
        event = started(start({key: given, "stream_sid": "S"}))
        assert event.custom_parameters == expected
        assert event.stream_sid == "S"


def test_custom_parameters_at_the_top() -> None:
    """They may stand beside ``start``; empty ones inside do not hide them."""
    insides: list[dict[str, Any]] = [{}, {"custom_parameters": {}}, {"custom_parameters": None}]
    for inside in insides:
        assert started(start(inside, custom_parameters={"a": "b"})).custom_parameters == {"a": "b"}


def test_custom_parameters_in_connected() -> None:
    """``connected`` may carry them already, at the top or inside."""
    for key in ("custom_parameters", "customParameters"):
        assert decode(frame("connected", **{key: {"a": "b"}})) == Connected({"a": "b"})
        assert decode(frame("connected", connected={key: {"a": ""}})) == Connected({"a": ""})


def test_custom_parameters_are_bounded() -> None:
    """More than are ever sent are dropped, and long ones are cut."""
    many = {f"{index}": "v" for index in range(1000)}
    assert len(started(start({"custom_parameters": many})).custom_parameters) == (
        MAX_CUSTOM_PARAMETERS
    )
    long = started(start({"custom_parameters": {"k" * 1000: "v" * 1000}})).custom_parameters
    assert long == {"k" * MAX_TEXT: "v" * MAX_TEXT}


@pytest.mark.parametrize("given", [None, [], "a=b", 5, [["a", "b"]]])
def test_no_custom_parameters(given: Any) -> None:
    """What is no object holds no parameters."""
    assert started(start({"custom_parameters": given})).custom_parameters == {}


# ------------------------------------------------------------------ media


@pytest.mark.parametrize(
    ("written", "timestamp_ms"),
    [
        ("20", 20),
        (20, 20),
        (20.9, 20),
        ("0", 0),
        (0, 0),
        (3_600_000, 3_600_000),
        ("", None),
        (None, None),
        (False, None),
        (-20, None),
        ("-20", None),
        ("soon", None),
        ("٢٠", None),
        ("²", None),
        ("9" * 16, None),
        (10**15, None),
        (10**400, None),
        (1e300, None),
        ([20], None),
        ({}, None),
    ],
)
def test_timestamps(written: Any, timestamp_ms: int | None) -> None:
    """A timestamp is a number of milliseconds; any other says nothing and loses no audio."""
    assert decode(frames.media(b"audio", timestamp=written)) == Media(b"audio", timestamp_ms, "S")


def test_media_without_ids_and_numbers() -> None:
    """The payload is enough."""
    assert decode('{"event":"media","media":{"payload":"AAEC"}}') == Media(b"\x00\x01\x02", None)


def test_flat_media() -> None:
    """Payload and timestamp may stand at the top."""
    assert decode(frame("media", stream_sid="S", payload="AAEC", timestamp="40")) == Media(
        b"\x00\x01\x02", 40, "S"
    )


@pytest.mark.parametrize(("sid", "kept"), [(7, "7"), (None, ""), ([], "")])
def test_media_with_an_id_that_is_no_text(sid: Any, kept: str) -> None:
    """An integer is kept as text, as in ``start``; anything else is no id."""
    text = frame("media", stream_sid=sid, media={"payload": "AAEC"})
    assert decode(text) == Media(b"\x00\x01\x02", None, kept)


@pytest.mark.parametrize("key", ["track", "Track"])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("sid", ["S", ""])
@pytest.mark.parametrize("name", ["outbound", "Outbound", "OUTBOUND"])
def test_the_bot_s_own_audio_is_ignored(key: str, inside: bool, sid: str, name: str) -> None:
    """A track ``outbound`` is ours coming back, wherever it stands and however it is spelled."""
    inner = {"payload": "AAEC"} | ({key: name} if inside else {})
    text = frame("media", stream_sid=sid, media=inner, **({} if inside else {key: name}))
    assert decode(text) == Ignored("media")


@pytest.mark.parametrize("track", ["inbound", "", None, 5, "outbound-ish"])
def test_any_other_track_is_the_caller(track: Any) -> None:
    """Only ``outbound`` is dropped."""
    assert decode(frames.media(b"a", track=track)) == Media(b"a", None, "S")
    text = frame("media", stream_sid="S", Track=track, media={"payload": "YQ=="})
    assert decode(text) == Media(b"a", None, "S")


@pytest.mark.parametrize("sid", ["S", ""])
@pytest.mark.parametrize(
    ("payload", "audio"),
    [
        ("", b""),
        ("+/+/", b"\xfb\xff\xbf"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("-/+_", b"\xfb\xff\xbf"),
        ("YQ==", b"a"),
        ("YQ", b"a"),
        ("YQ=", b"a"),
        ("YWI=", b"ab"),
        ("YWI", b"ab"),
        (" YWJj\r\n", b"abc"),
    ],
)
def test_base64(payload: str, audio: bytes, sid: str) -> None:
    """Both alphabets are read, padded or not, with white space around."""
    text = frame("media", stream_sid=sid, media={"payload": payload})
    assert decode(text) == Media(audio, None, sid)


@pytest.mark.parametrize("sid", ["S", ""])
@pytest.mark.parametrize(
    "payload",
    [
        "Y",
        "YWJjZ",
        "YW!j",
        "YQ==YQ==",
        "====",
        "=",
        "Y=Q=",
        "ä",
        "YW\u0000j",
        "😀",
        None,
        5,
        [],
        {},
    ],
)
def test_broken_payloads(payload: Any, sid: str) -> None:
    """What is not base64 is a bad frame: half a payload would be noise in the caller's turn."""
    with pytest.raises(BadFrameError):
        decode(frame("media", stream_sid=sid, media={"payload": payload}))


@pytest.mark.parametrize("media", [None, [], "AAEC", 5, {}, {"chunk": "1"}])
def test_media_without_payload(media: Any) -> None:
    """There is no audio in it."""
    with pytest.raises(BadFrameError, match="payload"):
        decode(frame("media", stream_sid="S", media=media))


@given(st.binary(max_size=2000))
def test_any_audio_arrives_as_it_was(audio: bytes) -> None:
    """Every byte of every payload, in both alphabets."""
    standard = base64.b64encode(audio).decode()
    safe = base64.urlsafe_b64encode(audio).decode().rstrip("=")
    for payload in (standard, safe):
        text = frame("media", stream_sid="S", media={"payload": payload, "timestamp": "1"})
        assert decode(text) == Media(audio, 1, "S")


_NUMBERS = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.floats(allow_nan=False))
_PAYLOADS = st.one_of(
    st.binary(max_size=40).map(lambda audio: binascii.b2a_base64(audio, newline=False).decode()),
    st.text("AQgw+/-_= \n", max_size=12),
)
_TRACKS = st.sampled_from([None, "", "inbound", "outbound", "OutBound"])


@given(st.text(min_size=1), _PAYLOADS, _NUMBERS, _TRACKS, _TRACKS)
def test_the_short_path_reads_what_the_long_one_reads(
    sid: str, payload: str, timestamp: Any, inner: str | None, outer: str | None
) -> None:
    """A canonical media frame means the same as one whose keys force the liberal reader."""
    media = {"payload": payload, "timestamp": timestamp, "track": inner}
    canonical = {"event": "media", "stream_sid": sid, "track": outer, "media": media}
    odd = {"Event" if key == "event" else key: value for key, value in canonical.items()}
    assert outcome(json.dumps(canonical)) == outcome(json.dumps(odd))


# ------------------------------------------------------------------ keys, marks, the end


@pytest.mark.parametrize("digit", [*"0123456789*#ABCD"])
def test_every_key(digit: str) -> None:
    """The sixteen keys are known."""
    assert decode(frame("dtmf", dtmf={"digit": digit})) == Dtmf(digit)


@pytest.mark.parametrize(
    "text",
    [
        frame("dtmf", digit="5"),
        frame("dtmf", digit=5),
        frame("dtmf", dtmf={"digit": 5}),
        frame("dtmf", dtmf={"Digit": ' "5" '}),
        frame("dtmf", dtmf=None, digit="5"),
    ],
)
def test_spellings_of_a_key(text: str) -> None:
    """A digit may stand flat, as an integer, or in quotes of its own."""
    assert decode(text) == Dtmf("5")


def test_key_letters_in_lower_case() -> None:
    """``a`` is the key A."""
    assert decode(frame("dtmf", digit="a", duration=80)) == Dtmf("A", 80)


@pytest.mark.parametrize("digit", ["", "E", "12", "٥", None, True, [], 1.5, -1])
def test_no_key(digit: Any) -> None:
    """Only one key at a time is one."""
    with pytest.raises(BadFrameError):
        decode(frame("dtmf", dtmf={"digit": digit}))


@pytest.mark.parametrize(
    "text",
    [
        frame("mark", mark={"name": "5"}),
        frame("mark", mark={"name": 5}),
        frame("mark", name="5"),
        frame("mark", streamSid="S", sequenceNumber=3, mark={"Name": "5"}),
    ],
)
def test_spellings_of_a_mark(text: str) -> None:
    """A mark's name may stand flat, or be a number."""
    assert decode(text) == MarkPlayed("5")


@pytest.mark.parametrize("mark", [None, {}, [], {"name": ""}, {"name": None}, {"name": [1]}])
def test_a_mark_without_a_name(mark: Any) -> None:
    """It marks nothing."""
    with pytest.raises(BadFrameError, match="name"):
        decode(frame("mark", mark=mark))


@pytest.mark.parametrize(
    "text",
    [
        '{"event":"stop"}',
        frame("stop", stop=None),
        frame("stop", stop={}),
        frame("stop", stop="now"),
        frame("stop", stop={"reason": None}),
        frame("stop", stop={"reason": ["x"]}),
    ],
)
def test_a_bare_stop(text: str) -> None:
    """A stop is a stop, whatever it says or does not say."""
    assert decode(text) == Stopped("")


@pytest.mark.parametrize("reason", ["stopped", "callended", "canceled or call ended", "नया"])
def test_reasons_are_opaque(reason: str) -> None:
    """The reason is kept as it is, inside or flat."""
    assert decode(frame("stop", stop={"callSid": "C", "reason": reason})) == Stopped(reason)
    assert decode(frame("stop", reason=reason)) == Stopped(reason)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('{"event":"clear","stream_sid":"S"}', "clear"),
        ('{"event":"Something_New","x":{}}', "something_new"),
        (frame("x" * 1000), "x" * 32),
        (frame("5"), "5"),
        ('{"event":5}', "5"),
        ('{"EVENT":"pong"}', "pong"),
    ],
)
def test_events_that_mean_nothing_to_us(text: str, event: str) -> None:
    """An inbound ``clear`` and unknown events are well-formed, and named for the count."""
    assert decode(text) == Ignored(event)
