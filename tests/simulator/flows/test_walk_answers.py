"""What servers answer a Connect applet, read without a server."""

from __future__ import annotations

import json
import wave
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.flows.agents import ABSENT, Behaviour, Phones, same_phone
from exobridge.simulator.flows.applets.passthru import applet_named, is_json
from exobridge.simulator.flows.audio import AudioError, audio_seconds
from exobridge.simulator.flows.dial_answer import (
    KEYS,
    MAX_PARALLEL,
    MAX_RING_S,
    MAX_TALK_S,
    DialAnswer,
    DialOrder,
    Playback,
    read_json,
    read_text,
)
from exobridge.simulator.flows.model import Agent
from exobridge.simulator.rules import Rule

ONE, TWO = "+918041112231", "+918041112232"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
)


def answered(**keys: Any) -> DialAnswer:
    """An answer to a programmable Connect applet that dials one number."""
    body = {"destination": {"numbers": [ONE]}, **keys}
    return read_json(200, "application/json", json.dumps(body))


def test_every_documented_key_is_read() -> None:
    """As Exotel's documents show it."""
    answer = answered(
        fetch_after_attempt=True,
        outgoing_phone_number="+918047112233",
        record=True,
        recording_channels="dual",
        max_ringing_duration=45,
        max_conversation_duration=3600,
        music_on_hold={"type": "custom_tone", "value": "https://x.example/music.wav"},
        start_call_playback={"playback_to": "both", "type": "text", "value": "Hello."},
        parallel_ringing={"activate": True, "max_parallel_attempts": 3},
        dial_passthru_event_url="https://x.example/events",
    )
    assert answer.breaches == ()
    assert answer.order == DialOrder(
        numbers=(ONE,),
        again=True,
        outgoing_number="+918047112233",
        ring_s=45,
        talk_s=3600,
        music="custom_tone",
        music_url="https://x.example/music.wav",
        parallel=3,
        playback=Playback("text", "Hello.", "both"),
        events_url="https://x.example/events",
    )


def test_without_other_keys_the_documented_defaults_hold() -> None:
    """30 s of ringing, 900 s of talk, one after the other."""
    order = answered().order
    assert order == DialOrder(numbers=(ONE,), ring_s=30, talk_s=900, music="default_tone")
    assert answered(parallel_ringing={"activate": True}).order == DialOrder((ONE,), parallel=5)
    assert answered(parallel_ringing={"max_parallel_attempts": 9}).order == DialOrder((ONE,))


BOUNDS: list[tuple[str, list[Any], list[Any]]] = [
    ("max_ringing_duration", [1, 60], [0, 61, -1, "30", True, None, float("nan")]),
    ("max_conversation_duration", [1, 4500], [0, 4501, "900", [], float("inf")]),
    ("fetch_after_attempt", [True, False], ["true", 1, None]),
    ("record", [True, False], ["no", 0]),
    ("recording_channels", ["single", "dual"], ["stereo", 2, None]),
    ("outgoing_phone_number", [TWO], ["08041112232", 8041112232]),
    ("dial_passthru_event_url", ["http://x/"], ["x", "ftp://x", 5, "http://["]),
    ("music_on_hold", [{"type": "operator_tone"}], [{"type": "x"}, "x", {"type": []}]),
    ("parallel_ringing", [{"activate": False}], [{"activate": 1}, [], 3]),
    (
        "start_call_playback",
        [{"type": "text", "value": "x"}],
        [
            {},
            {"type": "text"},
            {"type": "text", "value": " "},
            {"type": "song", "value": "x"},
            {"type": "audio_url"},
        ],
    ),
]
"""Each key, values within its bounds, and values beyond."""


@pytest.mark.parametrize(("key", "within", "beyond"), BOUNDS)
def test_each_key_has_its_bounds(key: str, within: list[Any], beyond: list[Any]) -> None:
    """A value beyond them breaks a rule that names the key, and the default holds."""
    for value in within:
        assert answered(**{key: value}).breaches == ()
    for value in beyond:
        answer = answered(**{key: value})
        assert [breach.rule for breach in answer.breaches] == [Rule.DIAL_KEY], value
        assert key in answer.breaches[0].detail
        assert answer.order == DialOrder((ONE,)), value


