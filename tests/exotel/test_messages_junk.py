"""Text frames that Exotel should never send, and that anyone may."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.messages import (
    MAX_CUSTOM_PARAMETERS,
    MAX_TEXT,
    BadFrameError,
    Dtmf,
    Ignored,
    MarkPlayed,
    Media,
    Started,
    decode,
)
from tests.exotel import frames
from tests.exotel.frames import frame, outcome


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "5",
        '"media"',
        "[]",
        '[{"event":"media"}]',
        "{}",
        '{"event"',
        '{"event":"media"',
        '{"event":"connected"} x',
        '{"event":"connected"}{"event":"connected"}',
        "{'event':'connected'}",
        '{"event":""}',
        '{"event":null}',
        '{"event":["media"]}',
        '{"event":true}',
        '{"type":"media"}',
        '{"event":"connected","x":NaN}',
        '{"event":"media","stream_sid":"S","media":{"payload":"","timestamp":NaN}}',
        '{"event":"media","stream_sid":"S","media":{"payload":"","timestamp":Infinity}}',
        '{"event":"media","stream_sid":"S","media":{"payload":"","timestamp":-Infinity}}',
        '{"event":"media","stream_sid":"S","media":{"payload":"","timestamp":1e999}}',
        '{"event":"start","stream_sid":"\\ud800"}',
        '{"event":"start","stream_sid":"\\udc00\\ud800"}',
        '{"event":"\ud800"}',
        '{"event":"mark","mark":{"name":"a\nb"}}',
        '{"event":"mark","mark":{"name":"\\x"}}',
        b"\xef\xbb\xbf" + frames.CONNECTED.encode(),
        frames.CONNECTED.encode("utf-16"),
        b'{"event":"\xff\xfe"}',
        b'{"event":"mark","mark":{"name":"\xed\xa0\x80"}}',
        b"\x00\x01\x02\x03",
        b"\xff" * 4096,
        base64.b64decode("AAEC") * 100,
    ],
)
def test_junk(text: str | bytes) -> None:
    """What is not JSON, no object, or names no event is a bad frame."""
    with pytest.raises(BadFrameError):
        decode(text)


@pytest.mark.parametrize("depth", [500, 1_000, 2_000, 10_000, 200_000])
@pytest.mark.parametrize(
    ("before", "opening", "middle", "closing", "after"),
    [
        ("", "[", "", "]", ""),
        ("", '{"event":', '"media"', "}", ""),
        ('{"event":"media","x":', "[", "", "]", "}"),
        ('{"event":"start","start":{"custom_parameters":', '{"a":', "1", "}", "}}"),
        (frames.MEDIA[:-1] + ',"x":', "[", "", "]", "}"),
    ],
)
def test_deep_nesting(
    before: str, opening: str, middle: str, closing: str, after: str, depth: int
) -> None:
    """A frame nested beyond any reason is a bad frame at worst."""
    event = outcome(before + opening * depth + middle + closing * depth + after)
    assert event is None or depth < 10_000, "how deep is too deep is the interpreter's matter"


def test_huge_numbers() -> None:
    """Integers of thousands of digits are no timestamps; they do no harm."""
    for digits in (400, 4_301, 100_000):
        text = frames.MEDIA.replace('"timestamp":"20"', f'"timestamp":{"9" * digits}')
        assert outcome(text) in (None, Media(b"\x00\x01\x02", None, "S"))


def test_huge_frames() -> None:
    """Megabytes are read like bytes; the socket bounds them."""
    audio = bytes(range(256)) * 8192
    assert decode(frames.media(audio, timestamp="5")) == Media(audio, 5, "S")
    assert decode(frame("x", junk="y" * 2_000_000)) == Ignored("x")


def test_duplicate_keys() -> None:
    """Of a key that is repeated the last counts."""
    text = '{"event":"stop","event":"mark","mark":{"name":"a","name":"b"}}'
    assert decode(text) == MarkPlayed("b")
    twice = frames.MEDIA.replace('"timestamp":"20"', '"timestamp":"20","timestamp":"40"')
    assert decode(twice) == Media(b"\x00\x01\x02", 40, "S")


def test_escapes() -> None:
    """A pair of surrogates is one character."""
    assert decode('{"event":"mark","mark":{"name":"\\ud83d\\ude00\\u0905"}}') == MarkPlayed("😀अ")


# ------------------------------------------------------------------ anything at all


_KEYS = st.one_of(
    st.sampled_from(["event", "start", "media", "dtmf", "mark", "connected", "stop"]),
    st.sampled_from(["stream_sid", "streamSid", "call_sid", "custom_parameters", "media_format"]),
    st.sampled_from(["sample_rate", "bit_rate", "encoding", "payload", "timestamp", "track"]),
    st.sampled_from(["digit", "name", "reason"]),
)
_EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "clear", "x"])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), _EVENTS
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def _event(event: str, fields: dict[str, object]) -> str:
    return json.dumps({**fields, "event": event})


def _damaged(text: str, position: int, patch: bytes) -> bytes:
    raw = text.encode()
    position %= len(raw) + 1
    return raw[:position] + patch + raw[position + len(patch) :]


_ANYTHING: st.SearchStrategy[str | bytes] = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=200),
    st.binary(max_size=200),
    st.builds(_event, _EVENTS, st.dictionaries(_KEYS, _VALUES, max_size=5)),
    _VALUES.map(json.dumps),
    st.builds(_damaged, st.sampled_from(frames.ALL), st.integers(0, 400), st.binary(max_size=4)),
)


@given(_ANYTHING)
def test_nothing_but_a_bad_frame_is_raised(text: str | bytes) -> None:
    """Any input is an event or a bad frame, and what is kept of it is bounded."""
    match outcome(text):
        case Started() as event:
            texts = [event.stream_sid, event.call_sid, event.account_sid]
            texts += [event.from_number, event.to_number, event.media_format.encoding]
            assert max(map(len, texts)) <= MAX_TEXT
            assert len(event.custom_parameters) <= MAX_CUSTOM_PARAMETERS
        case Media() as event:
            assert event.timestamp_ms is None or event.timestamp_ms >= 0
            assert len(event.stream_sid) <= MAX_TEXT
        case Dtmf() as event:
            assert event.digit in tuple("0123456789*#ABCD")
        case MarkPlayed() as event:
            assert 0 < len(event.name) <= MAX_TEXT
        case Ignored() as event:
            assert 0 < len(event.event) <= 32
        case _:
            pass
