"""What is taken out of a wire file, and what stays."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.wire import Dialect, FrameWriter, Identity, Keys
from exobridge.wire.masking import MAX_NUMBERS, Masker
from exobridge_codecs.formats import pcm16

SECRET = "a-secret-of-the-tests"
IDENTITY = Identity("call", "stream", "acme", "leg", "09811122233", "08047112244")


def test_a_number_looks_the_same_however_it_is_written() -> None:
    """By name, in a text, encoded, in every spelling Exotel has."""
    masker = Masker()
    for spelled in ("09811122233", "9811122233", "919811122233", "+919811122233"):
        assert masker.parameter("CallFrom", spelled) == ("CallFrom", "+91*******233")
        assert masker.text(f"call {spelled} back") == "call +91*******233 back"
    assert masker.text("from=%2B919811122233&x=1") == "from=+91*******233&x=1"


def test_two_numbers_that_look_alike_are_told_apart() -> None:
    """The second has a number behind it, each time."""
    masker = Masker()
    assert masker.parameter("From", "09811122233")[1] == "+91*******233"
    assert masker.parameter("To", "08047112233")[1] == "+91*******233/2"
    assert masker.parameter("CallFrom", "+919811122233")[1] == "+91*******233"
    assert masker.text("to +918047112233") == "to +91*******233/2"
    assert masker.parameter("To", "+917200498233")[1] == "+91*******233/3"


def test_numbers_beyond_those_of_a_call_are_hidden_whole() -> None:
    """So a hostile caller cannot fill the memory with them."""
    masker = Masker()
    for number in range(MAX_NUMBERS):
        masker.parameter("From", f"+9198{number:08d}")
    assert masker.parameter("From", "+919911122233")[1] == "***"


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("auth_token", "abc", "***"),
        ("StreamUrl", "wss://u:p@host/path?k=v", "***"),
        ("Legs[0][Number]", "07200498123", "+91*******123"),
        ("DialWhomNumber", "null", "null"),
        ("DialWhomNumber", "", ""),
        ("From", "anonymous", "***"),
        ("CallTo", "anonymous", "***"),
        ("OutgoingPhoneNumber", "anonymous", "***"),
        ("Legs[0][Number]", "anonymous", "***"),
        ("Stream", '{"From":"anonymous"}', '{"From":"***"}'),
        ("numbers", "+919811122233,+919811122244", "+91*******233,+91*******244"),
        ("CustomField", "0123456789abcdefABCDEF", "***"),
        ("CustomField", "order 17", "order 17"),
        ("CustomField", "a-word-that-is-long-and-no-token", "a-word-that-is-long-and-no-token"),
        ("CustomField", '{"token":"x","order":17}', '{"token":"***","order":17}'),
        ("CallSid", "0123456789abcdefABCDEF0123456789", "0123456789abcdefABCDEF0123456789"),
        (
            "RecordingUrl",
            "https://u:p@recordings.exotel.com/a",
            "https://***@recordings.exotel.com/a",
        ),
        ("note", f"it is {SECRET}", "it is ***"),
    ],
)
def test_parameters(name: str, value: str, written: str) -> None:
    """Names tell what is a number and what a secret; what tells nothing is left."""
    assert Masker([SECRET]).parameter(name, value) == (name, written)


@pytest.mark.parametrize("keys", [Keys.SNAKE, Keys.CAMEL])
def test_a_start_event(keys: Keys) -> None:
    """Numbers and what looks like a token are masked; ids, formats and plain words stay."""
    writer = FrameWriter(pcm16(8000), IDENTITY, Dialect(keys=keys))
    given_parameters = {"plan": "gold", "session": "abcdef0123456789", "0123456789abcdefXYZ": ""}
    start = json.loads(Masker().frame(writer.start(given_parameters)))["start"]
    assert (start["from"], start["to"]) == ("+91*******233", "+91*******244")
    parameters = start.get("custom_parameters") or start["customParameters"]
    assert parameters == {"plan": "gold", "session": "***", "***": ""}
    assert "call" in start.values()


@given(st.binary(max_size=400))
def test_audio_is_kept_as_it_is(audio: bytes) -> None:
    """Whatever digits its base64 happens to hold, in a frame of any shape."""
    payload = base64.b64encode(audio).decode()
    frame = FrameWriter(pcm16(8000), IDENTITY, Dialect()).media(payload, 20)
    assert Masker().frame(frame) == frame
    odd = json.dumps({"event": "media", "from": "09811122233", "media": {"payload": payload}})
    assert json.loads(Masker().frame(odd)) == {
        "event": "media",
        "from": "+91*******233",
        "media": {"payload": payload},
    }


def test_audio_that_looks_like_a_number_is_kept() -> None:
    """What is no base64 is no audio."""
    frame = '{"odd":true,"media":{"payload":"%s"}}'
    assert Masker().frame(frame % "09811122233") == frame % "09811122233"
    assert Masker().frame(frame % "call 09811122233!") == frame % "call +91*******233!"


def test_a_number_that_is_no_string_is_masked_too() -> None:
    """JSON has numbers of its own, and lists, and what is neither."""
    masked = Masker().json('{"phone":9811122233,"chunk":7,"to":8047112244,"from":true}')
    assert json.loads(masked) == {
        "phone": "+91*******233",
        "chunk": 7,
        "to": "+91*******244",
        "from": True,
    }
    assert Masker().json('{"numbers":["+919811122233","anonymous"]}') == (
        '{"numbers":["+91*******233","***"]}'
    )


@given(st.text(max_size=200))
def test_any_frame_can_be_written(text: str) -> None:
    """Nothing that a socket can carry stops the file: the result is UTF-8."""
    Masker([SECRET]).frame(text).encode()
    Masker([SECRET]).parameter(text, text)[1].encode()


def test_half_a_character_is_replaced() -> None:
    """UTF-8 cannot say it."""
    assert Masker().frame("half \ud800") == "half ?"
    assert Masker().parameter("note", "half \ud800") == ("note", "half ?")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_stays_json(value: object) -> None:
    """Of the same shape."""
    text = json.dumps([value])
    assert len(json.loads(Masker().json(text))) == 1


def test_json_that_is_too_deep_is_a_text() -> None:
    """And no crash."""
    assert Masker().frame("[" * 100_000) == "[" * 100_000