@given(st.fixed_dictionaries({}, optional={key: ANYTHING for key in KEYS}))
def test_no_object_breaks_the_reader(body: dict[str, Any]) -> None:
    """What is read of it is within the documented bounds, whatever stands in it."""
    order = read_json(200, "application/json", json.dumps(body)).order
    if order is not None:
        assert 1 <= order.ring_s <= MAX_RING_S
        assert 1 <= order.talk_s <= MAX_TALK_S
        assert 1 <= order.parallel <= MAX_PARALLEL
        assert all(number.startswith("+") for number in order.numbers)


@given(st.integers(100, 599), st.text(max_size=20), st.none() | st.text(max_size=200))
def test_no_text_breaks_the_reader(status: int, kind: str, text: str | None) -> None:
    """It dials somebody only by numbers in E.164 that stand in it."""
    for answer in (read_json(status, kind, text), read_text(status, kind, text, again=True)):
        if answer.order is not None:
            assert all(number in (text or "") for number in answer.order.numbers)


@pytest.mark.parametrize(
    ("status", "kind", "body", "rule", "asks_fallback"),
    [
        (500, "application/json", {}, Rule.DIAL_STATUS, True),
        (200, "text/plain", {"destination": {"numbers": [ONE]}}, Rule.DIAL_TYPE, True),
        (200, "application/json", [1], Rule.DIAL_BODY, True),
        (200, "application/json", {"destination": []}, Rule.DIAL_BODY, True),
        (200, "application/json", {"destination": {}}, Rule.DIAL_BODY, True),
        (200, "application/json", {"destination": {"numbers": ONE}}, Rule.DIAL_BODY, False),
        (200, "application/json", {"destination": {"numbers": [5]}}, Rule.DIAL_NUMBERS, False),
    ],
)
def test_an_answer_that_cannot_be_used_breaks_one_rule(
    status: int, kind: str, body: Any, rule: Rule, asks_fallback: bool
) -> None:
    """The documented causes lead to the fallback URL, a wrong value does not."""
    answer = read_json(status, kind, json.dumps(body))
    assert [breach.rule for breach in answer.breaches] == [rule]
    assert (answer.order is None) is asks_fallback


@pytest.mark.parametrize(
    ("kind", "text", "numbers", "broken"),
    [
        ("text/plain", f" {ONE} ,{TWO},\n", (ONE, TWO), []),
        ("text/plain", "", (), []),
        ("text/html", ONE, (ONE,), [Rule.DIAL_TYPE]),
        ("text/plain", "call somebody", (), [Rule.DIAL_BODY]),
        ("text/plain", None, (), [Rule.DIAL_BODY]),
        ("text/plain", "+0918041112231", (), [Rule.DIAL_NUMBERS]),
        ("text/plain", f"{ONE}0000000000", (), [Rule.DIAL_NUMBERS]),
    ],
)
def test_a_text_is_numbers_with_commas_between(
    kind: str, text: str | None, numbers: tuple[str, ...], broken: list[Rule]
) -> None:
    """And nothing else; its type does not keep it from being read."""
    answer = read_text(200, kind, text, again=False)
    assert answer.order == DialOrder(numbers)
    assert [breach.rule for breach in answer.breaches] == broken


def test_a_text_is_asked_for_again_as_the_applet_says() -> None:
    """And not at all of an answer that is no success."""
    for again in (True, False):
        assert read_text(200, "text/plain", ONE, again=again).order == DialOrder(
            (ONE,), again=again
        )
    failed = read_text(500, "text/plain", ONE, again=True)
    assert (failed.order, [breach.rule for breach in failed.breaches]) == (None, [Rule.DIAL_STATUS])


def test_json_that_is_too_deep_is_none() -> None:
    """And no crash."""
    answer = read_json(200, "application/json", "[" * 100_000)
    assert (answer.order, [breach.rule for breach in answer.breaches]) == (None, [Rule.DIAL_BODY])


def test_a_key_that_is_not_documented_is_named() -> None:
    """It may be a slip."""
    answer = answered(max_ringing=30)
    assert [breach.rule for breach in answer.breaches] == [Rule.DIAL_KEY]
    assert "max_ringing" in answer.breaches[0].detail


