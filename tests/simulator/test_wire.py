"""The frames Exotel sends."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from exobridge.simulator.wire import (
    Dialect,
    FrameWriter,
    Identity,
    Ids,
    Keys,
    bit_rate,
    stream_format,
)
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

WHO = Identity("C", "S", "A", "L", "09811122233", "08047112233")


def writer(**dialect: Any) -> FrameWriter:
    """A writer of PCM16 at 8 kHz."""
    return FrameWriter(pcm16(8000), WHO, Dialect(**dialect))


def test_live_frames_are_written_as_seen() -> None:
    """Snake case, numbers as strings, one running sequence number: the documented examples."""
    write = writer()
    assert json.loads(write.connected()) == {"event": "connected"}
    assert json.loads(write.start({"k": "v"})) == {
        "event": "start",
        "sequence_number": "1",
        "stream_sid": "S",
        "start": {
            "stream_sid": "S",
            "call_sid": "C",
            "leg_sid": "L",
            "account_sid": "A",
            "from": "09811122233",
            "to": "08047112233",
            "custom_parameters": {"k": "v"},
            "media_format": {"encoding": "base64", "sample_rate": "8000", "bit_rate": "128kbps"},
        },
    }
    assert json.loads(write.media("AAAA", 0)) == {
        "event": "media",
        "sequence_number": "2",
        "stream_sid": "S",
        "media": {"chunk": "1", "timestamp": "0", "payload": "AAAA"},
    }
    assert json.loads(write.dtmf("5")) == {
        "event": "dtmf",
        "sequence_number": "3",
        "stream_sid": "S",
        "dtmf": {"digit": "5", "duration": "100"},
    }
    assert json.loads(write.mark('a"b')) == {
        "event": "mark",
        "sequence_number": "4",
        "stream_sid": "S",
        "mark": {"name": 'a"b'},
    }
    assert json.loads(write.media("BBBB", 20))["media"]["chunk"] == "2"
    assert json.loads(write.stop("callended")) == {
        "event": "stop",
        "sequence_number": "6",
        "stream_sid": "S",
        "stop": {"call_sid": "C", "account_sid": "A", "reason": "callended"},
    }


def test_camel_case_leaves_the_users_names_alone() -> None:
    """Exotel's keys change; a custom parameter's name does not."""
    write = writer(keys=Keys.CAMEL, text_numbers=False)
    start = json.loads(write.start({"call_sid": "mine"}))
    assert start["sequenceNumber"] == 1
    assert start["start"]["customParameters"] == {"call_sid": "mine"}
    assert start["start"]["mediaFormat"]["sampleRate"] == 8000
    media = json.loads(write.media("AAAA", 40))
    assert media["streamSid"] == "S"
    assert media["sequenceNumber"] == 2
    assert media["media"] == {"chunk": 1, "timestamp": 40, "payload": "AAAA"}


@pytest.mark.parametrize(
    ("ids", "top", "inside"),
    [(Ids.BOTH, {"stream_sid"}, True), (Ids.TOP, {"stream_sid", "call_sid"}, False)],
)
def test_ids_stand_where_asked(ids: Ids, top: set[str], inside: bool) -> None:
    """The start event's ids are at the top, inside, or both."""
    start = json.loads(writer(ids=ids).start({}))
    assert top <= start.keys()
    assert ("call_sid" in start["start"]) is inside


@pytest.mark.parametrize(
    ("encoding", "rate", "written"),
    [
        (Encoding.MULAW, 8000, "64kbps"),
        (Encoding.PCM16, 8000, "128kbps"),
        (Encoding.PCM16, 16000, "256kbps"),
        (Encoding.PCM16, 24000, "384kbps"),
    ],
)
def test_bit_rates(encoding: Encoding, rate: int, written: str) -> None:
    """The bit rate is the audio's, in Exotel's spelling."""
    assert bit_rate(AudioFormat(encoding, rate)) == written


def test_mulaw_has_one_rate() -> None:
    """A stream's URL may ask for 16 kHz; μ-law stays at 8."""
    assert stream_format(Encoding.MULAW, 16000) == AudioFormat(Encoding.MULAW, 8000)
    assert stream_format(Encoding.PCM16, 16000) == pcm16(16000)


def test_payloads_pass_unchanged() -> None:
    """All bytes survive the way through a media frame."""
    payload = base64.b64encode(bytes(range(256))).decode()
    assert json.loads(writer().media(payload, 0))["media"]["payload"] == payload