def test_music_that_is_nowhere_is_the_usual_tone() -> None:
    """And the table that lacks its address is named."""
    answer = answered(music_on_hold={"type": "custom_tone"})
    assert answer.order == DialOrder((ONE,))
    assert [breach.detail for breach in answer.breaches] == [
        "music_on_hold: 'value' is no http:// or https:// URL"
    ]


def test_one_number_that_is_none_dials_nobody() -> None:
    """As Exotel's documents say of an invalid number."""
    answer = read_text(200, "text/plain", f"{ONE}, 12", again=False)
    assert (answer.order, [breach.rule for breach in answer.breaches]) == (
        DialOrder(),
        [Rule.DIAL_NUMBERS],
    )
    assert ONE not in answer.breaches[0].detail


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_audio(data: bytes) -> None:
    """They are audio of some length, or none."""
    for begin in (
        b"",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"ID3\x04\x00\x00",
        b"\xff\xe3",
        b"\xff\xfb",
    ):
        with suppress(AudioError):
            assert audio_seconds(begin + data) >= 0


def wav(rate: int, channels: int, width: int) -> bytes:
    """Half a second of silence."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(bytes(rate // 2 * channels * width))
    return file.getvalue()


def test_only_such_wav_as_a_telephone_plays() -> None:
    """8 kHz, one channel, 16 bits."""
    assert audio_seconds(wav(8000, 1, 2)) == 0.5
    for rate, channels, width in ((16000, 1, 2), (8000, 2, 2), (8000, 1, 1), (8000, 1, 3)):
        with pytest.raises(AudioError):
            audio_seconds(wav(rate, channels, width))
    with pytest.raises(AudioError):
        audio_seconds(None)


def test_an_mp3_is_as_long_as_its_bit_rate_says() -> None:
    """Whatever tag stands before it."""
    frames = b"\xff\xfb\x90\x00" + bytes(15_996)  # 128 kbit/s
    assert audio_seconds(frames) == 1.0
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    assert audio_seconds(tag + frames) == 1.0
    assert audio_seconds(b"\xff\xf3\x10\x00" + bytes(996)) == 1.0  # MPEG 2, 8 kbit/s


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xfd\x90\x00",
        b"\xff\xeb\x90\x00",
        b"\xff\xfb\x00\x00",
        b"\xff\xfb\xf0\x00",
        b"\xff\xfb\x90",
    ],
    ids=["layer II", "no version", "free bit rate", "bad bit rate", "too short"],
)
def test_what_only_looks_like_mp3_is_none(head: bytes) -> None:
    """It has a frame's beginning, and no length that could be told."""
    with pytest.raises(AudioError):
        audio_seconds(head)


def test_a_phone_does_its_doings_in_turn() -> None:
    """The last ever after; each phone has its own turn, however its number is written."""
    phones = Phones([Agent(number="08041112231", does=["busy", "answers"]), Agent(number=TWO)])
    assert [phones.dial(ONE).does for _ in range(3)] == ["busy", "answers", "answers"]
    assert phones.dial("08041112232").does == "answers"
    assert phones.dial("+911234567890") is ABSENT
    slow = Agent(number=TWO, ring_seconds=3, talk_seconds=7, leaves_first=False)
    assert Phones([slow]).dial(TWO) == Behaviour("answers", 3, 7, leaves_first=False)
    assert phones.knows("918041112231")
    assert same_phone("121") == "121"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vip-connect", "vip-connect"),
        ("https://my.exotel.com/exoml/start/vip-connect", "vip-connect"),
        ("http://[", "http://["),
        ("https://my.exotel.com/other/vip", "https://my.exotel.com/other/vip"),
    ],
)
def test_an_applet_is_named_by_itself_or_by_its_address(text: str, name: str) -> None:
    """Anything else is taken as it is."""
    assert applet_named(text) == name


@given(st.text(max_size=100))
def test_no_body_breaks_the_reader_of_bodies(text: str) -> None:
    """It is a JSON object, or the name of something."""
    assert is_json(text) in (True, False)
    assert isinstance(applet_named(text), str)
